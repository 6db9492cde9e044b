"""The client of the profile API: typed calls, sync and async, with patience, pages and streams.

    from customer360.client import Client, calls

    with Client("http://127.0.0.1:8084", key) as client:
        (found,) = client.ask(calls.lookup(("email", "ann@post.example")))
        said = client.ask(calls.say(found.customer_id, "note.added", {"text": "wants tea"}))
        print(client.ask(calls.customer(found.customer_id, min_position=said.position)).interaction)
        for item in client.each(calls.timeline(found.customer_id)):
            print(item.time, item.title)

Owns no rule of the services. What can be asked is calls.py, what comes back models.py.
"""

from customer360.client import calls
from customer360.client.asking import AsyncClient, Client
from customer360.client.calls import Call, Pages
from customer360.client.errors import ApiError, NotAnswered
from customer360.client.models import Change

__all__ = ["ApiError", "AsyncClient", "Call", "Change", "Client", "NotAnswered", "Pages", "calls"]

"""Interaction's worker: `faust -A services.interaction worker` or `python -m services.interaction worker`."""

from services.interaction.handlers import plan
from services.runtime.host import worker_app

app = worker_app("interaction", plan, grouped=True, event_sourced=True)

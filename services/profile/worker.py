"""Profile's worker with the public API: `faust -A services.profile worker`, `python -m services.profile worker`."""

from services.profile.api import public
from services.profile.handlers import plan
from services.runtime.host import worker_app

app = worker_app("profile", plan, api=public, port="profile_port", event_sourced=True)

"""Identity's worker: `faust -A services.identity worker` or `python -m services.identity worker`."""

from services.identity.handlers import plan
from services.runtime.host import worker_app

app = worker_app("identity", plan, event_sourced=True)

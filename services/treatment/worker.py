"""Treatment's worker: `faust -A services.treatment worker` or `python -m services.treatment worker`."""

from services.runtime.host import worker_app
from services.treatment.handlers import plan

app = worker_app("treatment", plan, event_sourced=True)

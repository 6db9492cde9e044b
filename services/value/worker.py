"""Value's worker: `faust -A services.value worker` or `python -m services.value worker`."""

from services.runtime.host import worker_app
from services.value.handlers import plan

app = worker_app("value", plan, grouped=True, event_sourced=True)

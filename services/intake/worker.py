"""Intake's worker with the collector: `faust -A services.intake worker`, `python -m services.intake worker`."""

from services.intake.api import public
from services.intake.handlers import plan
from services.runtime.host import worker_app

app = worker_app("intake", plan, api=public, port="intake_port")

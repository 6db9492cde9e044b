"""Treatment's internal pages: /decisions, /treatments, /actions, /experiments and /policy, beside /wait and /status.

Asked by the profile service and the command; not for the public. Owns which pages there are.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from services.runtime.internal import internal_app
from services.runtime.policies import PolicyInForce
from services.runtime.policy_pages import policy_pages
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings
from services.treatment.api import decisions, trials
from services.treatment.domain.reading import read_policy
from services.treatment.handlers import POLICY, plan

__all__ = ["internal"]


def internal(settings: Settings) -> Starlette:
    """The application. `app.state.policy` is the policy in force."""
    app = internal_app(
        settings,
        ServiceSchema.of("treatment", event_sourced=True),
        [
            Route("/decisions", decisions.decide, methods=["POST"]),
            Route("/decisions/{treatment_id}", decisions.decided),
            Route("/treatments", decisions.of_customer, methods=["POST"]),
            Route("/treatments/all", decisions.everything, methods=["POST"]),
            Route("/actions", trials.actions),
            Route("/experiments", trials.experiments),
            Route("/experiments/{experiment_id}/promote", trials.promote, methods=["POST"]),
            Route("/policy/test", trials.try_out, methods=["POST"]),
            Route("/policy/score", trials.score, methods=["POST"]),
            Route("/policy/rollback", trials.roll_back, methods=["POST"]),
            *policy_pages("treatment", POLICY, read_policy, reviews=False),
        ],
        plan,
    )
    app.state.policy = PolicyInForce(POLICY, read_policy)
    return app

"""Models that were in force once: what they would say is asked for by their version.

Owns finding one among the policies that ever were; everything else of a policy is as in force now.
"""

from __future__ import annotations

from dataclasses import replace

from services.runtime import documents
from services.runtime.postgres import Connection
from services.value.domain.policy import Policy
from services.value.domain.prediction import read_prediction


async def with_model(connection: Connection, name: str, policy: Policy, version: int) -> Policy | None:
    """The policy in force with the model of this version, as it was last; None where there never was one."""
    if policy.prediction is not None and policy.prediction.version == version:
        return policy
    for document in reversed(await documents.versions(connection, name)):
        prediction = read_prediction(document.get("prediction"))
        if prediction is not None and prediction.version == version:
            return replace(policy, prediction=prediction)
    return None

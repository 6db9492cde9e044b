"""Treatment's pages for who sets its policy: what is learnt, experiments, a policy tried on customers, the way back.

Owns their words. Nothing that changes state happens without `execute`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import Response

from services.runtime import documents, policies
from services.runtime.http import Problem, answer
from services.runtime.policy_pages import Change, put_in_force
from services.runtime.postgres import Connection
from services.treatment import views
from services.treatment.api.decisions import clock_us
from services.treatment.domain.deciding import Asked, decide, seed_of
from services.treatment.domain.experiments import promoted
from services.treatment.domain.learning import Learnt, results
from services.treatment.domain.past import DAY_US
from services.treatment.domain.policy import NONE, Policy
from services.treatment.domain.reading import read_policy
from services.treatment.domain.scoring import scored
from services.treatment.domain.telling import decimal
from services.treatment.handlers import POLICY

SCORED_DAYS, SCORED_DAYS_MAX = 30, 365
SCORED_MAX = 50_000
"""Words of the newest treatments that a policy is scored on."""
TRIED_MAX = 500
"""Customers a policy is tried on in one question."""


async def actions(request: Request) -> Response:
    """What is known of each action of the policy in force: counts and how likely it is accepted, as a decimal."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy: Policy = await request.app.state.policy.hold(connection)
        learnt = Learnt.of(await views.counts(connection))
    listed = [
        {
            "action_id": action.action_id,
            "kind": action.kind,
            "label": action.label,
            "propensity": decimal(learnt.propensity_ppm(action, policy.prior_weight, "mean", "")),
            "prior": decimal(action.propensity_ppm),
            **{name: getattr(learnt.by_action.get(action.action_id), name, 0) for name in COUNTED},
        }
        for action in policy.actions.values()
    ]
    return answer({"model_version": learnt.version, "actions": listed})


COUNTED = ("decided", "shown", "accepted", "rejected")


async def experiments(request: Request) -> Response:
    """What the variants of each experiment of the policy in force came to."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy: Policy = await request.app.state.policy.hold(connection)
        counts = await views.counts(connection)
    listed = [
        {"experiment_id": e.experiment_id, "share": decimal(e.share_ppm), **results(counts, e.experiment_id)}
        for e in policy.experiments
    ]
    return answer({"experiments": listed})


async def promote(request: Request) -> Response:
    """Put the policy in force whose champion is an experiment's challenger: {by, reason}; ?execute=."""
    _, by, reason = await _said(request)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        document = (await policies.in_force(connection, POLICY))["document"]
        try:
            found = promoted(document, request.path_params["experiment_id"])
            read_policy(found)
        except ValueError as wrong:
            raise Problem("bad-request", str(wrong)) from None
        return await _set(request, connection, found, by, reason)


async def roll_back(request: Request) -> Response:
    """Put an earlier number of the policy in force again, as a new one: {number, by, reason}; ?execute=."""
    body, by, reason = await _said(request)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        versions = await documents.versions(connection, POLICY)
        number = body.get("number")
        if type(number) is not int or not 1 <= number <= len(versions):
            raise Problem("bad-request", f"number is one of 1 to {len(versions)}")
        try:
            read_policy(versions[number - 1])
        except ValueError as wrong:
            raise Problem("bad-request", f"this build cannot read number {number}: {wrong}") from None
        return await _set(request, connection, versions[number - 1], by, reason)


async def _set(request: Request, connection: Connection, document: dict[str, Any], by: str, reason: str) -> Response:
    if request.query_params.get("execute") != "true":
        return answer({"number": None, "document": document})
    change = Change(POLICY, document, by, reason)
    number = await put_in_force(request.app.state.settings, connection, "treatment", change)
    return answer({"number": number, "document": document})


async def _said(request: Request) -> tuple[dict[str, Any], str, str]:
    try:
        body = orjson.loads(await request.body())
        by, reason = body["by"], body["reason"]
        if not isinstance(by, str) or not isinstance(reason, str) or not by or not reason:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise Problem("bad-request", "say by and reason") from None
    return body, by, reason


async def score(request: Request) -> Response:
    """A policy scored on the log: {document, days} → how many decisions would be others, what came of the rest."""
    try:
        body = orjson.loads(await request.body())
        policy, days = read_policy(body["document"]), body.get("days", SCORED_DAYS)
        if type(days) is not int or not 1 <= days <= SCORED_DAYS_MAX:
            raise ValueError(f"days is a whole number from 1 to {SCORED_DAYS_MAX}")
    except (KeyError, TypeError, AttributeError):
        raise Problem("bad-request", "say document and days") from None
    except ValueError as wrong:
        raise Problem("bad-request", str(wrong)) from None
    now_us = clock_us()
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        learnt = Learnt.of(await views.counts(connection))
        decisions = await views.newest(connection, now_us - days * DAY_US, now_us, SCORED_MAX)
    return answer({"days": days, **scored(decisions, policy, learnt)})


async def try_out(request: Request) -> Response:
    """What a policy would decide for these customers beside the one in force; nothing is decided, kept or told.

    {document, customers: [{customer_id, records, document}], channel, placement, context} → how many get what.
    """
    body, policy = await _trial(request)
    pool = await request.app.state.database.pool()
    zone = ZoneInfo(request.app.state.settings.business_timezone)
    async with pool.acquire() as connection:
        in_force: Policy = await request.app.state.policy.hold(connection)
        learnt = Learnt.of(await views.counts(connection))
        trial = Trial(body, learnt, clock_us(), zone)
        for one in body["customers"]:
            await trial.add(connection, one, in_force, policy)
    return answer(trial.found())


@dataclass
class Trial:
    """What both policies decide for some customers."""

    body: Mapping[str, Any]
    learnt: Learnt
    now_us: int
    zone: ZoneInfo

    def __post_init__(self) -> None:
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.rules: Counter[tuple[str, str]] = Counter()

    async def add(self, connection: Connection, one: Mapping[str, Any], in_force: Policy, tried: Policy) -> None:
        """One more customer."""
        placement = str(self.body["placement"])
        seed = seed_of(one["customer_id"], placement, 0)
        asked = Asked(
            one["customer_id"], str(self.body["channel"]), placement, self.now_us, seed,
            self.body.get("context") or {},
        )  # fmt: skip
        done = await views.past(connection, one["records"])
        before, after = (decide(p, one["document"], asked, done, self.learnt) for p in (in_force, tried))
        names = [d.action.action_id if d.action is not None else NONE for d in (before, after)]
        self.pairs[names[0], names[1]] += 1
        self.rules.update((o.action_id, o.rule) for o in after.left_out)

    def found(self) -> dict[str, Any]:
        """How many get what now and then, and which rules left whom out."""
        now, then = Counter[str](), Counter[str]()
        for (before, after), count in self.pairs.items():
            now[before] += count
            then[after] += count
        ordered = sorted(self.rules.items(), key=lambda one: (-one[1], one[0]))
        return {
            "customers": sum(self.pairs.values()),
            "changed": sum(count for (before, after), count in self.pairs.items() if before != after),
            "actions": [
                {"action_id": name, "in_force": now[name], "tried": then[name]} for name in sorted({*now, *then})
            ],
            "left_out": [{"action_id": a, "rule": rule, "customers": count} for (a, rule), count in ordered],
        }


async def _trial(request: Request) -> tuple[dict[str, Any], Policy]:
    try:
        body = orjson.loads(await request.body())
        policy = read_policy(body["document"])
        customers = body["customers"]
        if len(customers) > TRIED_MAX:
            raise Problem("too-large", f"a policy is tried on at most {TRIED_MAX} customers at once")
        for one in customers:
            one["customer_id"], one["records"] = str(UUID(one["customer_id"])), [str(UUID(r)) for r in one["records"]]
            dict(one["document"])
        if not isinstance(body["placement"], str) or not isinstance(body["channel"], str):
            raise TypeError
    except (KeyError, TypeError, AttributeError):
        raise Problem("bad-request", "say document, customers, channel and placement") from None
    except ValueError as wrong:
        raise Problem("bad-request", str(wrong)) from None
    return body, policy

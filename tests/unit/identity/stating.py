"""Small evidence in few words: records named `type:value`, links, aliases, operators' words, and what is drawn."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from services.identity.domain.clustering import Clusters, cluster
from services.identity.domain.evidence import ALIAS, NEVER_US, SEEN_TOGETHER, Assertion, Evidence, Link, Record, Trait
from services.identity.domain.policy import Policy
from services.identity.handlers import shipped_policy

POLICY = shipped_policy()
NEVER = NEVER_US
Fact = Record | Link | Assertion
IDS = (
    "user_id:1", "user_id:2", "user_id:3", "user_id.shop:9", "crm_id.a:1", "crm_id.a:2", "email:a", "email:b",
    "phone:7", "passport:1", "device_id:1", "anonymous_id:1", "anonymous_id:2",
)  # fmt: skip


def record(name: str, first_us: int = 0, sources: Iterable[str] = ("web",)) -> Record:
    """`record("email:a", 5)`; its id is its name."""
    type_, _, value = name.partition(":")
    return Record(name, type_, value, first_us, frozenset(sources))


def together(one: str, other: str, first_us: int = 0, kind: int = SEEN_TOGETHER) -> Link:
    """One event mentioned both."""
    a, b = sorted((one, other))
    return Link(a, b, kind, first_us, f"event-{first_us}", "web")


def alias(one: str, other: str, first_us: int = 0) -> Link:
    """Somebody said that one was the other."""
    return together(one, other, first_us, ALIAS)


def said(one: str, other: str, *, same: bool, time_us: int = 0, event: str = "") -> Assertion:
    """An operator's word."""
    a, b = sorted((one, other))
    return Assertion(a, b, same, time_us, event or f"said-{time_us}", "looked", "op")


def evidence(*facts: Fact | Trait) -> Evidence:
    """All facts; records that are only linked are seen at the link's time."""
    found = Evidence()
    for fact in facts:
        if isinstance(fact, Record):
            found.record(fact)
        elif isinstance(fact, Trait):
            found.trait(fact)
        elif isinstance(fact, Link):
            found.link(fact)
        else:
            found.assertion(fact)
    ends = [(end, k.first_us) for k in found.links.values() for end in (k.a, k.b)]
    ends += [(end, s.time_us) for s in found.assertions.values() for end in (s.a, s.b)]
    for end, time_us in ends:
        if end not in found.records:
            found.record(record(end, time_us))
    return found


def clusters(found: Evidence, policy: Policy = POLICY) -> Clusters:
    """f of it all."""
    return cluster(found.records, found.links.values(), found.assertions.values(), policy)


def parts(*facts: Fact) -> set[frozenset[str]]:
    """The customers as sets of record names."""
    by: dict[str, set[str]] = {}
    for name, binding in clusters(evidence(*facts)).bindings.items():
        by.setdefault(binding.customer_id, set()).add(name)
    return {frozenset(members) for members in by.values()}


def same_customer(one: str, other: str, *facts: Fact) -> bool:
    """Whether two records are one customer."""
    return any({one, other} <= part for part in parts(*facts))


_pairs = st.lists(st.sampled_from(IDS), min_size=2, max_size=2, unique=True)
_times = st.one_of(st.integers(0, 6), st.just(NEVER_US))
records = st.builds(record, st.sampled_from(IDS), _times, st.sets(st.sampled_from(["web", "crm"]), min_size=1))
links = st.builds(
    lambda p, t, k: together(p[0], p[1], t, k), _pairs, _times, st.sampled_from([SEEN_TOGETHER] * 4 + [ALIAS])
)
words = st.builds(
    lambda p, s, t: said(p[0], p[1], same=s, time_us=t, event=f"{s}-{t}"), _pairs, st.booleans(), st.integers(0, 6)
)
traits = st.builds(
    lambda r, v, f, d, n: Trait(r, "name", f'"{v}"', f, f + d, f"event-{n}", f"source-{n}"),
    st.sampled_from(IDS), st.sampled_from("xyz"), st.integers(0, 4), st.integers(0, 4), st.integers(0, 9),
)  # fmt: skip
facts = st.lists(st.one_of(records, links, links, links, words), max_size=14)

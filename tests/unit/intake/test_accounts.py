"""Totals by source and minute: every copy ends once, and a copy that ends nowhere is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.accounts import Answered, Cell, Fate, accounts, minute_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = Cell("shop", NOON)
MINUTES = st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes))
CELLS = st.builds(Cell, st.sampled_from(["shop", "desk", ""]), MINUTES)
COUNTS = st.integers(0, 5)


def test_what_was_answered_for_and_is_in_the_log_is_right() -> None:
    fates = [(SHOP, Fate.APPLIED), (SHOP, Fate.DUPLICATE), (SHOP, Fate.SHADOWED), (SHOP, Fate.WAITING)]
    (account,) = accounts({SHOP: Answered(taken=4, parked=2, refused=1)}, fates).values()
    assert (account.is_right, account.lost, account.uncounted, account.logged) == (True, 0, 0, 4)


def test_what_was_answered_for_and_is_not_in_the_log_is_lost() -> None:
    (account,) = accounts({SHOP: Answered(taken=2)}, [(SHOP, Fate.APPLIED)]).values()
    assert (account.is_right, account.lost) == (False, 1)


def test_what_the_log_has_and_nobody_is_missing() -> None:
    (account,) = accounts({SHOP: Answered(taken=1)}, [(SHOP, Fate.MISSING)]).values()
    assert not account.is_right


def test_what_a_door_died_over_counts_all_the_same() -> None:
    (account,) = accounts({}, [(SHOP, Fate.APPLIED)]).values()
    assert (account.is_right, account.uncounted) == (True, 1)


@given(
    st.dictionaries(CELLS, st.builds(Answered, COUNTS, COUNTS, COUNTS)),
    st.lists(st.tuples(CELLS, st.sampled_from(Fate))),
)
def test_every_copy_is_in_one_total(answered: dict[Cell, Answered], fates: list[tuple[Cell, Fate]]) -> None:
    totals = accounts(answered, fates)
    assert sum(account.logged for account in totals.values()) == len(fates)
    taken = sum(said.taken for said in answered.values())
    assert sum(a.logged + a.lost - a.uncounted for a in totals.values()) == taken
    assert list(totals) == sorted(totals, key=lambda cell: (cell.minute, cell.source))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_lies_in_its_minute(moment: datetime) -> None:
    assert timedelta(0) <= moment - minute_of(moment) < timedelta(minutes=1)

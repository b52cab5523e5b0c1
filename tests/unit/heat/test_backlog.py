"""A backlog is read one partition after the other: days apart, and in any order."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import chain, zip_longest

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.heat.clock import Clock
from detectors.heat.customers import Everybody
from detectors.heat.records import VERSION, AlertMark, Batch, Sighting, Totals
from detectors.heat.tally import DAYS, Tally
from tests.unit.heat.counting import MINUTE, RANGE, Counted, tries

DAY = 1_440
ATTACKED, PARTITIONS = 120, 4


def _week(source: int, days: int = 7) -> list[Batch]:
    """A partition's week: a customer every half an hour, and at its end a quarter of an attack."""
    quiet = [
        Batch(VERSION, (Totals(MINUTE - at, 3, 0, 1, 0, 0, 0),), ())
        for at in range(days * DAY, 0, -30)
    ]
    attack = [
        tries(number, minute=MINUTE + number // 10, fails=True)
        for number in range(source, ATTACKED, PARTITIONS)
    ]
    return [msgspec.structs.replace(batch, source=source) for batch in (*quiet, *attack)]


def _tally(counted: Counted) -> Tally:
    return counted.counter._tallies.of(int(tries(0, fails=True).sightings[0].kind), RANGE, 0, 2**31)


def _days(counted: Counted) -> tuple[float, float, float]:
    failures = _tally(counted).failures
    assert failures is not None
    return failures.rates.window(DAYS)


@pytest.mark.parametrize("reopen", [False, True])
def test_partitions_read_one_after_the_other_count_as_those_read_side_by_side(
    *, reopen: bool
) -> None:
    """No try of an attack fades because another partition's past was read in its midst."""
    weeks = [_week(source) for source in range(PARTITIONS)]
    # The next one's past comes between two halves of what the attack tried through each.
    begun, ended = [week[:-15] for week in weeks], [week[-15:] for week in weeks]
    pieces = [begun[0]]
    for number in range(1, PARTITIONS):
        pieces += [begun[number][:100], ended[number - 1], begun[number][100:]]
    in_turn = Counted(reopen=reopen).take(*chain.from_iterable([*pieces, ended[-1]]))
    by_side = Counted(reopen=reopen).take(
        *(batch for row in zip_longest(*weeks) for batch in row if batch is not None)
    )
    for counted in (in_turn, by_side):
        tried, failed, _ = _days(counted)
        assert tried == pytest.approx(ATTACKED, abs=0.5)
        assert failed == pytest.approx(ATTACKED, abs=0.5)
        assert counted.hot[-1].until < 60.0 * (MINUTE + 30 * DAY)


@pytest.mark.parametrize("reopen", [False, True])
def test_a_partition_that_was_read_first_keeps_the_time_while_two_months_of_others_are_read(
    *, reopen: bool
) -> None:
    """Having been read to its end it says nothing more: that is no sign of a wrong clock."""
    first, *others = [_week(source, days=60) for source in range(PARTITIONS)]
    seen = tries(0, fails=True).sightings[0]
    mark = AlertMark("alert", "c1", 1, 0.0, 60.0 * MINUTE, 0.9, "access", (), Decimal(0), None)
    again = Sighting(seen.kind, seen.key, MINUTE, alerts=(mark,))
    middle = len(others[0]) // 2
    told = Batch(VERSION, (), (again,), 1)
    counted = Counted(reopen=reopen).take(
        *first, *others[0][:middle], told, *others[0][middle:], *chain.from_iterable(others[1:])
    )
    assert _days(counted)[:2] == pytest.approx((ATTACKED, ATTACKED), abs=0.5)


def test_a_hand_over_of_days_sets_no_clock_back() -> None:
    """It tells its totals and then its sightings, of half-hours too in which nobody signed in."""
    seen = tries(0, fails=True).sightings[0]
    totals = tuple(Totals(MINUTE + at, 3, 0, 1, 0, 0, 0) for at in range(0, 4 * DAY, 60))
    between = tuple(
        Sighting(seen.kind, seen.key, MINUTE + at, new=(5,)) for at in range(30, 2 * DAY, 60)
    )
    store: dict[bytes, bytes] = {}
    latest = Clock(store.get).take(Batch(VERSION, totals, between))
    assert latest == pytest.approx(MINUTE + 5 * DAY, abs=65)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.lists(st.integers(0, 10 * DAY // 5), min_size=1, max_size=40, unique=True),
        ),
        max_size=12,
    )
)
@example([(0, [0, 1, 2, 3]), (0, [1, 2, 3])])
def test_a_hand_over_takes_the_clock_as_far_as_its_steps_one_by_one(
    told: list[tuple[int, list[int]]],
) -> None:
    """Whatever came before, gaps and clocks set back included: to the byte the same."""
    whole, single = dict[bytes, bytes](), dict[bytes, bytes]()
    clocks = Clock(whole.get), Clock(single.get)
    for source, steps in told:
        totals = [Totals(MINUTE + 5 * step, 1, 0, 1, 0, 0, 0) for step in sorted(steps)]
        latest = clocks[0].take(Batch(VERSION, tuple(totals), (), source))
        by_ones = [clocks[1].take(Batch(VERSION, (one,), (), source)) for one in totals]
        assert by_ones[-1] == latest
        for clock, store in zip(clocks, (whole, single), strict=True):
            store.update(clock.changes())
    assert whole == single


def test_what_is_told_late_has_faded_by_as_much_as_if_it_had_come_in_time() -> None:
    """Whether yesterday's or today's tries are told first, the rates of both are the same."""
    batches = [tries(number, minute=MINUTE + number * 60, fails=True) for number in range(20)]
    in_time, backwards = Counted().take(*batches), Counted().take(*reversed(batches))
    first, second = _tally(in_time).failures, _tally(backwards).failures
    assert first is not None
    assert second is not None
    assert second.rates.at == first.rates.at
    assert second.rates.sums[:9] == pytest.approx(first.rates.sums[:9], rel=1e-6)


@pytest.mark.parametrize("reopen", [False, True])
def test_half_a_day_s_custom_is_what_all_partitions_tell_of_it(*, reopen: bool) -> None:
    """One whose strangers fail more often is read later: its tries are of their own half-days."""
    of_both = [
        [_strangers(MINUTE + 720 * day, tried=40, failed=failed) for day in range(12)]
        for failed in (4, 20)
    ]
    by_side = _quiet(chain.from_iterable(zip(*of_both, strict=True)), reopen=reopen)
    assert _quiet(chain.from_iterable(of_both), reopen=reopen) == by_side
    assert by_side[0] == pytest.approx(0.3)


def test_what_is_older_than_all_half_days_that_are_kept_is_custom_no_longer() -> None:
    """A month later nothing is known of that half-day but by whoever is late."""
    days = [_strangers(MINUTE + 720 * day, tried=40, failed=8) for day in range(40)]
    late = [_strangers(MINUTE + 720 * day, tried=400, failed=400) for day in range(8)]
    assert _quiet([*days[:8], *late, days[8]], reopen=False)[0] > 0.2
    assert _quiet([*days[:-1], *late, days[-1]], reopen=False) == _quiet(days, reopen=False)


def test_half_days_are_read_as_an_earlier_version_has_left_them() -> None:
    """It knew their shares alone, which make room for those that come."""
    store: dict[bytes, bytes] = {}
    everybody = Everybody(store.get)
    everybody.add(_strangers(MINUTE, tried=40, failed=8), MINUTE + DAY)
    stored = msgspec.msgpack.decode(dict(everybody.changes())[b"h:customers"])
    stored[5:7] = [0.4] * 28, [0.1] * 28
    store[b"h:customers"] = msgspec.msgpack.encode(stored[:-1])
    after = Everybody(store.get)
    assert after.now()[0] == pytest.approx(0.4)
    for day in range(1, 30):
        after.add(_strangers(MINUTE + 720 * day, tried=40, failed=8), MINUTE + 720 * day + DAY)
    assert after.now()[0] == pytest.approx(0.2)


def _strangers(minute: int, *, tried: int, failed: int) -> Totals:
    return Totals(minute, 0, 0, tried, failed, 0, 0)


def _quiet(told: Iterable[Totals], *, reopen: bool) -> tuple[float, float]:
    store: dict[bytes, bytes] = {}
    everybody, latest = Everybody(store.get), 0
    for totals in told:
        latest = max(latest, totals.minute + DAY)
        everybody.add(totals, latest)
        store.update(everybody.changes())
        if reopen:
            everybody = Everybody(store.get)
    return everybody.now()[:2]


def test_a_partition_whose_only_event_is_of_another_century_leads_nobody() -> None:
    """Its clock is never set right by itself; those of the others are believed."""
    years = 60 * 365 * DAY
    counted = Counted().take(
        msgspec.structs.replace(tries(1, minute=MINUTE + years, fails=True), source=1), *_week(0)
    )
    assert counted.hot
    assert max(hot.until for hot in counted.hot) < 60.0 * (MINUTE + 30 * DAY)

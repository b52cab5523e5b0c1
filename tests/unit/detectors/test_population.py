"""What everybody does: shares, attempts and newcomers follow the traffic and survive a restore."""

from array import array

import pytest

from detectors.errors import IncompatibleState
from detectors.population import (
    PAGE,
    Attempts,
    Moments,
    Newcomers,
    Pages,
    Population,
    Shares,
    pack,
    unpack,
)
from tests.unit.detectors import nothing


def test_numbers_are_stored_little_endian_behind_a_version() -> None:
    """The stored form is the same on every machine."""
    assert pack(array("I", [1, 258])) == b"\x01\x01\x00\x00\x00\x02\x01\x00\x00"


@pytest.mark.parametrize("stored", [b"", b"\x02\x00\x00\x00\x00", b"\x01\x00\x00"])
def test_a_page_of_another_version_or_size_is_refused(stored: bytes) -> None:
    """State that does not fit stops the worker instead of being guessed at."""
    with pytest.raises(IncompatibleState):
        unpack(stored, array("I", [0]), 0, 1)


def test_only_the_pages_that_changed_are_handed_over() -> None:
    """One use in one place costs a page, not the whole array."""
    pages = Pages("test", "I", 5 * PAGE, nothing)
    pages.add(3 * PAGE + 7)
    [(key, value)] = pages.changes()
    assert key == b"p:test:3"
    assert len(value) == 1 + 4 * PAGE
    assert list(pages.changes()) == []


def test_a_share_follows_the_fashion() -> None:
    """What everybody used and nobody uses any more becomes rare again."""
    shares = Shares("test", 63, nothing, horizon=1000)
    for _ in range(900):
        shares.add(1)
    old = shares.share(1)
    for _ in range(4000):
        shares.add(2)
    assert shares.share(1) < old / 5
    assert shares.share(2) > 0.8


def test_accounts_tried_and_not_entered_fade_within_hours() -> None:
    """A network that was guessing yesterday is not guessing now."""
    attempts = Attempts("test", 64, nothing, half_life_hours=6.0)
    for _ in range(100):
        attempts.add(5, 497_000.0, tried=1, failed=1)
    assert attempts.recent(5, 497_000.0) == (100.0, 100.0)
    tried, failed = attempts.recent(5, 497_012.0)
    assert tried == failed == pytest.approx(25.0, rel=0.01)


def test_a_failure_made_good_is_taken_back() -> None:
    """A customer who gets in at last leaves no failure behind, and never less than none."""
    attempts = Attempts("test", 64, nothing)
    attempts.add(5, 497_000.0, tried=1, failed=1)
    attempts.add(5, 497_000.1, tried=0, failed=-1)
    attempts.add(5, 497_000.1, tried=0, failed=-1)
    assert attempts.recent(5, 497_000.1)[1] == 0.0


def test_newcomers_count_other_accounts_within_a_fortnight() -> None:
    """The same new value on three accounts: each sees the other two, for two weeks."""
    newcomers = Newcomers("test", 64, nothing)
    for account in (11, 12, 13):
        newcomers.add(999, account, 20_000)
    assert newcomers.others(999, 13, 20_001) == 2
    assert newcomers.others(999, 14, 20_014) == 3
    assert newcomers.others(999, 14, 20_015) == 0
    assert newcomers.others(1000, 14, 20_001) == 0


def test_newcomers_outlast_a_late_event_and_do_not_come_back() -> None:
    """An event across midnight wipes nothing; what was forgotten stays so, whatever the day."""
    newcomers = Newcomers("test", 64, nothing)
    for account in (11, 12, 13):
        newcomers.add(999, account, 20_000)
    newcomers.add(999, 14, 19_999)
    assert newcomers.others(999, 15, 20_000) == 4
    assert newcomers.others(999, 15, 20_014) == 4
    assert newcomers.others(999, 15, 20_256) == 0
    assert newcomers.others(999, 15, 19_900) == 0


def test_newcomers_count_accounts_not_events() -> None:
    """Two accounts that take turns are two, and neither is another to itself."""
    newcomers = Newcomers("test", 64, nothing)
    for number in range(20):
        newcomers.add(999, 11 + number % 2, 20_000)
    assert newcomers.others(999, 13, 20_000) == 2
    assert newcomers.others(999, 11, 20_000) == newcomers.others(999, 12, 20_000) == 1


def test_newcomers_remember_the_most_doubtful_of_the_others() -> None:
    """Whoever asks is not told the own doubt, be it the last, the one before or the only one."""
    newcomers = Newcomers("test", 64, nothing)
    newcomers.add(999, 11, 20_000, 4.6)
    assert newcomers.doubt_of_others(999, 11, 20_000) == 0.0
    assert newcomers.doubt_of_others(999, 12, 20_000) == 4.5
    newcomers.add(999, 12, 20_000, 30.0)
    assert newcomers.doubt_of_others(999, 11, 20_000) == 7.5
    assert newcomers.doubt_of_others(999, 12, 20_000) == 4.5
    newcomers.add(999, 13, 20_000, -3.0)
    newcomers.add(999, 14, 20_000, 1.0)
    for account in (13, 14, 15):
        assert newcomers.doubt_of_others(999, account, 20_000) == 7.5
    assert newcomers.doubt_of_others(999, 15, 20_015) == 0.0


def test_newcomers_keep_the_worst_doubt_of_an_account() -> None:
    """What came by a stranger and then by the customer came by a stranger."""
    newcomers = Newcomers("test", 64, nothing)
    for account in (11, 12):
        newcomers.add(999, account, 20_000, 4.0)
        newcomers.add(999, account, 20_000, 1.5)
    newcomers.add(999, 11, 20_000, 5.0)
    assert newcomers.doubt_of_others(999, 11, 20_000) == 4.0
    assert newcomers.doubt_of_others(999, 12, 20_000) == 5.0
    assert newcomers.others(999, 13, 20_000) == 2


def test_what_few_a_day_share_for_a_week_has_settled_and_a_burst_has_not() -> None:
    """A shop's terminal settles; a gang's device, on as many accounts in two days, does not."""
    newcomers = Newcomers("test", 64, nothing)
    for number in range(8):
        newcomers.add(999, number, 20_000 + number)
        newcomers.add(777, number, 20_000 + number % 2)
    assert newcomers.is_settled(999, 20_008)
    assert not newcomers.is_settled(777, 20_008)
    assert newcomers.others(777, 99, 20_008) == 8


def test_what_a_hijacker_came_with_settles_anew() -> None:
    """A verdict sends a shared device back to its first day; four more days, and it may pass."""
    newcomers = Newcomers("test", 64, nothing)
    for number in range(8):
        newcomers.add(999, number, 20_000 + number)
    newcomers.doubt(999)
    assert not newcomers.is_settled(999, 20_015)
    for number in range(3):
        newcomers.add(999, 20 + number, 20_012 + number)
    assert newcomers.is_settled(999, 20_015)


def test_a_verdict_of_weeks_later_finds_what_is_still_in_use() -> None:
    """A terminal of a month's use; that its hijack was three weeks ago saves it nothing."""
    newcomers = Newcomers("test", 64, nothing)
    for number in range(30):
        newcomers.add(999, number, 20_000 + number)
    assert newcomers.is_settled(999, 20_030)
    newcomers.doubt(999)
    assert not newcomers.is_settled(999, 20_033)


def test_a_value_is_not_taken_for_the_one_in_its_second_cell() -> None:
    """Two values alike but for what tells their first cells apart are two."""
    newcomers = Newcomers("test", 4096, nothing)
    for account in (11, 12):
        newcomers.add(0x00055001, account, 20_000)
    newcomers.add(0x12345001, 13, 20_000)
    assert newcomers.others(0x12345001, 99, 20_000) == 1
    assert newcomers.others(0x12345002, 99, 20_000) == 0


def test_what_is_shared_is_not_driven_out_by_what_is_not() -> None:
    """A thousand devices of one customer each leave the shared one where it is."""
    newcomers = Newcomers("test", 64, nothing)
    for account in (11, 12, 13):
        newcomers.add(999, account, 20_000)
    for number in range(1000):
        newcomers.add(1_000_003 * (number + 1), 100 + number, 20_001)
    assert newcomers.others(999, 14, 20_001) == 3


def test_moments_start_from_the_prior_and_follow_the_values() -> None:
    """Twenty values' worth of prior, then what everybody spends."""
    moments = Moments("test", 3.9, 0.8, nothing)
    assert moments.moments() == pytest.approx((3.9, 0.8))
    for _ in range(2000):
        moments.add(5.0)
    mean, deviation = moments.moments()
    assert mean == pytest.approx(5.0, abs=0.05)
    assert deviation < 0.5


def test_a_population_read_back_says_the_same() -> None:
    """Every count is in the pages that were handed over."""
    store: dict[bytes, bytes] = {}
    population = Population(store.get)
    for number in range(300):
        population.agents.add(number % 7)
        population.by_operator.add(number % 5, 497_000.0 + number / 60, tried=1, failed=number % 2)
        population.new_devices.add(number % 11, number, 20_000)
        population.amounts.add(number / 100)
    store.update(population.changes())
    again = Population(store.get)
    assert again.agents.share(3) == population.agents.share(3)
    assert again.by_operator.recent(3, 497_010.0) == population.by_operator.recent(3, 497_010.0)
    assert again.new_devices.others(3, 1, 20_001) == population.new_devices.others(3, 1, 20_001)
    assert again.amounts.moments() == population.amounts.moments()
    assert all(len(value) <= 1 + 4 * PAGE for value in store.values())

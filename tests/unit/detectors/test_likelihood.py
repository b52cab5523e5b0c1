"""Likelihood tables: what they say, learn, forget and keep."""

from math import log

import pytest

from detectors.errors import IncompatibleState
from detectors.models.likelihood import HIGHEST, LOWEST, Table
from tests.unit.detectors import nothing

CUSTOMER = ((0.9, 0.1), (0.5, 0.5))
HIJACKER = (0.2, 0.8)


def table(store: dict[bytes, bytes] | None = None, told: float = 1.0) -> Table:
    """A table of two contexts and two outcomes."""
    return Table("test", 2, CUSTOMER, HIJACKER, ({} if store is None else store).get, told=told)


def test_it_starts_from_the_prior() -> None:
    """Before any event, the weight is the log ratio of the two priors."""
    assert abs(table().ratio(0, 1) - log(0.8 / 0.1)) < 1e-9
    assert abs(table().ratio(1, 0) - log(0.2 / 0.5)) < 1e-9


def test_what_customers_keep_doing_tells_less_and_less() -> None:
    """A hot outcome carries little weight, because the customers' share says so."""
    learnt = table()
    before = learnt.ratio(0, 1)
    for _ in range(1000):
        learnt.learn(0 * 2 + 1)
    assert learnt.ratio(0, 1) < 0 < before


def test_a_context_without_events_of_its_own_leans_on_the_others() -> None:
    """What is common elsewhere is no surprise in a context never seen."""
    learnt = table()
    for _ in range(1000):
        learnt.learn(0 * 2 + 1)
    assert learnt.ratio(1, 1) < table().ratio(1, 1)


def test_a_context_that_hijackers_are_in_and_customers_hardly_ever_tells_by_itself() -> None:
    """Given the context alone, an outcome that is all there ever is in it would say nothing."""
    learnt = table()
    for number in range(1000):
        learnt.learn((1 if number % 100 == 0 else 0) * 2 + 1)
    assert learnt.ratio_within(1, 0, 1, 0.9) > learnt.ratio(1, 1) + 2.0
    assert learnt.ratio_within(0, 1, 1, 0.1) < learnt.ratio(0, 1)


def test_taking_back_an_event_restores_the_table() -> None:
    """A takeover that had been counted as a customer's leaves no trace there."""
    learnt = table()
    learnt.learn(3)
    learnt.unlearn(3)
    assert [learnt.ratio(c, o) for c in (0, 1) for o in (0, 1)] == [
        table().ratio(c, o) for c in (0, 1) for o in (0, 1)
    ]


def test_verdicts_teach_what_hijackers_do() -> None:
    """An outcome that verdicts keep giving to hijackers weighs more."""
    learnt = table()
    for _ in range(50):
        learnt.learn_hijack(0)
    assert learnt.ratio(0, 0) > table().ratio(0, 0)


def test_a_factor_that_tells_of_few_can_hardly_clear_anybody() -> None:
    """Where the factor concerns a tenth of hijackers, its absence excuses at most that tenth."""
    assert table(told=0.1).ratio(0, 0) >= log(0.9)


def test_weights_stay_in_range() -> None:
    """No single factor decides alone."""
    learnt = Table("test", 1, ((1.0, 1e-9),), (1e-9, 1.0), nothing)
    assert learnt.ratio(0, 1) == HIGHEST
    assert learnt.ratio(0, 0) == LOWEST


def test_a_table_read_back_says_the_same_and_fades_alike() -> None:
    """Counts are whole numbers: nothing is lost in storing, even where the past was halved."""
    store: dict[bytes, bytes] = {}
    lived, restored = table(), table(store)
    for number in range(70_000):
        at = 0 if number % 7 else 1
        lived.learn(at)
        restored.learn(at)
        if number % 20_000 == 0:
            store.update(restored.changes())
            restored = table(store)
    assert restored.ratio(0, 1) == lived.ratio(0, 1)


def test_what_an_earlier_release_counted_in_fewer_contexts_is_kept() -> None:
    """New contexts come last, and lean on the others until something is counted in them."""
    store: dict[bytes, bytes] = {}
    before = Table("test", 1, CUSTOMER[:1], HIJACKER, store.get)
    for _ in range(1000):
        before.learn(1)
    before.learn_hijack(0)
    store.update(before.changes())
    after = table(store)
    assert after.ratio(0, 1) == before.ratio(0, 1)
    assert after.ratio(1, 1) < table().ratio(1, 1)


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x01" + bytes(4 * 3), b"\x01" + bytes(4 * 8)])
def test_what_is_no_such_table_is_refused(stored: bytes) -> None:
    """Too little, part of a context, or more contexts than there are."""
    with pytest.raises(IncompatibleState):
        table({b"m:likelihood:test": stored})

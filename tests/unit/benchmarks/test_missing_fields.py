"""Taking fields out: nothing else goes, and the detector is judged on what is left."""

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from detectors.evaluation.judging import Judgement
from detectors.events import AccountChange, Event, Feedback, Item, Login, Order
from tests.benchmarks.missing_fields import ALL, EVERYTHING, Missing, judgements, rows_of, table
from tests.benchmarks.shops import SimulatedRun

ORDER = Order(
    account_id="anna",
    event_id="o1",
    occurred_at=1.8e9,
    device_id="d1",
    session_id="s1",
    country="GB",
    order_id="1",
    amount=Decimal(9),
    items=(Item(sku="lamp"),),
)
VERDICT = Feedback(
    account_id="anna",
    event_id="f1",
    occurred_at=1.9e9,
    device_id="d1",
    verdict="takeover",
    event_ids=("o1",),
)
EVENTS: list[Event] = [ORDER, VERDICT]


def _left(missing: Missing, events: list[Event], seed: int = 1) -> list[Event]:
    return list(missing.left(events, seed))


def test_what_is_missing_is_as_if_it_had_never_come() -> None:
    """The named fields of every event that has them, and nothing else."""
    order, verdict = _left(Missing("", ("device_id", "items", "mfa")), EVENTS)
    assert order == msgspec.structs.replace(ORDER, device_id=None, items=())
    assert verdict == msgspec.structs.replace(VERDICT, device_id=None)


def test_without_verdicts_only_they_are_gone() -> None:
    """With everything, nothing is."""
    assert _left(Missing("", verdicts=False), EVENTS) == [ORDER]
    assert _left(EVERYTHING, EVENTS) == EVENTS


def test_a_share_is_drawn_field_by_field_and_the_same_again() -> None:
    """Of two fields at 0.3 some thousand events lack one, the other, both and none."""
    missing = Missing("", ("device_id", "country"), share=0.3)
    orders: list[Event] = [ORDER] * 2000
    left = _left(missing, orders)
    lacking = [(one.device_id is None, one.country is None) for one in left]
    assert sum(device for device, _ in lacking) / 2000 == pytest.approx(0.3, abs=0.05)
    assert lacking.count((True, True)) / 2000 == pytest.approx(0.09, abs=0.03)
    assert left == _left(missing, orders)
    assert left != _left(missing, orders, seed=2)


def test_every_row_takes_out_something_that_shops_send() -> None:
    """No row repeats another, and none names a field that no event has."""
    events = list(SimulatedRun(1, accounts=100, visits=4.0, more=8.0).events())
    known = {name for kind in (Login, Order, AccountChange) for name in kind.__struct_fields__}
    for missing in ALL:
        assert known.issuperset(missing.fields)
        takes_out = bool(missing.fields) or not missing.verdicts
        assert (_left(missing, events) != events) == takes_out
    assert len({missing.name for missing in ALL}) == len(ALL)


@pytest.fixture(scope="module")
def judged() -> dict[str, Judgement]:
    """How the detector does in a shop of a hundred, with everything and without three things."""
    chosen = [one for one in ALL if one.name in {"nothing", "`device_id`", "the look-up file"}]
    return judgements(
        1, accounts=100, more=40.0, all_missing=[*chosen, Missing("v", verdicts=False)]
    )


def test_what_is_missing_changes_the_risks_and_not_what_is_judged(
    judged: dict[str, Judgement],
) -> None:
    """Each row has the same hijacks and days, and other risks: it was an engine of its own."""
    for one, other in pairwise(judged.values()):
        assert one.account_days == other.account_days
        assert [h.account for h in one.hijacks] == [h.account for h in other.hijacks]
    risks = [tuple(hijack.risk for hijack in one.hijacks) for one in judged.values()]
    assert len(set(risks)) == len(judged) == 4


def test_the_table_has_a_line_for_each_row_against_everything(
    judged: dict[str, Judgement],
) -> None:
    """Everything's recall at the default budget and a row's difference are the row's recall."""
    rows = rows_of([judged])
    lines = list(table(rows))
    assert [line.split(" | ")[0].strip("| ") for line in lines[4:]] == list(judged)
    whole = rows[0].summary.budgets[1].in_time.value
    assert rows[0].difference.value == 0
    for row in rows:
        assert row.difference.value == pytest.approx(row.summary.budgets[1].in_time.value - whole)

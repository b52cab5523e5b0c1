"""Whatever the simulator writes, the detector reads: the wire contract holds on both sides."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import get_args

import pytest

from detectors.events import AccountChange, Login, Order
from detectors.parsing import parse_event
from detectors.simulation import (
    BARE,
    EVERYTHING,
    Shop,
    SimulatedEvent,
    Telemetry,
    draw_telemetry,
    simulate,
)

START = 1_792_972_800.0


def _run(telemetry: Telemetry, days: float = 40) -> list[SimulatedEvent]:
    shop = Shop(accounts=1_500, telemetry=telemetry)
    return list(simulate(shop, seed=6, start=START, days=days, hijacks=0.02))


@pytest.mark.parametrize(
    "telemetry",
    [Telemetry(), EVERYTHING, BARE, draw_telemetry(1), draw_telemetry(2)],
    ids=["typical", "everything", "bare", "drawn-1", "drawn-2"],
)
def test_every_event_is_one_that_the_detector_reads(telemetry: Telemetry) -> None:
    """Nothing is refused, and time, account and amount arrive as they were meant."""
    types: Counter[str] = Counter()
    for simulated in _run(telemetry):
        event = parse_event(simulated.event, type_=None, timestamp=0.0, fallback_id="none")
        types[type(event).__name__] += 1
        assert abs(event.occurred_at - simulated.time) < 0.002
        assert event.account_id == simulated.event["account_id"]
        assert event.event_id == simulated.event["event_id"]
        if isinstance(event, Order):
            assert event.amount > 0
            paid = event.gift_card_amount or Decimal(0)
            assert paid <= event.amount
            goods = sum(((i.unit_price or 0) * i.quantity for i in event.items), Decimal(0))
            assert not event.items or 0 <= event.amount - goods < 5
    assert set(types) == {"Login", "Order", "AccountChange", "Feedback"}


def test_everything_the_contract_names_occurs() -> None:
    """Every outcome, reason, method, change, actor, way of delivery and source is met."""
    met: dict[str, set[str]] = {}
    for simulated in _run(EVERYTHING, days=90):
        for name, value in simulated.event.items():
            if isinstance(value, str):
                met.setdefault(name, set()).add(value)
    for kind, names in (
        (Login, ("outcome", "failure_reason", "method", "mfa")),
        (AccountChange, ("change", "actor")),
        (Order, ("delivery",)),
    ):
        for name in names:
            allowed = set(_literals(kind.__annotations__[name]))
            assert met[name] == allowed, name
    assert met["source"] >= {"analyst", "customer", "chargeback"}
    assert met["verdict"] == {"takeover", "legitimate"}


def _literals(annotation: object) -> list[str]:
    found: list[str] = []
    for part in get_args(annotation):
        found += [part] if isinstance(part, str) else _literals(part)
    return found


def test_fields_are_missing_as_often_as_a_pipeline_drops_them() -> None:
    """Each share is met, for thieves as for customers."""
    shop = Shop(accounts=6_000, telemetry=Telemetry(country=0.7, asn=0.5, session_id=0.8))
    run = [
        e
        for e in simulate(shop, seed=2, start=START, days=40, hijacks=0.05)
        if e.event.get("outcome") == "success"
    ]
    for field, share in (("country", 0.7), ("asn", 0.5), ("session_id", 0.8)):
        for who in (True, False):
            have = [field in e.event for e in run if (e.truth is not None) == who]
            assert abs(sum(have) / len(have) - share) < 0.06, (field, who)


def test_times_are_rfc_3339_in_utc_to_the_millisecond() -> None:
    """The milliseconds of a run are spread evenly: no clock is coarser than another."""
    run = _run(Telemetry())
    digits: Counter[str] = Counter()
    for simulated in run:
        text = simulated.event["occurred_at"]
        assert text.endswith("Z")
        assert len(text) == 24
        assert abs(datetime.fromisoformat(text).timestamp() - simulated.time) < 0.0015
        digits[text[22]] += 1
    assert len(digits) == 10
    assert max(digits.values()) < 1.25 * min(digits.values())

"""Verdicts are as late, as few and as wrong as those that shops get."""

import numpy as np
import pytest

from detectors.simulation import Shop, SimulatedEvent
from tests.unit.simulation.conftest import run

DAY = 86400.0


@pytest.fixture(scope="module")
def long_run() -> list[SimulatedEvent]:
    """Long enough for late verdicts to come, with enough hijacks to count."""
    return run(8, Shop(accounts=5_000), days=100.0, hijacks=0.04)


def verdicts(events: list[SimulatedEvent]) -> list[SimulatedEvent]:
    """The verdicts among events."""
    return [e for e in events if e.event["type"] == "feedback"]


def test_verdicts_come_one_to_sixty_days_after_what_they_are_about(
    long_run: list[SimulatedEvent],
) -> None:
    """Never before, and in the order of time among the events."""
    times = {e.event["event_id"]: e.time for e in long_run}
    late = []
    for verdict in verdicts(long_run):
        named = [times[event_id] for event_id in verdict.event["event_ids"] if event_id in times]
        late.append((verdict.time - max(named)) / DAY)
    assert min(late) >= 1
    assert max(late) <= 61
    assert 2 < np.median(late) < 20


def test_most_hijacks_are_reported_sooner_or_later_and_some_never(
    long_run: list[SimulatedEvent],
) -> None:
    """Of those that had sixty days for it, ten to forty per cent were not."""
    judged = {
        event_id
        for verdict in verdicts(long_run)
        if verdict.event["verdict"] == "takeover"
        for event_id in verdict.event["event_ids"]
    }
    until = long_run[-1].time - 61 * DAY
    hijacks: dict[str, list[SimulatedEvent]] = {}
    for e in long_run:
        if e.truth is not None and e.truth.takeover:
            hijacks.setdefault(e.event["account_id"], []).append(e)
    due = [h for h in hijacks.values() if h[-1].time < until]
    never = sum(all(e.event["event_id"] not in judged for e in h) for h in due)
    assert len(due) > 60
    assert 0.10 < never / len(due) < 0.42


def test_about_two_in_a_hundred_verdicts_are_wrong(long_run: list[SimulatedEvent]) -> None:
    """Both ways: honest events called takeovers, takeovers called honest."""
    truth = {e.event["event_id"]: e.truth is not None for e in long_run}
    said = [
        (v.event["verdict"] == "takeover", truth.get(v.event["event_ids"][0]))
        for v in verdicts(long_run)
    ]
    wrong = sum(takeover != true for takeover, true in said)
    assert 0.004 < wrong / len(said) < 0.045


def test_odd_looking_customers_are_cleared_by_analysts(long_run: list[SimulatedEvent]) -> None:
    """Legitimate verdicts fall on odd events far more often than on plain ones."""
    cleared = {
        v.event["event_ids"][0] for v in verdicts(long_run) if v.event["verdict"] == "legitimate"
    }
    odd_names = {"vpn", "gift", "new_phone", "moving_house", "holiday_travel"}
    honest = [e for e in long_run if e.truth is None and e.event["type"] != "feedback"]
    odd = [e for e in honest if not odd_names.isdisjoint(e.circumstances)]
    plain = [e for e in honest if not e.circumstances]

    def share(of: list[SimulatedEvent]) -> float:
        return sum(e.event["event_id"] in cleared for e in of) / len(of)

    assert share(odd) > 5 * share(plain)
    assert share(plain) > 0

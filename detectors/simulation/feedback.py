"""Verdicts: late, incomplete, sometimes wrong; from customers, analysts, banks and the police."""

from collections.abc import Sequence

from detectors.simulation.calendar import DAY
from detectors.simulation.chance import Chance, Weighted
from detectors.simulation.circumstances import CIRCUMSTANCES
from detectors.simulation.recording import Record, timestamp

NEVER = 0.25  # share of hijacks that nobody ever reports
WRONG = 0.02  # share of verdicts that say the opposite of the truth
_TWICE = 0.05
# Source of a verdict on a takeover, and the days until it comes.
_SOURCES = Weighted(
    (
        (("customer", 1.0, 14.0), 50),
        (("analyst", 1.0, 7.0), 25),
        (("chargeback", 15.0, 60.0), 21),
        (("police", 20.0, 60.0), 4),
    )
)
_REVIEWED = {name: circumstance.reviewed for name, circumstance in CIRCUMSTANCES.items()}
_AT_RANDOM = 0.0008  # share of unremarkable events that an analyst looks into

Verdicts = list[tuple[float, Record]]
"""Verdicts with the time at which each is said (UTC epoch seconds)."""


def review(event: Record, time: float, circumstances: Sequence[str], chance: Chance) -> Verdicts:
    """Perhaps let an analyst look into an honest event, the likelier the odder it looks."""
    share = _AT_RANDOM + sum(_REVIEWED.get(name, 0.0) for name in circumstances)
    if not chance.happens(share):
        return []
    verdict = "takeover" if chance.happens(WRONG) else "legitimate"
    source = "analyst" if chance.happens(0.8) else "customer"
    said = time + DAY * chance.between(1.0, 10.0)
    return [_say(event["account_id"], [event["event_id"]], (verdict, source), said, chance)]


def report_takeover(events: Sequence[Record], time: float, chance: Chance) -> Verdicts:
    """Perhaps let a takeover be reported, after its last event at `time`; sometimes twice."""
    if chance.happens(NEVER):
        return []
    verdict = "legitimate" if chance.happens(WRONG) else "takeover"
    verdicts = []
    for _ in range(2 if chance.happens(_TWICE) else 1):
        source, soonest, latest = _SOURCES.pick(chance)
        # A bank disputes a payment; it knows of no sign-in.
        named = [event["event_id"] for event in events[-1 if source == "chargeback" else 0 :]]
        said = time + DAY * chance.between(soonest, latest)
        verdicts.append(_say(events[0]["account_id"], named, (verdict, source), said, chance))
    return verdicts


def _say(
    account_id: str, event_ids: list[str], what: tuple[str, str], said: float, chance: Chance
) -> tuple[float, Record]:
    verdict, source = what
    return said, {
        "type": "feedback",
        "event_id": chance.token(16),
        "occurred_at": timestamp(said),
        "account_id": account_id,
        "verdict": verdict,
        "event_ids": event_ids,
        "source": source,
    }

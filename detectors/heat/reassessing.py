"""The first victims: what an attack says of accounts that it had entered before it was known."""

from detectors.assessments import Reason
from detectors.heat.records import TECHNIQUE_IDS, Entry, Hot
from detectors.heat.wording import describe, evidence_of
from detectors.profiles import Doubt, Profile

_MOST_DOUBTS = 3
_MOST_REASONS = 5


def is_settled(profile: Profile, mark: int) -> bool:
    """Return whether a verdict has already said whose the event with this mark was."""
    recent = profile.recent
    return any(recent[at] == mark and recent[at + 1] < 0 for at in range(0, len(recent), 2))


def remember(profile: Profile, entry: Entry, hot: Hot) -> None:
    """Leave the doubt with the account: with what it does next, and with what the entry brought."""
    minute, nats = profile.minute(entry.at), round(max(hot.nats, 1.0), 3)
    # A doubt of no session counts in every session, the entry's own too.
    profile.doubts.append(Doubt(0, minute, nats))
    if len(profile.doubts) > _MOST_DOUBTS:
        profile.doubts.remove(min(profile.doubts, key=lambda doubt: (doubt.nats, doubt.minute)))
    for memory in (profile.devices, profile.prefixes):
        memory.add_doubt(minute, min(15, int(nats)))


def explain(hot: Hot, before: tuple[Reason, ...]) -> tuple[tuple[Reason, ...], tuple[str, ...]]:
    """Return the reasons of a case that an attack is added to, and the attack's techniques."""
    others = tuple(reason for reason in before if reason.code != "hot_indicator")
    share = 0.5 if others else 1.0
    reason = Reason(
        code="hot_indicator",
        summary=describe(hot),
        contribution=share,
        evidence=evidence_of(hot),
    )
    scaled = [
        Reason(
            code=other.code,
            summary=other.summary,
            contribution=round(other.contribution * (1 - share), 4),
            evidence=other.evidence,
        )
        for other in others
    ]
    return (reason, *scaled[: _MOST_REASONS - 1]), TECHNIQUE_IDS[hot.technique]

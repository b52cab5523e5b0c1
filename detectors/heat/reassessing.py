"""The first victims: what an attack says of accounts that it had entered before it was known."""

from msgspec import structs

from detectors.assessments import Reason
from detectors.heat.records import TECHNIQUE_IDS, Entry, Reassessment
from detectors.heat.wording import describe, evidence_of
from detectors.profiles import Profile, digest
from detectors.stored_profiles import Doubt

_CODE = "hot_indicator"
_MOST_DOUBTS = 3
_MOST_REASONS = 5


def told(notice: Reassessment) -> float:
    """Return what an attack adds to an entry's score, nats: the same failures count once."""
    return max(notice.hot.nats - notice.entry.guessing, 0.0)


def remember(profile: Profile, entry: Entry, nats: float) -> None:
    """Leave the doubt with the account: with what it does next, and with what the entry brought."""
    minute, nats = profile.minute(entry.at), round(max(nats, 1.0), 3)
    # A doubt of no session counts in every session, the entry's own too.
    for doubt in profile.doubts:
        if doubt.session == 0 and doubt.minute == minute:
            doubt.nats = max(doubt.nats, nats)
            break
    else:
        profile.doubts.append(Doubt(0, minute, nats))
    if len(profile.doubts) > _MOST_DOUBTS:
        profile.doubts.remove(min(profile.doubts, key=lambda doubt: (doubt.nats, doubt.minute)))
    for memory in (profile.devices, profile.prefixes):
        memory.add_doubt(minute, min(15, int(nats)))


def session_of(profile: Profile, entry: Entry) -> int:
    """Return what stands for the session that an entry began or went on in, 0 if forgotten."""
    if entry.session_id:
        return digest(entry.session_id)
    minute = profile.minute(entry.at)
    # Each sign-in that names no session has begun one of its own.
    begun = [s.key for s in profile.sessions if s.signed_in and s.opened == minute]
    return begun[-1] if begun else 0


def explain(
    notice: Reassessment, before: tuple[Reason, ...]
) -> tuple[tuple[Reason, ...], tuple[str, ...]]:
    """Return the reasons of a case that an attack is added to, and the attack's techniques.

    The attack's share is its nats of all that speaks for a hijacker in the entry; what the case had
    been raised for shares the rest as it did.
    """
    nats, hot = told(notice), notice.hot
    share = nats / (nats + notice.entry.telling)
    reason = Reason(
        code=_CODE,
        summary=describe(hot),
        contribution=round(share, 4),
        evidence=evidence_of(hot),
    )
    others = [other for other in before if other.code != _CODE]
    heated = sum(other.contribution for other in before if other.code == _CODE)
    rest = (1.0 - share) / (1.0 - heated) if heated < 1.0 else 0.0
    scaled = [
        structs.replace(other, contribution=round(other.contribution * rest, 4))
        for other in others[: _MOST_REASONS - 1]
    ]
    reasons = sorted([reason, *scaled], key=lambda reason: -reason.contribution)
    return tuple(reasons), TECHNIQUE_IDS[hot.technique]

"""The first victims: what an attack says of accounts that it had entered before it was known."""

from detectors.assessments import Evidence, Reason
from detectors.heat.indicators import KINDS, Kind
from detectors.heat.records import TECHNIQUE_IDS, Entry, Hot, Technique
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
        evidence=Evidence(seen=hot.shown or KINDS[Kind(hot.kind)].name),
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


def describe(hot: Hot) -> str:
    """Return a sentence that names the technique and what it was seen by."""
    return (
        f"{_TECHNIQUES[hot.technique]} came through {_NAMES[Kind(hot.kind)]} that was new to this"
        f" account: {hot.failed} of {hot.tried} tries failed, on about {hot.accounts} accounts."
    )


_TECHNIQUES: dict[Technique, str] = {
    "fast_stuffing": "Leaked passwords tried on many accounts from few addresses",
    "spraying": "Passwords tried on many accounts from many addresses",
    "slow_stuffing": "Leaked passwords tried slowly, from an address for every try,",
}
_NAMES = {
    Kind.ADDRESS: "an address",
    Kind.PREFIX: "an address range",
    Kind.OPERATOR: "a network operator",
    Kind.DEVICE: "a device",
    Kind.AGENT: "a client",
    Kind.SHAPE: "a kind of client",
    Kind.DELIVERY: "a delivery address",
    Kind.PAYMENT: "a means of payment",
    Kind.CONTACT: "a contact",
}

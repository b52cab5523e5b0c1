"""From features to sentences: why an event is risky, from the same numbers as its score.

A reason's contribution is its feature's share of everything that speaks for a hijacker. The
sentences are made only where there is an alert to put them in.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec import UNSET

from detectors.assessments import Evidence, Reason
from detectors.events import AccountChange, Event, Order
from detectors.features.access import FREQUENT, KNOWN
from detectors.features.changes import GROUP, SHARINGS
from detectors.features.orders import AMOUNT_STEPS
from detectors.features.reading import Reading, area_of, country_named
from detectors.features.registry import ACCESS, NAMES, POSITION, SHARED
from detectors.features.sessions import moved_abroad
from detectors.features.story import brought_along
from detectors.heat.records import TECHNIQUE_IDS
from detectors.heat.wording import describe, evidence_of
from detectors.intelligence import wording as intelligence
from detectors.profiles import digest
from detectors.stored_profiles import Doubt, Session
from detectors.wording import (
    COMPARED,
    WORDS,
    ago,
    network_of,
    nothing,
    outcome_of,
    says,
    so_many,
    unseen,
)

TELLING = 0.25
"""Nats below which a feature is no reason."""


class Explanation(NamedTuple):
    """How a feature becomes a reason. `summary` may name what was seen."""

    code: str
    summary: Callable[[Reading], str]
    evidence: Callable[[Reading], Evidence | None]
    techniques: tuple[str, ...] = ()


def strongest(weights: Sequence[float], most: int = 5) -> list[int]:
    """Return the positions of the features that speak for a hijacker, most telling first."""
    telling = [at for at, weight in enumerate(weights) if weight >= TELLING]
    telling.sort(key=lambda at: -weights[at])
    return telling[:most]


def codes(reading: Reading, weights: Sequence[float]) -> tuple[str, ...]:
    """Return the codes of the reasons, most telling first."""
    return tuple([_code(reading, at) for at in strongest(weights)])


def _code(reading: Reading, at: int) -> str:
    # What is ordered as a code is judged with what it is paid with; nothing need be spent.
    if at == _REWARDS and not _is_spent(reading.event):
        return "digital_goods"
    return _CODES[at]


def _is_spent(event: Event) -> bool:
    return type(event) is Order and bool(event.loyalty_points or event.gift_card_amount)


def explain(reading: Reading, weights: Sequence[float]) -> tuple[tuple[Reason, ...], list[str]]:
    """Return the reasons in words, and the techniques that they point to."""
    total = sum(weight for weight in weights if weight > 0) or 1.0
    reasons: list[Reason] = []
    techniques: list[str] = []
    for at in strongest(weights):
        name = _NAMES[at]
        explanation = EXPLANATIONS[name]
        reasons.append(
            Reason(
                code=_code(reading, at),
                summary=explanation.summary(reading),
                contribution=round(weights[at] / total, 4),
                evidence=explanation.evidence(reading),
                tlp=intelligence.marking_of(reading) if name == SHARED.name else UNSET,
            )
        )
        techniques += explanation.techniques
        if name == "heat" and reading.hot is not None:
            techniques += TECHNIQUE_IDS[reading.hot.technique]
        elif name == SHARED.name:
            techniques += intelligence.techniques_of(reading)
        elif name == "act":
            techniques += _techniques_of(reading.event)
    return tuple(reasons), techniques


def _techniques_of(event: Event) -> tuple[str, ...]:
    if type(event) is not AccountChange:
        return ()
    if event.actor == "support":
        return ("F1033",)
    if event.change in {"password", "sessions_revoked"}:
        return ()
    return _TECHNIQUES[GROUP[event.change]]


def _change(reading: Reading) -> str:
    event = reading.event
    if type(event) is AccountChange:
        by = f" by {event.actor}" if event.actor not in {None, "customer"} else ""
        return f"{_WORDS[event.change]}{by}, which hijackers do more often than customers."
    return "What is done here is done more by hijackers than by customers."


_WORDS: Final = {
    "email": "The e-mail address was changed",
    "phone": "The phone number was changed",
    "password": "The password was changed",
    "password_reset_requested": "A password reset was requested",
    "password_reset_completed": "The password was reset",
    "address": "A delivery address was changed",
    "payment": "A means of payment was changed",
    "mfa_enrolled": "A second factor was added",
    "mfa_removed": "A second factor was removed",
    "sessions_revoked": "All sessions were revoked",
}


def _clock(group: int, subject: str) -> Explanation:
    def since(reading: Reading) -> int:
        return reading.minute - reading.profile.changed[group]

    def summary(reading: Reading) -> str:
        if since(reading) < 0:
            return f"{subject} after this, but that was told first."
        return f"{subject} {ago(since(reading))} before this."

    def evidence(reading: Reading) -> Evidence | None:
        return Evidence(seen=ago(since(reading))) if since(reading) >= 0 else None

    return Explanation(f"{_GROUPS[group]}_changed", summary, evidence, _TECHNIQUES[group])


_GROUPS: Final = ("contact", "credential", "reset", "address", "payment", "mfa")
_TECHNIQUES: Final[tuple[tuple[str, ...], ...]] = (
    ("F1005.004",), ("F1006.003",), ("F1006.003",), ("F1005.005",), ("F1005.006",), (),
)  # fmt: skip


_ADDRESSES: Final = (
    "a known address",
    "a new address in a known postcode",
    "a new address",
    "no address",
    "a new place to pick up at",
)
_PAYMENTS: Final = ("a known means of payment", "a new means of payment", "no payment told")


def _destination(reading: Reading) -> str:
    address, payment = divmod(outcome_of(reading, "destination", 15), 3)
    paid = " and a payment" if payment == 1 else ""
    if address == 4:
        return f"A place to pick up at{paid} this account is not known to use."
    if address == 2:
        return f"A delivery address{paid} this account is not known to use."
    if payment == 1:
        return "A means of payment this account is not known to use."
    return "This combination of delivery address and payment is seen less with customers."


def _destinations(reading: Reading) -> Evidence | None:
    event, profile = reading.event, reading.profile
    if type(event) is not Order:
        return None
    address, payment = divmod(outcome_of(reading, "destination", 15), 3)
    given, known = [], []
    if address in {2, 4}:
        given.append(event.shipping_address_id or event.delivery or "none")
        known.append(so_many(len(profile.addresses.keys), "known address", "es"))
    if payment == 1:
        given.append(event.payment_id or "none")
        known.append(so_many(len(profile.payments.keys), "known means of payment", ""))
    if not given:
        return Evidence(seen=f"{_ADDRESSES[address]}, {_PAYMENTS[payment]}")
    return Evidence(seen=", ".join(given), usual=", ".join(known))


def _delivery(reading: Reading) -> Evidence | None:
    event = reading.event
    return Evidence(seen=event.delivery or "unknown") if type(event) is Order else None


def _ways(reading: Reading) -> str:
    event = reading.event
    if type(event) is Order and event.delivery is None:
        return "How it is delivered is not told."
    if reading.profile.bought and outcome_of(reading, "delivery", 10) % 2:
        return "A way of delivery this account is not known to use."
    return "This way of delivery is seen less with customers than with hijackers."


def _sum(reading: Reading) -> str:
    outcome = outcome_of(reading, "amount", len(AMOUNT_STEPS) + 1)
    if outcome == 2:
        return "An amount that is nothing unusual."
    whose = "this account" if reading.profile.bought > 2 else "an account with few orders"
    return f"An amount unusual for {whose}."


def _amount(reading: Reading) -> Evidence | None:
    event, profile = reading.event, reading.profile
    if type(event) is not Order:
        return None
    usual = f"about {2.718281828**profile.amount_mean - 1:.0f}" if profile.bought else None
    return Evidence(seen=f"{event.amount} {event.currency or ''}".strip(), usual=usual)


def _goods(reading: Reading) -> str:
    event, bought = reading.event, reading.profile.categories
    if type(event) is not Order or not bought.keys:
        return "Goods that few customers buy."
    asked = {digest(item.category) for item in event.items if item.category}
    if asked & set(bought.keys):
        return "Goods in another proportion than this account buys them."
    return "Goods this account is not known to buy."


def _bought(reading: Reading) -> Evidence | None:
    event = reading.event
    categories = (
        [one.category for one in event.items if one.category] if type(event) is Order else []
    )
    return Evidence(seen=", ".join(dict.fromkeys(categories[:8]))) if categories else None


def _speed(reading: Reading) -> str:
    session = reading.session
    if session is None:
        return unseen(reading) if reading.event.session_id else _untold(reading)
    if not session.signed_in:
        return "No sign-in of its session is remembered."
    if moved_abroad(reading, session):
        return "Its session was signed in to elsewhere: none was seen where it comes from now."
    minutes = reading.minute - session.opened
    if minutes < 0:
        return "The sign-in of its session happened later, but was told first."
    return f"It came {ago(minutes)} after the sign-in."


def _untold(reading: Reading) -> str:
    """Tell how far it is known that nobody signed in, where the client tells no session."""
    if not reading.session_key:
        return "No session is told."
    way = "device" if reading.device else "client and address range"
    return f"No session is told, and none that is known came by its {way} within the day."


def _pace(reading: Reading) -> str:
    last = reading.profile.ordered
    if reading.minute < last:
        return "An order that was placed later was told before this one."
    return f"The order before this one was placed {ago(reading.minute - last)} earlier."


def _spent(reading: Reading) -> str:
    event = reading.event
    codes = type(event) is Order and event.delivery == "digital"
    if not _is_spent(event):
        if codes:
            return "Something digital is ordered, which cannot be called back."
        return "No points or gift cards are spent."
    on = " on something digital" if codes else ""
    usual = "as before" if reading.profile.rewards else "which this account is not known to do"
    return f"Points or gift cards are spent{on}, {usual}."


def _rewards(reading: Reading) -> Evidence | None:
    event = reading.event
    if type(event) is not Order:
        return None
    if not _is_spent(event):
        return Evidence(seen=event.delivery) if event.delivery else None
    seen = f"{event.loyalty_points or 0} points, {event.gift_card_amount or 0} in gift cards"
    return Evidence(seen=seen, usual="used before" if reading.profile.rewards else "none known")


def _delivered_to(reading: Reading) -> str:
    outcome = outcome_of(reading, "forwarding", 3)
    if outcome == 0:
        return "Delivery to a country this account has signed in from."
    if outcome == 1:
        return "Delivery to a country this account is not known to have been in, but is in now."
    return "Delivery to a country this account is not known to have been in."


def _values(reading: Reading) -> str:
    """Tell which new value others were given of late, too, and how many."""
    context, outcome = divmod(reading.cells[POSITION["shared_value"]], SHARINGS)
    if outcome == 0:
        return "The new contact, address or payment was given on no other account."
    event = reading.event
    what = _SHARED[context]
    if context == 0 and type(event) is AccountChange:
        what = _GIVEN.get(event.change, what)
    held = so_many(reading.others, "other account")
    return f"The same new {what} was {_USED[context]} {held} lately."


_SHARED: Final = ("value", "means of payment", "delivery address")
_USED: Final = ("set on", "used on", "ordered to from")
_GIVEN: Final = {
    "email": "e-mail address",
    "phone": "phone number",
    "address": "delivery address",
    "payment": "means of payment",
}


def _valued(reading: Reading) -> Evidence | None:
    event, context = reading.event, reading.cells[POSITION["shared_value"]] // SHARINGS
    value = None
    if type(event) is AccountChange:
        value = event.value_hash
    elif type(event) is Order:
        value = event.payment_id if context == 1 else event.shipping_address_id
    return Evidence(seen=value) if value else None


def _doubts(reading: Reading) -> str:
    """Tell what was doubtful, when, and how it came: who it was, nobody knows."""
    if reading.apart >= 0:
        return _apart(reading)
    if outcome_of(reading, "story", 11) == 0:
        return "Nothing on this account was doubtful lately."
    doubt = reading.doubted
    if doubt is None:
        what, first = _brought(reading)
        when = ago(reading.minute - first)
        return f"The {what} was new to this account {when} before this, in something doubtful."
    session, minutes = _session_of(reading, doubt), reading.minute - doubt.minute
    when = f"{ago(minutes)} before this" if minutes >= 0 else "after this, but told first,"
    if session is None:
        return f"Something done on this account {when} was doubtful."
    what = _done(reading, doubt, session)
    return f"{what} {when} was doubtful: its session began {_with(reading, session)}."


def _doubted(reading: Reading) -> Evidence | None:
    """Show whence the doubtful session came, and what spoke most against its sign-in."""
    doubt = reading.doubted
    if outcome_of(reading, "story", 11) == 0 and reading.apart < 0:
        return None
    if doubt is None:
        what = _apart_by(reading) if reading.apart >= 0 else _brought(reading)[0]
        device = reading.event.device_id if what == "device" else reading.facts.prefix
        return Evidence(seen=device or reading.event.ip or "unknown")
    session = _session_of(reading, doubt)
    if session is None:
        return Evidence(seen=ago(max(0, reading.minute - doubt.minute)))
    against = sorted(range(ACCESS), key=lambda at: -session.access[at])[:2]
    named = [_CODES[at].replace("_", " ") for at in against if session.access[at] >= _A_NAT]
    network = network_of(reading, session) or "a network that is not told"
    return Evidence(seen=f"{network}: {', '.join(named)}" if named else network)


def _apart(reading: Reading) -> str:
    """Tell by what somebody comes again who has had nothing to do with the customer so far."""
    what, when = _apart_by(reading), ago(reading.minute - reading.apart)
    kept = "range" if what == "device" else "device"
    return (
        f"The {what} was new to this account {when} before this, in something doubtful, and has had"
        f" nothing to do with the rest of it since: no address {kept}, no delivery address."
    )


def _apart_by(reading: Reading) -> str:
    devices = reading.profile.devices
    at = devices.find(reading.device)
    is_device = at >= 0 and devices.first(at) == reading.apart
    return "device" if is_device else "address range"


_A_NAT: Final = 8
"""A session keeps its sign-in's features in eighths."""


def _session_of(reading: Reading, doubt: Doubt) -> Session | None:
    """Return the session that left a doubt, None where it is of none or is forgotten."""
    sessions = reading.profile.sessions
    if not doubt.session:
        # What an attack tells of a sign-in that it led to is of no session, but of its minute.
        begun = (one for one in sessions if one.signed_in and one.opened == doubt.minute)
        return next(begun, None)
    # Where it was signed in to again since, what it was before that is not known any more.
    known = (one for one in sessions if one.key == doubt.session and one.opened <= doubt.minute)
    return next(known, None)


def _brought(reading: Reading) -> tuple[str, int]:
    """Return whether device or range came with the most doubt, and the minute it first came."""
    device, range_ = brought_along(reading)
    profile = reading.profile
    if device >= range_:
        return "device", profile.devices.first(profile.devices.find(reading.device))
    return "address range", profile.prefixes.first(profile.prefixes.find(reading.prefix))


def _done(reading: Reading, doubt: Doubt, session: Session) -> str:
    """Tell what was done in the minute of a doubt, as far as the profile still knows."""
    profile = reading.profile
    if session.signed_in and session.opened == doubt.minute:
        return "A sign-in"
    for group, minute in enumerate(profile.changed):
        if minute == doubt.minute:
            return _CHANGED[group]
    return "An order" if profile.ordered == doubt.minute else "Something"


_CHANGED: Final = (
    "A change of e-mail address or phone number",
    "A change of password",
    "A password reset or revoking of sessions",
    "A change of delivery address",
    "A change of means of payment",
    "A change of second factor",
)


def _with(reading: Reading, session: Session) -> str:
    """Tell what a session began with, beside what the event at hand came with."""
    near = reading.prefix and reading.prefix == session.prefix
    where = f"{'the same' if near else 'another'} address range"
    if reading.device and reading.device == session.device:
        return f"on the same device, in {where}"
    if not session.device:
        return f"without a device identifier, in {where}"
    device = "another device" if reading.device else "a device with an identifier"
    if session.device_class in {FREQUENT, KNOWN}:
        device = f"{device} that this account had used"
    return f"on {device}, in {where}"


def _area(reading: Reading) -> str:
    return {
        0: "Delivery to an area where nobody's goods go from where this account is seen.",
        1: "Delivery to an area where few goods go from where this account is seen.",
        5: "A new delivery address, and nothing is known of where the account is seen.",
    }.get(outcome_of(reading, "locality", 6), "Delivery where this account is seen.")


def _areas(reading: Reading) -> Evidence | None:
    event = reading.event
    if type(event) is not Order or not event.shipping_postcode:
        return None
    return Evidence(seen=area_of(event.shipping_postcode), usual=reading.profile.city)


def _foreign(reading: Reading) -> Evidence | None:
    event = reading.event
    if type(event) is not Order:
        return None
    known = [country_named(code) for code in reading.profile.countries.keys]
    return Evidence(
        seen=event.shipping_country or "no country told",
        usual=", ".join(one for one in known if one) or None,
    )


def _of(name: str, code: str, techniques: tuple[str, ...] = ()) -> Explanation:
    return Explanation(code, WORDS[name], COMPARED.get(name, nothing), techniques)


EXPLANATIONS: Final = {
    "device": _of("device", "new_device", ("F1030",)),
    "client": _of("client", "new_client"),
    "network": _of("network", "new_network", ("F1030",)),
    "rarity": _of("rarity", "rare_network"),
    "kind": _of("kind", "network_kind", ("T1557",)),
    "travel": _of("travel", "impossible_travel"),
    "hours": _of("hours", "unusual_hour"),
    "method": _of("method", "unusual_method"),
    "round_trip": _of("round_trip", "slow_round_trip", ("T1557",)),
    "failures": _of("failures", "failed_burst"),
    "dormancy": _of("dormancy", "dormant_account", ("F1042",)),
    "guessing": _of("guessing", "guessing_network", ("T1110.004",)),
    "shared_device": _of("shared_device", "shared_device", ("T1110.004",)),
    "shared_range": _of("shared_range", "shared_range", ("T1110.004",)),
    "churn": _of("churn", "many_new_devices"),
    "forwarding": Explanation(
        "foreign_delivery", _delivered_to, _foreign, ("F1028",),
    ),
    "heat": Explanation(
        "hot_indicator", lambda reading: describe(reading.hot) if reading.hot else "",
        lambda reading: evidence_of(reading.hot) if reading.hot else None,
    ),
    "isolation": Explanation(
        "unlike_others", says("Altogether unlike what customers do these days."), nothing
    ),
    "continuity": _of("continuity", "session_moved", ("F1004", "T1539")),
    "act": Explanation("telling_change", _change, nothing),
    "contact_clock": _clock(0, "The e-mail address or phone number was changed"),
    "credential_clock": _clock(1, "The password was changed or reset"),
    "reset_clock": _clock(2, "A password reset was requested or sessions were revoked"),
    "address_clock": _clock(3, "A delivery address was changed"),
    "payment_clock": _clock(4, "A means of payment was changed"),
    "mfa_clock": _clock(5, "A second factor was added or removed"),
    "shared_value": Explanation("shared_value", _values, _valued, ("F1028",)),
    "destination": Explanation("new_destination", _destination, _destinations, ("F1028",)),
    "delivery": Explanation(
        "unusual_delivery", _ways, _delivery,
        ("F1028",),
    ),
    "amount": Explanation(
        "unusual_amount", _sum, _amount, ("F1028",)
    ),
    "goods": Explanation("unusual_goods", _goods, _bought),
    "speed": Explanation(
        "haste", _speed, nothing
    ),
    "rewards": Explanation(
        "rewards_spent", _spent, _rewards,
        ("F1028",),
    ),
    "pace": Explanation("order_pace", _pace, nothing),
    "shared": Explanation("shared_intelligence", intelligence.describe, intelligence.evidence_of),
    "story": Explanation(
        "recent_doubts", _doubts, _doubted
    ),
    "locality": Explanation("distant_delivery", _area, _areas, ("F1028",)),
}  # fmt: skip
_REWARDS: Final = POSITION["rewards"]
_NAMES: Final = (*NAMES, SHARED.name)
_CODES: Final = tuple(EXPLANATIONS[name].code for name in _NAMES)

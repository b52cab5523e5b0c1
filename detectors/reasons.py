"""From features to sentences: why an event is risky, from the same numbers as its score.

A reason's contribution is its feature's share of everything that speaks for a hijacker. The
sentences are made only where there is an alert to put them in.
"""

from collections.abc import Callable, Sequence
from operator import mul
from typing import Final, NamedTuple

from detectors.assessments import Evidence, Reason
from detectors.events import AccountChange, Login, Order
from detectors.features.access import ABROAD, MISSING, NEW, OPERATOR, OPERATOR_AWAY, RECENT
from detectors.features.reading import Reading
from detectors.features.registry import NAMES
from detectors.models.prior import WEIGHTS

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


def counted(reading: Reading) -> list[float]:
    """Return the features as they count in the score, nats."""
    return list(map(mul, WEIGHTS[reading.type], reading.weights))


def codes(weights: Sequence[float]) -> tuple[str, ...]:
    """Return the codes of the reasons, most telling first."""
    return tuple([_CODES[at] for at in strongest(weights)])


def explain(reading: Reading, weights: Sequence[float]) -> tuple[tuple[Reason, ...], list[str]]:
    """Return the reasons in words, and the techniques that they point to."""
    total = sum(weight for weight in weights if weight > 0) or 1.0
    reasons: list[Reason] = []
    techniques: list[str] = []
    for at in strongest(weights):
        explanation = EXPLANATIONS[NAMES[at]]
        reasons.append(
            Reason(
                code=explanation.code,
                summary=explanation.summary(reading),
                contribution=round(weights[at] / total, 4),
                evidence=explanation.evidence(reading),
            )
        )
        techniques += explanation.techniques
    return tuple(reasons), techniques


def _says(text: str) -> Callable[[Reading], str]:
    return lambda _: text


def _none(_: Reading) -> Evidence | None:
    return None


def _device(reading: Reading) -> str:
    return {
        NEW: "A device this account has never used.",
        RECENT: "A device this account has used only in the last days.",
        MISSING: "No device identifier, although this account usually has one.",
    }.get(reading.device_class, "The session was opened on a device new to this account.")


def _devices(reading: Reading) -> Evidence:
    known = len(reading.profile.devices.keys)
    return Evidence(
        seen=reading.event.device_id or "none",
        usual=f"{known} known device{'' if known == 1 else 's'}",
    )


def _client(reading: Reading) -> Evidence:
    facts = reading.facts
    named = " on ".join(part for part in (facts.browser, facts.os) if part)
    return Evidence(seen=named or reading.event.user_agent or "none", usual=reading.profile.client)


def _network(reading: Reading) -> str:
    if reading.network == ABROAD:
        return "A network in a country this account has not been seen in."
    if reading.network in {OPERATOR, OPERATOR_AWAY}:
        return "An address range new to this account, of an operator it has used."
    return "A network operator new to this account."


def _networks(reading: Reading) -> Evidence:
    return Evidence(seen=_named(reading), usual=reading.profile.network)


def _named(reading: Reading) -> str:
    facts = reading.facts
    operator = f"AS{facts.asn}" if facts.asn else facts.prefix or reading.event.ip or "unknown"
    return f"{operator} ({facts.country})" if facts.country else operator


def _kind(reading: Reading) -> str:
    masked = {"hosting": "a hosting network", "vpn": "a VPN", "tor": "Tor", "relay": "a relay"}
    if reading.kind in masked:
        return f"The address belongs to {masked[reading.kind]}."
    kind = reading.kind or "unknown"
    return f"A new network of this kind ({kind}) is seen less with customers than with hijackers."


def _travel(reading: Reading) -> Evidence:
    facts = reading.facts
    return Evidence(seen=facts.city or _named(reading), usual=reading.profile.city)


def _method(reading: Reading) -> Evidence | None:
    event = reading.event
    return Evidence(seen=event.method or "unknown") if type(event) is Login else None


def _change(reading: Reading) -> str:
    event = reading.event
    if type(event) is AccountChange:
        by = f" by {event.actor}" if event.actor not in {None, "customer"} else ""
        return f"{_WORDS[event.change]}{by}, which hijackers do far more often than customers."
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
        return f"{subject} {_ago(since(reading))} before this."

    def evidence(reading: Reading) -> Evidence:
        return Evidence(seen=_ago(since(reading)), usual="weeks or never")

    return Explanation(f"{_GROUPS[group]}_changed", summary, evidence, _TECHNIQUES[group])


def _ago(minutes: int) -> str:
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{minutes // 60} hours" if minutes < 2880 else f"{minutes // 1440} days"


_GROUPS: Final = ("contact", "credential", "reset", "address", "payment", "mfa")
_TECHNIQUES: Final = (
    ("F1005.004",), ("F1006.003",), ("F1006.003",), ("F1005.005",), ("F1005.006",), ("T1111",),
)  # fmt: skip


def _destination(reading: Reading) -> str:
    event = reading.event
    payment = ""
    if type(event) is Order:
        address = reading.cells[NAMES.index("destination")] % 12
        payment = " and a payment" if address % 3 == 1 else ""
        if address // 3 == 2:
            return f"A delivery address{payment} this account has never used."
        if address % 3 == 1:
            return "A means of payment this account has never used."
    return "An unusual combination of delivery address and payment."


def _destinations(reading: Reading) -> Evidence | None:
    event = reading.event
    if type(event) is not Order:
        return None
    known = len(reading.profile.addresses.keys)
    return Evidence(
        seen=event.shipping_address_id or event.delivery or "none",
        usual=f"{known} known address{'' if known == 1 else 'es'}",
    )


def _delivery(reading: Reading) -> Evidence | None:
    event = reading.event
    return Evidence(seen=event.delivery or "unknown") if type(event) is Order else None


def _amount(reading: Reading) -> Evidence | None:
    event, profile = reading.event, reading.profile
    if type(event) is not Order:
        return None
    usual = f"about {2.718281828**profile.amount_mean - 1:.0f}" if profile.bought else None
    return Evidence(seen=f"{event.amount} {event.currency or ''}".strip(), usual=usual)


def _pace(reading: Reading) -> str:
    last = reading.profile.ordered
    if last < 0:
        return "The first order that was seen of this account."
    return f"The order before this one was placed {_ago(reading.minute - last)} earlier."


def _rewards(reading: Reading) -> Evidence | None:
    event = reading.event
    if type(event) is not Order:
        return None
    seen = f"{event.loyalty_points or 0} points, {event.gift_card_amount or 0} in gift cards"
    return Evidence(seen=seen, usual="used before" if reading.profile.rewards else "never used")


def _delivered_to(reading: Reading) -> str:
    event = reading.event
    if type(event) is Order and event.shipping_country:
        return "Delivery to a country this account has nothing to do with."
    return "Nothing is delivered to an address."


def _foreign(reading: Reading) -> Evidence | None:
    event = reading.event
    if type(event) is not Order:
        return None
    return Evidence(seen=event.shipping_country or event.delivery or "no address")


def _failures(reading: Reading) -> Evidence:
    return Evidence(seen=f"about {reading.profile.failures:.0f} failures shortly before")


def _dormancy(reading: Reading) -> Evidence:
    days = (reading.minute - reading.profile.signed_in) // 1440
    return Evidence(seen=f"{days} days of silence")


def _moved(reading: Reading) -> str:
    if reading.session is None:
        return "The session was never seen signing in."
    return "The session moved to another device or network midway."


EXPLANATIONS: Final = {
    "device": Explanation("new_device", _device, _devices, ("F1030",)),
    "client": Explanation(
        "new_client", _says("A browser or system unusual for this account."), _client
    ),
    "network": Explanation("new_network", _network, _networks, ("F1030",)),
    "rarity": Explanation(
        "rare_network", _says("A network or country rare among customers."), _networks
    ),
    "kind": Explanation("network_kind", _kind, _networks, ("T1557",)),
    "travel": Explanation(
        "impossible_travel", _says("Farther from the last sign-in than travel explains."), _travel
    ),
    "hours": Explanation(
        "unusual_hour", _says("An hour at which this customer is not usually active."), _none
    ),
    "method": Explanation(
        "unusual_method", _says("The sign-in was proved in an unusual way."), _method
    ),
    "round_trip": Explanation(
        "slow_round_trip", _says("A round trip longer than this network takes."), _none,
        ("T1557",),
    ),
    "failures": Explanation(
        "failed_burst", _says("Failed attempts shortly before the success."), _failures,
        ("T1110.003",),
    ),
    "dormancy": Explanation(
        "dormant_account", _says("The account was silent for long before this."), _dormancy,
        ("F1042",),
    ),
    "guessing": Explanation(
        "guessing_network",
        _says("The network or client is failing on many accounts at this moment."),
        _networks, ("T1110.004",),
    ),
    "shared_device": Explanation(
        "shared_device", _says("The same device turned up new on other accounts lately."), _devices,
        ("T1110.004",),
    ),
    "shared_range": Explanation(
        "shared_range", _says("The same address range turned up new on other accounts lately."),
        _networks, ("T1110.004",),
    ),
    "churn": Explanation(
        "many_new_devices", _says("Other devices were new to this account lately."), _devices
    ),
    "forwarding": Explanation(
        "foreign_delivery", _delivered_to, _foreign, ("F1028",),
    ),
    "heat": Explanation(
        "hot_indicator", _says("Its network, device or client is under suspicion elsewhere now."),
        _networks, ("T1110.004",),
    ),
    "isolation": Explanation(
        "unlike_others", _says("Altogether unlike what customers do these days."), _none
    ),
    "continuity": Explanation("session_moved", _moved, _networks, ("F1004", "T1539")),
    "act": Explanation("telling_change", _change, _none, ("F1005",)),
    "contact_clock": _clock(0, "The e-mail address or phone number was changed"),
    "credential_clock": _clock(1, "The password was changed or reset"),
    "reset_clock": _clock(2, "A password reset was requested or sessions were revoked"),
    "address_clock": _clock(3, "A delivery address was changed"),
    "payment_clock": _clock(4, "A means of payment was changed"),
    "mfa_clock": _clock(5, "A second factor was added or removed"),
    "shared_value": Explanation(
        "shared_value",
        _says("The same new contact, address or payment was given on other accounts."),
        _none, ("F1028",),
    ),
    "destination": Explanation("new_destination", _destination, _destinations, ("F1028",)),
    "delivery": Explanation(
        "unusual_delivery", _says("A way of delivery this account does not use."), _delivery,
        ("F1028",),
    ),
    "amount": Explanation(
        "unusual_amount", _says("An amount unusual for this account."), _amount, ("F1028",)
    ),
    "goods": Explanation("unusual_goods", _says("Goods this account does not buy."), _none),
    "speed": Explanation(
        "haste", _says("It came unusually soon after the sign-in."), _none
    ),
    "rewards": Explanation(
        "rewards_spent", _says("Points or gift cards are spent, unlike before."), _rewards,
        ("F1028",),
    ),
    "pace": Explanation("order_pace", _pace, _none),
    "story": Explanation(
        "recent_doubts", _says("Other suspicious things happened on this account lately."), _none
    ),
}  # fmt: skip
_CODES: Final = tuple(EXPLANATIONS[name].code for name in NAMES)

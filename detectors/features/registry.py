"""Every feature: its name, unit, range and why it tells. Order here is order everywhere.

A stored model is a list of weights in this order: append, never insert.
"""

from typing import Final, NamedTuple


class Feature(NamedTuple):
    """One feature. Its value is never below `low` or above `high`; `tells` completes a table."""

    name: str
    family: str
    tells: str
    low: float = -4.0
    high: float = 6.0
    unit: str = "nats"


FEATURES: Final = (
    Feature("device", "access", "a device this account never used, or one it has used for long"),
    Feature("client", "access", "a browser or system the account does not use, and how rare it is"),
    Feature("network", "access", "an address range, operator or country new to the account"),
    Feature(
        "rarity", "access", "how unusual the new operator and country are for everybody", -0.7, 4.0
    ),
    Feature("kind", "access", "hosting, VPN, Tor or relay instead of the access networks of homes"),
    Feature("travel", "access", "a distance no journey covers, beyond geolocation's error"),
    Feature("hours", "access", "an hour of the week at which this customer sleeps", -0.3, 1.5),
    Feature("method", "access", "how the sign-in was proved, against how it usually is", -2.5, 2.5),
    Feature("round_trip", "access", "a round trip longer than the network it shows would take"),
    Feature("failures", "access", "a burst of failures before the success"),
    Feature("dormancy", "access", "an account that was silent for long"),
    Feature(
        "guessing",
        "access",
        "the network or client is failing on many accounts right now",
        0.0,
        6.0,
    ),
    Feature("shared_device", "access", "the same new device turned up on other accounts"),
    Feature("shared_range", "access", "the same new address range turned up on other accounts"),
    Feature("churn", "access", "other devices were new to this account in the last days"),
    Feature("continuity", "session", "a session that moves to another device or network midway"),
    Feature("act", "story", "what is done at all: hijackers change details, customers browse"),
    Feature("contact_clock", "changes", "e-mail or phone changed shortly before", -0.5, 4.0),
    Feature(
        "credential_clock",
        "changes",
        "password changed or reset completed shortly before",
        -0.5,
        4.0,
    ),
    Feature(
        "reset_clock",
        "changes",
        "a reset requested, or sessions revoked, shortly before",
        -0.5,
        4.0,
    ),
    Feature("address_clock", "changes", "a delivery address changed shortly before", -0.5, 4.0),
    Feature("payment_clock", "changes", "a means of payment changed shortly before", -0.5, 4.0),
    Feature("mfa_clock", "changes", "a second factor added or removed shortly before", -0.5, 4.0),
    Feature(
        "shared_value",
        "changes",
        "the same new contact, address or payment on other accounts, and how doubtful it was there",
    ),
    Feature("destination", "order", "delivery address and payment against those used before"),
    Feature("delivery", "order", "how it is delivered, against the habit"),
    Feature("amount", "order", "the amount, in deviations from the account's habit"),
    Feature(
        "goods", "order", "what is bought, against the account's habit and everybody's", -0.5, 3.0
    ),
    Feature("speed", "story", "how soon after sign-in the order or change came"),
    Feature(
        "rewards", "order", "points or gift cards spent, and on codes, by an account that does not"
    ),
    Feature("pace", "order", "how soon after the last order that was seen this one came"),
    Feature("forwarding", "order", "delivery to a country the account has nothing to do with"),
    Feature("isolation", "story", "how alone all of this is: half-space trees over every feature"),
    Feature("heat", "heat", "what the event came with is hot on other accounts right now"),
    Feature(
        "story",
        "story",
        "suspicious things of the last days that this session did not do",
        -0.5,
        6.0,
    ),
    Feature(
        "locality", "order", "a new delivery address far from where the account is seen", -0.5, 3.0
    ),
)

SHARED: Final = Feature(
    "shared", "intelligence", "what others have reported of the event's indicators", 0.0, 4.0
)
"""A feature beside the vector, which neither the fitted prior nor the half-space trees see: it
counts as the weight of evidence that it is, up to what all others speak against the event, and what
verdicts correct is how far its sources are believed. It costs nothing where nothing is reported,
else a look-up for each of the up to seven values that an event brings (a microsecond or two each;
some eight where keyed hashes are compared, for a value that was not met lately)."""

WIDTH: Final = len(FEATURES)
NAMES: Final = tuple(feature.name for feature in FEATURES)
POSITION: Final = {name: at for at, name in enumerate(NAMES)}
ACCESS: Final = 15
"""The first so many features are of the sign-in: a session carries them to what follows in it."""

"""Every attack that the simulator stages: its name, its techniques and what it looks like."""

from collections.abc import Collection
from typing import NamedTuple

from detectors.errors import ConfigurationError


class Family(NamedTuple):
    """An attack family.

    `techniques` are ids of the MITRE Fight Fraud Framework (F) and ATT&CK (T). `share` is the
    family's part of all hijacks, relative to the others'. `campaign` is the smallest and largest
    number of hijacks that one campaign of it aims at.
    """

    name: str
    techniques: tuple[str, ...]
    meaning: str
    share: float
    campaign: tuple[int, int]


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "stuffing_fast",
            ("T1110.004",),
            "A few addresses try leaked passwords on many accounts, one or two tries each.",
            2.0,
            (3, 14),
        ),
        Family(
            "stuffing_slow",
            ("T1110.004", "F1030"),
            "Leaked passwords through homes in the victim's country, a new address for every try.",
            2.0,
            (3, 14),
        ),
        Family(
            "spraying",
            ("T1110.003",),
            "A few common passwords, round after round, on many accounts from many addresses.",
            1.0,
            (2, 8),
        ),
        Family(
            "aitm_relay",
            ("T1557", "T1111"),
            "A phishing site relays the sign-in, second factor included; then the session moves.",
            1.0,
            (2, 6),
        ),
        Family(
            "cookie_theft",
            ("F1004", "T1539"),
            "A stolen session goes on from another device or network, without any sign-in.",
            1.0,
            (1, 6),
        ),
        Family(
            "sim_swap_reset",
            ("T1451", "F1006.003"),
            "The phone number is taken over: reset, sign-in, contact change, order.",
            0.6,
            (1, 3),
        ),
        Family(
            "spoofed_targeted",
            ("F1023", "F1030"),
            "The thief sits behind a line in the victim's city with the victim's user agent.",
            0.8,
            (1, 4),
        ),
        Family(
            "change_before_order",
            ("F1005.004", "F1005.005", "F1005.006"),
            "Contact, address or payment is changed, and ordered minutes to days later.",
            1.2,
            (2, 6),
        ),
        Family(
            "dormant_revival",
            ("F1042",),
            "An account that was silent for half a year signs in and orders.",
            0.8,
            (2, 6),
        ),
        Family(
            "checker_canary",
            ("F1012", "F1046"),
            "A small order tests the account, which is sold; another thief cashes out days later.",
            0.8,
            (2, 6),
        ),
        Family(
            "points_drain",
            ("F1028",),
            "Loyalty points and gift cards are spent on codes; no address is needed.",
            0.9,
            (2, 8),
        ),
        Family(
            "click_and_collect",
            ("F1028",),
            "The goods are picked up in a shop or a locker; no address is needed.",
            0.9,
            (2, 6),
        ),
        Family(
            "insider",
            ("F1033",),
            "Somebody at the support console changes the account; an accomplice orders.",
            0.4,
            (1, 4),
        ),
    )
}


def checked(names: Collection[str]) -> Collection[str]:
    """Return the names; raise ConfigurationError for one that no family has."""
    for name in names:
        if name not in FAMILIES:
            raise ConfigurationError(f"unknown family {name!r}; known are {', '.join(FAMILIES)}")
    return names

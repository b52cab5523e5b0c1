"""Every way in which the simulator's customers look like attackers."""

from typing import NamedTuple


class Circumstance(NamedTuple):
    """Something in a customer's life or the shop's that makes an honest event look odd.

    `reviewed` is the share of such visits that an analyst looks into and clears.
    """

    name: str
    meaning: str
    reviewed: float


CIRCUMSTANCES: dict[str, Circumstance] = {
    circumstance.name: circumstance
    for circumstance in (
        Circumstance("holiday_travel", "On holiday, on a hotel's network or roaming.", 0.02),
        Circumstance("business_travel", "On business abroad.", 0.02),
        Circumstance("vpn", "Through a VPN's exit in a data centre.", 0.02),
        Circumstance("privacy_relay", "Through a browser's privacy relay.", 0.0),
        Circumstance(
            "carrier_gateway", "Thousands of phones behind a few changing addresses.", 0.0
        ),
        Circumstance("new_phone", "A first visit with a new phone: device and app at once.", 0.02),
        Circumstance("shared_tablet", "A household's tablet, used by several customers.", 0.0),
        Circumstance("household", "Several customers behind one home's line.", 0.0),
        Circumstance("moving_house", "A new home: line, city and delivery address.", 0.03),
        Circumstance("gift", "An order to an address never used before.", 0.02),
        Circumstance("forgotten_password", "Failed tries, then a reset, then a sign-in.", 0.01),
        Circumstance("failed_attempts", "Mistyped passwords and account names.", 0.0),
        Circumstance("black_friday", "The busiest days of the year, at any hour.", 0.0),
        Circumstance("sleeper", "A customer who hardly ever comes wakes for a sale.", 0.01),
        Circumstance("campus", "A university's students behind a few addresses.", 0.0),
        Circumstance("office", "A firm's people behind one address.", 0.0),
        Circumstance("support_reset", "Customer service changes the account on request.", 0.02),
        Circumstance("app_release", "A forced release changes every app's user agent.", 0.0),
        Circumstance("price_tracker", "A customer's own script signs in on a timer.", 0.01),
        Circumstance("outage", "Sign-in is down and everybody fails and tries again.", 0.0),
        Circumstance("forced_reset", "The shop makes a share of its customers reset.", 0.0),
        Circumstance("kiosk", "A terminal in a shop, used by anybody.", 0.0),
        Circumstance("recovery", "The owner takes a hijacked account back.", 0.0),
    )
}

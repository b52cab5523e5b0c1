"""Manners and teeth on hand-written histories: customers stay quiet, every family is named."""

from collections.abc import Callable

import pytest

from detectors.decisions import SEVERITIES
from tests.contracts.detectors.histories import (
    CARRIER,
    DAY,
    HOME,
    HOSTING,
    HOTEL,
    HOUR,
    LAPTOP,
    LEEDS,
    LONDON,
    MINUTE,
    NEW_PHONE,
    PHONE,
    PRIVACY,
    PROXY,
    SHOP,
    STRANGER,
    TABLET,
    TERMINAL,
    Device,
    History,
    Network,
)

Told = Callable[[History], object]


def holiday(history: History) -> None:
    """Signs in from a hotel abroad on the own phone, orders home."""
    history.sign_in(PHONE, HOTEL).wait(20 * HOUR).sign_in(PHONE, HOTEL)
    history.wait(8 * MINUTE).order("42")


def new_phone(history: History) -> None:
    """A new phone with another system and the shop's app, at home, same habits."""
    history.sign_in(NEW_PHONE, HOME).wait(7 * MINUTE).order("38")
    history.wait(2 * DAY).sign_in(NEW_PHONE, CARRIER).wait(5 * MINUTE).order("44")


def household(history: History) -> None:
    """The family's tablet at home, and a partner's card."""
    history.sign_in(TABLET, HOME).wait(11 * MINUTE).order("40", payment="card of the partner")


def carrier(history: History) -> None:
    """A mobile carrier with another gateway each time."""
    for number in range(5):
        gateway = Network(f"82.132.{220 + number}", 12576, "mobile", LONDON)
        history.sign_in(PHONE, gateway).wait(6 * MINUTE).order(str(36 + number)).wait(3 * DAY)


def privacy_service(history: History) -> None:
    """A VPN user, whose first time an analyst has looked at."""
    history.sign_in(LAPTOP, PRIVACY).confirm().wait(2 * DAY).forget_what_was_said()
    for number in range(3):
        exit_ = Network(f"146.70.{90 + number}", 9009, "vpn", LONDON)
        history.sign_in(LAPTOP, exit_).wait(9 * MINUTE).order("41").wait(2 * DAY)


def gift(history: History) -> None:
    """An order to somebody else's address, from the own laptop at home."""
    history.sign_in(LAPTOP, HOME).wait(9 * MINUTE).order("49", address="aunt")


def moving_house(history: History) -> None:
    """Changes the address on the own laptop, then orders there from a new line."""
    history.sign_in(LAPTOP, HOME).change("address", "new home")
    line = Network("86.20.44", 5089, "access", LONDON)
    history.wait(6 * DAY).sign_in(LAPTOP, line).wait(9 * MINUTE).order("46", address="new home")


def forgotten_password(history: History) -> None:
    """Fails four times at home, resets, signs in and orders as ever."""
    history.sign_in(LAPTOP, HOME, failures=4).change("password_reset_requested")
    history.wait(4 * MINUTE).change("password_reset_completed").sign_in(LAPTOP, HOME)
    history.wait(9 * MINUTE).order("39")


def terminal_in_a_shop(history: History) -> None:
    """Orders a gift card at a shop's terminal, which two others a day have used for ten days."""
    history.beside_a_terminal(TERMINAL, SHOP)
    history.forget_what_was_said()
    history.sign_in(TERMINAL, SHOP).wait(4 * MINUTE)
    history.order("90", address=None, delivery="digital")


def travels_with_the_own_laptop(history: History) -> None:
    """Two hosting networks in two days, as a VPN's exits look to some, on the one laptop."""
    history.sign_in(LAPTOP, HOSTING).wait(20 * HOUR)
    history.sign_in(LAPTOP, Network("3.81.14", 14619, "hosting", LEEDS)).wait(9 * MINUTE)
    history.order("41")


def release_of_the_app(history: History) -> None:
    """A session goes on in the shop's app after its next release, which names itself otherwise."""
    before = Device(None, "Shop", "Android", agent="Shop/12.2 (Android 16; Pixel 10)")
    after = Device(None, "Shop-Android", "Android", agent="Shop-Android/13.0 Android/16 Pixel 10")
    for _ in range(4):
        history.sign_in(before, HOME).wait(9 * MINUTE).order("41").wait(4 * DAY)
    history.forget_what_was_said()
    history.steal_session(after, HOME).change("address", "new home").wait(MINUTE)
    history.order("46", address="new home")


CUSTOMERS = [
    holiday, new_phone, household, carrier, privacy_service, gift, moving_house, forgotten_password,
    terminal_in_a_shop, travels_with_the_own_laptop, release_of_the_app,
]  # fmt: skip


@pytest.mark.parametrize("customer", CUSTOMERS, ids=lambda told: told.__name__)
def test_a_customer_who_looks_odd_is_left_alone(customer: Told) -> None:
    """No alert above `low` on what honest customers do."""
    history = History().months().forget_what_was_said()
    customer(history)
    assert [alert for alert in history.alerts if alert.severity != "low"] == []


def stuffing_fast(history: History) -> None:
    """A hosting range tries account after account; this one's password fits."""
    for number in range(60):
        other = History.__new__(History)
        other.__dict__.update(history.__dict__, account_id=f"other-{number}")
        other.attempt(STRANGER, HOSTING)
        history.now = other.now
    history.sign_in(STRANGER, HOSTING).wait(3 * MINUTE)
    history.order("210", address="drop", payment="another card")


def stuffing_slow(history: History) -> None:
    """One try from a home in another city; it fits; an order the day after, elsewhere."""
    history.sign_in(STRANGER, PROXY).wait(20 * HOUR)
    history.sign_in(NEW_PHONE, Network("92.40.8", 206067, "mobile", LONDON)).wait(2 * MINUTE)
    history.change("phone", "burner").order("190", address="drop", payment="another card")


def spraying(history: History) -> None:
    """A few popular passwords from a hosting network, the third fits."""
    history.sign_in(STRANGER, HOSTING, failures=2).wait(2 * MINUTE)
    history.order("160", address="drop", payment="another card")


def aitm_relay(history: History) -> None:
    """MFA passed from a hosting network, then the session moves to a home line."""
    history.sign_in(STRANGER, HOSTING, mfa="passed", method="otp", rtt_ms=310.0)
    history.steal_session(NEW_PHONE, PROXY).wait(4 * MINUTE).change("address", "drop")
    history.order("150", address="drop", payment="another card")


def cookie_theft(history: History) -> None:
    """No sign-in: the laptop's session goes on from a hosting network."""
    history.sign_in(LAPTOP, HOME).wait(3 * HOUR).steal_session(STRANGER, HOSTING)
    history.change("address", "drop").wait(2 * MINUTE).order("140", address="drop")


def sim_swap_reset(history: History) -> None:
    """Reset, sign-in, contact change and order, from a stranger's phone."""
    history.steal_session(NEW_PHONE, Network("92.40.9", 206067, "mobile", LONDON))
    history.change("password_reset_requested").wait(3 * MINUTE)
    history.change("password_reset_completed")
    history.sign_in(NEW_PHONE, Network("92.40.9", 206067, "mobile", LONDON))
    history.change("email", "burner").wait(5 * MINUTE)
    history.order("175", address="drop", payment="another card")


def spoofed_targeted(history: History) -> None:
    """The victim's city and a client like the victim's, on another device."""
    line = Network("90.201.7", 5607, "access", LONDON)
    twin = type(LAPTOP)("twin-of-the-laptop", LAPTOP.browser, LAPTOP.system)
    history.sign_in(twin, line).wait(MINUTE).change("email", "burner").wait(MINUTE)
    history.order("320", address="drop", payment="another card")


def change_before_order(history: History) -> None:
    """Address changed from a strange device, the order two days later from it."""
    history.sign_in(STRANGER, PROXY).wait(2 * MINUTE).change("email", "burner")
    history.change("address", "drop").wait(2 * DAY)
    history.sign_in(STRANGER, PROXY).wait(2 * MINUTE).order("160", address="drop")


def dormant_revival(history: History) -> None:
    """Nothing for seven months, then a stranger signs in and orders."""
    history.wait(215 * DAY).sign_in(STRANGER, PROXY).wait(2 * MINUTE)
    history.order("180", address="drop", payment="another card")


def checker_canary(history: History) -> None:
    """A small order tests the account; another actor cashes out two days later."""
    history.sign_in(STRANGER, HOSTING).wait(2 * MINUTE).order("9", address=None, delivery="digital")
    history.wait(2 * DAY).sign_in(NEW_PHONE, PROXY).wait(2 * MINUTE)
    history.order("260", address="drop", payment="another card")


def points_drain(history: History) -> None:
    """All points at once for something digital, no address at all."""
    history.sign_in(STRANGER, PROXY).wait(2 * MINUTE)
    history.order("95", address=None, payment=None, delivery="digital", loyalty_points=8400)


def click_and_collect(history: History) -> None:
    """Collected from a shop within the hour, on the customer's card."""
    history.sign_in(STRANGER, PROXY).wait(2 * MINUTE)
    history.order("240", address="shop 17", delivery="click_and_collect")


def insider(history: History) -> None:
    """E-mail changed from the support console; then a reset and an order from elsewhere."""
    history.change("email", "burner", actor="support").wait(2 * HOUR)
    history.steal_session(STRANGER, PROXY).change("password_reset_completed")
    history.sign_in(STRANGER, PROXY).wait(2 * MINUTE).order("200", address="drop")


FAMILIES: dict[Told, set[str]] = {
    stuffing_fast: {"guessing_network", "new_device", "new_network", "network_kind"},
    stuffing_slow: {"new_device", "new_network", "contact_changed", "recent_doubts"},
    spraying: {"failed_burst", "network_kind", "new_device"},
    aitm_relay: {"session_moved", "network_kind"},
    cookie_theft: {"session_moved"},
    sim_swap_reset: {"credential_changed", "contact_changed"},
    spoofed_targeted: {"new_device", "contact_changed"},
    change_before_order: {"address_changed", "contact_changed", "telling_change"},
    dormant_revival: {"dormant_account", "new_device", "new_network"},
    checker_canary: {"recent_doubts", "new_device"},
    points_drain: {"rewards_spent", "new_device", "new_network"},
    click_and_collect: {"unusual_delivery", "unusual_amount", "new_device"},
    insider: {"contact_changed", "credential_changed"},
}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda told: told.__name__)
def test_a_hijack_is_raised_with_a_reason_that_names_what_happened(family: Told) -> None:
    """By the order at the latest there is an alert of `medium` or more, and it says why."""
    history = History().months().forget_what_was_said()
    family(history)
    grave = [alert for alert in history.alerts if SEVERITIES.index(alert.severity) >= 1]
    assert grave, [f"{a.type} {a.risk:.3f} {a.reasons}" for a in history.assessments]
    said = {reason.code for alert in grave for reason in alert.reasons}
    assert said & FAMILIES[family], said
    assert len({alert.alert_id for alert in grave}) == 1

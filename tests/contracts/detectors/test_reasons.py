"""Reasons say what is true: of what was seen now, and of what was usual before."""

from detectors.assessments import Alert
from detectors.reasons import EXPLANATIONS
from tests.contracts.detectors.histories import (
    DAY,
    HOSTING,
    LAPTOP,
    LONDON,
    MINUTE,
    STRANGER,
    History,
    Network,
)


def evidence(alert: Alert, code: str) -> tuple[str, str | None]:
    """Return what a reason of the alert compares."""
    given = {reason.code: reason.evidence for reason in alert.reasons}[code]
    assert given is not None
    return given.seen, given.usual


def test_usual_is_what_was_used_before_this_session() -> None:
    """The network of a sign-in that passed quietly is not "usual" minutes later."""
    line = Network("86.20.44", 5089, "access", LONDON)
    history = History().months().forget_what_was_said()
    history.sign_in(LAPTOP, line).wait(3 * MINUTE)
    assert history.alerts == []
    history.change("email", "burner").wait(5 * MINUTE)
    history.order("310", address="drop", payment="another card")
    assert evidence(history.alerts[-1], "new_network") == ("AS5089 (GB)", "AS2856 (GB)")


def test_what_lasts_becomes_usual() -> None:
    """A customer who moved to another operator is compared with that one, not with the old."""
    line = Network("86.20.44", 5089, "access", LONDON)
    history = History().months()
    for _ in range(4):
        history.sign_in(LAPTOP, line).wait(2 * DAY)
    history.forget_what_was_said().sign_in(STRANGER, HOSTING)
    assert evidence(history.alerts[-1], "new_network") == ("AS14618 (US)", "AS5089 (GB)")


def test_the_pace_of_orders_is_told_in_time() -> None:
    """A reason about an order soon after another says how soon, not that it was fast."""
    history = History().months().forget_what_was_said()
    history.sign_in(STRANGER, HOSTING).wait(9 * MINUTE).order("210", address="drop")
    history.wait(4 * MINUTE).order("230", address="drop")
    told = {reason.code: reason.summary for alert in history.alerts for reason in alert.reasons}
    assert "placed 4 minutes earlier" in told["order_pace"]


def test_a_change_of_this_very_minute_is_not_zero_minutes_ago() -> None:
    """Clocks are told in words that hold for the shortest times too."""
    history = History().months().forget_what_was_said()
    history.sign_in(STRANGER, HOSTING).change("email", "burner")
    history.order("310", address="drop", payment="another card")
    assert evidence(history.alerts[-1], "contact_changed")[0] == "less than a minute"


def test_an_order_without_address_is_not_called_foreign() -> None:
    """Where nothing is delivered to an address, no country is accused."""
    history = History().months().forget_what_was_said()
    history.sign_in(STRANGER, HOSTING).wait(MINUTE)
    history.order("310", address=None, payment="another card", delivery="digital")
    reading = history.read_last()
    assert EXPLANATIONS["forwarding"].summary(reading) == "Nothing is delivered to an address."

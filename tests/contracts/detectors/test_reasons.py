"""Reasons say what is true: of what was seen now, and of what was usual before."""

import pytest

from detectors.assessments import Alert
from detectors.decisions import counted, log_odds
from detectors.engine import Engine
from detectors.features.changes import GROUP
from detectors.features.reading import Reading
from detectors.features.registry import NAMES, POSITION
from detectors.heat.records import TECHNIQUE_IDS
from detectors.models.feedback import VerdictModel
from detectors.models.prior import SHIPPED
from detectors.policy import Policy
from detectors.profiles import decode
from detectors.reasons import EXPLANATIONS, explain
from detectors.techniques import TECHNIQUES
from tests.contracts.detectors.histories import (
    CARRIER,
    DAY,
    HOME,
    HOSTING,
    HOUR,
    LAPTOP,
    LEEDS,
    LISBON,
    LONDON,
    MINUTE,
    NEW_PHONE,
    PHONE,
    STRANGER,
    Device,
    History,
    Network,
)

THIEVES = Network("86.20.44", 5089, "access", LEEDS)


def evidence(alert: Alert, code: str) -> tuple[str, str | None]:
    """Return what a reason of the alert compares."""
    given = {reason.code: reason.evidence for reason in alert.reasons}[code]
    assert given is not None
    return given.seen, given.usual


def said(reading: Reading, name: str) -> str:
    """Return what a feature says of an event, in words."""
    return EXPLANATIONS[name].summary(reading)


def test_usual_is_what_was_used_before_this_session() -> None:
    """The network of a sign-in that passed quietly is not "usual" minutes later."""
    line = Network("86.20.44", 5089, "access", LONDON)
    history = History().months().forget_what_was_said()
    history.sign_in(LAPTOP, line).wait(3 * MINUTE)
    assert history.alerts == []
    history.change("email", "burner").wait(5 * MINUTE)
    history.order("50", address="drop", payment="another card")
    assert evidence(history.alerts[-1], "new_network") == ("AS5089 (GB)", "AS2856 (GB)")


def test_what_lasts_becomes_usual() -> None:
    """A customer who moved to another operator is compared with that one, not with the old."""
    line = Network("86.20.44", 5089, "access", LONDON)
    history = History().months()
    for _ in range(4):
        history.sign_in(LAPTOP, line).wait(2 * DAY)
    history.forget_what_was_said().sign_in(STRANGER, HOSTING)
    assert evidence(history.alerts[-1], "new_network") == ("AS14618 (US)", "AS5089 (GB)")


def hijacked_for_days(*devices: Device) -> History:
    """An account that a thief uses as its own, unnoticed, until that is usual."""
    history = History().months().forget_what_was_said()
    for device in (LAPTOP, *devices):
        for _ in range(3):
            history.sign_in(device, THIEVES).wait(2 * DAY)
    assert history.alerts == []
    return history


def usual(history: History) -> tuple[str | None, str | None, str | None]:
    """What the account's alerts call its usual client, network and city."""
    profile = decode(history.stored()[b"a:customer"])
    return profile.client, profile.network, profile.city


def test_what_a_thief_made_usual_is_so_no_longer_once_it_is_known() -> None:
    """After the verdict it is the customer's again, in the alerts too; the place is not known."""
    history = hijacked_for_days(NEW_PHONE)
    assert usual(history) == ("Chrome Mobile on Android", "AS5089 (GB)", "Leeds")
    history.judge("takeover")
    assert usual(history) == ("Chrome on Windows", "AS2856 (GB)", None)
    history.forget_what_was_said().sign_in(STRANGER, HOSTING)
    assert evidence(history.alerts[-1], "new_network") == ("AS14618 (US)", "AS2856 (GB)")


def test_nothing_is_usual_where_all_that_is_known_of_was_a_thief_s() -> None:
    """Of two that were usual in turn both are gone, until the customer comes again."""
    history = hijacked_for_days(NEW_PHONE, Device("burner", "Firefox", "Linux"))
    assert usual(history.judge("takeover")) == (None, "AS2856 (GB)", None)
    history.sign_in(PHONE, CARRIER)
    assert usual(history) == ("Mobile Safari on iOS", "AS12576 (GB)", "London")


def test_what_the_customer_used_meanwhile_stays_usual() -> None:
    """A verdict on a thief's visits does not make another of the customer's clients usual."""
    history = hijacked_for_days(NEW_PHONE).sign_in(PHONE, HOME)
    history.judge("takeover", event_ids=tuple(a.event_id for a in history.assessments[:-1]))
    assert usual(history)[:2] == ("Mobile Safari on iOS", "AS2856 (GB)")


def test_a_verdict_that_is_taken_back_takes_back_what_it_made_usual() -> None:
    """It was the customer, who has moved."""
    history = hijacked_for_days(NEW_PHONE)
    moved = usual(history)
    assert usual(history.judge("takeover").judge("legitimate")) == moved


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


def test_where_no_country_is_told_none_is_accused() -> None:
    """Codes go nowhere, and a country may be missing: neither speaks for or against anybody."""
    history = History().months().forget_what_was_said()
    history.sign_in(STRANGER, HOSTING).wait(MINUTE)
    codes = history.order("310", address=None, payment="another card", delivery="digital")
    assert codes.read_last().weights[POSITION["forwarding"]] == 0.0
    home = History().months().sign_in(LAPTOP, HOME).order("31", shipping_country=None)
    assert home.read_last().weights[POSITION["forwarding"]] == 0.0
    abroad = History().months().sign_in(LAPTOP, HOME).order("31", shipping_country="PT")
    assert abroad.read_last().weights[POSITION["forwarding"]] > 0.5
    assert "nothing to do with" in said(abroad.read_last(), "forwarding")


def test_haste_needs_a_sign_in() -> None:
    """How soon after the sign-in is told only where one was seen, and in time."""
    history = History().months().sign_in(LAPTOP, HOME).wait(4 * MINUTE).order("31")
    assert said(history.read_last(), "speed") == "It came 4 minutes after the sign-in."
    history.order("31", session_id=None)
    assert said(history.read_last(), "speed") == "It came 4 minutes after the sign-in."
    history.wait(2 * DAY).order("31", session_id=None)
    assert said(history.read_last(), "speed") == "No sign-in was seen before it in its session."
    assert said(history.read_last(), "continuity") == "No session was given."


def test_points_spent_before_are_not_called_new() -> None:
    """Sentence and evidence agree on whether points were ever spent."""
    history = History().months().sign_in(LAPTOP, HOME)
    first = history.order("31", loyalty_points=300).observed[-1]
    assert "unlike before" in said(History().months().read_as_told(first), "rewards")
    assert "as before" in said(history.read_last(), "rewards")
    assert "No points" in said(history.order("31").read_last(), "rewards")


def test_another_version_is_told_from_another_browser() -> None:
    """Browser and system as ever are not called unusual for their new version."""
    history = History().months()
    newer = type(LAPTOP)(LAPTOP.device_id, LAPTOP.browser, LAPTOP.system)
    newer.agent += "/131.0"
    reading = history.read_of(newer, HOME)
    assert said(reading, "client").startswith("Another version")
    shown = EXPLANATIONS["client"].evidence(reading)
    assert shown is not None
    assert shown.seen == newer.agent
    assert "new to this account" in said(history.read_of(STRANGER, HOME), "client")


def test_networks_are_told_apart() -> None:
    """A range without operator, and one that is only young, are not called a new operator."""
    history = History().months()
    nowhere = Network("86.20.44", 0, "access", LONDON)
    assert "operator is not told" in said(history.read_of(LAPTOP, nowhere), "network")
    line = Network("86.20.44", 5089, "access", LONDON)
    assert said(history.read_of(LAPTOP, line), "network").startswith("A network operator new")
    history.sign_in(LAPTOP, line).wait(HOUR)
    assert "only in the last days" in said(history.read_of(LAPTOP, line), "network")


def test_what_a_session_carries_is_told_of_its_beginning() -> None:
    """Back at home in a session that began abroad, home is not called new."""
    history = History().months().sign_in(STRANGER, HOSTING).wait(HOUR)
    history.steal_session(LAPTOP, HOME).order("31")
    reading = history.read_last()
    assert said(reading, "network").startswith("The session began from a network in a country")
    assert said(reading, "device").startswith("The session began on a device new")
    assert EXPLANATIONS["network"].evidence(reading) is None


def test_a_feasible_journey_is_not_called_impossible() -> None:
    """What a flight explains is told so; what none does is told so, too."""
    history = History().months().sign_in(LAPTOP, HOME).wait(5 * HOUR)
    away = Network("85.240.17", 3243, "access", LISBON)
    assert "a journey may explain it" in said(history.read_of(LAPTOP, away), "travel")
    history.sign_in(LAPTOP, HOME).wait(MINUTE)
    assert "than travel explains" in said(history.read_of(LAPTOP, away), "travel")


def test_a_round_trip_is_called_short_or_not_by_its_own_length() -> None:
    """A very short round trip is not called a long one."""
    history = History().months()
    short = history.sign_in(LAPTOP, HOME, rtt_ms=3.0).read_last()
    assert "shorter" in said(short, "round_trip")
    assert "shorter" not in said(
        history.sign_in(LAPTOP, HOME, rtt_ms=320.0).read_last(), "round_trip"
    )


def test_a_clock_compares_with_nothing_that_was_not_seen() -> None:
    """What is usual is told only where it is known."""
    history = History().months().sign_in(LAPTOP, HOME).change("email", "other").order("31")
    shown = EXPLANATIONS["contact_clock"].evidence(history.read_last())
    assert shown is not None
    assert shown.usual is None


def test_a_first_order_is_not_compared_with_a_habit() -> None:
    """An account that never bought has no usual amount, goods or delivery."""
    history = History().sign_in(LAPTOP, HOME)
    history.now += DAY
    history.sign_in(LAPTOP, HOME).order("900")
    reading = History().sign_in(LAPTOP, HOME).read_as_told(history.observed[-1])
    for name in ("amount", "goods", "delivery"):
        assert "this account" not in said(reading, name)


def test_silence_is_told_in_time_since_the_last_sign_in() -> None:
    """Only sign-ins are looked at, so only they are said to be long ago."""
    history = History().months().wait(215 * DAY)
    text = said(history.read_of(LAPTOP, HOME), "dormancy")
    assert text.startswith("The last sign-in that was seen before this one is 2")


def test_what_is_counted_adds_up_to_the_score_after_verdicts_too() -> None:
    """The reasons' numbers are the score's own: prior weights and what verdicts made of them."""
    width = len(NAMES)
    verdicts = VerdictModel(NAMES, lambda _: None, rate=0.05)
    for _ in range(300):
        verdicts.learn([2.0] * width, -3.0, takeover=True, weight=1.0)
    history = History().months().sign_in(STRANGER, HOSTING)
    before = history.read_last()
    store = history.stored() | dict(verdicts.changes())
    after = Engine(Policy(), store.get).read(history.observed[-1])
    base = log_odds(Policy().base_rate) + SHIPPED.score(after.type, [0.0] * width)
    assert base + sum(counted(after, SHIPPED, verdicts)) == pytest.approx(after.logit)
    assert after.logit != pytest.approx(before.logit)


def test_a_failed_attempt_is_not_corrected_by_verdicts() -> None:
    """Where the score has no correction, neither have its reasons."""
    width = len(NAMES)
    verdicts = VerdictModel(NAMES, lambda _: None, rate=0.05)
    verdicts.learn([2.0] * width, -3.0, takeover=True, weight=1.0)
    reading = History().months().attempt(STRANGER, HOSTING).read_last()
    none = VerdictModel(NAMES, lambda _: None)
    assert counted(reading, SHIPPED, verdicts) == counted(reading, SHIPPED, none)


def test_no_technique_is_named_without_a_meaning() -> None:
    """Every id that a feature points to is one of the known ones, and none is never used."""
    named = {id_ for explanation in EXPLANATIONS.values() for id_ in explanation.techniques}
    for change in GROUP:
        for actor in ("customer", "support", "system"):
            named |= set(told_techniques(change, actor))
    named |= {id_ for ids in TECHNIQUE_IDS.values() for id_ in ids}
    assert named == set(TECHNIQUES)


def told_techniques(change: str, actor: str) -> list[str]:
    """The techniques of an event that only its being done speaks against."""
    reading = History().sign_in(LAPTOP, HOME).change(change, "x", actor=actor).read_last()
    weights = [0.0] * len(NAMES)
    weights[POSITION["act"]] = 2.0
    return explain(reading, weights)[1]


@pytest.mark.parametrize(
    ("change", "actor", "techniques"),
    [
        ("email", "customer", ["F1005.004"]),
        ("phone", "customer", ["F1005.004"]),
        ("address", "customer", ["F1005.005"]),
        ("payment", "customer", ["F1005.006"]),
        ("password_reset_completed", "customer", ["F1006.003"]),
        ("password", "customer", []),
        ("mfa_removed", "customer", []),
        ("email", "support", ["F1033"]),
    ],
)
def test_a_change_points_to_the_technique_of_its_kind(
    change: str, actor: str, techniques: list[str]
) -> None:
    """A changed address is not called a changed e-mail, nor support's hand a customer's."""
    assert told_techniques(change, actor) == techniques


def test_failures_on_one_account_are_not_called_spraying() -> None:
    """Spraying is of many accounts, which one account's failures do not show."""
    assert EXPLANATIONS["failures"].techniques == ()

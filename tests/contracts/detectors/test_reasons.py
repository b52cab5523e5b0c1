"""Reasons say what is true: of what was seen now, and of what was usual before."""

from copy import deepcopy

import pytest

from detectors.assessments import Alert
from detectors.decisions import counted, log_odds
from detectors.engine import Engine, Observed
from detectors.features.changes import GROUP
from detectors.features.reading import Reading, country_code, country_named
from detectors.features.registry import NAMES, POSITION
from detectors.heat.records import TECHNIQUE_IDS
from detectors.models.feedback import VerdictModel
from detectors.models.prior import SHIPPED
from detectors.policy import Policy
from detectors.profiles import decode
from detectors.reasons import EXPLANATIONS, codes, explain
from detectors.stored_profiles import Doubt
from detectors.techniques import TECHNIQUES
from tests.contracts.detectors.histories import (
    ASHBURN,
    CARRIER,
    DAY,
    HOME,
    HOSTING,
    HOTEL,
    HOUR,
    LAPTOP,
    LEEDS,
    LISBON,
    LONDON,
    MINUTE,
    NEW_PHONE,
    PHONE,
    PROXY,
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


def shown(reading: Reading, name: str) -> tuple[str, str | None]:
    """Return what a feature compares."""
    given = EXPLANATIONS[name].evidence(reading)
    assert given is not None
    return given.seen, given.usual


def test_usual_is_what_was_used_before_this_session() -> None:
    """The network of a sign-in that passed quietly is not "usual" minutes later."""
    line = Network("86.20.44", 5089, "access", LONDON)
    history = History().months().forget_what_was_said()
    history.sign_in(LAPTOP, line).wait(3 * MINUTE)
    assert history.alerts == []
    history.change("email", "burner").wait(5 * MINUTE)
    history.order("150", address="drop", payment="another card")
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
    first = History().sign_in(LAPTOP, HOME).order("31").observed[-1]
    assert History("nobody").read_as_told(first).weights[POSITION["forwarding"]] == 0.0


def judged(history: History, **fields: str | None) -> Reading:
    """Return an order as it is read before anything is learnt of it."""
    told = deepcopy(history).order("31", **fields).observed[-1]
    return history.read_as_told(told)


def test_only_a_new_address_is_foreign() -> None:
    """A country that the account never was in is told of a new address alone: others are known."""
    history, at = History().months().sign_in(LAPTOP, HOME), POSITION["forwarding"]
    abroad = judged(history, address="cousin", shipping_country="PT")
    assert abroad.weights[at] > judged(history, address="cousin").weights[at] + 0.5
    assert said(abroad, "forwarding").endswith("not known to have been in.")
    assert shown(abroad, "forwarding") == ("PT", "GB")
    assert judged(history, address="home", shipping_country="PT").weights[at] == 0.0


def test_where_the_away_order_to_is_judged_beside_others_who_are_away() -> None:
    """At home nobody can order to where he is and never was: that is told of his network."""
    history, at = History().months().sign_in(LAPTOP, HOME), POSITION["forwarding"]
    home = judged(history, address="cousin")
    away = judged(history.steal_session(LAPTOP, HOTEL), address="cousin", shipping_country="PT")
    assert said(away, "forwarding").endswith("but is in now.")
    assert home.cells[at] // 3 == home.who
    assert away.cells[at] // 3 == away.who + 3


def test_haste_needs_a_sign_in() -> None:
    """How soon after the sign-in is told only where one was seen, and in time."""
    history = History().months().sign_in(LAPTOP, HOME).wait(4 * MINUTE).order("31")
    assert said(history.read_last(), "speed") == "It came 4 minutes after the sign-in."
    history.order("31", session_id=None)
    assert said(history.read_last(), "speed") == "It came 4 minutes after the sign-in."
    late = history.wait(2 * DAY).order("31", session_id=None).observed[-1]
    assert said(history.read_last(), "continuity") == "No session was given."
    assert said(History().months().read_as_told(late), "speed") == (
        "No session is told, and none that is known came by its device within the day."
    )


def test_a_session_that_is_forgotten_is_not_said_to_have_no_sign_in() -> None:
    """An account remembers its last sessions: of an older one nobody knows how it began."""
    history = History().sign_in(LAPTOP, HOME)
    first = history.observed[-1].event.session_id
    for _ in range(4):
        history.sign_in(PHONE, CARRIER)
    another = History().steal_session(LAPTOP, HOME).order("31", session_id="other").observed[-1]
    few = History().sign_in(PHONE, CARRIER).read_as_told(another)
    for name in ("speed", "continuity"):
        assert said(few, name) == "No sign-in was seen in its session so far."
    history.sign_in(PHONE, CARRIER)
    told = History().sign_in(LAPTOP, HOME).order("31", session_id=first).observed[-1]
    reading = history.read_as_told(told)
    for name in ("speed", "continuity"):
        assert said(reading, name).startswith("Its session is none of the last 5")


def test_a_session_that_moved_abroad_was_signed_in_to_elsewhere() -> None:
    """How soon something followed the sign-in is not told of whoever took the session along."""
    history = History().months().sign_in(LAPTOP, HOME).wait(5 * MINUTE)
    stolen = history.steal_session(LAPTOP, HOTEL).order("31")
    told = "Its session was signed in to elsewhere"
    assert said(stolen.read_last(), "speed").startswith(told)


def test_what_an_attack_says_of_a_sign_in_is_told_of_that() -> None:
    """A doubt of no session is of the sign-in of its minute, where that is remembered."""
    history = History().months().sign_in(LAPTOP, HOME)
    profile = history.read_last().profile
    profile.doubts[:] = [Doubt(0, profile.sessions[-1].opened, 6.0)]
    reading = history.wait(2 * HOUR).read_of(NEW_PHONE, CARRIER)
    assert said(reading, "story").startswith("A sign-in 2 hours before this was doubtful")


def test_what_a_session_began_with_is_not_compared_with_itself() -> None:
    """What has become usual since is not shown as what was usual when the session began."""
    line = Network("86.20.44", 5089, "access", LONDON)
    history = History().months().sign_in(NEW_PHONE, line).wait(3 * DAY)
    session = history.observed[-1].event.session_id
    history.sign_in(LAPTOP, line).wait(HOUR).steal_session(NEW_PHONE, line)
    reading = history.order("31", session_id=session).read_last()
    assert reading.profile.network == "AS5089 (GB)"
    assert said(reading, "network").startswith("The session began 3 days before this from")
    assert shown(reading, "network") == ("AS5089 (GB)", "AS2856 (GB)")
    assert shown(reading, "device") == ("new-phone", "2 known devices")


def test_a_session_that_moved_names_what_it_left() -> None:
    """What the session began with and what it has come to is told, not what the account uses."""
    history = History().months().sign_in(LAPTOP, HOTEL).wait(16 * MINUTE)
    home = history.steal_session(LAPTOP, HOME).order("31").read_last()
    assert said(home, "continuity") == (
        "The session moved to another country within 16 minutes of its sign-in."
    )
    assert shown(home, "continuity") == ("AS2856 (GB)", "AS3243 (PT)")
    stolen = history.steal_session(STRANGER, HOTEL).order("31").read_last()
    assert "to another device and another browser or system within" in said(stolen, "continuity")
    assert shown(stolen, "continuity") == ("device-of-a-stranger", "another device")
    next_door = Network("85.240.18", 3243, "access", LISBON)
    near = history.steal_session(LAPTOP, next_door).order("31").read_last()
    assert shown(near, "continuity") == ("85.240.18.0/24", "another range of AS3243 (PT)")
    stayed = history.steal_session(LAPTOP, HOTEL).order("31").read_last()
    assert said(stayed, "continuity").startswith("The session goes on with")


def test_how_a_session_was_proved_is_not_called_unusual() -> None:
    """A password, as ever, is told to be no more than that."""
    history = History().months().sign_in(STRANGER, HOSTING).wait(MINUTE).order("31")
    assert "with a password at most" in said(history.read_last(), "method")
    history.sign_in(STRANGER, HOSTING, method="social").wait(MINUTE).order("31")
    assert "with a way to prove it" in said(history.read_last(), "method")


def test_a_value_that_others_gave_is_named_and_counted() -> None:
    """Which value it is, and on how many accounts it was, tells a household from a gang."""
    one, another = (
        History(f"housemate-{n}").sign_in(LAPTOP, HOME).order("9", address="d", payment=None)
        for n in "ab"
    )
    history = History().months().sign_in(LAPTOP, HOME).beside(one)
    told = History().sign_in(LAPTOP, HOME).order("31", address="d", payment=None).observed[-1]
    reading = history.read_as_told(told)
    assert said(reading, "shared_value") == (
        "The same new delivery address was ordered to from 1 other account lately."
    )
    assert shown(reading, "shared_value") == ("d", None)
    reading = history.beside(another).read_as_told(told)
    assert "from 2 other accounts lately" in said(reading, "shared_value")


def test_a_value_that_others_set_is_named_as_what_was_changed() -> None:
    """A phone number is not called a contact, address or payment."""
    other = History("other").sign_in(LAPTOP, HOME).change("phone", "burner")
    history = History().beside(other).sign_in(LAPTOP, HOME).change("phone", "burner")
    reading = history.read_last()
    assert said(reading, "shared_value").startswith("The same new phone number was set on 1 other")
    assert shown(reading, "shared_value") == ("burner", None)


def test_doubts_are_told_by_what_was_done_and_whence() -> None:
    """When, what, by which device and from where: who it was, nobody knows."""
    history = History().months().sign_in(STRANGER, PROXY).wait(26 * HOUR).sign_in(NEW_PHONE, HOTEL)
    reading = history.read_last()
    assert said(reading, "story") == (
        "A sign-in 26 hours before this was doubtful:"
        " its session began on another device, in another address range."
    )
    assert shown(reading, "story")[0].startswith("AS5607 (GB): new ")


def test_a_device_that_the_account_has_used_is_told_to_be_one() -> None:
    """The customer's own laptop on a journey is no stranger's."""
    history = History().months().sign_in(LAPTOP, HOTEL).wait(HOUR)
    history.change("email", "other").wait(HOUR).sign_in(NEW_PHONE, CARRIER)
    text = said(history.read_last(), "story")
    assert text.startswith("A change of e-mail address or phone number 60 minutes before this")
    assert "on another device that this account had used" in text


def test_a_doubtful_device_is_told_by_when_it_came() -> None:
    """Where no session's doubt is graver, it is told of the device that came with one."""
    history = History().months().forget_what_was_said()
    history.sign_in(LAPTOP, THIEVES).wait(6 * DAY).sign_in(NEW_PHONE, THIEVES).wait(6 * HOUR)
    assert not history.alerts
    reading = history.read_of(NEW_PHONE, THIEVES)
    assert said(reading, "story") == (
        "The device was new to this account 6 hours before this, in something doubtful."
    )
    assert shown(reading, "story") == ("new-phone", None)


def test_where_nothing_is_spent_none_is_said_to_be() -> None:
    """Something digital is told as that, with its own code; what is spent is shown."""
    history = History().months().sign_in(STRANGER, HOSTING).wait(MINUTE)
    history.order("310", address=None, payment="another card", delivery="digital")
    reading, weights = history.read_last(), [0.0] * len(NAMES)
    weights[POSITION["rewards"]] = 2.0
    [reason] = explain(reading, weights)[0]
    assert (reason.code, codes(reading, weights)) == ("digital_goods", ("digital_goods",))
    assert shown(reading, "rewards") == ("digital", None)
    spent = history.order("310", delivery="digital", loyalty_points=300).read_last()
    assert codes(spent, weights) == ("rewards_spent",)


def test_a_new_payment_is_shown_as_such() -> None:
    """A sentence on a means of payment has that beside it, not the delivery."""
    history = History().months().sign_in(LAPTOP, HOME)
    reading = history.read_as_told(ordered(payment="other"))
    assert said(reading, "destination") == "A means of payment this account is not known to use."
    assert shown(reading, "destination") == ("other", "1 known means of payment")
    reading = history.read_as_told(ordered(address="drop", payment="other"))
    assert shown(reading, "destination") == (
        "drop, other",
        "1 known address, 1 known means of payment",
    )
    reading = history.read_as_told(ordered())
    assert shown(reading, "destination") == ("a known address, a known means of payment", None)


def ordered(**fields: str) -> Observed:
    """An order, of which an engine is still to be told."""
    return History().months().sign_in(LAPTOP, HOME).order("31", **fields).observed[-1]


def test_a_new_browser_on_a_known_device_is_told_to_be_on_that() -> None:
    """An app opens the checkout in its own browser: the device says that it is the same phone."""
    history = History().months()
    view = Device(PHONE.device_id, "Mobile Safari UI/WKWebView", "iOS")
    assert said(history.read_of(view, HOME), "client").endswith("on a device that it has used.")
    assert "on a device" not in said(history.read_of(STRANGER, HOME), "client")


def test_a_hosting_network_may_be_a_vpn_s_exit() -> None:
    """That servers stand there is known; what runs on them is not."""
    assert "VPNs and proxies end" in said(History().months().read_of(STRANGER, HOSTING), "kind")


def test_what_was_flagged_before_is_not_said_to_be_used_never() -> None:
    """A thief's second sign-in is the second: still by a device not known of the account."""
    history = History().months().forget_what_was_said()
    history.sign_in(STRANGER, HOSTING).wait(5 * MINUTE).sign_in(STRANGER, HOSTING)
    assert history.alerts
    for name in ("device", "network", "client"):
        assert "not known" in said(history.read_last(), name)


def test_a_place_is_that_of_a_sign_in_that_was_let_pass() -> None:
    """After a flagged sign-in the place is still where the customer was: it is told when."""
    history = History().months().sign_in(LAPTOP, HOME).wait(HOUR)
    history.forget_what_was_said().sign_in(STRANGER, HOSTING).wait(2 * MINUTE)
    assert history.alerts
    assert "a sign-in 62 minutes before" in said(history.read_of(LAPTOP, HOTEL), "travel")


def test_what_is_failing_is_named() -> None:
    """A range that is trying passwords is shown as that, and so is a tool behind an operator."""
    tool = Device("tool", "Python Requests", "Linux")
    history = History().months().beside_tries(tool, [HOSTING], 60)
    reading = history.read_of(STRANGER, HOSTING)
    assert said(reading, "guessing").startswith("The address range is failing")
    assert shown(reading, "guessing") == ("3.80.14.0/24, AS14618 (US)", None)
    elsewhere = Network("3.81.9", 14618, "hosting", ASHBURN)
    reading = history.read_of(tool, elsewhere)
    assert said(reading, "guessing").startswith("This client at this operator is failing")
    assert shown(reading, "guessing") == ("Python Requests on Linux at AS14618 (US)", None)
    silent = Device(None, "", "")
    silent.agent = ""
    history = History().months().beside_tries(silent, [HOSTING], 60)
    reading = history.read_of(silent, elsewhere)
    assert said(reading, "guessing").startswith("Who tells no client at this operator is failing")
    assert shown(reading, "guessing") == ("AS14618 (US)", None)


def test_other_devices_are_counted_as_they_were() -> None:
    """Whether other devices were new when the session began is known: it is not left open."""
    none = History().months().sign_in(LAPTOP, HOTEL).wait(MINUTE).order("31").read_last()
    assert said(none, "churn").endswith("while no other device was new to this account.")
    history = History().months().sign_in(NEW_PHONE, HOME).wait(DAY)
    history.sign_in(LAPTOP, HOTEL).wait(MINUTE).order("31")
    assert said(history.read_last(), "churn").endswith("other devices were new to this account.")
    assert shown(history.read_last(), "churn") == ("1 other device new within a week", None)


def test_goods_are_named() -> None:
    """What few buy, or this account does not, is shown."""
    history = History().months().sign_in(LAPTOP, HOME).order("31")
    assert shown(history.read_last(), "goods") == ("clothing", None)


def test_a_country_s_number_stands_for_it() -> None:
    """What an account keeps of a country can be told again."""
    for code in ("AA", "GB", "PL", "ZZ"):
        assert country_named(country_code(code)) == code
    assert country_named(country_code(None)) is None


def test_points_spent_before_are_not_called_new() -> None:
    """Sentence and evidence agree on whether points were ever spent."""
    history = History().months().sign_in(LAPTOP, HOME)
    first = history.order("31", loyalty_points=300).observed[-1]
    assert "not known to do" in said(History().months().read_as_told(first), "rewards")
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
    assert "not known to use" in said(history.read_of(STRANGER, HOME), "client")


def test_networks_are_told_apart() -> None:
    """A range without operator, and one that is only young, are not called a new operator."""
    history = History().months()
    nowhere = Network("86.20.44", 0, "access", LONDON)
    assert "operator is not told" in said(history.read_of(LAPTOP, nowhere), "network")
    line = Network("86.20.44", 5089, "access", LONDON)
    operator = said(history.read_of(LAPTOP, line), "network")
    assert operator == "A network operator this account is not known to use."
    history.sign_in(LAPTOP, line).wait(HOUR)
    assert "only in the last days" in said(history.read_of(LAPTOP, line), "network")


def test_what_a_session_carries_is_told_of_its_beginning() -> None:
    """Back at home in a session that began abroad, home is not called new: when and where is."""
    history = History().months().sign_in(STRANGER, HOSTING).wait(17 * DAY)
    history.steal_session(LAPTOP, HOME).order("31")
    reading = history.read_last()
    began = "The session began 17 days before this"
    assert said(reading, "network").startswith(f"{began} from a network in a country")
    assert said(reading, "device") == f"{began} on a device this account was not known to use."
    for name in ("network", "rarity", "kind"):
        assert shown(reading, name) == ("AS14618 (US)", "AS2856 (GB)")
    assert EXPLANATIONS["device"].evidence(reading) is None


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

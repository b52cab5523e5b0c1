"""What verdicts do to profiles and models, and how a case lives: on hand-written histories."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from detectors import examples
from detectors.assessments import Alert
from detectors.cases import Case, alert_id_of, opened_by, take
from detectors.engine import Engine
from detectors.events import Verdict
from detectors.features.reading import HABIT, Reading
from detectors.features.registry import POSITION
from detectors.heat.indicators import Kind
from detectors.heat.records import Hot
from detectors.models.calibration import Calibration
from detectors.policy import Policy
from detectors.profiles import Memory, decode, digest
from detectors.stored_profiles import StoredProfile
from tests.contracts.detectors.histories import (
    CARRIER,
    DAY,
    HOME,
    HOSTING,
    HOTEL,
    HOUR,
    LAPTOP,
    MINUTE,
    NEW_PHONE,
    STRANGER,
    TABLET,
    TERMINAL,
    History,
)


@pytest.fixture
def hijacked() -> History:
    """An account in which a stranger has just ordered, and been flagged."""
    history = History().months().forget_what_was_said()
    history.sign_in(STRANGER, HOSTING, failures=2).wait(2 * MINUTE).change("email", "burner")
    history.order("210", address="drop", payment="another card")
    assert history.alerts
    return history


def devices(history: History) -> set[int]:
    """The devices that the account's profile remembers."""
    return set(decode(history.stored()[b"a:customer"]).devices.keys)


def test_what_was_flagged_does_not_teach_the_profile(hijacked: History) -> None:
    """A thief's second order is not familiar because of the first."""
    addresses = set(decode(hijacked.stored()[b"a:customer"]).addresses.keys)
    first = hijacked.assessments[-1].risk
    hijacked.wait(HOUR).order("190", address="drop", payment="another card")
    assert hijacked.assessments[-1].risk > first / 2
    assert set(decode(hijacked.stored()[b"a:customer"]).addresses.keys) == addresses


def test_a_legitimate_verdict_teaches_what_was_held_back(hijacked: History) -> None:
    """The same order again, after the customer said it was theirs, is hardly risky any more."""
    before = hijacked.assessments[-1].risk
    hijacked.judge("legitimate").wait(DAY).sign_in(STRANGER, HOSTING).wait(5 * MINUTE)
    hijacked.order("210", address="drop", payment="another card")
    assert hijacked.assessments[-1].risk < before / 5


def test_a_takeover_verdict_removes_what_was_learnt_since_the_access() -> None:
    """An access that went unnoticed had taught its device; the verdict takes it back."""
    history = History().months().forget_what_was_said()
    before = devices(history)
    history.sign_in(NEW_PHONE, CARRIER).wait(HOUR).order("45")
    learnt = devices(history)
    history.judge("takeover")
    assert learnt > before
    assert devices(history) == before


@pytest.fixture
def recovered() -> History:
    """An account that a stranger came into unnoticed, and ordered on; only the order was told.

    The customer has it back, has bought a telephone since, and has signed in by it.
    """
    history = History().months().forget_what_was_said()
    history.sign_in(TABLET, CARRIER).wait(HOUR)
    history.sign_in(STRANGER, HOSTING, failures=2).wait(2 * MINUTE)
    history.order("210", address="drop", payment="another card").wait(HOUR)
    told(history, "takeover", -1).wait(4 * DAY)
    history.sign_in(NEW_PHONE, HOME)
    assert TELEPHONE in devices(history)
    return history


def told(history: History, verdict: Verdict, *numbers: int) -> History:
    """Somebody gives a verdict on these of the events."""
    named = tuple(history.assessments[number].event_id for number in numbers)
    return history.judge(verdict, event_ids=named)


TELEPHONE = digest(str(NEW_PHONE.device_id))


@pytest.mark.parametrize(
    "again",
    [
        pytest.param((-3, -2), id="the session's sign-in and order, which the first has judged"),
        pytest.param((-3,), id="the sign-in alone"),
        pytest.param((0,), id="the access before it"),
    ],
)
def test_what_came_after_the_recovery_stays_whatever_else_is_told(
    recovered: History, again: tuple[int, ...]
) -> None:
    """A customer may report what a bank has reported: the new telephone is still the customer's."""
    for _ in range(2):
        told(recovered, "takeover", *again)
        assert TELEPHONE in devices(recovered)
        assert decode(recovered.stored()[b"a:customer"]).place is not None


def test_what_came_between_an_access_and_the_recovery_goes_when_that_is_told(
    recovered: History,
) -> None:
    """The first verdict, on the order, knew nothing of the access a while before."""
    assert digest(str(TABLET.device_id)) in devices(recovered)
    assert digest(str(TABLET.device_id)) not in devices(told(recovered, "takeover", 0))


def test_a_hijack_after_the_recovery_is_another(recovered: History) -> None:
    """What has come in since it goes; what the customer brought in between stays."""
    recovered.wait(3 * DAY).sign_in(TERMINAL, CARRIER).wait(HOUR).order("45")
    assert digest(str(TERMINAL.device_id)) in devices(recovered)
    told(recovered, "takeover", -2, -1)
    assert TELEPHONE in devices(recovered)
    assert digest(str(TERMINAL.device_id)) not in devices(recovered)


def test_a_verdict_that_is_taken_back_was_no_recovery(recovered: History) -> None:
    """Whoever was in the account then may have brought in all that came since."""
    told(told(recovered, "legitimate", -3, -2), "takeover", -3, -2)
    assert TELEPHONE not in devices(recovered)


def travelled(*, judged: bool) -> float:
    """What the journey tells of the customer at home, after a sign-in from Lisbon an hour ago."""
    history = History().months().forget_what_was_said().sign_in(LAPTOP, HOTEL)
    if judged:
        history.judge("takeover")
    return history.wait(HOUR).read_of(LAPTOP, HOME).weights[POSITION["travel"]]


def test_a_customer_is_no_traveller_from_where_a_hijacker_was() -> None:
    """Where the account was last, a takeover has made unknown: that was somebody else."""
    assert travelled(judged=False) > 1.0
    assert travelled(judged=True) == 0.0


def test_a_verdict_on_events_never_seen_changes_nothing() -> None:
    """Verdicts name what they like; only what is remembered can be learnt from."""
    history = History().months()
    before = history.stored()
    history.judge("takeover", event_ids=("never seen",))
    assert history.stored() == before


def memory(held: Memory) -> dict[int, tuple[float, int]]:
    """Of each value its weight, free of its age, and when it first came."""
    return {
        key: (held.rows[4 * at] * 2 ** (held.rows[4 * at + 2] / HABIT), held.first(at))
        for at, key in enumerate(held.keys)
    }


def described(history: History) -> tuple[Any, ...]:
    """What verdicts change, in a form that rounding and the order of memories do not show in."""
    stored = history.stored()
    profile = decode(stored[b"a:customer"])
    held = {name: getattr(profile, name) for name in StoredProfile.__struct_fields__}
    fields = {
        name: memory(value) if isinstance(value, Memory) else msgspec.to_builtins(value)
        for name, value in held.items()
        if name not in {"doubts", "recent"}
    }
    tables = {k: v for k, v in stored.items() if k.startswith((b"m:likelihood", b"p:quiet"))}
    return fields, tables, Calibration(stored.get)


def judged(*verdicts: Verdict) -> tuple[Any, ...]:
    """What is left of a hijack, an unnoticed access and an order, after these verdicts."""
    history = History().months().forget_what_was_said()
    history.sign_in(NEW_PHONE, CARRIER).wait(HOUR).order("45").wait(HOUR)
    history.sign_in(STRANGER, HOSTING, failures=2).wait(2 * MINUTE).change("email", "burner")
    history.order("210", address="drop", payment="another card").wait(9 * DAY)
    for verdict in verdicts:
        history.judge(verdict)
    return described(history)


def rounded(value: Any) -> Any:
    """Numbers and containers as pytest compares them to within rounding."""
    if isinstance(value, dict):
        return {key: rounded(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(rounded(held) for held in value)
    return pytest.approx(value, rel=0.05, abs=0.02) if isinstance(value, float) else value


@pytest.mark.parametrize("last", ["takeover", "legitimate"])
def test_a_contrary_verdict_takes_the_one_before_it_back(last: Verdict) -> None:
    """Whatever was said first: tables, counts and profile are as if only the last had been."""
    first: Verdict = "legitimate" if last == "takeover" else "takeover"
    profile, tables, calibration = judged(last)
    for history in ((first, last), (last, first, last)):
        other_profile, other_tables, other_calibration = judged(*history)
        assert other_tables == tables
        assert other_profile == rounded(profile)
        for score in (-8.0, -2.0, 3.0):
            assert other_calibration.log_odds(score) == calibration.log_odds(score)


@pytest.mark.parametrize("verdict", ["takeover", "legitimate"])
def test_a_verdict_told_again_changes_nothing(verdict: Verdict, hijacked: History) -> None:
    """A bank and the customer may both report the same hijack: not one byte differs."""
    before = hijacked.judge(verdict).stored()
    assert hijacked.judge(verdict).stored() == before


def test_a_takeover_verdict_on_an_order_is_one_on_its_session(hijacked: History) -> None:
    """A bank names the order alone; who placed it had signed in before it."""
    hijacked.judge("takeover", event_ids=(hijacked.assessments[-1].event_id,))
    kept = examples.decode(hijacked.stored()[b"x:customer"])
    session = [example for example in kept if example.session == kept[-1].session]
    assert len(session) > 1
    assert {example.verdict for example in session} == {"takeover"}
    hijacked.judge("legitimate", event_ids=(hijacked.assessments[-1].event_id,))
    kept = examples.decode(hijacked.stored()[b"x:customer"])
    assert kept[-1].verdict == "legitimate"
    assert {example.verdict for example in kept[:-1]} == {None}


def test_a_takeover_verdict_where_no_session_has_a_name_is_one_on_a_single_visit() -> None:
    """What the same device did in the weeks before is another visit's, as it is with names."""
    history = History().months()
    for _ in range(3):
        history.sign_in(STRANGER, HOSTING, failures=2, session_id=None).wait(2 * MINUTE)
        history.order("210", address="drop", session_id=None).wait(9 * DAY)
    history.judge("takeover", event_ids=(history.assessments[-1].event_id,))
    kept = examples.decode(history.stored()[b"x:customer"])
    judged = [example.minute for example in kept if example.verdict == "takeover"]
    assert len(judged) == 2
    assert len(kept) > 4
    assert max(judged) - min(judged) < 10


def test_examples_kept_by_the_version_before_are_read(hijacked: History) -> None:
    """Without the fields of this version, what was flagged was not learnt, the rest was."""
    stored = msgspec.msgpack.decode(hijacked.stored()[b"x:customer"])
    old = [[*fields[:6], fields[6] if fields[3] else None, *fields[7:9]] for fields in stored]
    read = examples.decode(msgspec.msgpack.encode(old))
    assert [example.learnt for example in read] == [not example.alert_id for example in read]
    assert {example.score for example in read} == {-1}


def test_a_legitimate_verdict_ends_the_case(hijacked: History) -> None:
    """What is flagged after it is another alert, not a revision of the one that was settled."""
    first = hijacked.alerts[-1].alert_id
    hijacked.confirm()
    told = len(hijacked.alerts)
    hijacked.wait(HOUR).sign_in(LAPTOP, HOSTING, failures=4).change("phone", "other burner")
    hijacked.order("400", address="elsewhere", payment="third card")
    [opened, *_] = hijacked.alerts[told:]
    assert opened.alert_id != first
    assert opened.revision == 1


def test_an_event_told_again_names_no_case_that_was_never_raised(hijacked: History) -> None:
    """Its own case had ended by a verdict; what had opened that still names it."""
    told = hijacked.observed[-3:]
    [raised] = {alert.alert_id for alert in hijacked.alerts}
    # On the e-mail address alone: the sign-in before it and the order after it are as risky.
    hijacked.judge("legitimate", event_ids=(told[1].event.event_id,))
    again = [outcome for observed in told for outcome in hijacked.again(observed)]
    assert [outcome.alert for outcome in again] == [None] * 3
    named = [outcome.assessment.alert_id for outcome in again if outcome.assessment is not None]
    assert named == [raised, None, None]
    assert again[2].assessment is not None
    assert again[2].assessment.reasons


def test_a_takeover_verdict_leaves_the_case_open(hijacked: History) -> None:
    """The hijack that was reported may go on: what follows is a revision of its alert."""
    first = hijacked.alerts[-1].alert_id
    hijacked.judge("takeover").wait(HOUR)
    hijacked.order("400", address="elsewhere", payment="third card")
    assert hijacked.alerts[-1].alert_id == first


def test_login_1001_and_order_1001_open_two_cases() -> None:
    """Event ids are only told apart within a topic, and so must alerts be."""
    assert alert_id_of("customer", "login", "1001") != alert_id_of("customer", "order", "1001")


def revisions(history: History) -> list[Alert]:
    """A hijack that goes on for a while."""
    history.forget_what_was_said()
    history.sign_in(STRANGER, HOSTING, failures=2).wait(MINUTE).change("email", "burner")
    for number in range(3):
        history.wait(5 * MINUTE).order("150", address="drop", payment=f"card {number}")
    for number in range(3):
        history.wait(MINUTE).change("address", f"drop {number}")
    return history.alerts


def test_a_case_grows_by_revisions_counted_from_one() -> None:
    """One account, one case: the id stays, each order and each step further is a revision."""
    alerts = revisions(History().months())
    assert len({alert.alert_id for alert in alerts}) == 1
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))
    assert alerts[-1].order_ids == tuple(dict.fromkeys(alerts[-1].order_ids))
    assert len(alerts[-1].order_ids) == 3
    assert alerts[-1].amount_at_risk == 450
    assert alerts[-1].alert_id == alert_id_of("customer", "login", alerts[-1].trigger_event_id)


def test_repeats_are_folded_and_accounted_for() -> None:
    """What tells nothing new makes no revision; the next one says how much was folded."""
    history = History().months()
    alerts = revisions(history)
    flagged = [a for a in history.assessments if a.alert_id is not None]
    assert len(alerts) < len(flagged)
    history.wait(MINUTE).order("20", address="drop", payment="card 9")
    assert alerts[-1].suppressed == len(flagged) - (len(alerts) - 1) - sum(
        alert.suppressed for alert in alerts[:-1]
    )


def test_a_case_closes_when_it_has_been_quiet() -> None:
    """After three quiet days the same account's next hijack is another case."""
    history = History().months()
    [first, *_] = revisions(history)
    history.wait(20 * DAY).sign_in(LAPTOP, HOME)
    [second, *_] = revisions(history)
    assert first.alert_id != second.alert_id
    assert second.revision == 1


class Everything:
    """Other accounts say that everything is hot."""

    def hottest(self, reading: Reading) -> tuple[Hot, ...]:  # noqa: ARG002 - the protocol's
        """A network of three nats; the client, likewise, is of the same attack."""
        return tuple(
            Hot(1, kind, 1, "fast_stuffing", 3.0, 0.0, 0.0, 1e10, 60, 59, 40)
            for kind in (Kind.PREFIX, Kind.AGENT)
        )


def both(history: History) -> tuple[Reading, Reading]:
    """The last event as it reads without heat and with it."""
    observed, read = history.observed[-1], history.stored().get
    return (
        Engine(Policy(), read).read(observed),
        Engine(Policy(), read, Everything()).read(observed),
    )


def test_heat_from_other_accounts_raises_the_risk_of_a_stranger() -> None:
    """What is hot elsewhere counts where nothing is known to the account."""
    cold, hot = both(History().months().sign_in(STRANGER, HOSTING))
    assert hot.logit == pytest.approx(cold.logit + 3.0)


def test_a_loyal_customer_behind_a_hot_address_is_not_suspected() -> None:
    """Whoever comes with the account's own device or network has nothing to do with the heat."""
    for device, network in ((LAPTOP, HOSTING), (STRANGER, HOME)):
        cold, hot = both(History().months().sign_in(device, network))
        assert hot.logit == cold.logit


def test_an_alert_explains_itself(hijacked: History) -> None:
    """Reasons are most telling first, are shares of the risk, and compare now with usual."""
    alert = hijacked.alerts[-1]
    shares = [reason.contribution for reason in alert.reasons]
    assert shares == sorted(shares, reverse=True)
    assert 0.5 < sum(shares) <= 1.0
    assert all(reason.summary.endswith(".") for reason in alert.reasons)
    assert any(reason.evidence and reason.evidence.usual for reason in alert.reasons)
    assert alert.techniques
    assert alert.stage == "cash_out"
    assert alert.action in {"hold_order", "lock_account"}
    assert alert.model.configuration == Policy().digest()


def taken(orders: Sequence[tuple[str, str, str | None]]) -> tuple[Case, list[bool]]:
    """A case of orders (id, amount, currency), twenty seconds apart; which were revisions."""
    history = History().sign_in(STRANGER, HOSTING)
    first = history.read_last()
    case = opened_by("customer", "login", first.event.event_id, first.event.occurred_at)
    take(case, first, 0.9, 3, 3)
    revised = []
    for order_id, amount, currency in orders:
        history.order(amount, currency=currency, order_id=order_id)
        revised.append(take(case, history.read_last(), 0.9, 3, 3))
    return case, revised


def test_a_long_case_keeps_its_trigger_and_what_is_latest() -> None:
    """After twenty events a case still names the event at hand."""
    case, _ = taken([(f"o{number}", "10", "GBP") for number in range(30)])
    assert len(case.events) == 20
    assert case.events[0] == case.trigger == "customer-1"
    assert case.events[1:] == [f"customer-{number}" for number in range(13, 32)]


def test_an_order_told_again_is_not_counted_again() -> None:
    """However many orders came between, an order is at risk once."""
    orders = [(f"o{number}", "10", "GBP") for number in range(30)]
    case, revised = taken(orders + orders)
    assert case.amount == "300"
    assert len(case.orders) == 10
    assert not any(revised[30:])


@pytest.mark.parametrize(
    ("currencies", "amount", "currency"),
    [
        (("EUR", "JPY", "EUR"), "200", "EUR"),
        ((None, "EUR", None), "200", None),
        (("EUR", None), "100", "EUR"),
    ],
)
def test_only_amounts_in_one_currency_are_summed(
    currencies: tuple[str | None, ...], amount: str, currency: str | None
) -> None:
    """The first order's currency is the case's; no amount is taken for one in another."""
    case, _ = taken([(f"o{at}", "100", given) for at, given in enumerate(currencies)])
    assert (case.amount, case.currency) == (amount, currency)


def test_orders_by_the_dozen_are_folded_after_twenty_revisions_a_day() -> None:
    """The amount still grows; what tells nothing but another order waits to be told."""
    case, revised = taken([(f"o{number}", "10", "GBP") for number in range(30)])
    assert revised == [True] * 19 + [False] * 11
    assert (case.amount, case.revision, case.folded) == ("300", 20, 11)

"""What verdicts do to profiles and models, and how a case lives: on hand-written histories."""

from collections.abc import Sequence

import pytest

from detectors.assessments import Alert
from detectors.cases import Case, alert_id_of, opened_by, take
from detectors.engine import Engine, Observed
from detectors.policy import Policy
from detectors.profiles import decode
from tests.contracts.detectors.histories import (
    CARRIER,
    DAY,
    HOME,
    HOSTING,
    HOUR,
    LAPTOP,
    MINUTE,
    NEW_PHONE,
    STRANGER,
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


def test_a_verdict_on_events_never_seen_changes_nothing() -> None:
    """Verdicts name what they like; only what is remembered can be learnt from."""
    history = History().months()
    before = history.stored()
    history.judge("takeover", event_ids=("never seen",))
    assert history.stored() == before


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
    assert alerts[-1].alert_id == alert_id_of("customer", alerts[-1].trigger_event_id)


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


class Hot:
    """Other accounts say that everything is hot."""

    def signals(self, observed: Observed) -> tuple[float, ...]:  # noqa: ARG002 - the protocol's
        """Two signals of three nats each."""
        return (3.0, 3.0)


def test_heat_from_other_accounts_raises_the_risk_and_is_named() -> None:
    """What is hot elsewhere counts, and the reason says so."""
    history = History().months().sign_in(LAPTOP, HOME)
    observed = history.observed[-1]
    cold = Engine(Policy(), history.stored().get).read(observed)
    hot = Engine(Policy(), history.stored().get, Hot()).read(observed)
    assert hot.logit == pytest.approx(cold.logit + 6.0)


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
    case = opened_by(first.event.account_id, first.event.event_id, first.event.occurred_at)
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

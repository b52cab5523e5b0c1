"""What became of an attempt, by hand-written records."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from detectors.bulletin.areas import UNKNOWN, publishable_area
from detectors.bulletin.standing import Recorded, attempts, unalerted
from detectors.events import Feedback
from tests.support.months import alert, at, campaign, order, verdict


def recorded(**parts: Any) -> Recorded:
    """Records of which most kinds are none."""
    empty = Recorded(alerts=[], verdicts=[], orders=[], campaigns=[])
    return empty._replace(**parts)


def fates(read: Recorded) -> list[str]:
    """What became of the orders of the only attempt."""
    (attempt,) = attempts(read)
    return [one.fate for one in attempt.orders]


CASE = recorded(alerts=[alert(1, at(5))], orders=[order(1, at(5))])


def told(*verdicts: Feedback) -> str | None:
    """Return the verdict that counts on the case."""
    (attempt,) = attempts(CASE._replace(verdicts=verdicts))
    return attempt.verdict


def test_the_latest_verdict_wins_whatever_the_order_they_come_in() -> None:
    """Verdicts are corrected, and records of a topic may come late."""
    first, second = verdict(1, at(6)), verdict(1, at(9), "legitimate")
    assert told() is None
    assert told(first, second) == told(second, first) == "legitimate"
    assert told(first, second, verdict(1, at(12))) == "takeover"


def test_a_customers_own_word_counts_where_nobody_else_has_spoken() -> None:
    """Whoever holds an account can say in its name that it was its customer."""
    own = verdict(1, at(9), "legitimate", source="customer")
    assert told(own) == "legitimate"
    assert told(verdict(1, at(6)), own) == "takeover"
    assert told(verdict(1, at(6), source="customer"), own) == "takeover"


def test_a_verdict_is_on_a_case_by_its_id_its_events_or_an_order_of_its_session() -> None:
    """And not by the account alone."""
    for names in ({"alert_id": "case-1"}, {"alert_id": None, "event_ids": ("order-event-1",)}):
        assert told(verdict(1, at(6), **names)) == "takeover"
    assert told(verdict(1, at(6), alert_id=None, event_ids=("something-else",))) is None
    later = order(1, at(5, 14), order_id="another", event_id="another-event")
    read = CASE._replace(
        orders=[*CASE.orders, later],
        verdicts=[verdict(1, at(6), alert_id=None, event_ids=("another-event",))],
    )
    assert fates(read) == ["stopped", "lost"]


def test_a_repeated_revision_counts_once_and_the_latest_says_how_it_stands() -> None:
    """A crash repeats a revision; a case is one attempt however many it has."""
    first = alert(1, at(5))
    second = alert(1, at(5), revision=2, techniques=("T1557",), updated_at=at(5, 15))
    (attempt,) = attempts(recorded(alerts=[second, first, first, second]))
    assert attempt.techniques == ("T1557",)
    assert [one.amount for one in attempt.orders] == [Decimal(100)]


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({}, "stopped"),
        ({"updated_at": at(5, 11)}, "stopped"),
        ({"updated_at": at(5, 12.01)}, "lost"),
        ({"action": "step_up"}, "lost"),
        ({"action": "monitor"}, "lost"),
        ({"order_ids": (), "updated_at": at(5, 11)}, "lost"),
        ({"order_ids": (), "updated_at": at(5, 11), "action": "lock_account"}, "stopped"),
    ],
)
def test_an_order_is_stopped_where_an_alert_at_or_before_it_asked_for_it(
    changes: dict[str, object], fate: str
) -> None:
    """A hold counts for the orders that it names, a lock for all that follow."""
    read = CASE._replace(alerts=[alert(1, at(5), **changes)], verdicts=[verdict(1, at(6))])
    assert fates(read) == [fate]


def test_what_a_bank_charged_back_was_not_stopped() -> None:
    """Whatever was asked for: somebody has paid."""
    charged = verdict(1, at(20), alert_id=None, event_ids=("order-event-1",), source="chargeback")
    assert fates(CASE._replace(verdicts=[charged])) == ["lost"]


def test_what_a_customer_suffers_is_told_apart() -> None:
    """A hold on a customer's order is an error; an order that nobody touched is none."""
    cleared = CASE._replace(verdicts=[verdict(1, at(6), "legitimate")])
    assert fates(cleared) == ["held_in_error"]
    asked = alert(1, at(5), action="step_up")
    assert fates(cleared._replace(alerts=[asked])) == ["undisturbed"]
    assert fates(CASE) == ["open"]


def test_orders_that_are_not_kept_are_known_by_what_they_added() -> None:
    """The first was told of too late, the second at its own moment; neither has a postcode."""
    first = alert(1, at(5), action="step_up", amount_at_risk=Decimal(40), order_ids=("a",))
    second = alert(
        1, at(5), revision=2, updated_at=at(6), amount_at_risk=Decimal(100), order_ids=("a", "b")
    )
    (attempt,) = attempts(recorded(alerts=[first, second], verdicts=[verdict(1, at(9))]))
    found = sorted((one.amount, one.fate, one.area) for one in attempt.orders)
    assert found == [(Decimal(40), "lost", UNKNOWN), (Decimal(60), "stopped", UNKNOWN)]


def test_an_order_counts_for_one_case_only() -> None:
    """Two cases of one session do not steal the same goods twice."""
    again = msgspec.structs.replace(alert(1, at(8)), alert_id="case-1-again", order_ids=())
    read = CASE._replace(
        alerts=[*CASE.alerts, again],
        verdicts=[verdict(1, at(9)), verdict(1, at(9), alert_id="case-1-again")],
    )
    assert [len(attempt.orders) for attempt in attempts(read)] == [1, 0]


def test_merged_campaigns_are_one() -> None:
    """An alert that names a campaign which went into another is of that other one."""
    older = campaign("older", range(1, 3), revision=4, merged_from=("younger",))
    younger = campaign("younger", range(2, 2), revision=3, merged_into="older")
    before = campaign("younger", range(2, 4), revision=2)
    alerts = [alert(1, at(5)), alert(2, at(5)), alert(3, at(5), campaign_id="younger")]
    for told_ in ([before, older, younger], [younger, before, older], [older]):
        found = attempts(recorded(alerts=alerts, campaigns=told_))
        assert {attempt.campaign_id for attempt in found} == {"older"}
    (lone,) = attempts(recorded(alerts=[alert(1, at(5), campaign_id="gone")]))
    assert lone.campaign_id == "gone"


def test_takeovers_nobody_was_alerted_to() -> None:
    """One an account; a verdict that names an alert, or an alerted event, is not one of them."""
    missed = verdict(2, at(7), alert_id=None, event_ids=("unseen",))
    again = verdict(2, at(8), alert_id=None, event_ids=("unseen",))
    of_one_gone = verdict(3, at(8), alert_id="case-of-long-ago")
    seen = verdict(1, at(8), alert_id=None, event_ids=("order-event-1",))
    honest = verdict(4, at(8), "legitimate", alert_id=None, event_ids=("unseen",))
    read = CASE._replace(verdicts=[again, missed, of_one_gone, seen, honest])
    assert unalerted(read) == [again]


@pytest.mark.parametrize("event_ids", [("unseen", "with it"), ()])
def test_a_takeover_that_was_taken_back_is_none_that_nobody_was_alerted_to(
    event_ids: tuple[str, ...],
) -> None:
    """What counts of an attempt's verdicts counts here: not the customer's own word for itself."""
    names: dict[str, Any] = {"alert_id": None, "event_ids": event_ids}
    missed = verdict(2, at(7), **names)
    taken_back = verdict(2, at(9), "legitimate", **names)
    own = msgspec.structs.replace(taken_back, source="customer")
    for verdicts, left in (
        ([missed, taken_back], []),
        ([taken_back, missed], []),
        ([missed, own], [missed]),
        ([missed, msgspec.structs.replace(taken_back, event_ids=("another",))], [missed]),
    ):
        assert unalerted(CASE._replace(verdicts=verdicts)) == left


@pytest.mark.parametrize(
    ("postcode", "country", "area"),
    [
        ("SW1A 1AA", "GB", "SW"),
        ("m1 1ae", "gb", "M"),
        ("75008", "FR", "FR-75"),
        ("1012 AB", "NL", "NL-10"),
        ("00-950", "PL", "PL-00"),
        ("D02 AF30", "IE", "IE-D"),
        ("Flat 2, the Mews", "GB", UNKNOWN),
        ("SW1A 1AA", None, UNKNOWN),
        (None, "GB", UNKNOWN),
        ("7", "FR", UNKNOWN),
    ],
)
def test_of_a_postcode_only_its_area_is_left(
    postcode: str | None, country: str | None, area: str
) -> None:
    """Letters before the first digit, or two digits; what is no postcode is not repeated."""
    assert publishable_area(postcode, country) == area

"""The demonstration's figures follow from alerts and labels, and from nothing else."""

from typing import Any

import msgspec
import pytest

from detectors.assessments import Alert, Model
from detectors.campaigns import Campaign
from detectors.simulation import SimulatedEvent, Staged, Story, Truth
from streams.demonstration.outcome import Finding, Outcome
from streams.demonstration.screen import duration, revision_line

LIVE_FROM = 1000.0
STAGED = (
    Staged("a1", "sim_swap_reset", "k1", 1100.0, 1400.0, ("e1", "e2", "e3")),
    Staged("a2", "points_drain", "k2", 1200.0, 1300.0, ("e4", "e5")),
)


def event(event_id: str, account: str, truth: Truth | None = None) -> SimulatedEvent:
    """A live event of which only the identity matters."""
    return SimulatedEvent(1100.0, {"event_id": event_id, "account_id": account}, truth)


def outcome() -> Outcome:
    """A story of two hijacks, one failed try and two customers."""
    live = [event(e, staged.account_id) for staged in STAGED for e in staged.event_ids]
    live += [event("try", "a3", Truth("spraying", "k3", takeover=False))]
    live += [event("h1", "a4"), event("h2", "a5")]
    return Outcome(Story([], live, STAGED), LIVE_FROM)


def alert(case: str, events: list[str], **fields: Any) -> Alert:
    """One revision of a case that stands on these events."""
    given: dict[str, Any] = {"raised_at": 1200.0, "updated_at": 1200.0, "revision": 1}
    given |= {"action": "hold_order", **fields}
    return Alert(
        alert_id=case,
        account_id="a",
        risk=0.9,
        severity="high",
        reasons=(),
        techniques=(),
        stage="access",
        trigger_event_id=events[0],
        event_ids=tuple(events),
        model=Model(name="m", version="1", configuration="0"),
        **given,
    )


def test_nothing_is_caught_without_alerts() -> None:
    """No alert, no figure: hijacks count as missed and medians are unknown."""
    summary = outcome().summary()
    assert (summary.caught, summary.in_time, summary.false_alerts) == (0, 0, 0)
    assert (summary.delay, summary.latency) == (None, None)
    assert summary.events == 8
    assert summary.customers == 3


def test_a_hijack_is_caught_by_the_first_alert_that_names_one_of_its_events() -> None:
    """Time is from access to that alert; a later revision changes nothing."""
    judged = outcome()
    assert judged.take(alert("c1", ["e2"], updated_at=1160.0), 0.1).first
    later = judged.take(alert("c1", ["e2", "e3"], updated_at=1500.0, revision=2), 0.3)
    assert (later.kind, later.first, later.hijack) == ("hijack", False, STAGED[0])
    summary = judged.summary()
    assert (summary.caught, summary.in_time) == (1, 1)
    assert summary.delay == 60.0
    assert summary.latency == pytest.approx(0.2)


@pytest.mark.parametrize(("updated_at", "in_time"), [(1299.0, 1), (1300.0, 1), (1300.1, 0)])
def test_in_time_means_at_the_first_order_or_before(updated_at: float, in_time: int) -> None:
    """The order itself can still be stopped when it is what raised the alert."""
    judged = outcome()
    judged.take(alert("c2", ["e5"], updated_at=updated_at), None)
    assert judged.summary().in_time == in_time


def test_stopped_means_more_than_being_watched_in_time() -> None:
    """Of all that was asked for up to the order the gravest counts, and nothing after it."""
    judged = outcome()
    for updated_at, action in ((1210.0, "monitor"), (1250.0, "step_up"), (1310.0, "lock_account")):
        judged.take(alert("c1", ["e4"], updated_at=updated_at, action=action), None)
    judged.take(alert("c2", ["e1"], updated_at=1120.0, action="monitor"), None)
    watched, stepped_up = judged.summary().results
    assert stepped_up.gravest is not None
    assert stepped_up.gravest.action == "step_up"
    assert (watched.in_time, watched.stopped) == (True, False)
    assert judged.summary().stopped == 1


def test_a_case_that_began_with_a_customers_event_may_still_catch_a_hijack() -> None:
    """It is one case, and it is no false alert in the end."""
    judged = outcome()
    assert judged.take(alert("c1", ["h1"]), None).kind == "customer"
    assert judged.take(alert("c1", ["h1", "e1"], revision=2), None).kind == "hijack"
    assert judged.take(alert("c1", ["h1"], revision=3), None).kind == "customer"
    summary = judged.summary()
    assert (summary.caught, summary.false_alerts) == (1, 0)


def test_false_alerts_are_counted_by_case_and_apart_from_the_history() -> None:
    """Customers' cases count once each; tries without access are no false alerts."""
    judged = outcome()
    for revision in (1, 2):
        judged.take(alert("c1", ["h1"], revision=revision), None)
    judged.take(alert("c2", ["old"], raised_at=900.0, updated_at=900.0), 7.0)
    judged.take(alert("c3", ["try"]), None)
    summary = judged.summary()
    assert (summary.false_alerts, summary.early_false_alerts, summary.attempts) == (1, 1, 1)
    assert summary.latency is None


def campaign(name: str, accounts: tuple[str, ...], **fields: Any) -> Campaign:
    """One revision of a campaign of these accounts."""
    return Campaign(
        campaign_id=name,
        revision=1,
        first_seen=1200.0,
        alerts=len(accounts),
        accounts=accounts,
        alert_ids=(),
        indicators=(),
        techniques=(),
        **{"last_seen": 1200.0, **fields},
    )


def test_a_campaign_is_held_against_the_gangs_that_were_staged() -> None:
    """Whose accounts it links; what grew is news, and what another took over is gone."""
    judged = outcome()
    assert judged.take_campaign(campaign("k", ("a1", "a4")))
    assert not judged.take_campaign(campaign("k", ("a1", "a4")))
    assert judged.take_campaign(campaign("k", ("a1", "a2", "a4")))
    assert judged.take_campaign(campaign("gone", ("a5",), merged_into="k"))
    assert not judged.take_campaign(campaign("old", ("a4", "a5"), last_seen=900.0))
    (gang,) = judged.summary().gangs
    assert (gang.staged, gang.others, gang.hijacks) == (2, 1, STAGED)


def test_that_a_case_is_of_a_campaign_is_no_answer_to_an_event() -> None:
    """It comes later, and is no part of how fast alerts are."""
    judged = outcome()
    assert judged.take(alert("c1", ["e1"]), 0.1).latency == 0.1
    assert judged.take(alert("c1", ["e1"], revision=2, campaign_id="k"), 5.0).latency is None
    assert judged.summary().latency == 0.1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "at once"), (40, "40 s"), (720, "12 min"), (12_600, "3.5 h"), (172_800, "2.0 days")],
)
def test_durations_are_told_in_their_natural_unit(seconds: float, text: str) -> None:
    """Nobody reads 12600 seconds."""
    assert duration(seconds) == text


def test_a_revision_says_what_is_new() -> None:
    """A campaign that the case belongs to, where nothing graver is asked; else what is asked."""
    first, finding = alert("c", ["e1"]), Finding("customer", None, first=False, latency=None)
    joined = msgspec.structs.replace(first, revision=2, campaign_id="gang-1")
    graver = msgspec.structs.replace(joined, revision=3, action="lock_account")
    assert "belongs to campaign gang-1." in str(revision_line(joined, finding, first))
    assert "goes on: high, lock the account." in str(revision_line(graver, finding, first))
    assert "goes on: high, lock the account." in str(revision_line(graver, finding, joined))

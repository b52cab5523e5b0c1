"""What of a run is judged."""

import pytest

from tests.unit.evaluation.runs import Line, made


def test_a_hijack_is_one_account_in_one_campaign() -> None:
    """Events of one account and campaign are one hijack; another campaign is another."""
    trial = made(
        Line(1, "ann", "in", hijack="k1"),
        Line(2, "ann", "10", hijack="k1"),
        Line(3, "ann", "in", hijack="k2"),
        Line(3, "bob", "in", hijack="k1"),
    ).trial
    found = [(h.account, h.campaign, len(h.events)) for h in trial.hijacks]
    assert found == [("ann", "k1", 2), ("ann", "k2", 1), ("bob", "k1", 1)]


def test_depth_counts_the_customers_own_sign_ins_before_access() -> None:
    """Failed and later sign-ins, and the hijacker's own, are no history."""
    trial = made(
        Line(0, "ann", "in"),
        Line(1, "ann", "fail"),
        Line(2, "ann", "in"),
        Line(3, "ann", "in", hijack="k1"),
        Line(4, "ann", "in", hijack="k1"),
        Line(5, "ann", "in"),
    ).trial
    assert [hijack.depth for hijack in trial.hijacks] == [2]


def test_the_warm_up_is_not_judged() -> None:
    """Hijacks that begin in it and events that lie in it do not count; the cut itself does."""
    trial = made(
        Line(0, "ann", "in"),
        Line(2.9, "bob", "in", hijack="k1"),
        Line(3, "cat", "in"),
        Line(3, "dan", "in", hijack="k2"),
        Line(10, "eve", "in"),
        warm_up=0.3,
    ).trial
    assert [hijack.account for hijack in trial.hijacks] == ["dan"]
    assert (len(trial.hijacked), len(trial.legitimate), trial.account_days) == (1, 2, 2)


def test_days_nobody_can_be_blamed_for_are_left_out() -> None:
    """Days under attack, and everything of a victim after access, are no legitimate days."""
    trial = made(
        Line(0, "ann", "in"),
        Line(1.1, "ann", "fail", attack=True),
        Line(1.2, "ann", "in"),
        Line(2, "ann", "in"),
        Line(3, "vic", "in"),
        Line(4.1, "vic", "in", hijack="k1"),
        Line(4.2, "vic", "in"),
        Line(5, "vic", "in"),
        Line(6, "new", "nobody"),
    ).trial
    assert trial.account_days == 3  # ann's days 0 and 2, vic's day 3
    assert len(trial.legitimate) == 4  # those, and ann's sign-in on the day of the attack


def test_a_day_is_scored_by_its_highest_risk() -> None:
    """An account-day has one score however many events it has; midnight UTC parts days."""
    run = made(
        Line(0.1, "ann", "in", 0.2),
        Line(0.9, "ann", "5", 0.7),
        Line(1.0, "ann", "in", 0.1),
        Line(0.5, "bob", "in", 0.3),
    )
    assert sorted(run.trial.day_risks(run.trial.folded(run.risks))) == pytest.approx(
        [0.1, 0.3, 0.7]
    )


def test_a_repeated_event_is_one_event_with_its_highest_risk() -> None:
    """Delivered twice, an event is neither two orders nor two sign-ins of history."""
    run = made(
        Line(0, "ann", "in", 0.1, event_id="same"),
        Line(0, "ann", "in", 0.6, event_id="same"),
        Line(1, "ann", "50", 0.1, hijack="k1", event_id="order"),
        Line(1, "ann", "50", 0.1, hijack="k1", event_id="order"),
    )
    hijack = run.trial.hijacks[0]
    assert (hijack.depth, hijack.amount, run.trial.events) == (1, 50.0, 2)
    assert run.trial.day_risks(run.trial.folded(run.risks)) == pytest.approx([0.6])


def test_events_are_judged_in_the_order_of_time() -> None:
    """A late delivery changes neither which event was first nor what came before it."""
    trial = made(
        Line(3, "ann", "in", hijack="k1"),
        Line(2, "ann", "in", hijack="k1"),
        Line(1, "ann", "in"),
    ).trial
    assert trial.hijacks[0].times[0] == 2 * 86_400
    assert trial.hijacks[0].depth == 1
    assert list(trial.hijacks[0].events) == [1, 0]


def test_nothing_at_all_can_be_judged() -> None:
    """An empty run has no hijack and no day."""
    run = made()
    assert run.trial.hijacks == []
    assert run.judged().account_days == 0

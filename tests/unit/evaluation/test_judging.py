"""Caught or not, in time or not, at a budget of false alerts."""

import numpy as np
import pytest

from detectors.evaluation.judging import CURVE
from detectors.evaluation.summary import summarise
from detectors.evaluation.thresholds import threshold
from tests.unit.evaluation.runs import Line, Made, made


def quiet_days(*risks: float) -> list[Line]:
    """Customers, one day each, so many at each risk that any budget can be spent exactly."""
    return [Line(0, f"customer-{n}", "in", risk) for n, risk in enumerate(risks)]


def thousand(*hijack: Line) -> Made:
    """A hijack among a thousand customer days of the risks 0, .001, … .999."""
    return made(*quiet_days(*(n / 1000 for n in range(1000))), *hijack)


def test_a_budget_is_spent_exactly() -> None:
    """Of a thousand different days, 0.3 % are the three riskiest."""
    risks = np.arange(1000) / 1000
    at = threshold(risks, 0.003)
    assert (at.risk, at.tie) == (0.996, 0.0)
    assert np.count_nonzero(risks > at.risk) == 3


def test_ties_at_the_threshold_are_split_by_chance() -> None:
    """Ten days share the highest risk and one may be alerted: each is with chance 1 in 10."""
    at = threshold(np.array([0.9] * 10 + [0.1] * 990), 0.001)
    assert at.risk == 0.9
    assert at.tie == pytest.approx(0.1)


def test_a_detector_without_an_opinion_catches_its_budget_and_no_more() -> None:
    """With one score for everything, recall is the budget: chance, not all and not nothing."""
    run = made(*quiet_days(*([0.5] * 1000)), Line(1, "vic", "in", 0.5, hijack="k1"))
    caught = run.judged().hijacks[0].caught
    assert [c.in_time for c in caught] == pytest.approx([0.001, 0.003, 0.01])


def test_caught_at_the_first_order_is_in_time_and_after_it_is_too_late() -> None:
    """The order itself can still be stopped when it is alerted; what follows cannot help it."""
    at_order = thousand(
        Line(1, "vic", "in", 0.0, hijack="k1"), Line(2, "vic", "80", 2.0, hijack="k1")
    )
    later = thousand(
        Line(1, "vic", "in", 0.0, hijack="k1"),
        Line(2, "vic", "80", 0.0, hijack="k1"),
        Line(3, "vic", "20", 2.0, hijack="k1"),
    )
    in_time, too_late = (run.judged().hijacks[0].caught[0] for run in (at_order, later))
    assert (in_time.in_time, in_time.at_access, in_time.saved) == (1.0, 0.0, 80.0)
    assert in_time.seconds == 86_400.0
    assert (too_late.in_time, too_late.ever, too_late.saved) == (0.0, 1.0, 20.0)


def test_caught_at_access_is_caught_by_the_first_event() -> None:
    """An alert on the first event is an alert at once, and saves every order."""
    run = thousand(Line(1, "vic", "in", 2.0, hijack="k1"), Line(2, "vic", "80", 0.0, hijack="k1"))
    caught = run.judged().hijacks[0].caught[0]
    assert (caught.at_access, caught.in_time, caught.saved, caught.seconds) == (1.0, 1.0, 80.0, 0.0)


def test_without_an_order_any_alert_is_in_time() -> None:
    """A hijacker who never ordered was stopped, however late."""
    run = thousand(
        Line(1, "vic", "in", 0.0, hijack="k1"), Line(9, "vic", "change", 2.0, hijack="k1")
    )
    assert run.judged().hijacks[0].caught[0].in_time == 1.0


def test_recall_is_a_share_of_hijacks_not_of_events() -> None:
    """One hijack with many events weighs as much as one with a single event."""
    noisy = [Line(1 + n, "vic", "change", 2.0, hijack="k1") for n in range(20)]
    run = thousand(*noisy, Line(1, "bob", "in", 0.0, hijack="k2"))
    at = summarise("x", [run.judged()]).budgets[0]
    assert at.in_time.value == 0.5


def test_runs_are_pooled_by_hijack_with_thresholds_of_their_own() -> None:
    """A run whose scores lie lower is judged at its own threshold, not at the other's."""
    high = thousand(Line(1, "vic", "in", 2.0, hijack="k1"))
    low = Made(high.trial, high.risks / 100)
    summary = summarise("x", [high.judged(), low.judged()])
    assert (summary.runs, summary.hijacks, summary.account_days) == (2, 2, 2000)
    assert summary.budgets[0].in_time.value == 1.0


def test_families_and_depths_part_the_hijacks_and_the_rest_is_without_them() -> None:
    """Recall of a family, and of everything else: one easy family must not carry the figure."""
    run = thousand(
        Line(0, "ann", "in"),
        Line(1, "ann", "in", 2.0, hijack="k1", family="easy"),
        Line(1, "bob", "in", 0.0, hijack="k2", family="hard"),
        Line(1, "cat", "in", 2.0, hijack="k3", family="hard"),
    )
    at = summarise("x", [run.judged()]).budgets[0]
    easy, hard = at.families
    assert easy.rest_in_time is not None
    assert (easy.in_time.value, hard.in_time.value, easy.rest_in_time.value) == (1.0, 0.5, 0.5)
    assert [(depth.name, depth.hijacks) for depth in at.depths] == [("0", 2), ("1-2", 1)]


def test_money_saved_is_a_share_of_money() -> None:
    """Saving the dear hijack of two is worth more than half."""
    run = thousand(Line(1, "ann", "900", 2.0, hijack="k1"), Line(1, "bob", "100", 0.0, hijack="k2"))
    saved = summarise("x", [run.judged()]).budgets[0].saved
    assert saved is not None
    assert saved.value == pytest.approx(0.9)


def test_precision_sets_hijacks_against_alerted_days() -> None:
    """One hijack caught, one customer's day in a thousand alerted: every other alert is right."""
    at = summarise("x", [thousand(Line(1, "vic", "in", 2.0, hijack="k1")).judged()]).budgets[0]
    assert at.precision == pytest.approx(1 / (1 + 0.001 * 1000))
    assert at.false_alerts_a_day == pytest.approx(1.0)


def test_the_curve_rises_with_the_budget() -> None:
    """A hijack at the risk of the fiftieth day is caught from a budget of 5 % on."""
    run = thousand(Line(1, "vic", "in", 0.9505, hijack="k1"))
    curve = dict(zip(CURVE, run.judged().curve, strict=True))
    assert {budget for budget, caught in curve.items() if caught} == {
        budget for budget in CURVE if budget >= 0.05
    }

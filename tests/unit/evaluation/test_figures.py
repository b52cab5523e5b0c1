"""Rankings, calibration and intervals, against hand computation and an independent library."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from detectors.evaluation.calibration import expected_calibration_error, pooled, reliability
from detectors.evaluation.intervals import interval
from detectors.evaluation.ranking import rank


def test_ranking_agrees_with_an_independent_library_ties_included() -> None:
    """Average precision and ROC AUC equal scikit-learn's on risks with many ties."""
    chance = np.random.default_rng(3)
    hijacked, legitimate = chance.integers(2, 9, 40) / 10, chance.integers(0, 7, 900) / 10
    truth = np.repeat([1, 0], [40, 900])
    risks = np.concatenate([hijacked, legitimate])
    ranking = rank(hijacked, legitimate)
    assert ranking is not None
    assert ranking.average_precision == pytest.approx(average_precision_score(truth, risks))
    assert ranking.roc_auc == pytest.approx(roc_auc_score(truth, risks))


def test_there_is_no_ranking_of_one_kind() -> None:
    """Without takeovers, or without customers, there is no order to judge."""
    assert rank(np.array([]), np.array([0.1])) is None
    assert rank(np.array([0.1]), np.array([])) is None


def test_calibration_error_is_the_mean_gap_by_events() -> None:
    """Ten events at 0.25 of which five are takeovers, ten at 0.85 of which all: gaps .25, .15."""
    hijacked = np.array([0.25] * 5 + [0.85] * 10)
    bins = reliability(hijacked, np.array([0.25] * 5))
    assert bins is not None
    assert [(b.events, b.takeovers) for b in bins if b.events] == [(10, 5), (10, 10)]
    assert expected_calibration_error(bins) == pytest.approx(0.2)
    assert expected_calibration_error(bins[5:]) == pytest.approx(0.15)
    assert expected_calibration_error(pooled([bins, bins])) == pytest.approx(0.2)


def test_a_risk_of_one_lies_in_the_highest_tenth() -> None:
    """The scale is closed at its upper end."""
    bins = reliability(np.array([1.0]), np.array([0.0]))
    assert bins is not None
    assert (bins[0].events, bins[9].events) == (1, 1)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    """A ratio of likelihoods may be anything: nothing is claimed of it."""
    assert reliability(np.array([12.0]), np.array([0.1])) is None


def test_an_interval_holds_the_share_and_narrows_with_hijacks() -> None:
    """Fifty of a hundred: about .40 to .60, as the binomial has it; of ten, wider."""
    low, high = interval([1.0] * 50 + [0.0] * 50)
    assert (low, high) == pytest.approx((0.40, 0.60), abs=0.02)
    few = interval([1.0] * 5 + [0.0] * 5)
    assert few.low < low < high < few.high


def test_an_interval_over_campaigns_is_wider_where_hijacks_are_alike() -> None:
    """Ten campaigns of ten hijacks, all caught or none: there are ten facts, not a hundred."""
    values = [float(campaign % 2) for campaign in range(10) for _ in range(10)]
    campaigns = [f"k{campaign}" for campaign in range(10) for _ in range(10)]
    alone, together = interval(values), interval(values, groups=campaigns)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_an_interval_of_money_weighs_by_money() -> None:
    """The saved share of the dear hijacks counts for their value."""
    low, high = interval([90.0, 0.0] * 50, [90.0, 10.0] * 50)
    assert low < 0.9 < high

"""The registries agree with each other: nothing is scored that cannot be explained or stored."""

import pytest

from detectors.decisions import ACTIONS, action_for, log_odds, logistic, severity_of
from detectors.features.registry import ACCESS, FEATURES, NAMES, SHARED, WIDTH
from detectors.features.signin import distance_km
from detectors.models.prior import SHIPPED
from detectors.models.prior_table import FITTED
from detectors.policy import Policy
from detectors.reasons import EXPLANATIONS


def test_every_feature_is_weighed_and_explained() -> None:
    """One registry of features; prior and reasons cover exactly it, and what counts beside it."""
    assert set(FITTED) == set(NAMES) == set(EXPLANATIONS) - {SHARED.name}
    assert len(set(NAMES)) == WIDTH
    assert all(len(weights) == WIDTH for weights in SHIPPED.weights)


def test_codes_are_told_apart() -> None:
    """No two features share a code: an analyst can count them."""
    codes = [explanation.code for explanation in EXPLANATIONS.values()]
    assert len(set(codes)) == len(codes)


def test_the_sign_ins_features_come_first() -> None:
    """A session carries a prefix of the vector: nothing else may stand in it."""
    assert {feature.family for feature in FEATURES[:ACCESS]} == {"access"}
    assert "access" not in {feature.family for feature in FEATURES[ACCESS:]}


def test_no_feature_speaks_for_a_customer_when_it_speaks_against_one() -> None:
    """Weights are never negative: a reason that raises suspicion never lowers the risk."""
    assert min(min(weights) for weights in SHIPPED.weights) > 0


@pytest.mark.parametrize("probability", [1e-9, 0.2, 0.999])
def test_log_odds_and_back(probability: float) -> None:
    """The two are each other's inverse."""
    assert logistic(log_odds(probability)) == pytest.approx(probability)


def test_logistic_is_at_home_far_out() -> None:
    """No overflow, and still above nought."""
    assert 0 < logistic(-700.0) < 1e-300
    assert logistic(700.0) == 1.0


def test_the_graver_the_harder_the_action() -> None:
    """Nothing for the low, a question at sign-in, a hold on an order, a lock for the certain."""
    policy = Policy()
    assert [severity_of(risk, policy) for risk in (0.1, 0.3, 0.6, 0.9)] == [0, 1, 2, 3]
    assert ACTIONS[action_for(0, 3)] == "monitor"
    assert ACTIONS[action_for(2, 1)] == "step_up"
    assert ACTIONS[action_for(2, 3)] == "hold_order"
    assert ACTIONS[action_for(3, 3)] == "lock_account"


def test_distance_of_two_known_cities() -> None:
    """London to New York is about 5,570 km."""
    assert distance_km((51.507, -0.128), (40.713, -74.006)) == pytest.approx(5570, abs=10)

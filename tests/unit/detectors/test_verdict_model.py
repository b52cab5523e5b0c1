"""The verdict model is river's logistic regression on top of a score that stands by itself."""

import random

import pytest
from river.linear_model import LogisticRegression
from river.optim import SGD

from detectors.errors import IncompatibleState
from detectors.models.feedback import VerdictModel
from tests.unit.detectors import nothing

NAMES = ("device", "network", "order")


def lessons(count: int) -> list[tuple[list[float], float, bool]]:
    """Features, the score they stood with, and what they turned out to be."""
    chance = random.Random(2)
    drawn = []
    for _ in range(count):
        takeover = chance.random() < 0.2
        features = [chance.gauss(1.0 if takeover else -1.0, 1.0) for _ in NAMES]
        drawn.append((features, sum(features) - 3.0, takeover))
    return drawn


def test_without_verdicts_the_score_stands_as_it_is() -> None:
    """The combination starts at the unsupervised model."""
    assert VerdictModel(NAMES, nothing).correction([3.0, -1.0, 2.0]) == 0.0


def test_its_steps_are_rivers() -> None:
    """Weights equal those of a river regression that is given the same offset as intercept."""
    ours = VerdictModel(NAMES, nothing, rate=0.01, penalty=0.001)
    river = LogisticRegression(SGD(0.01), l2=0.001, intercept_lr=0.0)
    for features, offset, takeover in lessons(300):
        ours.learn(features, offset, takeover=takeover, weight=2.0)
        river.intercept = offset
        river.learn_one(dict(zip(NAMES, features, strict=True)), takeover, 2.0)
    assert list(ours.corrections) == [river.weights[name] for name in NAMES]


def test_verdicts_move_the_score_towards_them() -> None:
    """A feature that verdicts keep contradicting counts less and less."""
    model = VerdictModel(NAMES, nothing)
    for _ in range(500):
        model.learn([2.0, 0.0, 0.0], 3.0, takeover=False, weight=1.0)
        model.learn([0.0, 0.0, 2.0], -3.0, takeover=True, weight=1.0)
    assert model.correction([2.0, 0.0, 0.0]) < -0.05
    assert model.correction([0.0, 0.0, 2.0]) > 0.05
    assert model.correction([0.0, 1.0, 0.0]) == 0.0


def test_few_verdicts_are_believed_less_than_many() -> None:
    """The same weights move a score further, the more verdicts stand behind them."""
    few, many = VerdictModel(NAMES, nothing), VerdictModel(NAMES, nothing)
    few.learn([1.0, 0.0, 0.0], -3.0, takeover=True, weight=100.0)
    for _ in range(100):
        many.learn([1.0, 0.0, 0.0], -3.0, takeover=True, weight=1.0)
    assert 0 < few.correction([1.0, 0.0, 0.0]) < many.correction([1.0, 0.0, 0.0]) / 10


def test_a_model_read_back_goes_on_identically() -> None:
    """Restoring between any two verdicts changes nothing."""
    store: dict[bytes, bytes] = {}
    lived, restored = VerdictModel(NAMES, nothing), VerdictModel(NAMES, store.get)
    for features, offset, takeover in lessons(60):
        for model in (lived, restored):
            model.learn(features, offset, takeover=takeover, weight=1.0)
        store.update(restored.changes())
        restored = VerdictModel(NAMES, store.get)
    assert list(restored.corrections) == list(lived.corrections)
    assert restored.verdicts == lived.verdicts


def test_a_model_of_other_features_is_refused() -> None:
    """Weights are a list in the registry's order: another length is another model."""
    store: dict[bytes, bytes] = {}
    model = VerdictModel(NAMES, store.get)
    model.learn([1.0, 1.0, 1.0], 0.0, takeover=True, weight=1.0)
    store.update(model.changes())
    with pytest.raises(IncompatibleState):
        VerdictModel((*NAMES, "another"), store.get)

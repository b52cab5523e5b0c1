"""Models that could stand where the product's own stands, over the same features.

Every model scores an event before anybody learns from it. An anomaly model then learns from the
event as it is; a model that needs verdicts learns from what is judged, or presumed a customer's.
"""

from array import array
from collections.abc import Callable, Sequence
from math import log
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from river import facto, forest, linear_model, naive_bayes, optim, tree
from river.anomaly import LODA, HalfSpaceTrees
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from detectors.decisions import log_odds, logistic
from detectors.features.registry import NAMES, WIDTH
from detectors.features.story import in_unit_range
from detectors.models.prior import SHIPPED
from detectors.policy import Policy
from tests.benchmarks.collecting import Collected

SEED: Final = 42
TAKEOVER_WEIGHT: Final = 10
"""How many times a takeover is learnt: the rare class would else hardly move a model."""
_KINDS: Final = ("is_login", "is_order", "is_change")
_BASE: Final = log_odds(Policy().base_rate)


class Seen(NamedTuple):
    """An event as a model sees it.

    `kind` is 0 for a sign-in, 1 for an order, 2 for a change; `features` are the engine's, nats;
    `product` is the risk that the engine gives it, 0 to 1.
    """

    event_id: str
    kind: int
    features: "array[float]"
    product: float

    def named(self) -> dict[str, float]:
        """Return the features by name, and the kind as three more."""
        return _with_kind(self.features, self.kind)

    def in_unit_range(self) -> dict[str, float]:
        """Return the same, each from 0 to 1, as half-space trees ask for."""
        return _with_kind(in_unit_range(list(self.features)), self.kind)


class Lesson(NamedTuple):
    """What an event turned out to be, or is presumed to be."""

    seen: Seen
    takeover: bool


class Model(Protocol):
    """One model. Its scores need only be comparable with each other; more is riskier."""

    def score(self, run: Sequence[Seen | Lesson]) -> list[float]:
        """Score the events of a run, learning each only after it was scored, and the lessons."""


class Unlearning:
    """A score that is worked out from an event alone."""

    def __init__(self, score: Callable[[Seen], float]) -> None:
        self._score = score

    def score(self, run: Sequence[Seen | Lesson]) -> list[float]:
        """Score the events of a run."""
        return [self._score(step) for step in run if isinstance(step, Seen)]


class Anomaly:
    """A river anomaly model: it learns from every event, and from no verdict."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def score(self, run: Sequence[Seen | Lesson]) -> list[float]:
        """Score, then learn, the events of a run."""
        scores = []
        for step in run:
            if isinstance(step, Seen):
                features = step.in_unit_range()
                scores.append(float(self._model.score_one(features)))
                self._model.learn_one(features)
        return scores


class Gaussian:
    """How far an event lies from the mean, in deviations, each feature by itself.

    The exponent of a normal density with a diagonal covariance, means and variances by Welford's
    method, apart for each kind of event.
    """

    def __init__(self) -> None:
        self._count = [0.0] * len(_KINDS)
        self._mean = np.zeros((len(_KINDS), WIDTH))
        self._squares = np.ones((len(_KINDS), WIDTH))

    def score(self, run: Sequence[Seen | Lesson]) -> list[float]:
        """Score, then learn, the events of a run."""
        return [self._take(step) for step in run if isinstance(step, Seen)]

    def _take(self, seen: Seen) -> float:
        kind, values = seen.kind, np.array(seen.features)
        away = values - self._mean[kind]
        self._count[kind] += 1
        distance = float((away**2 * self._count[kind] / self._squares[kind]).sum())
        self._mean[kind] += away / self._count[kind]
        self._squares[kind] += away * (values - self._mean[kind])
        return distance


class Classifier:
    """A river classifier, learning from verdicts and presumed customers.

    `presumed` is the share of events that are presumed a customer's; odds are corrected for it and
    for the weight of takeovers.
    """

    def __init__(self, model: Any, presumed: float) -> None:
        self._model = model
        self._shift = log(presumed / TAKEOVER_WEIGHT)

    def score(self, run: Sequence[Seen | Lesson]) -> list[float]:
        """Score the events of a run and learn its lessons, in their order."""
        scores = []
        for step in run:
            if isinstance(step, Seen):
                scores.append(self._score(step))
            else:
                features = step.seen.named()
                for _ in range(TAKEOVER_WEIGHT if step.takeover else 1):
                    self._model.learn_one(features, step.takeover)
        return scores

    def _score(self, seen: Seen) -> float:
        probabilities = self._model.predict_proba_one(seen.named())
        probability = min(max(float(probabilities.get(True, 0.0)), 1e-12), 1 - 1e-12)
        return logistic(log_odds(probability) + self._shift)


class Offline:
    """Gradient boosting fitted once, on simulated shops, as the shipped prior is.

    No weight of evidence may count for a customer, as in the prior: what raises suspicion never
    lowers the risk.
    """

    def __init__(self, collected: Collected) -> None:
        self._model = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=200,
            max_leaf_nodes=15,
            min_samples_leaf=40,
            monotonic_cst=[1] * WIDTH + [0],
            random_state=SEED,
        )
        features = np.column_stack([collected.features, collected.kind])
        with threadpool_limits(1):
            self._model.fit(features, collected.takeover, collected.weight)

    def score(self, run: Sequence[Seen | Lesson]) -> list[float]:
        """Score the events of a run, all at once: nothing is learnt in between."""
        rows = [[*step.features, step.kind] for step in run if isinstance(step, Seen)]
        if not rows:
            return []
        # So few rows go no faster on several cores, whose idle turning would be counted as well.
        with threadpool_limits(1):
            scores: NDArray[np.float64] = self._model.predict_proba(np.array(rows))[:, 1]
        return [float(score) for score in scores]


def models(presumed: float, offline: Offline) -> dict[str, Model]:
    """Return every model by the name it has in the table, new."""

    def classifier(model: Any) -> Classifier:
        return Classifier(model, presumed)

    return {
        "prior and verdicts (the product)": Unlearning(lambda seen: seen.product),
        "prior alone": Unlearning(
            lambda seen: logistic(_BASE + SHIPPED.score(seen.kind, [*seen.features]))
        ),
        "likelihood, all weights 1": Unlearning(lambda seen: logistic(_BASE + sum(seen.features))),
        "gradient boosting, offline": offline,
        "half-space trees": Anomaly(
            HalfSpaceTrees(n_trees=10, height=8, window_size=1000, seed=SEED)
        ),
        "LODA": Anomaly(LODA(seed=SEED)),
        "Gaussian, diagonal": Gaussian(),
        "Gaussian naive Bayes": classifier(
            naive_bayes.GaussianNB()  # type: ignore[no-untyped-call]  # river's
        ),
        "logistic regression": classifier(
            linear_model.LogisticRegression(optim.SGD(0.01), l2=1e-5, intercept_lr=0.01)
        ),
        "adaptive random forest": classifier(forest.ARFClassifier(n_models=10, seed=SEED)),
        "gradient-boosted tree (SGT)": classifier(
            # Its default quantizer divides by nought where a feature begins constant.
            tree.SGTClassifier(
                delta=0.01,
                grace_period=100,
                lambda_value=1.0,
                gamma=0.1,
                feature_quantizer=tree.splitter.DynamicQuantizer(),
            )
        ),
        "factorisation machine": classifier(
            facto.FMClassifier(
                n_factors=4, weight_optimizer=optim.SGD(0.01), latent_optimizer=optim.SGD(0.01),
                seed=SEED,
            )
        ),
    }  # fmt: skip


def _with_kind(features: Sequence[float], kind: int) -> dict[str, float]:
    named = dict(zip(NAMES, features, strict=True))
    for at, name in enumerate(_KINDS):
        named[name] = float(at == kind)
    return named

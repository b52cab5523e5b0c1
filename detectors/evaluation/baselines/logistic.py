"""A supervised model with the verdicts that come, when they come: online logistic regression."""

from array import array
from collections import OrderedDict
from random import Random
from typing import Final

from river.linear_model import LogisticRegression
from river.optim import SGD

from detectors.engine import Observed
from detectors.evaluation.baselines.plain import Plain
from detectors.events import Feedback

SEED: Final = 42
PRESUMED_LEGITIMATE: Final = 1 / 50
"""Share of the events that are learnt as legitimate although nobody said so."""
TAKEOVER_WEIGHT: Final = 10.0
"""How many events one takeover weighs: the rare class would else hardly move the model."""
AWAITING_VERDICT: Final = 400_000
"""Events whose features are kept until a verdict comes; an older one is too late."""


class Logistic:
    """Logistic regression over the plain features, learning from verdicts as they arrive.

    A verdict teaches the features as they stood at each event it names. Since most takeovers are
    never told from the many events that nobody judges, a sample of all events is presumed
    legitimate; the odds are corrected for the sampling and the weight.
    """

    def __init__(self) -> None:
        self._model = LogisticRegression(optimizer=SGD(0.05), l2=1e-5, intercept_lr=0.05)
        self._chance = Random(SEED)
        self._awaiting: OrderedDict[tuple[str, str], array[float]] = OrderedDict()

    def assess(self, observed: Observed, plain: Plain) -> float:  # noqa: ARG002 - the protocol's
        """Score an event: the probability, 0 to 1, that it is a hijacker's."""
        probabilities = self._model.predict_proba_one(  # type: ignore[no-untyped-call]  # river's
            plain._asdict()
        )
        takeover = float(probabilities[True]) * PRESUMED_LEGITIMATE / TAKEOVER_WEIGHT
        return takeover / (takeover + float(probabilities[False]))

    def learn(self, observed: Observed, plain: Plain | None) -> None:
        """Learn a verdict, or keep an event's features for one; presume some legitimate."""
        event = observed.event
        if isinstance(event, Feedback):
            for judged in event.event_ids:
                if (kept := self._awaiting.get((event.account_id, judged))) is not None:
                    takeover = event.verdict == "takeover"
                    weight = TAKEOVER_WEIGHT if takeover else 1.0
                    self._model.learn_one(Plain(*kept)._asdict(), takeover, w=weight)
        elif plain is not None:
            self._awaiting[event.account_id, event.event_id] = array("f", plain)
            if len(self._awaiting) > AWAITING_VERDICT:
                self._awaiting.popitem(last=False)
            if self._chance.random() < PRESUMED_LEGITIMATE:
                self._model.learn_one(plain._asdict(), y=False)

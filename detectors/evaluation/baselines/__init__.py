"""What a detector must beat, run over the same events in the same pass.

Each baseline is a small class with the same shape: `assess` an event from what came before it,
then `learn` it. They are what a shop would build first, done properly. Freeman's follows its paper
and the half-space trees their defaults; the points of the rules and the learning rate, scaling and
weights of the logistic regression were picked by their recall on labelled traffic, a favour that
the product's own detector is not given.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from detectors.engine import Observed
from detectors.evaluation.baselines.freeman import Freeman
from detectors.evaluation.baselines.half_space import HalfSpace
from detectors.evaluation.baselines.logistic import Logistic
from detectors.evaluation.baselines.plain import History, Plain
from detectors.evaluation.baselines.rules import Rules
from detectors.events import Feedback

__all__ = ["BASELINES", "Baseline", "Baselines"]


class Baseline(Protocol):
    """One rival. Its risks need only be comparable with each other; more is riskier."""

    def assess(self, observed: Observed, plain: Plain) -> float:
        """Score an event that is no verdict, given its plain features. Changes nothing."""

    def learn(self, observed: Observed, plain: Plain | None) -> None:
        """Take an event in after it was scored; a verdict comes without features."""


BASELINES: Final[dict[str, type[Baseline]]] = {
    "Freeman et al. 2016": Freeman,
    "Rules: travel, device, velocity": Rules,
    "Half-space trees": HalfSpace,
    "Logistic regression with verdicts": Logistic,
}
"""Every baseline by the name it has in reports."""


class Baselines:
    """All baselines over one stream of events; the plain features are computed once for all."""

    def __init__(self) -> None:
        self._history = History()
        self._rivals = [make() for make in BASELINES.values()]

    def process(self, observed: Observed) -> Sequence[float] | None:
        """Assess, then learn, an event; None of a verdict, else risks in `BASELINES` order."""
        if isinstance(observed.event, Feedback):
            for rival in self._rivals:
                rival.learn(observed, None)
            return None
        plain = self._history.plain(observed)
        risks = [rival.assess(observed, plain) for rival in self._rivals]
        for rival in self._rivals:
            rival.learn(observed, plain)
        self._history.learn(observed)
        return risks

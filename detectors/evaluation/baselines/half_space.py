"""An anomaly model alone, without a label: half-space trees (Tan, Ting and Liu 2011), by river."""

from typing import Final

from river.anomaly import HalfSpaceTrees

from detectors.engine import Observed
from detectors.evaluation.baselines.plain import Plain

SEED: Final = 42


class HalfSpace:
    """Half-space trees over the plain features, ten of height eight, windows of 1,000 events."""

    def __init__(self) -> None:
        self._trees = HalfSpaceTrees(n_trees=10, height=8, window_size=1000, seed=SEED)

    def assess(self, observed: Observed, plain: Plain) -> float:  # noqa: ARG002 - the protocol's
        """Score an event, 0 to 1; 0 until the first window is full."""
        risk = self._trees.score_one(plain._asdict())  # type: ignore[no-untyped-call]  # river's
        return float(risk)

    def learn(self, observed: Observed, plain: Plain | None) -> None:  # noqa: ARG002 - the protocol's
        """Learn an event."""
        if plain is not None:
            self._trees.learn_one(plain._asdict())  # type: ignore[no-untyped-call]  # river's

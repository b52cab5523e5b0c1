"""What verdicts teach: river's logistic regression, on top of the likelihood score.

The likelihood score (the sum of the weights of evidence) enters as an offset, so the regression
learns only where that sum is wrong: with no verdict its own weights are nought and the likelihood
score stands as it is; its penalty pulls it back there, and a few verdicts are believed less than
many. Thus the combination starts at the unsupervised model and moves away only as far as
verdicts justify.

Who is presumed a customer matters as much as the verdicts: unremarkable events alone would teach
that whatever is remarkable is a takeover, so the remarkable ones that were let pass are shown too.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Final

from river.linear_model import LogisticRegression
from river.optim import SGD

from detectors.arithmetic import product
from detectors.errors import IncompatibleState
from detectors.events import Verdict
from detectors.population import pack, unpack

_KEY: Final = b"m:feedback"
_CONVINCING: Final = 300.0
"""Takeover verdicts at which half of what was learnt is believed."""


class VerdictModel:
    """A correction to the likelihood score, learnt from verdicts and presumed customers.

    `names` are the features'. `rate` is the step of the gradient descent, `penalty` the pull
    towards the likelihood score alone.
    """

    def __init__(
        self,
        names: Sequence[str],
        read: Callable[[bytes], bytes | None],
        *,
        rate: float = 0.0005,
        penalty: float = 0.0005,
    ) -> None:
        self._names = tuple(names)
        self._model = LogisticRegression(SGD(rate), l2=penalty, intercept_lr=0.0)
        self.verdicts = 0
        self._dirty = False
        stored = read(_KEY)
        if stored is not None:
            self._restore(stored)
        # Read from the model when they are asked for: without a verdict nobody does.
        self._corrections: tuple[float, ...] = ()

    def correction(self, weights: list[float]) -> float:
        """Return what to add to the likelihood score of these features, nats."""
        if not self.verdicts:
            return 0.0
        return self.trust * product(self.corrections, weights)

    @property
    def trust(self) -> float:
        """How much of what was learnt is believed, 0 to 1."""
        return self.verdicts / (self.verdicts + _CONVINCING)

    @property
    def corrections(self) -> tuple[float, ...]:
        """What is added to each feature's weight of one."""
        if not self._corrections:
            self._corrections = self._read_corrections()
        return self._corrections

    def learn(
        self, weights: Sequence[float], offset: float, *, takeover: bool, weight: float
    ) -> None:
        """Take one step on features as they stood; `offset` is their likelihood score, nats."""
        self._model.intercept = offset
        self._model.learn_one(dict(zip(self._names, weights, strict=True)), takeover, weight)
        if takeover:
            self.verdicts += 1
        self._corrections = ()
        self._dirty = True

    def judge(
        self,
        weights: Sequence[float],
        offset: float,
        *,
        before: Verdict | None,
        now: Verdict | None,
    ) -> None:
        """Learn a verdict on an event in the place of the one before it, if any."""
        if before == "takeover":
            self.verdicts -= 1
            self._dirty = True
        if now is not None:
            self.learn(weights, offset, takeover=now == "takeover", weight=1.0)

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the weights where they changed."""
        if self._dirty:
            self._dirty = False
            yield self.stored()

    def stored(self) -> tuple[bytes, bytes]:
        """Return the weights as they would be handed over now."""
        return _KEY, pack(array("I", [self.verdicts])) + pack(array("d", self.corrections))

    def _read_corrections(self) -> tuple[float, ...]:
        weights = self._model.weights
        return tuple([float(weights.get(name, 0.0)) for name in self._names])

    def _restore(self, stored: bytes) -> None:
        verdicts = array("I", [0])
        unpack(stored[:5], verdicts, 0, 1)
        weights = array("d", repeat(0.0, len(self._names)))
        unpack(stored[5:], weights, 0, len(weights))
        self.verdicts = verdicts[0]
        if len(weights) != len(self._names):
            raise IncompatibleState("the verdict model was learnt on other features")
        # river starts from what its initialiser says of each name; learning goes on from there.
        for name, value in zip(self._names, weights, strict=True):
            self._model._weights[name] = value  # noqa: SLF001 - river has no way to set weights

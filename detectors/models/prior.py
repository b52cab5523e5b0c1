"""How much each feature counts before any verdict has come: a prior shipped with the product.

Features overlap (a new phone is a new device and a new client), so their plain sum would count
some things twice. The shipped weights, detectors/models/prior_table.py, are fitted to simulated
shops by tests/benchmarks/fit_prior.py; verdicts correct them (models.feedback).
"""

from typing import Final, NamedTuple

from detectors.arithmetic import product
from detectors.features.registry import NAMES
from detectors.models.prior_table import BIAS, FITTED


class Prior(NamedTuple):
    """Weights by type of event (sign-in, order, change), in the registry's order, and a bias each.

    A feature of weight 1 counts as the evidence that it is; the bias is in nats.
    """

    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]

    def score(self, kind: int, features: list[float]) -> float:
        """Return the log odds, nats, that features of a type of event add to the base rate's."""
        return product(self.weights[kind], features) + self.bias[kind]


SHIPPED: Final = Prior(
    tuple(tuple(FITTED[name][kind] for name in NAMES) for kind in range(3)), BIAS
)

"""How much each feature counts before any verdict has come: a prior shipped with the product.

Features overlap (a new phone is a new device and a new client), so their plain sum would count
some things twice. These weights were fitted by type of event, by logistic regression, on three
simulated shops of 15,000 accounts (seeds 201, 202 and 204, the last with a pipeline that tells
less), over the features as they were shortly before this release. tests/benchmarks/fit_prior.py
is that method on the features as they are; it gives other numbers, and what they are worth has to
be measured on traffic that the simulator did not make. Verdicts correct them (models.feedback).
"""

from collections.abc import Sequence
from operator import mul
from typing import Final

from detectors.features.registry import NAMES

FITTED: Final = {
    "device": (0.37, 0.43, 0.40),
    "client": (0.20, 0.17, 0.23),
    "network": (0.47, 0.55, 0.55),
    "rarity": (0.35, 0.12, 0.13),
    "kind": (0.57, 0.46, 0.45),
    "travel": (0.17, 0.12, 0.15),
    "hours": (0.26, 0.21, 0.18),
    "method": (0.32, 0.43, 0.60),
    "round_trip": (0.12, 0.12, 0.18),
    "failures": (0.18, 0.15, 0.18),
    "dormancy": (0.12, 0.12, 0.14),
    "guessing": (0.78, 0.63, 0.59),
    "shared_device": (0.26, 0.39, 0.26),
    "shared_range": (0.12, 0.12, 0.12),
    "churn": (0.13, 0.26, 0.28),
    "continuity": (0.70, 0.56, 0.93),
    "act": (0.64, 0.12, 0.36),
    "contact_clock": (0.12, 0.66, 0.47),
    "credential_clock": (0.12, 0.19, 0.80),
    "reset_clock": (0.12, 0.12, 0.12),
    "address_clock": (0.25, 0.78, 0.21),
    "payment_clock": (0.26, 0.12, 0.15),
    "mfa_clock": (0.12, 0.12, 0.14),
    "shared_value": (0.88, 0.94, 0.92),
    "destination": (0.60, 0.66, 0.60),
    "delivery": (0.12, 0.12, 0.12),
    "amount": (0.64, 0.71, 0.64),
    "goods": (0.39, 0.43, 0.39),
    "speed": (0.38, 0.54, 0.26),
    "rewards": (0.12, 0.12, 0.12),
    "pace": (0.57, 0.63, 0.57),
    "forwarding": (0.44, 0.48, 0.44),
    "isolation": (0.12, 0.12, 0.12),
    "heat": (1.00, 1.00, 1.00),
    "story": (0.67, 0.80, 0.38),
}
"""Weight of each feature in a sign-in, an order and a change. Heat is not fitted: it comes from
outside as a weight of evidence."""

_BIAS: Final = (2.00, 2.65, 2.72)

WEIGHTS: Final = tuple(tuple(FITTED[name][kind] for name in NAMES) for kind in range(3))
"""Weights by type of event (sign-in, order, change), in the registry's order."""


def score_of(kind: int, features: Sequence[float]) -> float:
    """Return the log odds, nats, that features of a type of event add to the base rate's."""
    return float(sum(map(mul, WEIGHTS[kind], features))) + _BIAS[kind]

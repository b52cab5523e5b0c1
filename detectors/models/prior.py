"""How much each feature counts before any verdict has come: a prior shipped with the product.

Features overlap (a new phone is a new device and a new client), so their plain sum would count
some things twice. These weights were fitted by logistic regression on the product's own
simulator (tests/benchmarks/prior.py), by type of event; nothing else was used. Verdicts correct
them (models.feedback).
"""

from collections.abc import Sequence
from operator import mul
from typing import Final

from detectors.features.registry import NAMES

FITTED: Final = {
    "device": (0.40, 0.45, 0.41),
    "client": (0.20, 0.13, 0.20),
    "network": (0.53, 0.51, 0.50),
    "rarity": (0.21, 0.10, 0.10),
    "kind": (0.48, 0.33, 0.34),
    "travel": (0.16, 0.10, 0.24),
    "hours": (0.27, 0.16, 0.16),
    "method": (0.82, 0.76, 0.88),
    "round_trip": (0.10, 0.10, 0.12),
    "failures": (0.12, 0.34, 0.24),
    "dormancy": (0.10, 0.10, 0.10),
    "guessing": (0.78, 0.64, 0.35),
    "shared_device": (0.11, 0.25, 0.12),
    "shared_range": (0.10, 0.10, 0.10),
    "churn": (0.27, 0.21, 0.26),
    "continuity": (0.67, 0.50, 0.90),
    "act": (0.66, 0.10, 0.32),
    "contact_clock": (0.37, 0.65, 0.68),
    "credential_clock": (0.39, 0.50, 0.93),
    "reset_clock": (0.10, 0.10, 0.10),
    "address_clock": (0.48, 0.97, 0.30),
    "payment_clock": (0.11, 0.10, 0.10),
    "mfa_clock": (0.10, 0.10, 0.13),
    "shared_value": (1.03, 1.10, 1.06),
    "destination": (0.57, 0.62, 0.57),
    "delivery": (0.10, 0.11, 0.10),
    "amount": (0.60, 0.67, 0.60),
    "goods": (0.32, 0.36, 0.32),
    "speed": (0.26, 0.45, 0.10),
    "rewards": (0.10, 0.10, 0.10),
    "pace": (0.50, 0.55, 0.50),
    "forwarding": (0.29, 0.32, 0.29),
    "isolation": (0.10, 0.10, 0.10),
    "story": (0.64, 0.65, 0.28),
}
"""Weight of each feature in a sign-in, an order and a change."""

_BIAS: Final = (2.00, 2.72, 3.05)

WEIGHTS: Final = tuple(tuple(FITTED[name][kind] for name in NAMES) for kind in range(3))
"""Weights by type of event (sign-in, order, change), in the registry's order."""


def score_of(kind: int, features: Sequence[float]) -> float:
    """Return the log odds, nats, that features of a type of event add to the base rate's."""
    return float(sum(map(mul, WEIGHTS[kind], features))) + _BIAS[kind]

"""An earlier fit, on earlier features and an earlier simulator: weights by type of event, nats.

It was fitted to every event alike, not to what is judged, and no command prints it again: it is
what there is of it. The prior that ships is halfway between it and today's fit
(tests/benchmarks/fit_prior.py).
"""

from typing import Final

from detectors.features.registry import NAMES
from detectors.models.prior import Prior

_FITTED: Final = {
    "device": (0.37, 0.43, 0.40),
    "client": (0.20, 0.17, 0.23),
    "network": (0.47, 0.55, 0.55),
    "rarity": (0.35, 0.12, 0.13),
    "kind": (0.34, 0.32, 0.34),
    "travel": (0.17, 0.12, 0.15),
    "hours": (0.26, 0.21, 0.18),
    "method": (0.32, 0.43, 0.60),
    "round_trip": (0.12, 0.12, 0.18),
    "failures": (0.18, 0.15, 0.18),
    "dormancy": (0.12, 0.12, 0.14),
    "guessing": (0.84, 0.53, 0.49),
    "shared_device": (0.27, 0.33, 0.24),
    "shared_range": (0.12, 0.12, 0.12),
    "churn": (0.13, 0.26, 0.28),
    "continuity": (0.70, 0.56, 0.93),
    "act": (0.64, 0.12, 0.36),
    "contact_clock": (0.66, 0.80, 0.94),
    "credential_clock": (0.37, 0.26, 0.62),
    "reset_clock": (0.12, 0.12, 0.12),
    "address_clock": (0.25, 0.78, 0.21),
    "payment_clock": (0.26, 0.12, 0.15),
    "mfa_clock": (0.38, 0.45, 0.43),
    "shared_value": (0.88, 0.94, 0.92),
    "destination": (0.54, 0.54, 0.54),
    "delivery": (0.12, 0.12, 0.12),
    "amount": (0.64, 0.71, 0.64),
    "goods": (0.39, 0.43, 0.39),
    "speed": (0.38, 0.54, 0.26),
    "rewards": (0.42, 0.42, 0.42),
    "pace": (0.57, 0.63, 0.57),
    "forwarding": (0.65, 0.65, 0.65),
    "isolation": (0.12, 0.12, 0.12),
    "heat": (1.00, 1.00, 1.00),
    "story": (0.31, 0.57, 0.42),
    "locality": (0.27, 0.27, 0.27),
}

_BIAS: Final = (2.00, 2.65, 2.72)

EARLIER: Final = Prior(
    tuple(tuple(_FITTED[name][kind] for name in NAMES) for kind in range(3)), _BIAS
)

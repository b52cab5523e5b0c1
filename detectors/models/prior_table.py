"""The shipped prior: the weight of each feature in a sign-in, an order and a change.

Written by tests/benchmarks/fit_prior.py, by COMMAND, not by hand: halfway between a fit to what is
judged and an earlier one. Heat is not fitted: it comes from outside as a weight of evidence.
"""

from typing import Final

COMMAND: Final = "python -m tests.benchmarks.fit_prior --write"

REGISTRY: Final = "9f50f908"
"""Digest of the names of the features that it weighs."""

FITTED: Final = {
    "device": (0.38, 0.45, 0.34),
    "client": (0.23, 0.22, 0.27),
    "network": (0.40, 0.45, 0.46),
    "rarity": (0.40, 0.34, 0.21),
    "kind": (0.39, 0.42, 0.38),
    "travel": (0.18, 0.20, 0.17),
    "hours": (0.36, 0.43, 0.33),
    "method": (0.38, 0.46, 0.57),
    "round_trip": (0.22, 0.32, 0.25),
    "failures": (0.28, 0.27, 0.32),
    "dormancy": (0.11, 0.10, 0.12),
    "guessing": (0.65, 0.37, 0.29),
    "shared_device": (0.29, 0.42, 0.29),
    "shared_range": (0.23, 0.14, 0.21),
    "churn": (0.27, 0.19, 0.26),
    "continuity": (0.64, 0.48, 0.86),
    "act": (0.73, 0.48, 0.38),
    "contact_clock": (0.60, 0.79, 0.93),
    "credential_clock": (0.43, 0.32, 0.59),
    "reset_clock": (0.10, 0.10, 0.10),
    "address_clock": (0.17, 0.68, 0.16),
    "payment_clock": (0.17, 0.14, 0.12),
    "mfa_clock": (0.43, 0.54, 0.55),
    "shared_value": (0.86, 0.93, 0.92),
    "destination": (0.53, 0.55, 0.53),
    "delivery": (0.15, 0.12, 0.15),
    "amount": (0.54, 0.57, 0.54),
    "goods": (0.45, 0.49, 0.45),
    "speed": (0.31, 0.41, 0.20),
    "rewards": (0.51, 0.54, 0.51),
    "pace": (0.43, 0.45, 0.43),
    "forwarding": (0.65, 0.69, 0.65),
    "isolation": (0.10, 0.10, 0.11),
    "heat": (1.00, 1.00, 1.00),
    "story": (0.20, 0.46, 0.37),
    "locality": (0.53, 0.59, 0.53),
}

BIAS: Final = (1.92, 2.33, 2.50)

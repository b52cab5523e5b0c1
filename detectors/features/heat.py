"""What other accounts say of the network and client of a stranger's event, as a feature."""

from collections.abc import Sequence
from math import expm1, log1p
from typing import Final

from detectors.features.reading import Reading
from detectors.features.registry import FEATURES, POSITION
from detectors.heat.indicators import KINDS
from detectors.heat.records import Hot

HEAT: Final = POSITION["heat"]
GUESSING: Final = POSITION["guessing"]
_LEVEL: Final = 0.25
"""The least that an attack is taken to add to all strangers' odds: so little is not measured."""
_MOST: Final = FEATURES[HEAT].high


def explaining(hottest: Sequence[Hot]) -> Hot | None:
    """Return what a stranger's failure is put down to, of what it came with and is hot.

    An address or device where one is, else the hottest.
    """
    for hot in hottest:
        if not KINDS[hot.kind].coarse:
            return hot
    return hottest[0] if hottest else None


def together(hottest: Sequence[Hot]) -> float:
    """Return what hot indicators of different groups tell together, nats.

    Where an attack multiplies strangers' odds by 1 + a everywhere, and by 1 + a r through an
    indicator that it uses r times as often as customers do, it does so by 1 + a r s through two. An
    address or device that is hot needs no second witness.
    """
    fine = max((hot.nats for hot in hottest if not KINDS[hot.kind].coarse), default=0.0)
    shared = [hot for hot in hottest if KINDS[hot.kind].coarse]
    product, level = 1.0, 1.0
    for at, hot in enumerate(shared):
        product *= expm1(hot.nats)
        level *= max(expm1(hot.everywhere), _LEVEL) if at else 1.0
    return max(fine, log1p(product / level) if shared else 0.0)


def weigh_heat(reading: Reading, hottest: Sequence[Hot], guessing: float) -> None:
    """Put together what the hottest indicator of each group tells, nats, and keep the hottest.

    `guessing` is what the account's own partition has already counted of the same failures, nats.
    """
    if hottest:
        told = together(hottest) - max(guessing, 0.0)
        reading.weights[HEAT] = min(max(told, 0.0), _MOST)
        reading.hot = hottest[0]

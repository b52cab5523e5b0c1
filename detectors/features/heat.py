"""What other accounts say of the network and client of a stranger's event, as a feature."""

from collections.abc import Sequence
from typing import Final

from detectors.features.access import ABSENT, MISSING, NEW, OPERATOR
from detectors.features.reading import Reading
from detectors.features.registry import FEATURES, POSITION
from detectors.heat.records import Hot

HEAT, GUESSING = POSITION["heat"], POSITION["guessing"]
_MOST: Final = FEATURES[HEAT].high


def is_strangers(reading: Reading) -> bool:
    """Return whether neither device nor address range is known to the account.

    In a session it is the session's beginning that counts. A customer behind an address that is
    hot, with a device or a range of their own, has nothing to do with what is tried from there.
    """
    return reading.success and (
        reading.network >= OPERATOR and reading.device_class in {NEW, ABSENT, MISSING}
    )


def weigh_heat(reading: Reading, hottest: Sequence[Hot], guessing: float) -> None:
    """Add up what the hottest indicator of each group tells, nats, and keep the hottest.

    `guessing` is what the account's own partition has already counted of the same failures, nats.
    """
    if hottest:
        told = sum(hot.nats for hot in hottest) - max(guessing, 0.0)
        reading.weights[HEAT] = min(max(told, 0.0), _MOST)
        reading.hot = hottest[0]

"""The rules that most shops have: impossible travel, a new device, one network on many accounts."""

from typing import Final

from detectors.engine import Observed
from detectors.evaluation.baselines.plain import FARTHEST, FASTEST, MOST_ACCOUNTS, Plain, scaled

AIRLINER_KMH: Final = 900.0
GEOLOCATION_ERROR_KM: Final = 500.0
"""Two well-known databases place a city 185 km apart at the median: less is no journey."""
MANY_ACCOUNTS: Final = 10.0

_FAST: Final = scaled(AIRLINER_KMH, FASTEST)
_FAR: Final = scaled(GEOLOCATION_ERROR_KM, FARTHEST)
_MANY: Final = scaled(MANY_ACCOUNTS, MOST_ACCOUNTS)


class Rules:
    """Points for each rule that fires, as a share of all points; it has nothing to learn.

    Impossible travel is a journey faster than an airliner and longer than geolocation's error,
    velocity ten accounts or more failing from one network within an hour. Two rules together
    outrank any one; within velocity, more accounts rank higher.
    """

    def assess(self, observed: Observed, plain: Plain) -> float:  # noqa: ARG002 - the protocol's
        """Score an event, 0 to 1."""
        travel = 1.0 if plain.speed > _FAST and plain.distance > _FAR else 0.0
        velocity = plain.velocity if plain.velocity >= _MANY else 0.0
        return (2 * travel + plain.new_device + 2 * velocity) / 5

    def learn(self, observed: Observed, plain: Plain | None) -> None:
        """Rules do not learn; the history that they look at is kept elsewhere."""

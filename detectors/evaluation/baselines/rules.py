"""The rules that most shops have: impossible travel, a new device, one network on many accounts."""

from detectors.engine import Observed
from detectors.evaluation.baselines.plain import Plain


class Rules:
    """Points for each rule that fires, as a share of all points; it has nothing to learn.

    Impossible travel is a journey faster than an airliner and longer than geolocation's error,
    velocity ten accounts or more failing from one network within an hour. Velocity outranks the
    other two together, since customers travel and buy phones but do not fail in crowds; among
    crowds the larger one ranks higher.
    """

    def assess(self, observed: Observed, plain: Plain) -> float:  # noqa: ARG002 - the protocol's
        """Score an event, 0 to 1."""
        crowd = plain.crowded * (3 + plain.velocity)
        return (crowd + 2 * plain.impossible + plain.new_device) / 7

    def learn(self, observed: Observed, plain: Plain | None) -> None:
        """Rules do not learn; the history that they look at is kept elsewhere."""

"""The registry's ranges are true of what the engine computes."""

from functools import cache

from detectors.engine import Engine
from detectors.events import Feedback
from detectors.features.registry import FEATURES, WIDTH
from tests.contracts.detectors.traffic import POLICY, traffic


@cache
def extremes() -> tuple[list[float], list[float]]:
    """The smallest and the largest value of every feature in simulated traffic with hijacks."""
    engine = Engine(POLICY, lambda _: None)
    least, most = [0.0] * WIDTH, [0.0] * WIDTH
    for observed in traffic():
        if not isinstance(observed.event, Feedback):
            weights = engine.read(observed).weights
            least = list(map(min, least, weights))
            most = list(map(max, most, weights))
        engine.process([observed])
    return least, most


def test_no_feature_leaves_its_range() -> None:
    """Low and high hold for everything that happens in a shop under attack."""
    least, most = extremes()
    for feature, low, high in zip(FEATURES, least, most, strict=True):
        assert feature.low <= low, feature.name
        assert high <= feature.high, feature.name


def test_a_range_of_its_own_is_one_that_is_reached() -> None:
    """Where a feature is held within narrower bounds, the registry names those bounds."""
    least, most = extremes()
    by_name = {
        feature.name: (feature, low, high)
        for feature, low, high in zip(FEATURES, least, most, strict=True)
    }
    for name in ("hours", "method"):
        feature, low, high = by_name[name]
        assert (feature.low, feature.high) == (low, high)
    for name in ("contact_clock", "address_clock", "credential_clock"):
        assert by_name[name][0].high == by_name[name][2]
    for name in ("address_clock", "story"):
        assert by_name[name][0].low == by_name[name][1]

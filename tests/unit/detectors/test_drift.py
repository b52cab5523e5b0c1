"""Drift is noticed, said once, and survives a restore."""

import random

from detectors.models.drift import SERIES, DriftWatch
from tests.unit.detectors import nothing


def see(watch: DriftWatch, shares: float, count: int, seed: int, start: float) -> None:
    """Show so many sign-ins of which a share has a new device."""
    chance = random.Random(seed)
    for number in range(count):
        new = float(chance.random() < shares)
        watch.see((0.3, new, 0.1, 0.2, 0.0), start + number)


def test_steady_traffic_does_not_drift() -> None:
    """Chance alone raises nothing."""
    watch = DriftWatch(nothing)
    see(watch, 0.1, 5000, 1, 0.0)
    assert watch.drifts() == ()


def test_a_change_of_habit_is_named_with_its_time() -> None:
    """When suddenly half of all sign-ins bring a new device, that series is named."""
    watch = DriftWatch(nothing)
    see(watch, 0.1, 3000, 1, 0.0)
    see(watch, 0.6, 600, 2, 3000.0)
    [drift] = watch.drifts()
    assert drift.series == "new_device"
    assert 3000.0 < drift.last < 3600.0


def test_a_watch_read_back_notices_at_the_same_moment() -> None:
    """Sums are kept to the last bit."""
    store: dict[bytes, bytes] = {}
    lived, restored = DriftWatch(nothing), DriftWatch(store.get)
    for step in range(40):
        for watch in (lived, restored):
            see(watch, 0.1 if step < 25 else 0.6, 60, step, step * 60.0)
        store.update(restored.changes())
        restored = DriftWatch(store.get)
        assert restored.drifts() == lived.drifts()
    assert lived.drifts()
    assert len(next(iter(store.values()))) == 1 + 64 * len(SERIES)

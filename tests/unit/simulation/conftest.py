"""One run that many tests look at."""

from typing import Any

import pytest

from detectors.simulation import Shop, SimulatedEvent, simulate

START = 1_793_491_200.0  # 2026-11-01, so that Black Friday falls into the run
DAYS = 40.0
ACCOUNTS = 8_000


def run(seed: int = 1, shop: Shop | None = None, **how: Any) -> list[SimulatedEvent]:
    """A run as the tests have it, changed in what is given."""
    arguments = {"start": START, "days": DAYS, "hijacks": 0.01, **how}
    return list(simulate(shop or Shop(accounts=ACCOUNTS), seed=seed, **arguments))


@pytest.fixture(scope="session")
def events() -> list[SimulatedEvent]:
    """Forty days of a shop with many hijacks."""
    return run()


@pytest.fixture(scope="session")
def honest(events: list[SimulatedEvent]) -> list[SimulatedEvent]:
    """What customers did in that run."""
    return [e for e in events if e.truth is None and e.event["type"] != "feedback"]

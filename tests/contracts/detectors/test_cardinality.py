"""However many accounts and devices somebody makes up, memory and state stay bounded."""

import psutil
import pytest

from detectors.engine import Engine, Observed
from detectors.events import Login
from detectors.facts import Facts
from detectors.policy import Policy

START = 1_780_000_000.0
MEBIBYTE = 1 << 20
NOTHING = Facts(address="81.2.69.1", prefix="81.2.69", asn=1, country="GB")


def sign_in(number: int, account: str, device: str) -> Observed:
    """Return a sign-in, a sixtieth of a millisecond after the one before."""
    return Observed(
        Login(
            account_id=account,
            event_id=f"e{number}",
            occurred_at=START + number * 60 / 1_000_000,
            device_id=device,
            user_agent=f"agent {number % 1000}",
            outcome="success",
            ip="81.2.69.1",
        ),
        NOTHING,
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["accounts", "devices"])
def test_a_flood_of_new_names_does_not_fill_memory(what: str) -> None:
    """Sixty thousand at the pace of a million a minute: memory is level after the first.

    What was handed over is kept on disk in a worker; here it is counted, and of an account only
    the one profile is kept that a million devices all belong to.
    """
    stored: dict[bytes, int] = {}
    kept: dict[bytes, bytes] = {}
    engine = Engine(Policy(), kept.get)
    memory = psutil.Process().memory_info
    level = 0
    for first in range(0, 60_000, 1000):
        names = range(first, first + 1000)
        some = [
            sign_in(n, f"a{n}", "d") if what == "accounts" else sign_in(n, "a", f"d{n}")
            for n in names
        ]
        engine.process(some)
        for key, value in engine.changes().items():
            stored[key[:1]] = max(stored.get(key[:1], 0), len(value or b""))
            if what == "devices" and value is not None:
                kept[key] = value
        if first == 20_000:
            level = memory().rss
    assert memory().rss - level < 50 * MEBIBYTE
    assert max(stored.values()) < 64 * 1024, stored

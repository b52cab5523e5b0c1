"""What tells that a worker does not get on, and what keeps its log readable meanwhile."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from streams.runtime.vigil import GivenUp, Progress
from streams.runtime.waiting import Waiting
from streams.runtime.worker import _Masking, _Repeats

REPOSITORY = Path(__file__).parents[3]


def test_who_has_nothing_to_do_may_do_nothing() -> None:
    """An answer that there is nothing left is as good as progress; silence is not."""
    progress = Progress(10.0, 0.0)
    for now in range(0, 100, 5):
        progress.note(now, done="the same", to_do=False)
        progress.check(now)
    with pytest.raises(GivenUp, match="have not answered for 11 s"):
        progress.check(95 + 11)


def test_who_has_something_to_do_must_get_on() -> None:
    """Whatever stands for what is done must change, answers or not."""
    progress = Progress(10.0, 0.0)
    for now in range(0, 30, 5):
        progress.note(now, done=now // 10, to_do=True)
        progress.check(now)
    for now in range(30, 60, 5):
        progress.note(now, done="stuck", to_do=True)
    with pytest.raises(GivenUp, match="nothing was done"):
        progress.check(60)


def entry(message: str, created: float) -> logging.LogRecord:
    """Return an entry of the log."""
    made = logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, message, (), None)
    made.created = created
    return made


def test_what_is_said_again_and_again_is_said_now_and_then() -> None:
    """Three times in half a minute, then once with how often; others are not hidden."""
    repeats = _Repeats()
    passed = [
        repeats.filter(entry("Unable to request metadata from %s", 0.01 * n)) for n in range(50)
    ]
    assert passed == [True] * 3 + [False] * 47
    assert repeats.filter(entry("Group Coordinator Request failed: %s", 1.0))
    later = entry("Unable to request metadata from %s", 31.0)
    assert repeats.filter(later)
    assert later.getMessage().endswith("(and 47 more like it)")


def test_how_far_restoring_is_can_be_followed() -> None:
    """Every ten seconds, and what each rebalance gives: that is no noise of a client's."""
    repeats = _Repeats()
    for second in range(0, 120, 10):
        progress = entry("Restoring state: %s of %s changelog records", 1000.0 + second)
        progress.name, progress.levelno = "streams.runtime.service", logging.INFO
        assert repeats.filter(progress)


def test_what_is_waited_for_is_told_once_and_its_progress_now_and_then() -> None:
    """Not before it is long, no more often than every ten seconds, and anew in the next wait."""
    waiting = Waiting()
    awaited = ["the group"] * 20 + [f"{n} of 20" for n in range(20)] + [None] + ["the group"] * 5
    told = [(now, waiting.line(what, now)) for now, what in enumerate(awaited)]
    assert [(now, line) for now, line in told if line] == [
        (3, "the group"),
        (20, "0 of 20"),
        (30, "10 of 20"),
        (44, "the group"),
    ]
    assert not any(Waiting().line(what, now) for now, what in enumerate(["the group"] * 3))


def test_a_secret_is_masked_however_it_is_written() -> None:
    """As it is, and as Python shows its bytes."""
    masking = _Masking(["geheim-ß"])
    line = masking.format(entry("password geheim-ß, payload b'\\x00u\\x00geheim-\\xc3\\x9f'", 0.0))
    assert "geheim" not in line
    assert line.count("********") == 2


def test_a_stop_that_does_not_get_through_is_ended() -> None:
    """From another thread, with exit code 1 and a sentence that says why it was to stop."""
    script = """
import time
from types import SimpleNamespace
from detectors.errors import NightlatchError
from streams.runtime import watchdog
watchdog._STOP_SECONDS = 0.1
app = SimpleNamespace(
    vigil=SimpleNamespace(ticked=None), should_stop=True, crash_reason=NightlatchError("it broke")
)
watchdog.Watchdog(app, limit=1, session_seconds=0.2).start()
time.sleep(60)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("nightlatch: it broke; it did not end within")

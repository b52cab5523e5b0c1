"""What tells a worker that it may no longer be who it thinks it is."""

import time
from typing import Final

from detectors.errors import NightlatchError

# Linux counts a suspended machine's time in this clock only.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Stalled(NightlatchError):
    """This worker has stood still so long that others may have taken its partitions over."""


class StallGuard:
    """Knows when the event loop last ran.

    A process that was stopped, swapped out or suspended cannot know what has happened meanwhile.
    After half a session without a sign of life it must not write: it stops instead. (`changelog`
    makes such a write void even where this comes too late; alerts have no such second line.)
    """

    def __init__(self, session_seconds: float) -> None:
        self.limit = session_seconds / 2
        self._last = _now()

    def tick(self) -> None:
        """Say that the event loop runs. Raises Stalled where it has not for too long."""
        self.check()
        self._last = _now()

    def check(self) -> None:
        """Raise Stalled where the event loop has not run for too long."""
        stood = _now() - self._last
        if stood > self.limit:
            raise Stalled(
                f"this worker stood still for {stood:.1f} s, more than half of a group session: "
                "it stops, to be started again"
            )


def _now() -> float:
    return time.clock_gettime(_CLOCK)

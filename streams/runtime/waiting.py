"""Tells what a worker waits for where that takes more than a moment: silence looks like a fault."""

from typing import Final

FIRST_SECONDS: Final = 3.0
AGAIN_SECONDS: Final = 10.0


class Waiting:
    """Knows when something is to be said of what is waited for, and what."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._told: str | None = None

    def line(self, what: str | None, now: float) -> str | None:
        """Return what is to be said now, mostly nothing; `what` is None while nothing is awaited.

        A wait is told of after `FIRST_SECONDS`, then no sooner than after `AGAIN_SECONDS` each, and
        only where there is something new to say. `now` is in seconds of any clock.
        """
        if what is None:
            self._due = self._told = None
            return None
        if self._due is None:
            self._due = now + FIRST_SECONDS
        if now < self._due or what == self._told:
            return None
        self._due, self._told = now + AGAIN_SECONDS, what
        return what

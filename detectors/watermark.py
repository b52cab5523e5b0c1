"""How far a partition's events have come in time, so that one wrong clock does not lead it.

What is learnt from an event is learnt at its own time, or at the watermark plus a day where that
is earlier. Nothing else keeps an event of the year 2099 from being the latest that ever was.
"""

from collections.abc import Callable, Iterator
from typing import Final

from detectors.population import Pages, pack

TOLERANCE: Final = 86_400
"""Seconds beyond the watermark that are believed of any event."""

_AHEAD: Final = 3
"""Events in a row beyond the tolerance that move the watermark: there was a gap."""

_BEHIND: Final = 16
"""Events in a row that are late by more than the tolerance that set it back: it was wrong."""

_ALONE: Final = 8
"""Events in a row of one account after which nobody else's are there to compare it with."""

_CELLS: Final = 6
_AT: Final = 0
_ACCOUNT: Final = 4

_SILENCE: Final = 400 * 86_400
"""Seconds of silence that are believed of such an account at once."""


_Position = tuple[int, int, int, int, int, int]
"""As it is stored: seconds since the epoch; of what came in a row ahead, the earliest and how much;
how much behind; whose event was the last; and how many of that account's in a row."""


class Watermark:
    """The time a partition has come to, stored under `name`. The first event sets it."""

    def __init__(self, read: Callable[[bytes], bytes | None], name: str = "watermark") -> None:
        self._pages = Pages(name, "I", _CELLS, read)
        cells = self._pages.cells
        self._position: _Position = cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]
        # Where the event asked about last would take it: most are asked about, then taken.
        self._asked = 0.0, 0
        self._next = self._position
        self._moved = False

    @property
    def latest(self) -> float:
        """The latest time that is believed of an event, epoch seconds."""
        return float(self._position[_AT] + TOLERANCE)

    def believed(self, occurred_at: float, account: int) -> float:
        """Return when an account's event is learnt, epoch seconds. Changes nothing."""
        self._asked = occurred_at, account
        now, _, _, _, last, _ = self._position
        second = int(occurred_at)
        if account != last and now and now - TOLERANCE <= second <= now + TOLERANCE:
            # As nearly all: another account's, and in time.
            self._next = second if second > now else now, 0, 0, 0, account, 1  # noqa: FURB136 - a call less
        else:
            self._next = self._after(occurred_at, account)
        latest = float(self._next[_AT] + TOLERANCE)
        return occurred_at if occurred_at < latest else latest  # noqa: FURB136 - a call less

    def advance(self, occurred_at: float, account: int) -> None:
        """Take an event's time into account."""
        if self._asked != (occurred_at, account):
            self._next = self._after(occurred_at, account)
        self._position, self._asked = self._next, (0.0, 0)
        self._moved = True

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the position where it changed."""
        if self._moved:
            self._moved = False
            for cell, value in enumerate(self._position):
                self._pages.cells[cell] = value
            self._pages.dirty.add(0)
        return self._pages.changes()

    def stored(self, account: int) -> tuple[bytes, bytes]:
        """Return the position as it would be handed over now, to an account that it is told of.

        Whose event was the last is left out where it was another's.
        """
        position = self._position
        cells = self._pages.cells[:]
        for cell, value in enumerate(position):
            cells[cell] = value
        if position[_ACCOUNT] != account:
            cells[_ACCOUNT] = 0
        return f"p:{self._pages.name}:0".encode(), pack(cells)

    def _after(self, occurred_at: float, account: int) -> _Position:
        now, earliest, ahead, behind, last, before = self._position
        second = int(occurred_at)
        alone = min(before + 1, _ALONE) if account == last else 1
        if now == 0:
            return second, 0, 0, 0, account, alone
        if second > now + (_SILENCE if alone == _ALONE else TOLERANCE):
            earliest = min(earliest, second) if ahead else second
            if ahead + 1 < _AHEAD:
                return now, earliest, ahead + 1, 0, account, alone
            return earliest, 0, 0, 0, account, alone
        if second < now - TOLERANCE:
            if behind + 1 < _BEHIND:
                return now, 0, 0, behind + 1, account, alone
            return second, 0, 0, 0, account, alone
        return max(now, second), 0, 0, 0, account, alone

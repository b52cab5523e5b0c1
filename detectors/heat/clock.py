"""How far a shard has come in time: what a wrong clock dates later is counted as of now.

An event dated years ahead would otherwise be the last that a range was ever met in, and what it
heated would stay hot until then.

Each partition that tells of its events has a watermark of its own, and the shard has come as far as
the one that is furthest. A backlog is read one partition after the other: that the last of them is
weeks behind says nothing against the clock of the first, but a partition that goes back on itself
had been wrong.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from detectors.errors import IncompatibleState, decoded
from detectors.heat.records import Batch, Sighting
from detectors.watermark import TOLERANCE, Watermark

VERSION: Final = 1
_KEY: Final = b"h:sources"
_STEP: Final = 5
"""Minutes that count as one witness of the time, however much happened in them."""
_WITNESSES: Final = 3
"""Of a partition's steps, those that have to agree before it leads others: one event of the year
2099 may be all that there ever was in it."""

_decoder = msgspec.msgpack.Decoder(tuple[int, dict[int, int]])


class Clock:
    """The time that a shard has come to; `read` gives the state handed over so far."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._read = read
        # Of each partition, how many of its steps agree.
        self._agreed: dict[int, int] = {}
        stored = read(_KEY)
        if stored is not None:
            version, self._agreed = decoded(_decoder.decode, stored, "stored sources of heat")
            if version != VERSION:
                raise IncompatibleState(f"stored sources of heat have version {version}")
        self._watermarks = {source: _watermark(source, read) for source in self._agreed}
        self._moved: dict[int, None] = {}
        self._dirty = False
        self._latest = self._furthest()

    def take(self, batch: Batch) -> int:
        """Take a batch's times into account; return the latest minute that is believed.

        A verdict tells of hijacks as old as they are: alerts alone say nothing of the present.
        """
        steps: dict[int, None] = {}
        last = -1
        for totals in batch.totals:
            steps[totals.minute // _STEP] = None
        for seen in batch.sightings:
            # Nearly all are of one minute.
            if seen.minute != last and not _tells_alerts_only(seen):
                last = seen.minute
                steps[last // _STEP] = None
        # A backlog's hand-over spans days: what was seen early in it is no clock set back.
        ordered, at = sorted(steps), 0
        while at < len(ordered):
            if len(ordered) > at + 2:
                at = self._first_that_tells(batch.source, ordered, at)
            self._advance(batch.source, ordered[at])
            at += 1
        return self._latest

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the times that changed."""
        for source in self._moved:
            yield from self._watermarks[source].changes()
        if self._dirty:
            yield _KEY, msgspec.msgpack.encode((VERSION, self._agreed))
        self._moved, self._dirty = {}, False

    def _first_that_tells(self, source: int, steps: list[int], at: int) -> int:
        """Return from where on steps tell anything of the time.

        Those that are believed, of a partition that agrees with itself, take it where the last of
        them does alone; and with the one before it they are two different ones.
        """
        if self._agreed.get(source) != _WITNESSES:
            return at
        latest = self._watermarks[source].latest
        if 60.0 * _STEP * steps[at] < latest - 2 * TOLERANCE:
            return at
        return max(at, bisect_right(steps, int(latest // (60 * _STEP)), at) - 2)

    def _advance(self, source: int, step: int) -> None:
        watermark = self._watermarks.get(source)
        if watermark is None:
            watermark = self._watermarks[source] = _watermark(source, self._read)
        before, at = watermark.latest, 60.0 * _STEP * step
        # Steps stand for no account: none of them is ever alone.
        watermark.advance(at, step)
        self._moved[source] = None
        latest, known = watermark.latest, self._agreed.get(source, -1)
        agreed = max(known, 0)
        if latest < before:
            agreed = 1
        elif agreed < _WITNESSES and abs(latest - TOLERANCE - at) <= TOLERANCE:
            agreed += 1
        if agreed != known:
            self._agreed[source], self._dirty = agreed, True
        elif latest == before:
            return
        self._latest = self._furthest()

    def _furthest(self) -> int:
        """Return the minute that partitions agree to have come to, or else the first of them."""
        if len(self._watermarks) == 1:
            # One alone leads nobody, whether it agrees with itself or not.
            return int(next(iter(self._watermarks.values())).latest // 60)
        agreeing = [n for n, agreed in self._agreed.items() if agreed == _WITNESSES]
        if agreeing:
            return int(max([self._watermarks[source].latest for source in agreeing]) // 60)
        return int(min((each.latest for each in self._watermarks.values()), default=0.0) // 60)


def _watermark(source: int, read: Callable[[bytes], bytes | None]) -> Watermark:
    return Watermark(read, f"heat:{source}")


def _tells_alerts_only(seen: Sighting) -> bool:
    return bool(seen.alerts) and not (seen.accounts or seen.tried or seen.new)

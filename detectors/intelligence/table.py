"""The reports that are valid, where an engine can ask at once: from memory, whatever goes on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from detectors.heat.indicators import Indicator, Met, key_of
from detectors.intelligence.hashing import GroupKey, keyed_hash
from detectors.intelligence.records import KIND_OF, IndicatorReport

MOST: Final = 200_000
MOST_OF_A_FEED: Final = 50_000
"""Reports that are held, in all and of one feed: a feed of millions pushes nobody out."""
MOST_VOICES: Final = 8
"""Reports of one feed on one value that are held, the surest ones: more say nothing more, and every
event asks."""
_HASHES: Final = 65_536


class IndicatorTable:
    """Reports by what they are on (`detectors.engine.Intelligence`).

    `keys` are the group's keys, the one of now and those before it: of what is hashed with others
    nothing can be known. One table may serve all of a worker's engines. Memory: about a kilobyte a
    report. `left_out` counts those for which there was no room.
    """

    def __init__(self, keys: Sequence[GroupKey] = ()) -> None:
        self._keys = tuple(keys)
        self._reports: dict[str, IndicatorReport] = {}
        self._by_mark: dict[str, tuple[IndicatorReport, ...]] = {}
        self._feeds: dict[str, _Feed] = {}
        self._sizes = _Shares()
        self._hashed: Counter[str] = Counter()
        self._marks = lru_cache(_HASHES)(self._marks_of)
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._reports)

    def take(self, report: IndicatorReport) -> bool:
        """Hold a report in the place of the one with its id; return whether there was room.

        Where places are short, whoever has most gives one up: of the feeds when the table is full,
        of a feed's sources when it has all that a feed may have. The report that was told longest
        ago goes. So made-up sources take from one another, and not from other feeds. Of a feed's
        voices on one value the least sure gives way to a surer one.
        """
        self.drop(report.indicator_id)
        name, mark = report.feed or "", mark_of(report)
        voices = [one for one in self._by_mark.get(mark, ()) if one.feed == report.feed]
        least = min(voices, key=lambda one: one.confidence) if len(voices) >= MOST_VOICES else None
        if least is not None and least.confidence < report.confidence:
            self.drop(least.indicator_id)
            self.left_out += 1
            least = None
        feed = self._feeds.get(name) or _Feed()
        full = len(self) >= MOST or feed.size >= MOST_OF_A_FEED
        if least is not None or (full and not self._make_room(feed, report)):
            self.left_out += 1
            return False
        self._feeds[name] = feed
        feed.add(report)
        self._sizes.move(name, 1)
        self._reports[report.indicator_id] = report
        self._by_mark[mark] = (*self._by_mark.get(mark, ()), report)
        if report.key_id is not None:
            self._count_hashed(report.key_id, 1)
        return True

    def drop(self, indicator_id: str) -> None:
        """Forget a report, if it is held."""
        report = self._reports.pop(indicator_id, None)
        if report is None:
            return
        name = report.feed or ""
        self._feeds[name].remove(report)
        self._sizes.move(name, -1)
        if not self._feeds[name].size:
            del self._feeds[name]
        mark = mark_of(report)
        rest = tuple(one for one in self._by_mark[mark] if one.indicator_id != indicator_id)
        if rest:
            self._by_mark[mark] = rest
        else:
            del self._by_mark[mark]
        if report.key_id is not None:
            self._count_hashed(report.key_id, -1)

    def _make_room(self, feed: "_Feed", report: IndicatorReport) -> bool:
        giving, least = feed, feed.of(report.source) + 1
        if feed.size < MOST_OF_A_FEED:
            largest = self._feeds[self._sizes.largest()]
            if largest.size > feed.size + 1:
                giving, least = largest, 0
        if giving.most <= least:
            return False
        self.drop(giving.oldest_of_the_largest())
        self.left_out += 1
        return True

    def sweep(self, now: float) -> int:
        """Forget what is not valid any more at a time, epoch seconds; return how many."""
        over = [known.indicator_id for known in self._reports.values() if known.valid_until <= now]
        for indicator_id in over:
            self.drop(indicator_id)
        return len(over)

    def reports(self, met: Met, at: float) -> tuple[IndicatorReport, ...]:
        """Return what is reported of a value at a time, of each source its surest word."""
        found = [
            report
            for mark in self._marks(met)
            for report in self._by_mark.get(mark, ())
            if report.valid_from <= at < report.valid_until
        ]
        if len(found) < 2:
            return tuple(found)
        surest: dict[tuple[str, str], IndicatorReport] = {}
        for report in sorted(found, key=lambda one: (one.confidence, one.indicator_id)):
            surest[report.source, report.feed or ""] = report
        return tuple(surest[voice] for voice in sorted(surest))

    def _marks_of(self, met: Met) -> tuple[str, ...]:
        used = [key for key in self._keys if self._hashed[key.key_id]]
        return marks_of(Indicator(met.kind, met.key).id, used)

    def _count_hashed(self, key_id: str, by: int) -> None:
        before = self._hashed[key_id] > 0
        self._hashed[key_id] += by
        if before != (self._hashed[key_id] > 0):
            self._marks.cache_clear()


class _Shares:
    """How many places each of many has, and who has most: each question and change at once."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._having: dict[int, dict[str, None]] = {}
        self.most = 0

    def of(self, name: str) -> int:
        """Return how many one has."""
        return self._of.get(name, 0)

    def largest(self) -> str:
        """Return who has most; of several who had it first."""
        return next(iter(self._having[self.most]))

    def move(self, name: str, by: int) -> None:
        """Give one a place more (1) or less (-1)."""
        before = self._of.pop(name, 0)
        now = before + by
        if before:
            having = self._having[before]
            del having[name]
            if not having:
                del self._having[before]
        if now:
            self._of[name] = now
            self._having.setdefault(now, {})[name] = None
        if now > self.most or (before == self.most and before not in self._having):
            self.most = now


class _Feed:
    """The reports of one feed, by source and in the order in which they were told."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, None]] = {}
        self._shares = _Shares()
        self.size = 0

    @property
    def most(self) -> int:
        """How many the source has that has most."""
        return self._shares.most

    def of(self, source: str) -> int:
        """Return how many a source has."""
        return self._shares.of(source)

    def oldest_of_the_largest(self) -> str:
        """Return the id of what the source with most has told longest ago."""
        return next(iter(self._of[self._shares.largest()]))

    def add(self, report: IndicatorReport) -> None:
        """Hold a report."""
        self._of.setdefault(report.source, {})[report.indicator_id] = None
        self._shares.move(report.source, 1)
        self.size += 1

    def remove(self, report: IndicatorReport) -> None:
        """Hold it no longer."""
        held = self._of[report.source]
        del held[report.indicator_id]
        if not held:
            del self._of[report.source]
        self._shares.move(report.source, -1)
        self.size -= 1


def marks_of(indicator_id: str, keys: Iterable[GroupKey]) -> tuple[str, ...]:
    """Return an indicator as reports may name it: as it is, and hashed with each of some keys."""
    return (indicator_id, *(f"{key.key_id}:{keyed_hash(key, indicator_id)}" for key in keys))


def mark_of(report: IndicatorReport) -> str:
    """Return what a report names, as one of `marks_of` the indicator that it is on."""
    if report.value is None:
        return f"{report.key_id}:{report.hash}"
    kind = KIND_OF[report.kind]
    return Indicator(kind, key_of(kind, report.value)).id

"""The reports that are valid, where an engine can ask at once: from memory, whatever goes on."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from detectors.heat.indicators import Indicator, Met, key_of
from detectors.intelligence.hashing import GroupKey, keyed_hash
from detectors.intelligence.records import KIND_OF, IndicatorReport

MOST: Final = 200_000
MOST_OF_A_SOURCE: Final = 50_000
"""Reports that are held, in all and of one source: a feed of millions pushes nobody out."""
_HASHES: Final = 65_536


class IndicatorTable:
    """Reports by what they are on (`detectors.engine.Intelligence`).

    `keys` are the group's keys, the one of now and those before it: of what is hashed with others
    nothing can be known. One table may serve all of a worker's engines. Memory: about half a
    kilobyte a report.
    """

    def __init__(self, keys: Sequence[GroupKey] = ()) -> None:
        self._keys = tuple(keys)
        self._reports: dict[str, IndicatorReport] = {}
        self._by_mark: dict[str, tuple[IndicatorReport, ...]] = {}
        self._of_source: Counter[str] = Counter()
        self._hashed: Counter[str] = Counter()
        self._marks = lru_cache(_HASHES)(self._marks_of)
        self.refused = 0

    def __len__(self) -> int:
        return len(self._reports)

    def take(self, report: IndicatorReport) -> bool:
        """Hold a report in the place of the one with its id; return whether there was room."""
        self.drop(report.indicator_id)
        if len(self) >= MOST or self._of_source[report.source] >= MOST_OF_A_SOURCE:
            self.refused += 1
            return False
        self._reports[report.indicator_id] = report
        self._of_source[report.source] += 1
        mark = _mark(report)
        self._by_mark[mark] = (*self._by_mark.get(mark, ()), report)
        if report.key_id is not None:
            self._count_hashed(report.key_id, 1)
        return True

    def drop(self, indicator_id: str) -> None:
        """Forget a report, if it is held."""
        report = self._reports.pop(indicator_id, None)
        if report is None:
            return
        self._of_source[report.source] -= 1
        mark = _mark(report)
        rest = tuple(one for one in self._by_mark[mark] if one.indicator_id != indicator_id)
        if rest:
            self._by_mark[mark] = rest
        else:
            del self._by_mark[mark]
        if report.key_id is not None:
            self._count_hashed(report.key_id, -1)

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
        surest: dict[str, IndicatorReport] = {}
        for report in sorted(found, key=lambda one: (one.confidence, one.indicator_id)):
            surest[report.source] = report
        return tuple(surest[source] for source in sorted(surest))

    def _marks_of(self, met: Met) -> tuple[str, ...]:
        """A value as reports may name it: as it is, and hashed with each key that is in use."""
        indicator_id = Indicator(met.kind, met.key).id
        used = (key for key in self._keys if self._hashed[key.key_id])
        return (indicator_id, *(f"{key.key_id}:{keyed_hash(key, indicator_id)}" for key in used))

    def _count_hashed(self, key_id: str, by: int) -> None:
        before = self._hashed[key_id] > 0
        self._hashed[key_id] += by
        if before != (self._hashed[key_id] > 0):
            self._marks.cache_clear()


def _mark(report: IndicatorReport) -> str:
    if report.value is None:
        return f"{report.key_id}:{report.hash}"
    kind = KIND_OF[report.kind]
    return Indicator(kind, key_of(kind, report.value)).id

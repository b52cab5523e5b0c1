"""What is hot, where an engine can ask at once: from memory, whatever else goes on."""

from typing import Final

from detectors.features.reading import Reading
from detectors.heat.indicators import COARSE, KINDS
from detectors.heat.records import Hot
from detectors.heat.sightings import came_by
from detectors.heat.tally import MOST_STAYS
from detectors.watermark import TOLERANCE

_SWEPT_EVERY: Final = 3_600.0
_LONGEST: Final = 60.0 * MOST_STAYS + 2 * TOLERANCE
"""Seconds from now beyond which nothing stays hot: what says so was dated by a wrong clock."""


class HotTable:
    """The hot indicators of all shards (`detectors.engine.Heat`).

    One table may serve all of a worker's engines. Memory: one entry for each indicator that is hot
    or was within the hour; what has run out makes room as others come.
    """

    def __init__(self) -> None:
        self._hot: dict[tuple[int, int], Hot] = {}
        self._swept = 0.0

    def take(self, hot: Hot) -> None:
        """Note how an indicator stands; what is told twice, or late, changes nothing.

        What is late by more than a day comes after a wrong clock that has been set right.
        """
        at = hot.kind, hot.key
        held = self._hot.get(at)
        if held is not None and hot.at < held.at <= hot.at + TOLERANCE:
            return
        self._hot[at] = hot
        if not self._swept - TOLERANCE <= hot.at <= self._swept + _SWEPT_EVERY:
            self._swept = hot.at
            for key in [key for key, known in self._hot.items() if known.until <= hot.at]:
                del self._hot[key]

    def hottest(self, reading: Reading) -> tuple[Hot, ...]:
        """Return the hottest indicator of each group that the event came with, hottest first.

        An address or device comes before an operator or client that many share.
        """
        if not self._hot:
            return ()
        at = reading.event.occurred_at
        best: dict[str, tuple[bool, float, Hot]] = {}
        for kind, key, _ in came_by(reading):
            hot = self._hot.get((kind, key))
            if hot is None or not hot.nats:
                continue
            if not at < hot.until <= at + _LONGEST:
                continue
            # Where the very address is hot, that its operator is too says no more.
            group, told = KINDS[kind].group, (not COARSE[kind], hot.nats, hot)
            if group not in best or told[:2] > best[group][:2]:
                best[group] = told
        hottest = [told[2] for told in best.values()]
        if len(hottest) > 1:
            hottest.sort(key=lambda hot: -hot.nats)
        return tuple(hottest)

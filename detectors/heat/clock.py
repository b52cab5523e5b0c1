"""How far a shard has come in time: what a wrong clock dates later is counted as of now.

An event dated years ahead would otherwise be the last that a range was ever met in, and what it
heated would stay hot until then.
"""

from collections.abc import Callable, Iterator
from typing import Final

from detectors.heat.records import Batch, Sighting
from detectors.watermark import Watermark

_STEP: Final = 5
"""Minutes that count as one witness of the time, however much happened in them."""


class Clock:
    """A watermark of all partitions' batches; `read` gives the state handed over so far."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._watermark = Watermark(read, "heat")

    def take(self, batch: Batch) -> int:
        """Take a batch's times into account; return the latest minute that is believed.

        A verdict tells of hijacks as old as they are: alerts alone say nothing of the present.
        """
        steps = [totals.minute // _STEP for totals in batch.totals]
        steps += [seen.minute // _STEP for seen in batch.sightings if not _tells_alerts_only(seen)]
        for step in dict.fromkeys(steps):
            # Steps stand for no account: none of them is ever alone.
            self._watermark.advance(60.0 * _STEP * step, step)
        return int(self._watermark.latest // 60)

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the time where it changed."""
        return self._watermark.changes()


def _tells_alerts_only(seen: Sighting) -> bool:
    return bool(seen.alerts) and not (seen.accounts or seen.tried or seen.new)

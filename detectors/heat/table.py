"""What is hot, where an engine can ask at once: from memory, whatever else goes on."""

from detectors.engine import Observed
from detectors.heat.indicators import KINDS, key_of
from detectors.heat.records import Hot
from detectors.heat.sightings import came_with


class HotTable:
    """The hot indicators of all shards (`detectors.engine.Heat`).

    One table may serve all of a worker's engines. Memory: one entry for each indicator that is hot
    or was within the hour; what has run out makes room as others come.
    """

    def __init__(self) -> None:
        self._hot: dict[tuple[int, int], Hot] = {}
        self._latest = 0.0

    def take(self, hot: Hot) -> None:
        """Note how an indicator stands; what is told twice, or late, changes nothing."""
        at = hot.kind, hot.key
        held = self._hot.get(at)
        if held is not None and held.at > hot.at:
            return
        self._hot[at] = hot
        if hot.at > self._latest + _SWEPT_EVERY:
            self._latest = hot.at
            over = [key for key, known in self._hot.items() if known.until <= hot.at]
            for key in over:
                del self._hot[key]

    def hottest(self, observed: Observed) -> tuple[Hot, ...]:
        """Return the hottest indicator of each group that the event came with, hottest first."""
        if not self._hot:
            return ()
        event, best = observed.event, dict[str, Hot]()
        for kind, value in came_with(event, observed.facts):
            hot = self._hot.get((kind, key_of(kind, value)))
            if hot is None or hot.until <= event.occurred_at:
                continue
            group = KINDS[kind].group
            if group not in best or hot.nats > best[group].nats:
                best[group] = hot
        return tuple(sorted(best.values(), key=lambda hot: -hot.nats))


_SWEPT_EVERY = 3600.0

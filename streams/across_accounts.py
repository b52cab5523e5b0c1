"""Heat, first victims and campaigns beside an engine in one process, for the backtest.

A worker drives the same classes through topics, so that what goes round takes its time there. Here
every step is at hand at once, which is the order that the worker comes near to when it keeps up.
"""

from collections import deque
from collections.abc import Callable, Sequence

from detectors.assessments import Alert
from detectors.campaigns.linker import CampaignLinker
from detectors.campaigns.records import Campaign
from detectors.engine import Engine, Observed, Outcome
from detectors.heat.counter import HeatCounter
from detectors.heat.records import Attack, Front, Hot, Link, Notice
from detectors.heat.sightings import Sightings
from detectors.heat.table import HotTable

Published = Campaign | Attack


class AcrossAccounts:
    """One shard of indicators, the linker, and the table of what is hot.

    `read` gives the state handed over so far; `table` is for the engine to ask, an empty one.
    """

    def __init__(
        self, read: Callable[[bytes], bytes | None], table: HotTable | None = None
    ) -> None:
        self.table = HotTable() if table is None else table
        self._counter = HeatCounter(read)
        self._linker = CampaignLinker(read)
        self._published: list[Published] = []

    def process(
        self, engine: Engine, sightings: Sightings, run: Sequence[Observed]
    ) -> list[Outcome]:
        """Assess, then learn, each event of a run in order; alerts raised anew follow it.

        `sightings` is what the engine was made with.
        """
        outcomes = []
        for observed in run:
            assessment = engine.assess(observed)
            outcomes.append(Outcome(observed, assessment, engine.learn(observed, assessment)))
            if sightings.telling:
                later = self.go_round(engine)
                if later:
                    outcomes += [Outcome(observed, None, alert) for alert in later]
        return outcomes

    def go_round(self, engine: Engine) -> list[Alert]:
        """Count what the engine saw, and tell it what came of that; return alerts raised anew."""
        alerts: list[Alert] = []
        notices: deque[Notice] = deque()
        while batches := engine.sightings():
            for _, batch in batches:
                for told in self._counter.take(batch):
                    if isinstance(told, Hot):
                        self.table.take(told)
                    elif isinstance(told, Link | Front):
                        notices.extend(self._linker.take(told))
                    else:
                        notices.append(told)
            while notices:
                alert = engine.take_notice(notices.popleft())
                if alert is not None:
                    alerts.append(alert)
        self._published += self._linker.summaries()
        return alerts

    def published(self) -> list[Published]:
        """Hand over the campaigns and attacks that were published since the last call."""
        published, self._published = self._published, []
        return published

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over every key changed since the last call."""
        changed: dict[bytes, bytes | None] = dict(self._counter.changes())
        changed.update(self._linker.changes())
        return changed

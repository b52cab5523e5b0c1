"""What happens between a rebalance and the first record, in our order rather than Faust's.

Faust reads changelogs through conductor and streams, a `wait_for` a record, and lets the source
partitions flow before it seeks them (mends 3 and 4 of the package's table). Here nothing flows
until all is restored, claimed and sought.
"""

# ruff: noqa: SLF001 - mends what Faust keeps private

import logging
from typing import Any, Final

from aiokafka.errors import IllegalStateError
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from mode import Service

from streams.runtime.lanes import numbers_by_flow

_log: Final = logging.getLogger(__name__)


class RunRecovery(Recovery):
    """Takes partitions up whenever the group has assigned them."""

    mundane_level = "debug"

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):  # type: ignore[arg-type]
                break
            self.signal_recovery_start.clear()
            try:
                # Ends early, with RebalanceAgain, when the group assigns anew meanwhile.
                await self._wait(self._take_up(self._generation_id))
            except (RebalanceAgain, IllegalStateError):
                continue
            except ServiceStopped:
                break

    async def _take_up(self, generation: int) -> None:
        app: Any = self.app
        consumer = app.consumer
        assigned = consumer.assignment()
        changelog = {tp for tp in assigned if self._is_changelog_tp(tp)}
        async with consumer.quiet():
            await consumer.thread.pause_fetching(changelog)
            lanes = await app.runtime.take_up(generation, assigned, consumer)
            # Resuming empties all queues, so it must be over before anything can be in them.
            app.flow_control.resume()
            consumer.resume_flow()
            consumer.open_lanes(lanes)
        await app._fetcher.maybe_start()
        self.completed.set()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        owned = numbers_by_flow(app.runtime.partitions)
        told = (" ".join(map(str, [flow, *numbers])) for flow, numbers in owned.items())
        _log.info("Ready: partitions %s", ", ".join(told) or "none")


class RunTableManager(TableManager):
    """Faust's table manager, with the recovery above."""

    mundane_level = "debug"

    async def on_start(self) -> None:
        """Start at once: no table is declared late, which Faust waits a second for."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = RunRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

"""The runtime: folds runs, and makes what came of them durable.

Every step from one durable moment to the next goes in one order (`Runtime._write`): independent
messages acknowledged, then the step appended to the changelog, then the local store, then the
step's own messages sent, then the offsets committed. A process that dies between any two of them
leaves something that the next owner of the partition puts right: it reads the changelog to its
end, sends the messages of the last step again, and reads the topics from the position there.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from faust.tables.recovery import RebalanceAgain
from faust.types import TP
from mode import Service

from streams.runtime.changelog import MAX_BATCH_BYTES, Changelog, Restoring
from streams.runtime.following import Follower
from streams.runtime.guards import OwnershipLost, OwnershipWatch, StallGuard, assigned_to_anybody
from streams.runtime.lanes import Lane, Place, Run
from streams.runtime.opening import Opener, starts_of
from streams.runtime.options import RuntimeOptions
from streams.runtime.outbox import BATCH_BYTES, Outbox, producer_options
from streams.runtime.partition import Partition, Step
from streams.runtime.rekeying import Rekeying
from streams.runtime.store import StoreFailed
from streams.runtime.transport import RunConsumer
from streams.runtime.waiting import Waiting

_log: Final = logging.getLogger(__name__)
_TICK_SECONDS: Final = 0.1
_COMMIT_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.1
_TAKING_UP: Final = "Taking partitions up"


class _Due:
    """A flush that is to come: at once when `now` is set, while nothing is delivered if `alone`."""

    def __init__(self) -> None:
        self.now = asyncio.Event()
        self.alone = False


class Runtime(Service):
    """All partitions of all flows that this worker owns, from one rebalance to the next."""

    mundane_level = "debug"

    def __init__(self, app: Any, options: RuntimeOptions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self.options = options
        self.partitions: dict[Place, Partition] = {}
        self._flushing: dict[Place, asyncio.Lock] = {}
        self._due: dict[Place, _Due] = {}
        self._urgent = 0
        self._nothing_urgent = asyncio.Event()
        self._nothing_urgent.set()
        self._carrying: set[asyncio.Future[None]] = set()
        self._lanes: list[Lane] = []
        self._uncommitted: dict[TP, int] = {}
        self._committed: dict[TP, int] = {}
        self._carried: dict[TP, int] = {}
        self._generation = -1
        self.term = 0
        self.folded_records = dict.fromkeys((flow.name for flow in options.flows), 0)
        self.repeated_records = dict(self.folded_records)
        self.restoring = Restoring()
        self._awaited: str | None = None
        self._broken = False
        self._guard = StallGuard(options.session_seconds)
        self._watch = OwnershipWatch(
            {
                topic: flow.partitions
                for flow in options.flows
                for topic in (*flow.reading.topics, flow.changelog)
            },
            carried=[rekeying.source for rekeying in options.rekeyings],
        )

    # -- Its life.

    async def on_start(self) -> None:
        """Connect the two producers, and read what every worker reads whole."""
        self.add_future(self._tell_what_is_awaited())
        client = self.options.client
        self._messages = AIOKafkaProducer(**producer_options(client, batch_bytes=BATCH_BYTES))
        self._steps = AIOKafkaProducer(**producer_options(client, batch_bytes=MAX_BATCH_BYTES))
        await self._messages.start()
        await self._steps.start()
        self.outbox = Outbox(self._messages)
        flows = self.options.flows
        self._changelogs = {flow.name: Changelog(self._steps, flow.changelog) for flow in flows}
        self._openers = [
            Opener(self.options, flow, self._changelogs[flow.name], self.restoring)
            for flow in flows
        ]
        self._followers = [Follower(client, followed) for followed in self.options.followed]
        for follower in self._followers:
            self._awaited = f"Reading {follower.topic} to its end"
            await follower.start()
            self.add_future(follower.follow())
        self._await_the_group()

    async def on_stop(self) -> None:
        """Close what is open; `release` has saved before."""
        for opener in self._openers:
            try:
                opener.close()
            except StoreFailed as error:
                # Told at the end, unless there was a failure before: that is told then.
                await self.crash(error)
        for follower in self._followers:
            await follower.stop()
        await self._messages.stop()
        await self._steps.stop()

    @Service.task
    async def _watch_the_clock(self) -> None:
        while not self.should_stop:
            self._guard.tick()
            await asyncio.sleep(_TICK_SECONDS)

    @Service.task
    async def _flush_on_time(self) -> None:
        while await self._still_runs_after(self.options.flush_seconds):
            await self.flush()

    @Service.task
    async def _commit_on_time(self) -> None:
        while await self._still_runs_after(_COMMIT_SECONDS):
            await self._commit()

    @Service.task
    async def _watch_the_group(self) -> None:
        while await self._still_runs_after(self.options.session_seconds / 2):
            group = await self.app.consumer.thread.look_at_group()
            self._watch.check_counts(group.partitions)
            if self.app.rebalancing or group.generation < 0:
                continue
            unowned = self._watch.look(group.generation, assigned_to_anybody(self.app.assignor))
            if unowned:
                self.log.warning("%s partitions have no owner: assigning anew", len(unowned))
                await self.app.consumer.thread.rejoin()

    async def _tell_what_is_awaited(self) -> None:
        waiting = Waiting()
        while await self._still_runs_after(_COMMIT_SECONDS):
            # Who leaves the group waits for nothing.
            awaited = None if self.app.should_stop else self.awaited
            line = waiting.line(awaited, self.loop.time())
            if line is not None:
                _log.info(line)

    def _await_the_group(self) -> None:
        self._awaited = (
            f"Waiting to be let into the group {self.app.conf.id}: for a worker that has died it "
            f"waits {self.options.session_seconds:.0f} s"
        )

    async def _still_runs_after(self, seconds: float) -> bool:
        await self.sleep(seconds)
        return not self.should_stop

    # -- A generation's life.

    async def take_up(
        self, generation: int, assigned: set[TP], consumer: RunConsumer
    ) -> list[Lane]:
        """Open what the group has assigned, and return what the consumer is to read.

        Raises RebalanceAgain where the group began to assign anew meanwhile.
        """
        term = self.term
        self._awaited = _TAKING_UP
        opened = [await opener.open(assigned, consumer) for opener in self._openers]
        partitions = {partition.place: partition for some in opened for partition in some}
        carried = {r.source: r for r in self.options.rekeyings}
        known = {tp: None for tp in assigned if tp.topic in carried}
        starts = await starts_of(known, consumer, self.options)
        carried_from = dict(starts)
        lanes = [carried[tp.topic].lane(tp.partition) for tp in starts]
        for partition in partitions.values():
            reading, number = partition.flow.reading, partition.number
            lanes.append(Lane(reading, number, partition.prepare))
            starts |= {TP(t, number): partition.next[t] for t in reading.topics}
            if partition.undelivered:
                await self.outbox.send(partition.undelivered, keyless=number)
        await consumer.seek_wait(starts)
        if self.term != term:
            raise RebalanceAgain
        self._generation = generation
        self._flushing = {place: asyncio.Lock() for place in partitions}
        self._due = {}
        self.partitions = partitions
        self._lanes = lanes
        # Whoever had them before may have died without telling the group.
        self._uncommitted = dict(starts)
        self._committed = {}
        self._carried = carried_from
        self._awaited = None
        return lanes

    async def release(self) -> None:
        """Save what is folded, within half a session, and let go of every partition.

        After a failure nothing is saved: what is durable is whole, what is not is folded again.
        """
        self.term += 1
        self._await_the_group()
        if self._failed():
            pass
        elif self._owns():
            async with asyncio.timeout(self.options.session_seconds / 2):
                await asyncio.gather(*self._carrying)
                await self.flush()
                await self.flush()  # messages that have left need not be sent by the next owner
            with suppress(TimeoutError):
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await self._commit()
        elif self.partitions:
            self.log.warning("The group has gone on without us: what is not saved is dropped")
        self.app.consumer.close_lanes()
        self.partitions = {}
        self._lanes = []
        self._uncommitted = {}
        self._carried = {}
        self._generation = -1

    @property
    def ready(self) -> bool:
        """Whether what the group has assigned is being read."""
        return self._generation != -1

    @property
    def awaited(self) -> str | None:
        """What keeps this worker from reading, as a line for people; None where nothing does."""
        restoring = self.restoring
        if self._awaited == _TAKING_UP and restoring.left:
            done = restoring.total - restoring.left
            return f"Restoring state: {done:,} of {restoring.total:,} changelog records"
        return self._awaited

    def reached(self) -> dict[TP, int]:
        """By source partition, where folding has got to: its end, where all of it is folded."""
        reached = {}
        for lane in self._lanes:
            partition = self.partitions.get(lane.place)
            for topic in lane.flow.topics:
                tp = TP(topic, lane.number)
                if lane.caught_up and not lane.out:
                    reached[tp] = lane.exhausted[topic]
                elif partition is not None:
                    reached[tp] = partition.next[topic]
                else:
                    reached[tp] = self._carried[tp]
        return reached

    # -- A run's way.

    async def fold(self, run: Run) -> None:
        """Fold a run, and have out in time what it gave rise to. An exception ends the worker."""
        partition = self.partitions.get(run.lane.place)
        if partition is None or not self.app.consumer.reads(run.lane):
            return  # from before a rebalance
        try:
            folded = partition.fold(run.records, run.positions)
        except BaseException:
            # Half of the run may be folded: this state must never be written.
            self._broken = True
            raise
        self.folded_records[partition.flow.name] += len(run.records)
        self.repeated_records[partition.flow.name] += folded.repeated
        if folded.independent:
            sending = self.outbox.send(folded.independent, keyless=run.partition)
            arrival = asyncio.ensure_future(sending)
            partition.note_arrival(arrival)
            await asyncio.shield(arrival)
        room = partition.room(self.options.flush_records)
        if room <= 0:
            await self._flush(partition)
            room = partition.room(self.options.flush_records)
        elif folded.urgent and not run.lane.behind:
            self._flush_soon(partition, alone=True)
        elif room <= self.options.flush_records // 2:
            self._flush_soon(partition)
        elif folded.urgent:
            # More such runs are about to follow, and one step will do for them.
            self._flush_soon(partition, after=_GATHER_SECONDS)
        run.lane.most_records = max(1, min(run.lane.flow.chunk_records, room))
        run.lane.most_bytes = partition.run_bytes
        self.app.consumer.done(run)

    async def urgent_sent(self) -> None:
        """Return once no message is on its way that somebody waits for."""
        await self._nothing_urgent.wait()

    async def carry(self, run: Run, rekeying: Rekeying) -> None:
        """Send a run's records on, keyed anew. They are committed once they have arrived."""
        if not self.app.consumer.reads(run.lane):
            return
        self._check_ownership()
        sends = rekeying.carried(run)
        carrying = asyncio.ensure_future(self.outbox.send(sends, keyless=run.partition))
        self._carrying.add(carrying)
        carrying.add_done_callback(self._carrying.discard)
        await asyncio.shield(carrying)
        self._note_read(run.partition, run.positions)
        self._carried |= {TP(topic, run.partition): at for topic, at in run.positions.items()}
        self.app.consumer.done(run)

    def _flush_soon(self, partition: Partition, after: float = 0.0, *, alone: bool = False) -> None:
        """Flush within so many seconds; what is due already, at the earlier time of both.

        Where it is to be `alone` the consumer delivers nothing until it is done (`urgent_sent`): an
        alert goes round the event loop a dozen times before it is out. Behind the folding of runs,
        each of these took milliseconds.
        """
        due = self._due.get(partition.place)
        if due is None:
            due = self._due[partition.place] = _Due()
            self.add_future(self._flush_due(partition, due, after))
        if not after:
            due.now.set()
        if alone and not due.alone:
            due.alone = True
            self._urgent += 1
            self._nothing_urgent.clear()

    async def _flush_due(self, partition: Partition, due: _Due, seconds: float) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await due.now.wait()
            if self._due.get(partition.place) is due:
                del self._due[partition.place]
            await self._flush(partition)
        finally:
            self._urgent -= due.alone
            if not self._urgent:
                self._nothing_urgent.set()

    async def flush(self) -> None:
        """Make everything folded so far durable."""
        await asyncio.gather(*(self._flush(partition) for partition in self.partitions.values()))

    async def _flush(self, partition: Partition) -> None:
        if self.partitions.get(partition.place) is not partition:
            return  # from before a rebalance
        async with self._flushing[partition.place]:
            if self._failed() or self.partitions.get(partition.place) is not partition:
                return
            step = partition.step()
            if step is None:
                return
            try:
                await self._write(partition, step)
            except BaseException:
                self._broken = True
                raise

    async def _write(self, partition: Partition, step: Step) -> None:
        await asyncio.gather(*step.arrivals)
        self._check_ownership()
        changelog = self._changelogs[partition.flow.name]
        end = await changelog.append(partition.number, step.position, step.changes)
        partition.settle(step, end)
        self._guard.check()
        if not self._owns() or self.partitions.get(partition.place) is not partition:
            return  # whoever has it by now has sent these, and may have sent newer ones since
        if step.outbox:
            await self.outbox.send(step.outbox, keyless=partition.number)
        self._note_read(partition.number, step.position.next)

    def _note_read(self, number: int, positions: Mapping[str, int]) -> None:
        self._uncommitted |= {TP(topic, number): offset for topic, offset in positions.items()}

    async def _commit(self) -> None:
        """Tell the group how far we are. A commit that fails is made good by the next."""
        offsets, self._uncommitted = self._uncommitted | self._ends(), {}
        offsets = {tp: at for tp, at in offsets.items() if self._committed.get(tp) != at}
        if not offsets:
            return
        if await self.app.consumer.commit_offsets(offsets):
            self._committed |= offsets
        else:
            self._uncommitted = offsets | self._uncommitted

    def _ends(self) -> dict[TP, int]:
        """The very ends of partitions of which all is durable, for whoever watches the lag.

        Behind the last record there may be what ends a transaction.
        """
        return {
            TP(topic, lane.number): end
            for lane in self._lanes
            if self._at_rest(lane)
            for topic, end in lane.exhausted.items()
        }

    def _at_rest(self, lane: Lane) -> bool:
        """Whether all that there is of it is read, folded and durable."""
        return lane.caught_up and not lane.out and not self._unsaved(lane)

    def _unsaved(self, lane: Lane) -> bool:
        partition = self.partitions.get(lane.place)
        if partition is None:
            return bool(self._carrying)
        return bool(partition.unsaved_records) or self._flushing[lane.place].locked()

    def _check_ownership(self) -> None:
        self._guard.check()
        if not self._owns():
            raise OwnershipLost("the group has gone on without this worker")

    def _owns(self) -> bool:
        """Whether the group still knows us in the generation that gave us our partitions."""
        return bool(self._generation == self.app.consumer.thread.generation)

    def _failed(self) -> bool:
        return self._broken or self.app.crashed

"""The runtime: takes partitions up, folds their runs, makes what came of it durable.

Every step from one durable moment to the next goes in one order (`Runtime._flush`): messages
acknowledged, then the step appended to the changelog, then the local store, then the offsets
committed. A process that dies between any two of them leaves something that the next owner of the
partition puts right by reading the changelog to its end and the topics from the position there.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from faust.tables.recovery import RebalanceAgain
from faust.types import TP
from mode import Service

from detectors.errors import ConfigurationError, NightlatchError
from streams.runtime.changelog import (
    MAX_BATCH_BYTES,
    Changelog,
    ForeignWriter,
    Restored,
    new_lineage,
    restore,
)
from streams.runtime.guards import StallGuard
from streams.runtime.interfaces import ProcessorFactory
from streams.runtime.outbox import BATCH_BYTES, Outbox, producer_options
from streams.runtime.partition import Partition, Step
from streams.runtime.position import Position
from streams.runtime.store import LocalStore, MemoryStore, RocksStore, StoreInUse
from streams.runtime.transport import Flow, Lane, Run, RunConsumer

_CLAIM_ATTEMPTS: Final = 5
_LOCK_SECONDS: Final = 15.0
_TICK_SECONDS: Final = 0.1
_COMMIT_SECONDS: Final = 1.0


class RuntimeOptions(NamedTuple):
    """What the runtime is told. `client` are aiokafka's connection arguments.

    `flow` names the source topics in the order that decides between equal times; `rekeyed` names
    by repartition topic the topic it stands for. `store_dir` None keeps state in memory.
    `flush_records` are the most records folded into one step; at half of them it is taken early.
    """

    client: Mapping[str, Any]
    flow: Flow
    changelog: str
    factory: ProcessorFactory
    store_dir: Path | None
    session_seconds: float
    flush_seconds: float = 0.5
    flush_records: int = 4000
    rekeyed: Mapping[str, str] = {}


class Claim(NamedTuple):
    """A partition that is ours: where it stands, its changelog's end, and what to write again."""

    position: Position
    next_offset: int
    void_keys: frozenset[bytes]


class Runtime(Service):
    """All partitions that this worker owns, from one rebalance to the next."""

    def __init__(self, app: Any, options: RuntimeOptions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self.options = options
        self.partitions: dict[int, Partition] = {}
        self._stores: dict[int, LocalStore] = {}
        self._flushing: dict[int, asyncio.Lock] = {}
        self._uncommitted: dict[TP, int] = {}
        self._generation = -1
        self._term = 0
        self._broken = False
        self._guard = StallGuard(options.session_seconds)

    # -- What Faust calls.

    async def on_start(self) -> None:
        """Connect the two producers."""
        client = self.options.client
        self._messages = AIOKafkaProducer(**producer_options(client, batch_bytes=BATCH_BYTES))
        self._steps = AIOKafkaProducer(**producer_options(client, batch_bytes=MAX_BATCH_BYTES))
        await self._messages.start()
        await self._steps.start()
        self.outbox = Outbox(self._messages)
        self._changelog = Changelog(self._steps, self.options.changelog)

    async def on_stop(self) -> None:
        """Close what is open; `release` has saved before."""
        for store in self._stores.values():
            store.close()
        self._stores.clear()
        await self._messages.stop()
        await self._steps.stop()

    @Service.task
    async def _watch_the_clock(self) -> None:
        while not self.should_stop:
            self._guard.tick()
            await asyncio.sleep(_TICK_SECONDS)

    @Service.task
    async def _flush_on_time(self) -> None:
        while not self.should_stop:
            await self.sleep(self.options.flush_seconds)
            await self.flush()

    @Service.task
    async def _commit_on_time(self) -> None:
        while not self.should_stop:
            await self.sleep(_COMMIT_SECONDS)
            await self._commit()

    # -- A partition's life.

    async def take_up(self, generation: int, numbers: set[int], consumer: RunConsumer) -> None:
        """Restore and open the partition numbers of a new generation; nothing else stays open.

        Raises RebalanceAgain where the group began to assign anew meanwhile.
        """
        term = self._term
        for number in set(self._stores) - numbers:
            self._stores.pop(number).close()
        for number in sorted(numbers - set(self._stores)):
            self._stores[number] = await self._open_store(number)
        claimed = await self._claim(numbers, consumer)
        partitions = {number: self._open(number, claim) for number, claim in claimed.items()}
        await consumer.seek_wait(
            {
                TP(topic, number): partition.next[topic]
                for number, partition in partitions.items()
                for topic in self.options.flow.topics
            }
        )
        if self._term != term:
            raise RebalanceAgain
        self._generation = generation
        self._flushing = {number: asyncio.Lock() for number in partitions}
        self.partitions = partitions

    def lanes(self) -> list[Lane]:
        """Return what the consumer reads for the partitions that are open."""
        return [
            Lane(self.options.flow, number, partition.prepare)
            for number, partition in self.partitions.items()
        ]

    async def release(self) -> None:
        """Save what is folded, within half a session, and let go of every partition.

        After a failure nothing is saved: what is durable is whole, what is not is folded again.
        """
        self._term += 1
        if self.partitions and not self._failed():
            if self._owns():
                async with asyncio.timeout(self.options.session_seconds / 2):
                    await self.flush()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_COMMIT_SECONDS):
                        await self._commit()
            else:
                self.log.warning("The group has gone on without us: what is not saved is dropped")
        self.app.consumer.close_lanes()
        self.partitions = {}
        self._uncommitted = {}

    def _open(self, number: int, claim: "Claim") -> Partition:
        return Partition(
            number,
            store=self._stores[number],
            position=claim.position,
            next_offset=claim.next_offset,
            rewrite=claim.void_keys,
            factory=self.options.factory,
            rekeyed=self.options.rekeyed,
        )

    async def _open_store(self, number: int) -> LocalStore:
        if self.options.store_dir is None:
            return MemoryStore()
        path = self.options.store_dir / f"{self.options.changelog}-{number}"
        deadline = self.loop.time() + _LOCK_SECONDS
        while True:
            try:
                return RocksStore(path)
            except StoreInUse:
                # Whoever had the partition before may be about to close it.
                if self.loop.time() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def _claim(self, numbers: set[int], consumer: RunConsumer) -> dict[int, "Claim"]:
        """Restore partitions and append a first step to each, which shuts earlier owners out."""
        claimed: dict[int, Claim] = {}
        for _ in range(_CLAIM_ATTEMPTS):
            missing = {n: self._stores[n] for n in sorted(numbers - set(claimed))}
            if not missing:
                return claimed
            found = await restore(self.options.client, self.options.changelog, missing)
            starts = await self._starts(found, consumer)
            for number, restored in found.items():
                old = restored.position
                position = Position(
                    lineage=old.lineage if old else new_lineage(),
                    at=restored.next_offset,
                    next=starts[number],
                    origins=old.origins if old else {},
                )
                with suppress(ForeignWriter):  # somebody was faster: read on, and claim again
                    end = await self._changelog.append(number, position, {})
                    claimed[number] = Claim(position, end, restored.void_keys)
        raise ForeignWriter("another worker keeps writing to partitions that are ours")

    async def _starts(
        self, found: Mapping[int, Restored], consumer: RunConsumer
    ) -> dict[int, dict[str, int]]:
        """By partition number and topic, where reading begins."""
        topics = self.options.flow.topics
        everything = [TP(topic, number) for number in found for topic in topics]
        earliest = await consumer.earliest_offsets(*everything)
        ends = await consumer.highwaters(*everything)
        without = {
            tp
            for tp in everything
            if not (old := found[tp.partition].position) or tp.topic not in old.next
        }
        committed = await consumer.thread.committed(without)
        starts: dict[int, dict[str, int]] = {}
        for tp in everything:
            old = found[tp.partition].position
            wanted = committed[tp] if tp in without else old.next[tp.topic] if old else None
            starts.setdefault(tp.partition, {})[tp.topic] = self._start(
                tp, wanted, earliest[tp], ends[tp]
            )
        return starts

    def _start(self, tp: TP, wanted: int | None, earliest: int, end: int) -> int:
        if wanted is None:
            return earliest
        if wanted > end:
            raise ConfigurationError(
                f"{tp.topic}:{tp.partition} ends at {end} but was read up to {wanted}: the topic "
                "was made anew; begin anew under another app_id, or delete the changelog "
                f"{self.options.changelog} and the group's offsets"
            )
        if wanted < earliest:
            self.log.warning(
                "%s:%s: records %s to %s expired before they were read",
                tp.topic,
                tp.partition,
                wanted,
                earliest - 1,
            )
        return max(wanted, earliest)

    # -- A run's way.

    async def fold(self, run: Run) -> None:
        """Fold a run, and send what it gave rise to. Any exception is the worker's end."""
        partition = self.partitions.get(run.partition)
        if partition is None or not self.app.consumer.reads(run.lane):
            return  # from before a rebalance
        try:
            sends = partition.fold(run.records, run.positions)
        except BaseException:
            # Half of the run may be folded: this state must never be written.
            self._broken = True
            raise
        if sends:
            arrival = asyncio.ensure_future(self.outbox.send(sends, keyless=run.partition))
            partition.note_arrival(arrival)
            await asyncio.shield(arrival)
        if partition.unsaved_records >= self.options.flush_records:
            await self._flush(partition)
        elif partition.unsaved_records >= self.options.flush_records // 2:
            self._flush_soon(partition)
        self.app.consumer.done(run)

    def _flush_soon(self, partition: Partition) -> None:
        if not self._flushing[partition.number].locked():
            self.add_future(self._flush(partition))

    async def flush(self) -> None:
        """Make everything folded so far durable."""
        await asyncio.gather(*(self._flush(partition) for partition in self.partitions.values()))

    async def _flush(self, partition: Partition) -> None:
        async with self._flushing[partition.number]:
            if self._failed() or self.partitions.get(partition.number) is not partition:
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
        end = await self._changelog.append(partition.number, step.position, step.changes)
        partition.settle(step, end)
        self._uncommitted |= {
            TP(topic, partition.number): offset for topic, offset in step.position.next.items()
        }

    async def _commit(self) -> None:
        """Tell the group how far we are. A commit that fails is made good by the next."""
        offsets, self._uncommitted = self._uncommitted, {}
        if offsets and not await self.app.consumer.commit_offsets(offsets):
            self._uncommitted = offsets | self._uncommitted

    def _check_ownership(self) -> None:
        self._guard.check()
        if not self._owns():
            raise OwnershipLost("the group has gone on without this worker")

    def _owns(self) -> bool:
        """Whether the group still knows us in the generation that gave us our partitions."""
        return bool(self._generation == self.app.consumer.thread.generation)

    def _failed(self) -> bool:
        return self._broken or self.app.crashed


class OwnershipLost(NightlatchError):
    """This worker's partitions may be somebody else's by now."""

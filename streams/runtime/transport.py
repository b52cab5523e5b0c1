"""Faust's consumer, changed in one thing: what it delivers is a run, not a record.

A plain Faust worker spends about 155 µs on the way of one record from the consumer to the agent.
Here the records of all topics of one partition number are merged by time (`merge.py`) and handed
to the agent in runs of up to `chunk_records`, each as one Faust message, so the way is gone once
a run. Conductor, streams, agents, flow control and the check of the generation stay Faust's.

Two tasks of the fetcher share the work. One fetches whatever has room; the other forms runs and
delivers them, one at a time for a partition number, so that memory is bounded by the room. Faust's
bookkeeping of acknowledged offsets is not used (topics are declared `acks=False`): the position in
the state decides where reading starts, and commits are only what operators look at.
"""

# ruff: noqa: SLF001 - changes what Faust and aiokafka keep private

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import faust
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.runtime.interfaces import Record
from streams.runtime.lanes import Lane, Run

_FETCH_SECONDS: Final = 0.25
_BUSY_FETCH_SECONDS: Final = 0.01
_FEW_RECORDS: Final = 200
_GATHER_SECONDS: Final = 0.004
"""Between two fetches that bring few records: a run of five costs nearly as much as one of fifty,
and whoever is folding them keeps the alerts waiting."""
_STOP_SECONDS: Final = 5.0


class Fetched(NamedTuple):
    """What one fetch gave, and at that moment: by partition with nothing left to fetch, its end."""

    records: Mapping[TP, list[Any]]
    exhausted: Mapping[TP, int]


class Group(NamedTuple):
    """The generation that the group knows us in (-1: none), and partitions by topic."""

    generation: int
    partitions: Mapping[str, int]


class RunSchema(faust.Schema[Any, Any]):
    """Passes a run through the conductor as it is."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002 - Faust's
        """Return the message's key, which a run has none of."""
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002 - Faust's
        """Return the run."""
        return message.value


class RunConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that talks to the broker; all of this runs in its event loop."""

    mundane_level = "debug"

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # A fetch that waits for one partition keeps every other of the same broker waiting.
        consumer._fetch_max_wait_ms = int(_FETCH_SECONDS * 1000)
        # What a producer took back is not to be read.
        consumer._isolation_level = "read_committed"
        return consumer

    async def on_thread_stop(self) -> None:
        """Leave the group and close, within bounds, whatever becomes of the broker.

        Where the broker has gone, aiokafka's own stop ends in a CancelledError. A thread that ends
        of it never says that it has ended, and the worker would wait for it for a minute.
        """
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await super().on_thread_stop()
        except (asyncio.CancelledError, TimeoutError) as error:
            self.log.warning("The consumer did not close in good order: %r", error)

    async def fetch(self, partitions: set[TP], seconds: float) -> Fetched:
        """Return fetched records of some of the partitions, none after so many seconds."""
        fetched: Fetched = await self.call_thread(self._fetch, partitions, seconds)
        return fetched

    async def _fetch(self, partitions: set[TP], seconds: float) -> Fetched:
        consumer = self._ensure_consumer()
        before = consumer._subscription.subscription.assignment
        try:
            records = await self._fetch_records(
                consumer, partitions, timeout=seconds, max_records=consumer._max_poll_records
            )
        except KafkaError:
            if consumer._subscription.subscription.assignment is before:
                raise
            records = {}  # the group has assigned anew meanwhile, and nothing is sought yet
        # No await from here on: records and end must be of the same moment, or a run could be
        # formed without records that have been fetched but not arrived.
        assignment = consumer._subscription.subscription.assignment
        exhausted = {}
        for tp in assignment.tps if assignment is not None else ():
            state = assignment.state_value(tp)
            end = state.highwater if state.lso is None else state.lso
            if state.has_valid_position and end is not None and state.position >= end:
                exhausted[TP(*tp)] = state.position
        return Fetched({TP(*tp): found for tp, found in records.items()}, exhausted)

    @property
    def generation(self) -> int:
        """The generation the group knows us in; -1 where it has told us that it does not."""
        return -1 if self._consumer is None else int(self._consumer._coordinator.generation)

    async def pause_fetching(self, partitions: set[TP]) -> None:
        """Let aiokafka itself not fetch partitions, rather than fetch and keep them."""
        await self.call_thread(self._pause, partitions)

    async def _pause(self, partitions: set[TP]) -> None:
        self._ensure_consumer().pause(*(driver.ensure_aiokafka_TP(tp) for tp in partitions))

    async def look_at_group(self) -> "Group":
        """Return what is known of the group. Raises what keeps us from taking part in it."""
        group: Group = await self.call_thread(self._look_at_group)
        return group

    async def _look_at_group(self) -> "Group":
        consumer = self._consumer
        if consumer is None:
            return Group(-1, {})
        consumer._coordinator.check_errors()
        cluster = consumer._client.cluster
        known = {topic: cluster.partitions_for_topic(topic) for topic in cluster.topics()}
        return Group(self.generation, {topic: len(found or ()) for topic, found in known.items()})

    async def rejoin(self) -> None:
        """Have the group assign all partitions anew, by what the brokers say now."""
        await self.call_thread(self._rejoin)

    async def _rejoin(self) -> None:
        consumer = self._ensure_consumer()
        await consumer._client.force_metadata_update()
        consumer._coordinator.request_rejoin()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # Of partitions that are somebody else's by now nothing is left to commit, which aiokafka
        # would take for a mistake.
        assigned = self.assignment()
        ours = {tp: offset for tp, offset in offsets.items() if tp in assigned}
        return not ours or await super()._commit(ours)

    async def committed(self, partitions: set[TP]) -> dict[TP, int | None]:
        """Return the group's committed offsets, None where there is none."""
        offsets: dict[TP, int | None] = await self.call_thread(self._committed, partitions)
        return offsets

    async def _committed(self, partitions: set[TP]) -> dict[TP, int | None]:
        consumer = self._ensure_consumer()
        return {tp: await consumer.committed(driver.ensure_aiokafka_TP(tp)) for tp in partitions}


class RunConsumer(driver.Consumer):
    """Faust's consumer, delivering runs. `flows` and the hooks are the application's."""

    app: Any
    mundane_level = "debug"
    _thread: RunConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lanes: dict[TP, Lane] = {}
        self._changed = asyncio.Event()
        self._quiet = asyncio.Lock()

    @property
    def thread(self) -> RunConsumerThread:
        """The thread that talks to the broker."""
        return self._thread

    def _new_consumer_thread(self) -> RunConsumerThread:
        return RunConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """While inside, nothing is being fetched: seeking is safe.

        A fetch that was under way during a seek could return records from the new position and
        be thrown away as one from before the rebalance: they would be lost.
        """
        async with self._quiet:
            yield

    def open_lanes(self, lanes: list[Lane]) -> None:
        """Deliver what these lanes read, from where their partitions were sought to."""
        self._lanes = {TP(topic, lane.number): lane for lane in lanes for topic in lane.flow.topics}
        self.resume_partitions(self._lanes)
        self._changed.set()

    def close_lanes(self) -> None:
        """Deliver nothing more, and forget what is waiting."""
        self._lanes = {}

    def reads(self, lane: Lane) -> bool:
        """Whether a lane is open."""
        return any(lane is mine for mine in self._lanes.values())

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        """Commit offsets to the group; False where it has gone on without us."""
        return await self._commit(offsets)

    def done(self, run: Run) -> None:
        """Let the next run of this partition number be delivered."""
        run.lane.out = False
        self._changed.set()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Save and drop what is held before the group gives the partitions away."""
        self.stop_flow()
        try:
            await self.app.runtime.release()
        except BaseException as error:
            # aiokafka only logs what a rebalance listener raises, and goes on.
            await self.crash(error)
            raise
        await super().on_partitions_revoked(revoked)

    async def wait_empty(self) -> None:
        """Save and drop what is held. Faust calls this before it stops."""
        await self.app.runtime.release()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust would miss the acknowledgements that are not used (see the module)."""

    async def _drain_messages(self, fetcher: Any) -> None:
        tasks = [asyncio.ensure_future(self._fetch_on()), asyncio.ensure_future(self._deliver_on())]
        stopping = asyncio.ensure_future(self._until_stopped(fetcher))
        try:
            await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        except asyncio.CancelledError:
            # Faust takes it for a crash of the fetcher where the group happens to rebalance.
            if not self.app.should_stop:
                raise
        finally:
            for task in [*tasks, stopping]:
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)

    async def _until_stopped(self, fetcher: Any) -> None:
        stopped = [asyncio.ensure_future(s._stopped.wait()) for s in (self, fetcher)]
        try:
            await asyncio.wait(stopped, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in stopped:
                waiting.cancel()

    async def _fetch_on(self) -> None:
        while True:
            async with self._quiet:
                lanes = self._lanes
                wanted = {
                    tp
                    for tp, lane in lanes.items()
                    if tp in self._active_partitions and lane.has_room(tp.topic)
                }
                idle, few = not (self.flow_active and wanted), False
                if not idle:
                    full = len(wanted) < len(lanes)
                    timeout = _BUSY_FETCH_SECONDS if full else _FETCH_SECONDS
                    fetched = await self._thread.fetch(wanted, timeout)
                    few = sum(map(len, fetched.records.values())) < _FEW_RECORDS
                    if lanes is self._lanes:
                        self._take_in(fetched)
            await asyncio.sleep(_BUSY_FETCH_SECONDS if idle else _GATHER_SECONDS if few else 0)

    def _take_in(self, fetched: Fetched) -> None:
        for tp, records in fetched.records.items():
            self._lanes[tp].merge.add(tp.topic, map(record_of, records))
        for lane in set(self._lanes.values()):
            tps = (TP(topic, lane.number) for topic in lane.flow.topics)
            lane.exhausted = {
                tp.topic: fetched.exhausted[tp] for tp in tps if tp in fetched.exhausted
            }
        self._changed.set()

    async def _deliver_on(self) -> None:
        while True:
            if not any(lane.behind for lane in self._lanes.values()):
                await self.app.runtime.urgent_sent()
            # What has come meanwhile is delivered with the rest.
            self._changed.clear()
            now = self.loop.time()
            for lane in dict.fromkeys(self._lanes.values()):
                run = lane.next_run(now)
                if run is not None:
                    await self.callback(self._message(run))
            try:
                await asyncio.wait_for(self._changed.wait(), _FETCH_SECONDS)
            except TimeoutError:
                continue

    def _message(self, run: Run) -> ConsumerMessage:
        first = run.lane.flow.topics[0]
        value: Any = run  # where Faust expects bytes; RunSchema hands it on
        return ConsumerMessage(
            first,
            run.partition,
            run.records[-1].record.offset,
            run.records[-1].record.timestamp,
            0,
            None,
            None,
            value,
            None,
            0,
            0,
            TP(first, run.partition),
            generation_id=self.app.consumer_generation_id,
        )


class RunTransport(driver.Transport):
    """The transport of an application that reads runs."""

    Consumer = RunConsumer


def record_of(found: Any) -> Record:
    """Return a record as a client of aiokafka's gives it."""
    return Record(
        found.topic,
        found.partition,
        found.offset,
        found.timestamp / 1000.0,
        found.key,
        found.value,
        found.headers,
    )

"""The runtime between a consumer and a broker that the tests play."""

import asyncio
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.runtime import service
from streams.runtime.interfaces import Prepared, ReadState, Record, Send
from streams.runtime.lanes import Flow, Place, Run
from streams.runtime.options import RuntimeOptions, StatefulFlow
from streams.runtime.partition import Partition
from streams.runtime.position import Position
from streams.runtime.rekeying import Rekeying, origin_header
from streams.runtime.service import Runtime
from streams.runtime.store import MemoryStore
from streams.runtime.transport import RunConsumer

LOGINS = TP("logins", 0)
REKEYING = Rekeying("logins", "by-account", lambda record: record.value, chunk_records=10)


class _Telling:
    """Tells every record to the topic of alerts."""

    def __init__(self, read: ReadState) -> None:
        del read

    def prepare(self, record: Record) -> Prepared:
        """Take a record as it is."""
        return Prepared(record, record.timestamp, None)

    def fold(self, run: Iterable[Prepared]) -> list[Send]:
        """Tell what each holds."""
        return [Send("alerts", record.key, record.value, urgent=True) for record, _, _ in run]

    def summaries(self) -> tuple[Send, ...]:
        """Sum nothing up."""
        return ()

    def changes(self) -> dict[bytes, bytes | None]:
        """Keep nothing."""
        return {}


class _Outbox:
    def __init__(self) -> None:
        self.sent: list[Send] = []

    async def send(self, sends: Iterable[Send], *, keyless: int) -> None:
        """Take messages at once."""
        del keyless
        self.sent += sends


FLOW = StatefulFlow(
    Flow("events", ("by-account",), 10), "changelog", 1, lambda _number, read: _Telling(read)
)
OPTIONS = RuntimeOptions({}, (FLOW,), None, session_seconds=10, rekeyings=(REKEYING,))


class _Lane:
    """As much of a lane as is asked for, with ever another run."""

    flow, most_records, place = FLOW.reading, 1, Place("events", 0)

    def __init__(self, *, behind: bool) -> None:
        self.behind = behind

    def next_run(self, _now: float) -> str:
        """Return a run."""
        return "a run"


def _runtime(**consumer: Any) -> tuple[Runtime, Any]:
    async def _nothing(*_: Any) -> None:
        pass

    thread = SimpleNamespace(generation=1)
    reader = SimpleNamespace(
        thread=thread, seek_wait=_nothing, reads=lambda _: True, done=lambda _: None, **consumer
    )
    runtime = Runtime(SimpleNamespace(consumer=reader, crashed=False), OPTIONS)
    runtime.outbox = _Outbox()  # type: ignore[assignment] # no broker
    runtime._openers = []
    return runtime, reader


def test_how_far_a_topic_is_carried_is_known_from_the_first_moment_on() -> None:
    """At offset 0, before anything is committed, and while a commit is under way."""
    committing: list[Mapping[TP, int]] = []
    told: list[Mapping[TP, int]] = []

    async def commit_offsets(offsets: Mapping[TP, int]) -> bool:
        committing.append(offsets)
        told.append(runtime.reached())
        return True

    async def begin(*tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, 0)

    async def live() -> None:
        (lane,) = await runtime.take_up(1, {LOGINS}, reader)
        told.append(runtime.reached())
        await runtime._commit()
        record = Record("logins", 0, 0, 1.0, None, b"anna")
        await runtime.carry(Run(lane, [Prepared(record, 1.0, None)], {"logins": 1}), REKEYING)
        told.append(runtime.reached())

    async def committed(_tps: Iterable[TP]) -> dict[TP, None]:
        return {LOGINS: None}

    runtime, reader = _runtime(
        commit_offsets=commit_offsets, earliest_offsets=begin, highwaters=begin
    )
    reader.thread.committed = committed
    asyncio.run(live())
    assert committing == [{LOGINS: 0}]
    assert told == [{LOGINS: 0}, {LOGINS: 0}, {LOGINS: 1}]


def test_what_is_awaited_is_told_until_everything_is_taken_up() -> None:
    """The group, then the state with how much of it is there, then nothing, then the group."""
    told: list[str | None] = []

    async def begin(*tps: TP) -> dict[TP, int]:
        told.append(runtime.awaited)
        runtime.restoring.begin(20_000)
        runtime.restoring.note(5000, left=15_000)
        told.append(runtime.awaited)
        return dict.fromkeys(tps, 0)

    async def committed(_tps: Iterable[TP]) -> dict[TP, None]:
        return {LOGINS: None}

    async def commit_offsets(_offsets: Mapping[TP, int]) -> bool:
        return True

    async def live() -> None:
        await runtime.take_up(1, {LOGINS}, reader)
        told.append(runtime.awaited)
        await runtime.release()
        told.append(runtime.awaited)

    runtime, reader = _runtime(
        earliest_offsets=begin,
        highwaters=_ends,
        commit_offsets=commit_offsets,
        close_lanes=lambda: None,
    )
    runtime.app.conf = SimpleNamespace(id="shop")
    reader.thread.committed = committed
    asyncio.run(live())
    group = "Waiting to be let into the group shop: for a worker that has died it waits 10 s"
    restoring = "Restoring state: 5,000 of 20,000 changelog records"
    assert told == ["Taking partitions up", restoring, None, group]


async def _ends(*tps: TP) -> dict[TP, int]:
    return dict.fromkeys(tps, 0)


def _partition() -> Partition:
    return Partition(
        FLOW,
        0,
        options=OPTIONS,
        store=MemoryStore(),
        position=Position(lineage="x", at=0, next={"by-account": 0}),
        next_offset=0,
        rewrite=frozenset(),
    )


def _carried(partition: Partition, offset: int = 0) -> list[Prepared]:
    carried = origin_header(Record("logins", 0, offset, 1.0, b"anna", b"alert"))
    record = Record("by-account", 0, offset, 1.0, b"anna", b"alert", (carried,))
    return [partition.prepare(record)]


def _owner() -> tuple[Runtime, Any, Partition]:
    """A runtime that owns a partition, and what it reads by."""
    runtime, reader = _runtime()
    partition = _partition()
    runtime._generation = 1
    runtime.partitions = {partition.place: partition}
    runtime._flushing = {partition.place: asyncio.Lock()}
    return runtime, reader, partition


def test_what_another_owner_may_have_sent_is_not_sent_behind_it() -> None:
    """A group that went on while a step was written: its messages are the next owner's to send."""
    sent = []
    for generation in (1, 2):
        runtime, reader, partition = _owner()
        partition.fold(_carried(partition), {"by-account": 1})
        step = partition.step()
        assert step is not None

        async def append(*_: Any, then: int = generation, reader: Any = reader) -> int:
            reader.thread.generation = then
            return 2

        runtime._changelogs = {"events": SimpleNamespace(append=append)}  # type: ignore[dict-item] # no broker
        asyncio.run(runtime._write(partition, step))
        sent.append([message.value for message in runtime.outbox.sent])  # type: ignore[attr-defined] # the one above
    assert sent == [[b"alert"], []]


@pytest.mark.parametrize("behind", [False, True])
def test_nothing_is_delivered_while_an_alert_is_on_its_way(*, behind: bool) -> None:
    """Whatever is folded meanwhile would keep it waiting; a backlog is read on."""

    async def live() -> list[bool]:
        runtime, _, partition = _owner()
        durable, delivered = asyncio.Event(), []

        async def append(*_: Any) -> int:
            await durable.wait()
            return 2

        async def callback(message: Any) -> None:
            delivered.append(message)

        runtime._changelogs = {"events": SimpleNamespace(append=append)}  # type: ignore[dict-item] # no broker
        consumer = SimpleNamespace(
            app=SimpleNamespace(runtime=runtime),
            loop=asyncio.get_running_loop(),
            callback=callback,
            _lanes={LOGINS: _Lane(behind=behind)},
            _changed=asyncio.Event(),
            _message=lambda run: run,
        )
        lane = _Lane(behind=False)
        await runtime.fold(Run(lane, _carried(partition), {"by-account": 1}))  # type: ignore[arg-type] # see there
        delivering = asyncio.ensure_future(RunConsumer._deliver_on(consumer))  # type: ignore[arg-type] # likewise
        seen = []
        for _ in range(2):
            await asyncio.sleep(0.05)
            seen.append(bool(delivered))
            durable.set()
        delivering.cancel()
        assert [message.value for message in runtime.outbox.sent] == [b"alert"]  # type: ignore[attr-defined] # the one above
        return seen

    assert asyncio.run(live()) == [behind, True]


def test_an_alert_does_not_wait_for_the_rest_of_a_backlog_that_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its step is due a little later then, for more such runs; with the backlog's end it is now."""
    monkeypatch.setattr(service, "_GATHER_SECONDS", 60.0)  # a machine that stalls makes it due, too

    async def live() -> list[bool]:
        runtime, _, partition = _owner()
        begun, durable = asyncio.Event(), asyncio.Event()

        async def append(*_: Any) -> int:
            begun.set()
            await durable.wait()
            return 2

        runtime._changelogs = {"events": SimpleNamespace(append=append)}  # type: ignore[dict-item] # no broker
        seen = []
        for offset, behind in enumerate((True, False)):
            records = _carried(partition, offset)
            run = Run(_Lane(behind=behind), records, {"by-account": offset + 1})  # type: ignore[arg-type] # see there
            await runtime.fold(run)
            for _ in range(10):  # turns of the loop, which take no time
                await asyncio.sleep(0)
            seen += [begun.is_set(), runtime._nothing_urgent.is_set()]
        durable.set()
        await asyncio.wait_for(runtime.urgent_sent(), 5.0)
        assert [message.value for message in runtime.outbox.sent] == [b"alert"] * 2  # type: ignore[attr-defined] # the one above
        return seen

    assert asyncio.run(live()) == [False, True, True, False]


@pytest.mark.parametrize("fate", ["given away", "not written"])
def test_delivery_goes_on_whatever_becomes_of_an_alert_on_its_way(fate: str) -> None:
    """Its partition may be another worker's by then; or its step fails, and the worker ends."""

    async def live() -> bool:
        runtime, _, partition = _owner()

        async def append(*_: Any) -> int:
            raise ConnectionError

        runtime._changelogs = {"events": SimpleNamespace(append=append)}  # type: ignore[dict-item] # no broker
        await runtime.fold(Run(_Lane(behind=False), _carried(partition), {"by-account": 1}))  # type: ignore[arg-type] # see there
        assert not runtime._nothing_urgent.is_set()
        if fate == "given away":
            runtime.partitions = {}
        await asyncio.wait_for(runtime.urgent_sent(), 5.0)
        await asyncio.sleep(0)
        return runtime.crashed

    assert asyncio.run(live()) == (fate == "not written")

"""What Faust 0.15.3 does wrong, and that it does not happen here.

Each test shows the fault in Faust itself first: when a release of Faust makes one of these fail,
that mend is needless. The table of all mends is in `streams.runtime`.
"""

import asyncio
import logging
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from faust.tables.recovery import Recovery
from faust.topics import Topic
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.enums import ProcessingGuarantee
from intervaltree import IntervalTree  # type: ignore[import-untyped] # Faust's dependency
from mode.supervisors import CrashingSupervisor, OneForOneSupervisor

from streams.runtime.application import RunApp, run_app
from streams.runtime.changelog import Changelog
from streams.runtime.lanes import Flow
from streams.runtime.opening import starts_of
from streams.runtime.options import RuntimeOptions, StatefulFlow
from streams.runtime.position import Position
from streams.runtime.recovery import RunRecovery
from streams.runtime.service import Runtime
from streams.runtime.transport import RunConsumerThread

LOGINS = TP("logins", 0)


def _options(**options: Any) -> RuntimeOptions:
    return RuntimeOptions(
        client={},
        flows=(
            StatefulFlow(
                Flow("events", ("logins", "orders"), 10),
                "changelog",
                1,
                lambda _number, _read: pytest.fail("nothing is opened here"),
            ),
        ),
        store_dir=None,
        session_seconds=10,
        **options,
    )


@pytest.fixture
def app(tmp_path: Path) -> RunApp:
    """An application that is never started."""
    return run_app("app", _options(), brokers=["localhost:9"], data_dir=tmp_path)


def _bookkeeping(*, committed: int, acked: list[int]) -> Any:
    """The part of Faust's consumer that decides what may be committed."""
    return SimpleNamespace(
        _acked={LOGINS: acked},
        _acked_index={LOGINS: set(acked)},
        _gap=defaultdict(IntervalTree),
        _committed_offset={LOGINS: committed},
    )


def test_faust_commits_past_a_record_in_flight() -> None:
    """Mend 1. 100 is still being worked on, 101 and 102 are done: 103 would be committed."""
    assert Consumer._new_offset(_bookkeeping(committed=100, acked=[101, 102]), LOGINS) == 103


def test_faust_takes_a_record_in_flight_for_part_of_a_gap() -> None:
    """Mend 2. 5 to 9 do not exist, 10 is being worked on, 11 is done: 12 would be committed."""
    consumer = _bookkeeping(committed=4, acked=[11])
    # As `_drain_messages` notes it when 10 comes after 4.
    asyncio.run(Consumer._add_gap(consumer, LOGINS, 5, 10))
    assert Consumer._new_offset(consumer, LOGINS) == 12


def test_no_topic_takes_part_in_fausts_bookkeeping(app: RunApp) -> None:
    """Mends 1 and 2: what is committed is what a durable step stands for, never an ack."""
    assert app.runs["events"].acks is False
    assert app.tables["events"].changelog_topic.acks is False


class Calls:
    """Stands in for whatever is called, and remembers the order."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def note(self, name: str, result: Any = None) -> Any:
        """Return a function that is remembered as `name`."""

        def call(*_: Any, **__: Any) -> Any:
            self.made.append(name)
            return result

        return call

    def note_later(self, name: str, result: Any = None) -> Any:
        """Return a coroutine function that is remembered as `name`."""

        async def call(*_: Any, **__: Any) -> Any:
            self.made.append(name)
            return result

        return call


class _Quiet:
    async def __aenter__(self) -> None:
        """Nothing is being fetched anyway."""

    async def __aexit__(self, *_: object) -> None:
        """Go on."""


def _recovery(calls: Calls) -> Any:
    """What Faust's recovery, and ours, work on when a partition is about to be read."""
    consumer = SimpleNamespace(
        assignment=lambda: {LOGINS},
        quiet=_Quiet,
        thread=SimpleNamespace(pause_fetching=calls.note_later("pause changelog")),
        resume_partitions=calls.note("partitions flow"),
        open_lanes=calls.note("partitions flow"),
        perform_seek=calls.note_later("seek"),
        resume_flow=calls.note("consumer flows"),
    )
    app = SimpleNamespace(
        consumer=consumer,
        runtime=SimpleNamespace(take_up=calls.note_later("seek", []), partitions={}),
        consumer_generation_id=1,
        flow_control=SimpleNamespace(resume=calls.note("queues are emptied")),
        on_rebalance_complete=SimpleNamespace(send=calls.note_later("signal")),
        on_rebalance_end=calls.note("end"),
        assignor=SimpleNamespace(assigned_standbys=set),
        conf=SimpleNamespace(broker_request_timeout=1),
        _fetcher=SimpleNamespace(maybe_start=calls.note_later("fetch")),
    )

    async def wait(coroutine: Any, timeout: float | None = None) -> None:  # noqa: ASYNC109 - Faust's
        del timeout
        await coroutine

    return SimpleNamespace(
        app=app,
        log=SimpleNamespace(info=print, dev=print, warning=print),
        tables=SimpleNamespace(
            values=list, on_actives_ready=calls.note("-"), on_standbys_ready=calls.note("-")
        ),
        completed=SimpleNamespace(set=calls.note("-")),
        actives_for_table={},
        standbys_for_table={},
        _set_recovery_ended=calls.note("-"),
        _is_changelog_tp=lambda _: False,
        _wait=wait,
    )


@pytest.mark.parametrize(
    ("recover", "loses"),
    [(Recovery.on_recovery_completed, True), (RunRecovery._take_up, False)],
    ids=["faust", "ours"],
)
def test_nothing_flows_before_it_is_sought_and_queues_are_empty(recover: Any, loses: bool) -> None:  # noqa: FBT001 - parametrised
    """Mend 3. What is fetched before the seek, or queued before the queues are emptied, is lost."""
    calls = Calls()
    asyncio.run(recover(_recovery(calls), 1))
    flowing = calls.made.index("partitions flow")
    assert (flowing < calls.made.index("seek")) is loses
    assert (flowing < calls.made.index("queues are emptied")) is loses


def test_partitions_without_a_committed_offset_are_sought_too() -> None:
    """Mend 4. The client seeks what is committed only; here every partition is sought."""
    sought: list[TopicPartition] = []

    async def committed(*_: Any) -> None:
        return None

    client = SimpleNamespace(
        _subscription=SimpleNamespace(assigned_partitions=lambda: {TopicPartition(*LOGINS)}),
        committed=committed,
        _fetcher=SimpleNamespace(seek_to=lambda tp, _: sought.append(tp)),
    )
    asyncio.run(AIOKafkaConsumer.seek_to_committed(client))
    assert not sought

    async def offsets(*tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, 17)

    async def none_committed(tps: set[TP]) -> dict[TP, None]:
        return dict.fromkeys(tps)

    consumer: Any = SimpleNamespace(
        earliest_offsets=offsets,
        highwaters=offsets,
        thread=SimpleNamespace(committed=none_committed),
    )
    assert asyncio.run(starts_of({LOGINS: None}, consumer, _options())) == {LOGINS: 17}


def test_a_commit_that_failed_is_made_good() -> None:
    """Mend 5. Faust notes a failed commit as done; here the next one covers it."""

    async def refused(*_: Any) -> bool:
        return False

    faulty = SimpleNamespace(
        log=SimpleNamespace(dev=print, info=print),
        assignment=lambda: {LOGINS},
        in_transaction=False,
        app=SimpleNamespace(
            producer=SimpleNamespace(flush=refused),
            monitor=SimpleNamespace(on_tp_commit=lambda _: None),
        ),
        _commit=refused,
        _committed_offset={LOGINS: 1},
    )
    asyncio.run(Consumer._commit_offsets(faulty, {LOGINS: 5}))  # type: ignore[arg-type] # a part
    assert faulty._committed_offset == {LOGINS: 5}

    async def ours() -> Runtime:
        runtime = Runtime(
            SimpleNamespace(consumer=SimpleNamespace(commit_offsets=refused)), _options()
        )
        runtime._note_read(0, {"logins": 5})
        await runtime._commit()
        return runtime

    assert asyncio.run(ours())._uncommitted == {LOGINS: 5}


class _FailingProducer:
    """A producer that the broker has stopped answering."""

    def create_batch(self) -> Any:
        """Return a batch that takes everything."""
        return SimpleNamespace(append=lambda **_: True, close=lambda: None)

    async def send_batch(self, *_: Any, **__: Any) -> Any:
        """Return what never arrives."""
        arrival = asyncio.get_running_loop().create_future()
        arrival.set_exception(KafkaTimeoutError())
        return arrival


def test_a_changelog_write_that_failed_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """Mend 6. Faust writes a line to the log and goes on; here it is the worker's end."""

    async def published() -> None:
        message: Any = asyncio.get_running_loop().create_future()
        message.message = SimpleNamespace(
            channel=SimpleNamespace(get_topic_name=lambda: "changelog")
        )
        sent: Any = asyncio.get_running_loop().create_future()
        sent.set_exception(KafkaTimeoutError())
        topic = SimpleNamespace(
            app=SimpleNamespace(sensors=SimpleNamespace(on_send_error=lambda *_: None))
        )
        Topic._on_published(topic, sent, message, None, None)  # type: ignore[arg-type] # a part
        message.exception()

    asyncio.run(published())
    assert "_on_published error" in caplog.text

    position = Position(lineage="x", at=0, next={})
    with pytest.raises(KafkaTimeoutError):
        asyncio.run(Changelog(_FailingProducer(), "changelog").append(0, position, {}))


def test_an_exception_in_the_agent_stops_the_worker(app: RunApp, tmp_path: Path) -> None:
    """Mend 7. Faust's supervisor starts the agent anew, and commits past what it failed on."""
    stock = faust.App("stock", datadir=str(tmp_path / "stock"))
    assert _setting(stock, "agent_supervisor") is OneForOneSupervisor
    assert _setting(app, "agent_supervisor") is CrashingSupervisor


def _setting(app: faust.App, name: str) -> Any:
    """A setting's value, which Faust's types know only as a function."""
    return getattr(app.conf, name)


def test_what_faust_offers_and_we_leave_alone(app: RunApp) -> None:
    """Mends 8 and 9. No transactions of Faust's; no standbys; a table, for its assignor's sake."""
    assert _setting(app, "processing_guarantee") is ProcessingGuarantee.AT_LEAST_ONCE
    assert _setting(app, "table_standby_replicas") == 0
    assert app.tables.changelog_topics == {"changelog"}


class _StopsBadly:
    """Like aiokafka's consumer whose broker has gone: its own stop ends in a cancellation."""

    async def stop(self) -> None:
        """End as a fetch task that was cancelled does."""
        raise asyncio.CancelledError


def test_a_consumer_that_cannot_close_does_not_hold_the_worker() -> None:
    """The thread ends in any case; Faust's own would die without saying so, and be waited for."""

    async def scenario(kind: type[driver.AIOKafkaConsumerThread]) -> None:
        thread: Any = object.__new__(kind)
        thread._consumer = _StopsBadly()
        thread._method_queue = None
        thread.log = logging.getLogger("test")
        await thread.on_thread_stop()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(scenario(driver.AIOKafkaConsumerThread))
    asyncio.run(scenario(RunConsumerThread))

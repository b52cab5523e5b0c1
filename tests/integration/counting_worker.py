"""A worker of its own process that counts: `python -m tests.integration.counting_worker JSON`.

`die_at` names a step of the way from a run to its commit at whose `die_after`th occurrence the
process kills itself with SIGKILL, as a machine that loses power would. `blind_assignments` is how
often the assignor does not know any topic, as when the brokers have only just come back. On the
record whose value is `fail_on` the processor raises, as one with a bug would.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
from faust.assignor.partition_assignor import PartitionAssignor

from streams.agents import fold
from streams.runtime.application import RunApp, run_app
from streams.runtime.changelog import Changelog
from streams.runtime.interfaces import ReadState
from streams.runtime.lanes import Flow
from streams.runtime.options import RuntimeOptions, StatefulFlow
from streams.runtime.outbox import Outbox
from streams.runtime.partition import Partition
from streams.runtime.transport import RunConsumer
from streams.runtime.worker import run
from tests.integration.counting import Adding, Counting

# Where a process can die between two steps: before and after each of them.
DEATHS: dict[str, tuple[type, str, bool]] = {
    "before sending": (Outbox, "send", True),
    "after sending": (Outbox, "send", False),
    "before the changelog": (Changelog, "append", True),
    "after the changelog": (Changelog, "append", False),
    "before the store": (Partition, "settle", True),
    "after the store": (Partition, "settle", False),
    "before the commit": (RunConsumer, "commit_offsets", True),
    "after the commit": (RunConsumer, "commit_offsets", False),
}


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a test wants of a worker."""

    broker: str
    app_id: str
    topics: list[str]
    alerts: str
    partitions: int
    data_dir: str
    across_topics: bool = True
    memory: bool = False
    chunk_records: int = 50
    flush_seconds: float = 0.2
    session_seconds: float = 3.0
    die_at: str | None = None
    die_after: int = 1
    blind_assignments: int = 0
    fail_on: bytes | None = None
    padding: int = 0
    told: str | None = None
    told_partitions: int = 2


def application(options: Options) -> RunApp:
    """Return the application that counts."""

    def factory(_partition: int, read: ReadState) -> Counting:
        return Counting(
            options.alerts,
            read,
            across_topics=options.across_topics,
            fail_on=options.fail_on,
            tells=options.told,
            padding=options.padding,
        )

    flows = [
        StatefulFlow(
            Flow("events", tuple(options.topics), options.chunk_records),
            f"{options.app_id}-state-changelog",
            options.partitions,
            factory,
        )
    ]
    if options.told is not None:
        flows.append(
            StatefulFlow(
                Flow("told", (options.told,), options.chunk_records),
                f"{options.app_id}-told-changelog",
                options.told_partitions,
                lambda _, read: Adding(read),
                numbered=frozenset({options.told}),
            )
        )
    app = run_app(
        options.app_id,
        RuntimeOptions(
            client={"bootstrap_servers": options.broker},
            flows=tuple(flows),
            store_dir=None if options.memory else Path(options.data_dir) / "state",
            session_seconds=options.session_seconds,
            flush_seconds=options.flush_seconds,
        ),
        brokers=[options.broker],
        data_dir=Path(options.data_dir),
    )

    for flow in flows:
        fold.attach(app, flow.name, agent=f"count-{flow.name}")
    return app


def die(step: str, occurrence: int) -> None:
    """Have the process kill itself at a step's so-manyth occurrence."""
    owner, name, before = DEATHS[step]
    real = getattr(owner, name)
    left = [occurrence]

    def kill_in_time() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    if name == "settle":

        def dying(self: Any, *args: Any, **kwargs: Any) -> Any:
            if before:
                kill_in_time()
            result = real(self, *args, **kwargs)
            if not before:
                kill_in_time()
            return result

        setattr(owner, name, dying)
    else:

        async def dying_later(self: Any, *args: Any, **kwargs: Any) -> Any:
            if before:
                kill_in_time()
            result = await real(self, *args, **kwargs)
            if not before:
                kill_in_time()
            return result

        setattr(owner, name, dying_later)


def assign_blindly(times: int) -> None:
    """Have the assignor find no topic so many times."""
    real = PartitionAssignor._get_copartitioned_groups
    left = [times]

    def blind(topics: Any, cluster: Any, subscriptions: Any) -> Any:
        left[0] -= 1
        return {} if left[0] >= 0 else real(topics, cluster, subscriptions)

    PartitionAssignor._get_copartitioned_groups = staticmethod(blind)  # type: ignore[method-assign] # for this test


def main() -> int:
    """Run the worker; return its exit code."""
    options = msgspec.json.decode(sys.argv[1], type=Options)
    assign_blindly(options.blind_assignments)
    if options.die_at is not None:
        die(options.die_at, options.die_after)
    return run(application(options))


if __name__ == "__main__":
    sys.exit(main())

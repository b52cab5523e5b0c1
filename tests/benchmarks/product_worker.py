"""The product's worker, measured: `python -m tests.benchmarks.product_worker JSON`."""

import asyncio
import os
import signal
import sys
from typing import Final

import msgspec

from streams.app import create_app
from streams.configuration import load
from streams.runtime import worker
from streams.runtime.lanes import Run
from streams.runtime.partition import Partition, Step
from streams.runtime.service import Runtime
from tests.benchmarks.measuring import Stopwatch, Task

_QUIET_SECONDS: Final = 1.0
"""Without a step of state after which none is expected any more: twice what one may wait."""
_TICK_SECONDS: Final = 0.05


def measure(task: Task) -> None:
    """Have the runtime report, and the process end, once all that came of the events is durable.

    That is when no flow has anything left to fold: what accounts have in common is counted behind
    the events, and a worker that never got to it would not keep up.
    """
    fold, write, watch = Runtime.fold, Runtime._write, Stopwatch()
    left, sources = task.events, frozenset(task.topics)

    async def counted(self: Runtime, run: Run) -> None:
        nonlocal left
        watch.start()
        await fold(self, run)
        before, left = left, left - sum(each.record.topic in sources for each in run.records)
        if left <= 0 < before:
            self.add_future(ended(self))

    async def noted(self: Runtime, partition: Partition, step: Step) -> None:
        await write(self, partition, step)
        watch.lap()

    async def ended(runtime: Runtime) -> None:
        # Nothing tells that all is done: it is seen by nothing being done.
        while watch.since_lap < _QUIET_SECONDS or not all(map(runtime._at_rest, runtime._lanes)):  # noqa: ASYNC110 - as said
            await asyncio.sleep(_TICK_SECONDS)
        watch.report(task.events)
        os.kill(os.getpid(), signal.SIGKILL)

    # The clock goes around them.
    Runtime.fold = counted  # type: ignore[method-assign]
    Runtime._write = noted  # type: ignore[method-assign]


def main() -> int:
    """Run the worker."""
    task = msgspec.json.decode(sys.argv[1], type=Task)
    measure(task)
    return worker.run(create_app(load(overrides=task.settings).settings))


if __name__ == "__main__":
    sys.exit(main())

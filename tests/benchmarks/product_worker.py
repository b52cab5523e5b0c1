"""The product's worker, measured: `python -m tests.benchmarks.product_worker JSON`."""

import os
import signal
import sys

import msgspec

from streams.app import create_app
from streams.configuration import load
from streams.runtime import worker
from streams.runtime.lanes import Run
from streams.runtime.service import Runtime
from tests.benchmarks.measuring import Stopwatch, Task


def measure(task: Task) -> None:
    """Have the runtime report, and the process end, once the last event's state is durable.

    What other flows tell of accounts is folded on the way and not counted.
    """
    fold, watch = Runtime.fold, Stopwatch()
    left, sources = task.events, frozenset(task.topics)

    async def counted(self: Runtime, run: Run) -> None:
        nonlocal left
        watch.start()
        await fold(self, run)
        left -= sum(prepared.record.topic in sources for prepared in run.records)
        if left <= 0:
            await self.flush()
            watch.report(task.events)
            os.kill(os.getpid(), signal.SIGKILL)

    Runtime.fold = counted  # type: ignore[method-assign] # the clock goes around it


def main() -> int:
    """Run the worker."""
    task = msgspec.json.decode(sys.argv[1], type=Task)
    measure(task)
    return worker.run(create_app(load(overrides=task.settings).settings))


if __name__ == "__main__":
    sys.exit(main())

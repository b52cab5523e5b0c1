"""The product's worker, measured: `python -m tests.benchmarks.product_worker JSON`."""

import os
import signal
import sys
import time

import msgspec

from streams.app import create_app
from streams.configuration import load
from streams.runtime import worker
from streams.runtime.lanes import Run
from streams.runtime.service import Runtime
from tests.benchmarks.measuring import Measured, Task, report


def measure(task: Task) -> None:
    """Have the runtime report, and the process end, once the last event's state is durable."""
    fold = Runtime.fold
    started: list[tuple[float, float]] = []
    left = [task.events]

    async def counted(self: Runtime, run: Run) -> None:
        if not started:
            started.append((time.perf_counter(), time.process_time()))
        await fold(self, run)
        left[0] -= len(run.records)
        if left[0] > 0:
            return
        await self.flush()
        wall, cpu = started[0]
        report(
            Measured(
                events=task.events,
                seconds=time.perf_counter() - wall,
                cpu_seconds=time.process_time() - cpu,
            )
        )
        os.kill(os.getpid(), signal.SIGKILL)

    Runtime.fold = counted  # type: ignore[method-assign] # the clock goes around it


def main() -> int:
    """Run the worker."""
    task = msgspec.json.decode(sys.argv[1], type=Task)
    measure(task)
    return worker.run(create_app(load(overrides=task.settings).settings))


if __name__ == "__main__":
    sys.exit(main())

"""Quix Streams with a small profile in its state: `python -m tests.benchmarks.quix_worker JSON`.

Its own way of doing it: a stateful `apply` a topic, RocksDB, a changelog, at least once, all
settings its defaults. It scores nothing.
"""

import os
import sys
from pathlib import Path
from typing import Any

import msgspec
from quixstreams import Application

from tests.benchmarks.measuring import Stopwatch, Task
from tests.benchmarks.small_profile import learnt


def run(task: Task) -> None:
    """Fold everything, then report."""
    watch, left = Stopwatch(), task.events

    def processed(_topic: str, _partition: int, _offset: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            # The last state is durable as well, as it is when the others stop their clocks.
            app._processing_context.commit_checkpoint(force=True)
            watch.report(task.events)
            os._exit(0)

    def fold(event: Any, state: Any) -> None:
        watch.start()
        state.set("profile", learnt(event, state.get("profile", {})))

    app = Application(
        broker_address=task.broker,
        consumer_group=task.app_id,
        auto_offset_reset="earliest",
        state_dir=Path(task.data_dir),
        on_message_processed=processed,
        loglevel="WARNING",
    )
    for name in task.topics:
        frame = app.dataframe(app.topic(name, value_deserializer="json", key_deserializer="bytes"))
        frame.apply(fold, stateful=True)
    app.run()


if __name__ == "__main__":
    run(msgspec.json.decode(sys.argv[1], type=Task))

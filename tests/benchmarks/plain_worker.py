"""Plain Faust workers to compare with: `python -m tests.benchmarks.plain_worker KIND JSON`.

`naive` is what one writes first: an agent that takes events one by one, keeps a profile in a
table, scores with river and learns. `nothing` takes events one by one and does nothing.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import faust
import msgspec
from river import anomaly, compose, preprocessing

from tests.benchmarks.measuring import Stopwatch, Task
from tests.benchmarks.small_profile import REMEMBERED, learnt


def application(task: Task) -> faust.App:
    """Return a Faust application with its default settings, a table's store in RocksDB."""
    Path(task.data_dir).mkdir(parents=True, exist_ok=True)
    return faust.App(
        task.app_id,
        broker=f"kafka://{task.broker}",
        datadir=task.data_dir,
        store="rocksdb://",
        topic_partitions=task.partitions,
        topic_disable_leader=True,
        web_enabled=False,
    )


def naive(app: faust.App, task: Task) -> None:
    """A profile an account in a table, and a river score and a lesson for every event."""
    profiles = app.Table("profiles", default=dict)
    model = compose.Pipeline(
        preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(n_trees=10, height=8, seed=7)
    )
    counter = Counter(app, task)

    @app.agent(app.topic(*task.topics))
    async def score(events: Any) -> None:
        async for event in events:
            counter.first()
            account = event.get("account_id", "")
            profile = profiles[account]
            features = features_of(event, profile)
            model.score_one(features)
            model.learn_one(features)
            profiles[account] = learnt(event, profile)
            await counter.another()


def features_of(event: dict[str, Any], profile: dict[str, Any]) -> dict[str, float]:
    """What is new about an event, in ten numbers."""
    known = {name: float(event.get(name) in profile.get(name, ())) for name in REMEMBERED}
    return {
        **known,
        "events": float(profile.get("events", 0)),
        "failures": float(profile.get("failures", 0)),
        "amount": float(event.get("amount") or 0.0),
        "failed": float(event.get("outcome") == "failure"),
        "order": float(event.get("type") == "order"),
        "change": float(event.get("type") == "account_change"),
    }


def nothing(app: faust.App, task: Task) -> None:
    """What Faust itself costs."""
    counter = Counter(app, task)

    @app.agent(app.topic(*task.topics))
    async def skip(events: Any) -> None:
        async for _ in events:
            counter.first()
            await counter.another()


class Counter:
    """Counts events and, after the last, reports and ends the process."""

    def __init__(self, app: faust.App, task: Task) -> None:
        self._app = app
        self._left = self._events = task.events
        self._watch = Stopwatch()

    def first(self) -> None:
        """Note the time of the first event."""
        self._watch.start()

    async def another(self) -> None:
        """Count an event that has been dealt with."""
        self._left -= 1
        if self._left == 0:
            await self._app.producer.flush()
            self._watch.report(self._events)
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the worker named first on the command line."""
    task = msgspec.json.decode(sys.argv[2], type=Task)
    app = application(task)
    {"naive": naive, "nothing": nothing}[sys.argv[1]](app, task)
    faust.Worker(app, loglevel="info", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()

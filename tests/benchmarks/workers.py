"""What a second worker adds: `python -m tests.benchmarks.workers [--compiled FOLDER]`.

One worker, and then two of one group, read the same backlog of the same simulated shop, of which
they own a half each. Two workers and a broker need three cores. So that two will do, no worker ever
has one to itself: one after the other is let run for a hundredth of a second and stopped again
(SIGSTOP), and where there is only one it stands still while the second would run. The broker has
the other core. The rates are thus half of what they would be, on both sides alike; what is told is
their ratio.

The clock runs from the moment they are let go until the last step of state that any event gave rise
to, what flows tell one another included, by the times that their records bear.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from streams.local_kafka import LocalKafka
from streams.local_kafka.broker import free_port
from streams.topic_administration import create
from streams.topics import own_topics
from tests.benchmarks import running
from tests.benchmarks.traffic import REPOSITORY, Traffic

PARTITIONS: Final = 4
WANTED: Final = 1.7
_MOST: Final = 2
_SLICE_SECONDS: Final = 0.01


def main() -> int:
    """Measure, print, and return 1 where two workers do less than is wanted."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightlatch-bench-")))
        local = LocalKafka(folder / "kafka", folder=REPOSITORY / ".nightlatch", heap="1g")
        stack.callback(local.stop)
        broker = local.start()
        traffic = Traffic.simulated(folder, options.accounts)
        shop = {"broker": broker, "lookups": str(traffic.lookups)}
        events = running.in_order(traffic)
        ratios = []
        for number in range(1, options.rounds + 1):
            one, two = (
                rate_of(count, shop, folder, events, options.compiled)
                for count in range(1, _MOST + 1)
            )
            ratios.append(two / one)
            print(
                f"round {number}: one worker {one:,.0f} events/s of half a core, two {two:,.0f} of "
                f"half a core each: {ratios[-1]:.2f} times",
                flush=True,
            )
    ratio = statistics.median(ratios)
    met = ratio >= WANTED
    print(f"two workers: {ratio:.2f} times one, at least {WANTED}: {'met' if met else 'missed'}")
    return 0 if met else 1


def rate_of(
    count: int,
    shop: dict[str, str],
    folder: Path,
    events: Sequence[running.Line],
    path: Path | None,
) -> float:
    """Return the events a second that so many workers of a shop's settings fold between them."""
    name, broker = f"workers-{uuid.uuid4().hex[:6]}-", shop["broker"]
    own = shop | {"topic_prefix": name, "app_id": f"{name}app", "partitions": str(PARTITIONS)}
    settings = running.settings_of(own)
    create(settings)
    records = list(running.outgoing(events, settings))
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                running.worker(
                    own
                    | {"data_dir": str(folder / f"{name}{number}")}
                    | {"web_port": str(free_port())},
                    path,
                )
            )
            for number in range(count)
        ]
        _wait_until_shared(workers)
        with _in_turns(workers) as let_go:
            running.send(broker, records, rate=None)
            began = time.time()
            let_go.set()
            running.wait_until_read(broker, settings, every=0.5)
        topic = own_topics(settings).state_changelog
        ended = max(at for _, at in running.read_bytes(broker, topic, PARTITIONS)) / 1000
    return len(records) / (ended - began)


def _wait_until_shared(workers: Sequence[running.Running]) -> None:
    """Return once each owns as many of the events' partitions."""
    share, until = PARTITIONS / len(workers), time.monotonic() + running.PATIENCE
    while any(_owned(worker) != share for worker in workers):
        if time.monotonic() > until:
            raise RuntimeError("the workers do not share the partitions evenly")
        time.sleep(0.1)


def _owned(worker: running.Running) -> float:
    return worker.figures().get('nightlatch_partitions{flow="events"}', 0.0)


@contextmanager
def _in_turns(workers: Sequence[running.Running]) -> Iterator[Event]:
    """Keep workers stopped until the event yielded is set; then let them run by turns."""
    let_go, done = Event(), Event()
    signalled = [worker.process for worker in workers]
    for process in signalled:
        process.send_signal(signal.SIGSTOP)

    def take_turns() -> None:
        let_go.wait()
        while not done.is_set():
            for process in signalled:
                process.send_signal(signal.SIGCONT)
                time.sleep(_SLICE_SECONDS)
                process.send_signal(signal.SIGSTOP)
            time.sleep(_SLICE_SECONDS * (_MOST - len(signalled)))

    turns = Thread(target=take_turns)
    turns.start()
    try:
        yield let_go
    finally:
        done.set()
        let_go.set()
        turns.join()
        for process in signalled:
            process.send_signal(signal.SIGCONT)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=25_000, help="simulated customers")
    parser.add_argument("--rounds", type=int, default=3, help="turns of one worker and of two")
    parser.add_argument("--compiled", type=Path, help="where the compiled wheel was installed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

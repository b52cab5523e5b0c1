"""Events a second of one worker with full scoring, beside two plainer ones: `make bench`.

All read the same simulated events from the same topics of the same broker, in turns, so that
whatever else the machine does hits them alike. The clock runs from the first event at hand to the
last one's state being durable. The bar: full scoring is at least three times the naive product.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from streams.configuration import load
from streams.local_kafka import LocalKafka
from streams.topic_administration import create
from tests.benchmarks.measuring import Measured, Task, answer_in

REPOSITORY: Final = Path(__file__).parent.parent.parent
BAR: Final = 3.0
PARTITIONS: Final = 4
WORKERS: Final = {
    "full scoring": ["tests.benchmarks.product_worker"],
    "naive product": ["tests.benchmarks.plain_worker", "naive"],
    "do-nothing agent": ["tests.benchmarks.plain_worker", "nothing"],
}


class Report(msgspec.Struct, kw_only=True):
    """What was measured, events a second by worker and round."""

    events: int
    rates: dict[str, list[float]]
    cpu_microseconds: dict[str, float]
    ratio: float
    bar: float = BAR


def main() -> int:
    """Measure, print, and return 1 where the bar is missed."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightlatch-bench-")))
        broker = options.broker
        if broker is None:
            local = LocalKafka(folder / "kafka", folder=REPOSITORY / ".nightlatch", heap="1g")
            stack.callback(local.stop)
            broker = local.start()
        report = measure(broker, folder, accounts=options.accounts, rounds=options.rounds)
    show(report)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 0 if report.ratio >= BAR else 1


def measure(broker: str, folder: Path, *, accounts: int, rounds: int) -> Report:
    """Let the workers take turns over the same events."""
    prefix = f"bench-{uuid.uuid4().hex[:6]}-"
    settings = {"broker": broker, "topic_prefix": prefix, "partitions": str(PARTITIONS)}
    lookups = folder / "lookup.csv"
    events = fill(settings, folder, lookups, accounts)
    measured: dict[str, list[Measured]] = {name: [] for name in WORKERS}
    for number in range(rounds):
        for name, module in WORKERS.items():
            app_id = f"{prefix}{name.replace(' ', '-')}-{number}"
            own = {**settings, "app_id": app_id, "lookups": str(lookups)}
            own["data_dir"] = str(folder / app_id)
            task = Task(
                broker=broker,
                app_id=app_id,
                topics=[load(overrides=own).settings.topic(topic) for topic in TOPICS],
                partitions=PARTITIONS,
                events=events,
                data_dir=own["data_dir"],
                settings=own,
            )
            create(load(overrides=own).settings)
            answer = work(module, task)
            print(f"{name}, round {number + 1}: {answer.rate:,.0f} events/s", file=sys.stderr)
            measured[name].append(answer)
    rates = {
        name: [round(answer.rate, 1) for answer in answers] for name, answers in measured.items()
    }
    return Report(
        events=events,
        rates=rates,
        cpu_microseconds={
            name: round(min(a.cpu_seconds for a in answers) / events * 1e6, 1)
            for name, answers in measured.items()
        },
        ratio=round(
            statistics.median(rates["full scoring"]) / statistics.median(rates["naive product"]), 2
        ),
    )


TOPICS: Final = ("logins", "orders", "account_changes", "feedback")


def fill(settings: dict[str, str], folder: Path, lookups: Path, accounts: int) -> int:
    """Simulate a month and send it; return how many events there are."""
    create(load(overrides=settings).settings)
    file = folder / "events.ndjson"
    _nightlatch(
        settings,
        *("simulate", "--out", str(file), "--feedback", str(file), "--lookup-out", str(lookups)),
        *("--accounts", str(accounts), "--days", "60"),
    )
    _nightlatch(settings, "send", str(file))
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def work(module: list[str], task: Task) -> Measured:
    """Run a worker until it has reported."""
    command = [sys.executable, "-m", *module, msgspec.json.encode(task).decode()]
    ended = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False
    )
    return answer_in(ended.stdout + ended.stderr)


def show(report: Report) -> None:
    """Print the table and the verdict."""
    table = Table(title=f"One worker, {report.events:,} events, {PARTITIONS} partitions")
    for heading in ("worker", "events/s (median)", "each round", "CPU µs/event (least)"):
        table.add_column(heading, justify="left" if heading == "worker" else "right")
    for name, rates in report.rates.items():
        table.add_row(
            name,
            f"{statistics.median(rates):,.0f}",
            " ".join(f"{rate:,.0f}" for rate in rates),
            f"{report.cpu_microseconds[name]:.0f}",
        )
    console = Console()
    console.print(table)
    verdict = "met" if report.ratio >= BAR else "missed"
    console.print(
        f"Full scoring is {report.ratio} times the naive product; the bar of {BAR} is {verdict}."
    )


def _nightlatch(settings: dict[str, str], *arguments: str) -> None:
    environment = {f"NIGHTLATCH_{name.upper()}": value for name, value in settings.items()}
    subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", help="host:port of a Kafka that is there; else one is started")
    parser.add_argument("--accounts", type=int, default=10_000, help="simulated customers")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each worker takes")
    parser.add_argument("--json", type=Path, help="write the report here too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

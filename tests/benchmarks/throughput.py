"""Events a second of one worker with full scoring, beside what Kafka lets Python do: `make bench`.

All read the same simulated events from the same topics of the same broker, in turns, so that
whatever else the machine does hits them alike. The clock runs from the first event at hand until
all that came of the last one is durable: of the product, what its flows told one another, too.
With `--compiled FOLDER`, where a wheel of `make compiled` was installed by `pip install --no-deps
--target FOLDER`, the compiled product takes its turns too.
Then the product's delays are measured (`latency`); with `--rate`, which stands for what is
sustainable, they alone. What is compared are ratios of one run.
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
from typing import Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from streams.configuration import load
from streams.local_kafka import LocalKafka
from streams.topic_administration import create
from streams.topics import own_topics
from tests.benchmarks.latency import Delays, delays
from tests.benchmarks.measuring import Measured, Task, answer_in
from tests.benchmarks.traffic import Traffic, nightlatch

REPOSITORY: Final = Path(__file__).parent.parent.parent
PARTITIONS: Final = 4
TOPICS: Final = ("logins", "orders", "account_changes", "feedback")
QUIX: Final = "Quix Streams, a small profile, no scoring"
NAIVE: Final = "naive product: agent, table write, river"
OF_QUIX: Final = 0.5
OF_NAIVE: Final = 6.0
LOADS: Final = (0.5, 0.9)
MOST_MILLISECONDS: Final = (50.0, 250.0)


class Worker(NamedTuple):
    """One that takes turns. `share` of the events is enough for a slow one."""

    module: tuple[str, ...]
    settings: dict[str, str]
    path: Path | None = None
    share: float = 1.0


class Row(msgspec.Struct, kw_only=True):
    """What one worker did, round by round. `cpu_microseconds` (an event) is the least."""

    rates: list[float]
    cpu_microseconds: float
    peak_megabytes: int

    @property
    def rate(self) -> float:
        """The median round's events a second."""
        return statistics.median(self.rates)


class Report(msgspec.Struct, kw_only=True):
    """What was measured. `product` is the variant that is held to the bars."""

    events: int
    rows: dict[str, Row]
    product: str
    of_quix: float | None = None
    of_naive: float | None = None
    delays: list[Delays]


def workers(compiled: Path | None) -> dict[str, Worker]:
    """Return who takes turns, in their order."""
    product = ("tests.benchmarks.product_worker",)
    plain = {
        "bare aiokafka loop, a small profile": Worker(("tests.benchmarks.bare_worker",), {}),
        QUIX: Worker(("tests.benchmarks.quix_worker",), {}),
        "do-nothing Faust agent": Worker(
            ("tests.benchmarks.plain_worker", "nothing"), {}, share=0.5
        ),
        NAIVE: Worker(("tests.benchmarks.plain_worker", "naive"), {}, share=0.25),
        "Nightlatch": Worker(product, {}),
        "Nightlatch without heat": Worker(product, {"heat": "false"}),
    }
    if compiled is None:
        return plain
    return {
        **plain,
        "Nightlatch, compiled": Worker(product, {}, compiled),
        "Nightlatch, compiled, without heat": Worker(product, {"heat": "false"}, compiled),
    }


def main() -> int:
    """Measure, print, and return 1 where a bar is missed."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightlatch-bench-")))
        broker = options.broker
        if broker is None:
            local = LocalKafka(folder / "kafka", folder=REPOSITORY / ".nightlatch", heap="1g")
            stack.callback(local.stop)
            broker = local.start()
        traffic = Traffic.simulated(folder, options.accounts)
        turns = workers(options.compiled)
        if options.rate is None:
            report = measure(broker, folder, traffic, turns, options.rounds)
            keep(report, options)
        else:
            report = Report(events=traffic.events, rows={}, product=product_of(turns), delays=[])
        if options.seconds:
            rate = options.rate or report.rows[report.product].rate
            report.delays = [
                delays(
                    broker,
                    folder,
                    traffic,
                    rate=load_ * rate,
                    load=load_,
                    seconds=options.seconds,
                    budget=options.budget,
                    path=turns[report.product].path,
                )
                for load_ in LOADS
            ]
            keep(report, options)
    show(report)
    return 0 if all(met for _, _, met in bars(report)) else 1


def keep(report: Report, options: argparse.Namespace) -> None:
    """Write what is known so far, as a table of numbers and as a drawing."""
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    if options.plot is not None and report.rows:
        draw(report, options.plot)


def measure(
    broker: str, folder: Path, traffic: Traffic, turns: dict[str, Worker], rounds: int
) -> Report:
    """Let the workers take turns over the same events."""
    prefix = f"bench-{uuid.uuid4().hex[:6]}-"
    settings = {"broker": broker, "topic_prefix": prefix, "partitions": str(PARTITIONS)}
    settings["lookups"] = str(traffic.lookups)
    create(load(overrides=settings).settings)
    nightlatch(settings, "send", str(traffic.file))
    measured: dict[str, list[Measured]] = {name: [] for name in turns}
    for number in range(rounds):
        for at, (name, worker) in enumerate(turns.items()):
            own = {**settings, **worker.settings, "app_id": f"{prefix}{number}-{at}"}
            own["data_dir"] = str(folder / own["app_id"])
            answer = work(worker, task_of(own, int(traffic.events * worker.share)))
            print(f"{name}, round {number + 1}: {answer.rate:,.0f} events/s", file=sys.stderr)
            measured[name].append(answer)
    rows = {name: _row(answers) for name, answers in measured.items()}
    product = product_of(turns)
    rate = rows[product].rate
    return Report(
        events=traffic.events,
        rows=rows,
        product=product,
        of_quix=round(rate / rows[QUIX].rate, 2),
        of_naive=round(rate / rows[NAIVE].rate, 2),
        delays=[],
    )


def product_of(turns: dict[str, Worker]) -> str:
    """Return the name of the variant that is held to the bars."""
    return "Nightlatch, compiled" if "Nightlatch, compiled" in turns else "Nightlatch"


def task_of(own: dict[str, str], events: int) -> Task:
    """Make a worker's own topics, and return what it is asked."""
    settings = load(overrides=own).settings
    create(settings)
    return Task(
        broker=own["broker"],
        app_id=own["app_id"],
        topics=[settings.topic(topic) for topic in TOPICS],
        changelog=own_topics(settings).state_changelog,
        partitions=PARTITIONS,
        events=events,
        data_dir=own["data_dir"],
        settings=own,
    )


def work(worker: Worker, task: Task) -> Measured:
    """Run a worker until it has reported."""
    command = [sys.executable, "-P", "-m", *worker.module, msgspec.json.encode(task).decode()]
    path = [str(worker.path)] if worker.path is not None else []
    ended = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*path, str(REPOSITORY)]),
            "OPENBLAS_NUM_THREADS": "1",  # as the command has it
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return answer_in(ended.stdout + ended.stderr)


def _row(answers: list[Measured]) -> Row:
    return Row(
        rates=[round(answer.rate, 1) for answer in answers],
        cpu_microseconds=round(min(answer.cpu_microseconds for answer in answers), 1),
        peak_megabytes=max(answer.peak_megabytes for answer in answers),
    )


def bars(report: Report) -> list[tuple[str, str, bool]]:
    """Return each bar, what was measured, and whether it is met."""
    told = [
        (what, f"{measured}", measured >= least)
        for what, measured, least in (
            (f"of Quix's rate, at least {OF_QUIX}", report.of_quix, OF_QUIX),
            (f"times the naive product, at least {OF_NAIVE:.0f}", report.of_naive, OF_NAIVE),
        )
        if measured is not None
    ]
    for one, most in zip(report.delays, MOST_MILLISECONDS, strict=False):
        what = f"p99 at {one.load:.0%} of that rate, below {most:.0f} ms"
        told.append((what, f"{one.p99:.0f} ms", one.p99 < most))
    return told


def show(report: Report) -> None:
    """Print the tables and the verdicts."""
    console = Console()
    if report.rows:
        console.print(_table(report))
    for one in report.delays:
        console.print(
            f"At {one.rate:,.0f} events/s ({one.load:.0%}), {one.alerts} alerts, from record "
            f"append to alert append: p50 {one.p50:.0f} ms, p99 {one.p99:.0f} ms; "
            f"ready in {one.ready_seconds:.1f} s cold, {one.warm_seconds:.1f} s warm"
        )
    for what, value, met in bars(report):
        console.print(f"{report.product}: {value} {what}: {'met' if met else 'missed'}")


def _table(report: Report) -> Table:
    best = report.rows[report.product]
    table = Table(title=f"One worker, {report.events:,} events, {PARTITIONS} partitions")
    for heading in ("worker", "events/s", "each round", "CPU µs/event", "peak MB", "product is"):
        table.add_column(heading, justify="left" if heading == "worker" else "right")
    for name, row in report.rows.items():
        rounds = " ".join(f"{rate:,.0f}" for rate in row.rates)
        table.add_row(
            *(name, f"{row.rate:,.0f}", rounds, f"{row.cpu_microseconds:.0f}"),
            *(str(row.peak_megabytes), f"x {best.rate / row.rate:.2f}"),
        )
    return table


def draw(report: Report, path: Path) -> None:
    """Plot events a second, and CPU an event, by worker."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.5 * len(report.rows) + 1.5), layout="constrained")
    rates, costs = figure.subplots(1, 2, sharey=True)
    names = list(report.rows)[::-1]
    colours = ["tab:blue" if name.startswith("Nightlatch") else "tab:grey" for name in names]
    for axes, title, values in (
        (rates, "events a second", [report.rows[name].rate for name in names]),
        (costs, "CPU µs an event", [report.rows[name].cpu_microseconds for name in names]),
    ):
        axes.bar_label(axes.barh(names, values, color=colours), fmt="{:,.0f}", padding=2)
        axes.set_xlabel(title)
        axes.margins(x=0.2)
    figure.savefig(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", help="host:port of a Kafka that is there; else one is started")
    parser.add_argument("--accounts", type=int, default=25_000, help="simulated customers")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each worker takes")
    parser.add_argument("--seconds", type=float, default=20, help="of each delay run; 0: none")
    parser.add_argument("--rate", type=float, help="measure delays alone, at shares of this rate")
    parser.add_argument("--budget", type=float, help="of account-days that may alert, for delays")
    parser.add_argument("--compiled", type=Path, help="where the compiled wheel was installed")
    parser.add_argument("--json", type=Path, help="write the report here too")
    parser.add_argument("--plot", type=Path, help="draw it here (.svg, .png)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

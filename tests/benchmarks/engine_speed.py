"""Where the microseconds of an event go: `python -m tests.benchmarks.engine_speed`.

Runs a simulated shop's events, from the bytes of a file, through each part of the product on one
core, and then through the whole backtest. With `--compiled FOLDER`, where a wheel of `make
compiled` was installed by `pip install --no-deps --target FOLDER`, both take turns and must say
the same. Times are the process's CPU time, the least of the rounds: what else the machine does
counts little.
"""

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from detectors.engine import Engine, Observed, Outcome
from detectors.errors import InvalidEvent
from detectors.events import Event
from detectors.policy import Policy
from streams.backtesting import (
    RUN_LENGTH,
    DeadLines,
    PrequentialEngine,
    Written,
    backtest,
    runs,
    steadied,
)
from streams.codec import decode, encode_alert, encode_assessment
from streams.enrichment import Enricher
from streams.files import read_events
from streams.garbage import collect_seldom

HAND_OVER_EVERY: Final = 20_000
"""Events between two hand-overs where parts are measured; a backtest's own follow its memory."""
REPOSITORY: Final = Path(__file__).parent.parent.parent
PARTS: Final = ("parse", "enrich", "engine", "hand-over", "encode")


class Measured(msgspec.Struct, kw_only=True):
    """One pass: CPU microseconds an event by part, and of the whole backtest; what was said."""

    events: int
    parts: dict[str, float]
    backtest: float = 0.0
    peak_megabytes: int
    said: str


class Report(msgspec.Struct, kw_only=True):
    """The least of all rounds, by build. `gain` is how many times as fast the compiled one is."""

    events: int
    builds: dict[str, dict[str, float]]
    events_a_second: dict[str, int]
    peak_megabytes: dict[str, int]
    gain: float | None


class Stopwatch:
    """CPU seconds by part."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._began = 0.0

    def start(self) -> None:
        """Begin to measure."""
        self._began = time.process_time()

    def lap(self, part: str) -> None:
        """Count what has passed for a part, and go on."""
        now = time.process_time()
        self.seconds[part] += now - self._began
        self._began = now


def main() -> int:
    """Measure, print, and return 1 where the compiled build says anything else."""
    options = _options()
    if options.measure:
        measure = {"parts": by_part, "backtest": backtested}[options.measure]
        print(msgspec.json.encode(measure(options.events, options.lookup)).decode())
        return 0
    with tempfile.TemporaryDirectory(prefix="nightlatch-bench-") as folder:
        events, lookup = options.events, options.lookup
        if events is None:
            events, lookup = simulated(Path(folder), options.accounts)
        paths = {"plain": REPOSITORY, "compiled": options.compiled}
        builds = {name: path for name, path in paths.items() if path is not None}
        passes: dict[str, list[Measured]] = {name: [] for name in builds}
        for _ in range(options.rounds):
            for name, path in builds.items():
                passes[name].append(measured_in(path, events, lookup))
    report = report_of(passes)
    show(report)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 0 if len({one.said for all_ in passes.values() for one in all_}) == 1 else 1


def simulated(folder: Path, accounts: int) -> tuple[Path, Path]:
    """Write a shop's events, with verdicts, and the look-up file of its networks."""
    events, lookup = folder / "events.ndjson", folder / "lookup.csv"
    files: list[str | Path] = ["--out", events, "--feedback", events, "--lookup-out", lookup]
    shop = [sys.executable, "-m", "streams", "simulate", "--accounts", str(accounts)]
    subprocess.run([*shop, *files], cwd=REPOSITORY, check=True)
    return events, lookup


def measured_in(path: Path, events: Path, lookup: Path | None) -> Measured:
    """Make a pass in processes that import from `path` first: the backtest in one of its own."""
    measured = msgspec.json.decode(_pass(path, "parts", events, lookup), type=Measured)
    seconds, peak = msgspec.json.decode(
        _pass(path, "backtest", events, lookup), type=tuple[float, int]
    )
    measured.backtest = seconds / measured.events * 1e6
    measured.peak_megabytes = max(measured.peak_megabytes, peak)
    return measured


def _pass(path: Path, what: str, events: Path, lookup: Path | None) -> bytes:
    command = [sys.executable, "-P", "-m", "tests.benchmarks.engine_speed", "--measure", what]
    command += ["--events", str(events)] + (["--lookup", str(lookup)] if lookup else [])
    own = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{REPOSITORY}"}
    return subprocess.run(command, env=own, check=True, stdout=subprocess.PIPE).stdout


def by_part(path: Path, lookup: Path | None) -> Measured:
    """Measure part by part over runs of events."""
    enricher = Enricher([lookup] if lookup else [])
    lines, watch, said = path.read_bytes().splitlines(), Stopwatch(), hashlib.sha256()
    state: dict[bytes, bytes] = {}
    engine = Engine(Policy(), state.get)
    collect_seldom()
    count = 0
    for run in runs(lines, RUN_LENGTH):
        watch.start()
        events = _parsed(run)
        watch.lap("parse")
        observed = [Observed(event, enricher.facts(event)) for event in events]
        watch.lap("enrich")
        outcomes = engine.process(observed)
        watch.lap("engine")
        said.update(_encoded(outcomes))
        watch.lap("encode")
        if count // HAND_OVER_EVERY < (count + len(run)) // HAND_OVER_EVERY:
            changes = engine.changes()
            watch.lap("hand-over")
            state.update((key, value or b"") for key, value in changes.items())
        count += len(run)
    return Measured(
        events=count,
        parts={part: watch.seconds[part] / count * 1e6 for part in PARTS},
        peak_megabytes=_peak(),
        said=said.hexdigest(),
    )


def _parsed(lines: list[bytes]) -> list[Event]:
    events = []
    for line in lines:
        try:
            events.append(decode(line, type_=None, timestamp=None, fallback_id="unnamed"))
        except InvalidEvent:
            continue
    return events


def _encoded(outcomes: list[Outcome]) -> bytes:
    said = [encode_assessment(one.assessment) for one in outcomes if one.assessment is not None]
    return b"\n".join([*said, *(encode_alert(one.alert) for one in outcomes if one.alert)])


def backtested(path: Path, lookup: Path | None) -> tuple[float, int]:
    """Return a backtest's CPU seconds, and the most memory it took, MB."""
    enricher = Enricher([lookup] if lookup else [])
    collect_seldom()
    began = time.process_time()
    events = DeadLines().living(steadied(read_events(path)))
    engines = {"detector": PrequentialEngine(Policy())}
    for _ in backtest(events, enricher.facts, engines, written=Written(), recording=None):
        pass
    return time.process_time() - began, _peak()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def report_of(passes: dict[str, list[Measured]]) -> Report:
    """Take the least of each build's passes."""
    builds = {
        name: {
            **{part: round(min(one.parts[part] for one in ones), 1) for part in PARTS},
            "backtest": round(min(one.backtest for one in ones), 1),
        }
        for name, ones in passes.items()
    }
    gain = None
    if "compiled" in builds:
        gain = round(builds["plain"]["engine"] / builds["compiled"]["engine"], 2)
    return Report(
        events=passes["plain"][0].events,
        builds=builds,
        events_a_second={name: round(1e6 / parts["backtest"]) for name, parts in builds.items()},
        peak_megabytes={
            name: max(one.peak_megabytes for one in ones) for name, ones in passes.items()
        },
        gain=gain,
    )


def show(report: Report) -> None:
    """Print a table."""
    table = Table(title=f"CPU microseconds an event, over {report.events:,} events")
    table.add_column("part")
    for name in report.builds:
        table.add_column(name, justify="right")
    for part in (*PARTS, "backtest"):
        table.add_row(part, *(f"{parts[part]:.1f}" for parts in report.builds.values()))
    table.add_row("backtest, events/s", *(f"{rate:,}" for rate in report.events_a_second.values()))
    table.add_row("peak memory, MB", *(str(size) for size in report.peak_megabytes.values()))
    Console().print(table)
    if report.gain is not None:
        print(f"the compiled engine is {report.gain} times as fast")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=12_000, help="of the simulated shop")
    parser.add_argument("--events", type=Path, help="an event file instead of a simulated shop")
    parser.add_argument("--lookup", type=Path, help="the look-up file that goes with it")
    parser.add_argument("--compiled", type=Path, help="where the compiled wheel was installed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the report here")
    parser.add_argument("--measure", choices=("parts", "backtest"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

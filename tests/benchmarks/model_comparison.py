"""Models side by side over the engine's own features: is there a better one than the product's?

    python -m tests.benchmarks.model_comparison [--seeds 501 502] [--json FILE]
    python -m tests.benchmarks.model_comparison --events A B --labels A B --feedback A B --lookup L

Prequential: every model scores an event on the features that the engine read of it, then learns.
Verdicts come when their time has come, and teach the features as they stood; one event in
`PRESUMED` is presumed a customer's although nobody said so. A failed attempt is nobody's access and
counts 0 for all. The engine learns and flags by its own score throughout: the features are those
that the product sees.

Without --events, on simulated shops of held-out seeds; with them, on one run for each file.
"""

import argparse
import sys
import time
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from heapq import merge
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from detectors.decisions import TYPES
from detectors.engine import Engine, Observed
from detectors.evaluation.judging import BUDGETS, Judgement
from detectors.evaluation.ledger import Labels, Ledger, Named
from detectors.evaluation.scores import Scores
from detectors.evaluation.summary import Summary, summarise
from detectors.events import Event, Feedback
from detectors.policy import Policy
from streams.backtesting import RUN_LENGTH, DeadLines, Enrich, runs, steadied
from streams.enrichment import Enricher
from streams.files import read_events
from streams.labels import read_labels
from streams.report.text import percent
from tests.benchmarks.cells import figure, recalls
from tests.benchmarks.collecting import SEEDS, collect_all
from tests.benchmarks.rival_models import Lesson, Offline, Seen, models
from tests.benchmarks.shops import SimulatedRun, judgements_of

SEED: Final = 7
PRESUMED: Final = 16
AWAITING_VERDICT: Final = 500_000
PROCESSES: Final = 2


class Source(NamedTuple):
    """What is read: a simulated shop's `seed`, or files."""

    seed: int = 0
    accounts: int = 0
    events: Path | None = None
    labels: Path | None = None
    feedback: Path | None = None
    lookups: tuple[Path, ...] = ()


class Compared(msgspec.Struct, kw_only=True):
    """What became of every model in one run: how it did, and the CPU time it took, seconds."""

    judgements: dict[str, Judgement]
    seconds: dict[str, float]
    events: int


class Line(msgspec.Struct, kw_only=True, frozen=True):
    """One model over all runs. `microseconds` is CPU time an event, to score and to learn."""

    model: str
    microseconds: float
    summary: Summary


class Steps:
    """An engine's readings as steps for the models: events to score, and lessons to learn."""

    def __init__(self) -> None:
        self._store: dict[bytes, bytes | None] = {}
        self._engine = Engine(Policy(), self._store.get)
        self._chance = Random(SEED)
        self._awaiting: OrderedDict[str, Seen] = OrderedDict()

    def of(self, run: Iterable[Observed]) -> list[Seen | Lesson]:
        """Return the steps of a run: none for a failed attempt, which nobody learns."""
        steps: list[Seen | Lesson] = []
        for observed in run:
            event = observed.event
            if isinstance(event, Feedback):
                steps += self._lessons(event)
                self._engine.process([observed])
                continue
            reading = self._engine.read(observed)
            assessment = self._engine.process([observed])[0].assessment
            if reading.success and assessment is not None:
                features = array("f", reading.weights)
                steps += self._take(Seen(event.event_id, reading.type, features, assessment.risk))
        self._store.update(self._engine.changes())
        return steps

    def _take(self, seen: Seen) -> Iterator[Seen | Lesson]:
        self._awaiting[seen.event_id] = seen
        if len(self._awaiting) > AWAITING_VERDICT:
            self._awaiting.popitem(last=False)
        yield seen
        if self._chance.randrange(PRESUMED) == 0:
            yield Lesson(seen, takeover=False)

    def _lessons(self, verdict: Feedback) -> Iterator[Lesson]:
        for event_id in verdict.event_ids:
            if (seen := self._awaiting.get(event_id)) is not None:
                yield Lesson(seen, takeover=verdict.verdict == "takeover")


def main() -> int:
    """Compare, print, and write what was asked for."""
    options = _options()
    sources = _sources(options)
    with get_context("spawn").Pool(PROCESSES) as pool:
        offline = Offline(collect_all(options.fit_seeds, pool=pool))
        compared = pool.map(partial(compare, offline=offline), sources, chunksize=1)
    lines = lines_of(compared)
    show(lines)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(lines)))
    return 0


def compare(source: Source, offline: Offline) -> Compared:
    """Run every model over one source."""
    events, labels, enrich = _opened(source)
    ledger, steps = Ledger(labels), Steps()
    rivals = models(1 / PRESUMED, offline)
    scores = {name: Scores() for name in rivals}
    seconds = dict.fromkeys(rivals, 0.0)
    for run in runs(events, RUN_LENGTH):
        for event in run:
            ledger.append(event)
        work = steps.of([Observed(event, enrich(event)) for event in run])
        scored = [Named(TYPES[step.kind], step.event_id) for step in work if isinstance(step, Seen)]
        for name, model in rivals.items():
            began = time.process_time()
            risks = model.score(work)
            seconds[name] += time.process_time() - began
            for told, risk in zip(scored, risks, strict=True):
                scores[name].add(told, risk)
    return Compared(judgements=judgements_of(ledger, scores), seconds=seconds, events=len(ledger))


def lines_of(compared: Sequence[Compared]) -> list[Line]:
    """Pool the runs, each with thresholds of its own."""
    events = sum(run.events for run in compared)
    return [
        Line(
            model=name,
            microseconds=1e6 * sum(run.seconds[name] for run in compared) / events,
            summary=summarise(name, [run.judgements[name] for run in compared]),
        )
        for name in compared[0].judgements
    ]


def show(lines: Sequence[Line]) -> None:
    """Print a line for each model."""
    whole = lines[0].summary
    table = Table(
        title=f"{whole.runs} runs, {whole.events:,} events, {whole.hijacks} hijacks, "
        f"{whole.account_days:,} legitimate account-days: caught by the first order [95 %]",
        box=SIMPLE_HEAD,
    )
    for heading in ("model", *map(percent, BUDGETS), "AP", "ECE", "upper", "µs/event"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for line in lines:
        summary = line.summary
        table.add_row(
            line.model,
            *recalls(summary),
            figure(summary.average_precision, 3),
            figure(summary.calibration_error, 4),
            figure(summary.upper_calibration_error, 2),
            f"{line.microseconds:.1f}",
        )
    Console(width=150).print(table)


def _opened(source: Source) -> tuple[Iterator[Event], Labels, Enrich]:
    if source.events is None:
        run = SimulatedRun(source.seed, accounts=source.accounts, visits=4.0, more=8.0)
        return run.events(), run.labels, run.enricher().facts
    verdicts = [read_events(source.feedback)] if source.feedback else []
    lines = merge(steadied(read_events(source.events)), *verdicts, key=lambda line: line.time)
    labels = read_labels([source.labels] if source.labels else [])
    return DeadLines().living(lines), labels, Enricher(source.lookups).facts


def _sources(options: argparse.Namespace) -> list[Source]:
    if not options.events:
        return [Source(seed=seed, accounts=options.accounts) for seed in options.seeds]
    files = zip(options.events, options.labels, options.feedback, strict=True)
    lookups = tuple(options.lookup)
    return [
        Source(events=events, labels=labels, feedback=feedback, lookups=lookups)
        for events, labels, feedback in files
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[501, 502], help="judged")
    parser.add_argument("--fit-seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--accounts", type=int, default=20_000, help="of each simulated shop")
    for name in ("events", "labels", "feedback"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[], help="a file a run")
    parser.add_argument("--lookup", type=Path, nargs="+", default=[], help="for all runs")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    if not len(options.events) == len(options.labels) == len(options.feedback):
        parser.error("give --labels and --feedback for each of --events")
    if not options.events and set(options.seeds) & set(options.fit_seeds):
        parser.error("a seed is both fitted and judged")
    return options


if __name__ == "__main__":
    sys.exit(main())

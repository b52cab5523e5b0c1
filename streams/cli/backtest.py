"""`nightlatch backtest`: the engine over files of events, and a report on how well it did."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from streams.backtesting import HAND_OVER_EVERY, DeadLines, PrequentialEngine, observed_runs
from streams.codec import encode_alert, encode_assessment
from streams.configuration import load
from streams.files import STANDARD_INPUT, read_merged

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, allow_dash=True)]


def command(
    events: Files,
    *,
    feedback: Annotated[list[Path] | None, typer.Option(exists=True, dir_okay=False)] = None,
    lookup: Annotated[list[Path] | None, typer.Option(exists=True, dir_okay=False)] = None,
    assessments: Annotated[Path | None, typer.Option(dir_okay=False)] = None,
    alerts: Annotated[Path | None, typer.Option(dir_okay=False)] = None,
    settings: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    hand_over_every: Annotated[int, typer.Option(min=1)] = HAND_OVER_EVERY,
) -> None:
    """Run the detector over files of events, without Kafka, and judge what it found."""
    from streams.enrichment import Enricher

    console = Console(stderr=True)
    dead = DeadLines()
    loaded = load(settings).settings
    engine = PrequentialEngine(loaded.detection, hand_over_every=hand_over_every)
    enricher = Enricher(lookup or loaded.lookups)
    paths = [*events, *(feedback or [])]
    count = revisions = 0
    with ExitStack() as stack:
        progress = stack.enter_context(_bar(console))
        scores = stack.enter_context(assessments.open("wb")) if assessments else None
        raised = stack.enter_context(alerts.open("wb")) if alerts else None
        total = sum(path.stat().st_size for path in paths if path != STANDARD_INPUT)
        task = progress.add_task("", total=total, events=0)
        lines = read_merged(paths, partial(progress.advance, task))
        for run in observed_runs(dead.living(lines), enricher.facts):
            outcomes = engine.process(run)
            count += len(outcomes)
            progress.update(task, events=count)
            if scores is not None:
                scores.writelines(
                    encode_assessment(outcome.assessment) + b"\n"
                    for outcome in outcomes
                    if outcome.assessment is not None
                )
            revised = [outcome.alert for outcome in outcomes if outcome.alert is not None]
            revisions += len(revised)
            if raised is not None:
                raised.writelines(encode_alert(alert) + b"\n" for alert in revised)
        engine.hand_over()
    console.print(f"{count:,} events, {revisions:,} alert revisions, {dead.total:,} dead lines")
    for example in dead.examples:
        console.print(f"  {example}")


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.fields[events]:,} events"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )

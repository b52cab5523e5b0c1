"""`nightlatch backtest`: the detector over files of events, and a report on how well it did."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from detectors.errors import ConfigurationError, UnreadableFile
from streams.cli.options import SettingsFile
from streams.configuration import load

if TYPE_CHECKING:
    from detectors.evaluation.comparison import Comparison
    from detectors.intelligence import IndicatorTable
    from streams.backtesting import DeadLines, PrequentialEngine, Recording
    from streams.files import FileEvent, Watch
    from streams.rba import RbaTruth
    from streams.report.contents import Report, Run

DETECTOR: Final = "Nightlatch"
WIDE: Final = 1_000
_STANDARD_OUTPUT: Final = Path("-")


class Format(StrEnum):
    """What the event files hold."""

    NDJSON = "ndjson"
    RBA = "rba"


def _files(help_: str, *names: str) -> Any:
    return typer.Option(*names, metavar="FILE", help=help_)


def command(
    events: Annotated[
        list[Path] | None,
        typer.Argument(metavar="EVENTS", help="Event files, merged by time; - is stdin."),
    ] = None,
    *,
    feedback: Annotated[
        list[Path] | None, _files("Verdicts, in any order, each used only once its time has come.")
    ] = None,
    lookup: Annotated[
        list[Path] | None, _files("Look-up files (CSV or MMDB), over the setting `lookups`.")
    ] = None,
    labels: Annotated[
        list[Path] | None, _files("Which events were a hijacker's: judge against them.")
    ] = None,
    attacks: Annotated[
        list[Path] | None,
        _files("Attempts that gained no access; attacks.ndjson beside the labels if absent."),
    ] = None,
    assessments: Annotated[Path | None, _files("Write the score of every event here.")] = None,
    alerts: Annotated[Path | None, _files("Write every revision of every alert here.")] = None,
    campaigns: Annotated[
        Path | None, _files("Write every revision of every campaign and attack here.")
    ] = None,
    heat: Annotated[
        bool,
        typer.Option("--heat/--without-heat", help="Whether accounts tell of one another."),
    ] = True,
    indicators: Annotated[
        list[Path] | None,
        _files("What others report, as `nightlatch intel import --out` writes it."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write report.html and report.json into this folder."),
    ] = None,
    baselines: Annotated[
        bool | None,
        typer.Option(
            "--baselines/--no-baselines",
            help="Run the baselines beside the detector; by default where there is a report.",
        ),
    ] = None,
    compare: Annotated[
        Path | None, _files("Compare with another run's assessments, alert by alert.")
    ] = None,
    compare_settings: Annotated[
        Path | None, _files("Run a second detector, and say what these settings would change.")
    ] = None,
    assessed: Annotated[
        Path | None, _files("Judge these assessments instead of running the detector.")
    ] = None,
    pool: Annotated[
        list[Path] | None, _files("Pool with the runs of earlier reports (report.json).")
    ] = None,
    format_: Annotated[
        Format,
        typer.Option(
            "--format", help="Of EVENTS: the wire contract's, or the RBA data set's CSV (or .zip)."
        ),
    ] = Format.NDJSON,
    name: Annotated[str, typer.Option(help="What to call this run in the report.")] = "run",
    warm_up: Annotated[
        float,
        typer.Option(min=0, max=0.99, help="Share of the time at the start that is not judged."),
    ] = 0.3,
    hand_over_every: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="EVENTS",
            help="Hand state over after so many events, too: it is after 20,000 changed accounts.",
        ),
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """Run the detector over files of events, without Kafka, and judge what it finds.

    Event files are NDJSON by the wire contract, plain or .gz, .xz or .zst. Every event is scored
    before it is learnt; a verdict is used only once its time has come.
    """
    from streams.report.contents import read_report, report_of

    if not events and not pool:
        raise ConfigurationError("there is nothing to judge: give event files, or --pool reports")
    if report is not None:
        _require(report)
    wanted = labels or report or compare or compare_settings or assessed
    options = _Options(
        events=events or [],
        format=format_,
        verdicts=feedback or [],
        lookup=lookup,
        labels=labels or [],
        attacks=attacks,
        settings=settings,
        baselines=report is not None if baselines is None else baselines,
        compare=compare,
        compare_settings=compare_settings,
        assessed=assessed,
        hand_over_every=hand_over_every,
        heat=heat,
        indicators=indicators or [],
    )
    outputs = _Outputs(assessments, alerts, campaigns)
    _check(options, outputs)
    runs: list[Run] = []
    for path in pool or []:
        for run in read_report(path).runs:
            _pool(runs, run, f"{run.name} in {path}")
    comparison = None
    if events:
        recording, dead = _recorded(options, outputs, judged=bool(wanted) or format_ is Format.RBA)
        if recording is not None:
            run, comparison = _judged(options, recording, dead, name, warm_up)
            _pool(runs, run, run.name)
    if runs:
        built = report_of(runs, warm_up, comparison)
        _show(built, to_stderr=_STANDARD_OUTPUT in outputs)
        if report is not None:
            _write(built, report)


class _Options(NamedTuple):
    """What the command was asked for, as far as the pass over the events needs it."""

    events: list[Path]
    format: Format
    verdicts: list[Path]
    lookup: list[Path] | None
    labels: list[Path]
    attacks: list[Path] | None
    settings: Path | None
    baselines: bool
    compare: Path | None
    compare_settings: Path | None
    assessed: Path | None
    hand_over_every: int | None
    heat: bool
    indicators: list[Path]

    @property
    def read(self) -> list[Path]:
        """The files that are read."""
        more = (self.lookup, self.attacks, self.indicators)
        lone = (self.settings, self.compare, self.compare_settings, self.assessed)
        return [
            *(*self.events, *self.verdicts, *self.labels),
            *(path for paths in more for path in paths or ()),
            *(path for path in lone if path is not None),
        ]

    @property
    def compared(self) -> str | None:
        """What the detector that is compared with is called; None where there is none."""
        other = self.compare or self.compare_settings
        return other.name if other else None


class _Outputs(NamedTuple):
    """Files to be written, where wanted."""

    assessments: Path | None
    alerts: Path | None
    campaigns: Path | None


def _check(options: _Options, outputs: _Outputs) -> None:
    """Refuse options of which one would be passed over, or a file lost."""
    if options.compare and options.compare_settings:
        raise ConfigurationError("--compare and --compare-settings: give one of the two")
    if options.format is Format.RBA and (options.labels or options.attacks):
        raise ConfigurationError("--format rba holds its own labels: leave out --labels, --attacks")
    if options.assessed and any(outputs):
        raise ConfigurationError(
            "--assessed runs no detector: leave out --assessments, --alerts, --campaigns"
        )
    read = {path.resolve() for path in options.read if path != _STANDARD_OUTPUT}
    for path in outputs:
        if path is not None and path.resolve() in read:
            raise ConfigurationError(f"{path} is read: it would be written over")


def _recorded(
    options: _Options, outputs: _Outputs, *, judged: bool
) -> "tuple[Recording | None, DeadLines]":
    """Make the pass over the events; nothing is recorded where nothing is judged."""
    from streams.backtesting import DeadLines, Recording, Written, backtest
    from streams.enrichment import Enricher
    from streams.garbage import collect_seldom
    from streams.labels import read_labels
    from streams.rba import RbaTruth
    from streams.simulated_files import Files

    dead = DeadLines()
    truth = RbaTruth()
    labels = read_labels(options.labels, options.attacks)
    if options.format is Format.RBA:
        labels = truth.labels
    recording = None
    if judged:
        recording = Recording(labels, baselines=options.baselines)
        _read_scores(options, recording)
    enricher = Enricher(options.lookup or load(options.settings).settings.lookups)
    engines = _engines(options)
    collect_seldom()
    paths = [*options.events, *options.verdicts]
    began, done = time.monotonic(), 0
    with ExitStack() as stack:
        files = Files(stack)
        written = Written(*map(files.open, outputs))
        bar = stack.enter_context(_bar())
        total = sum(path.stat().st_size for path in paths if path.is_file())
        task = bar.add_task("", total=total or None, events=0)
        events = dead.living(_lines(options, truth, partial(bar.advance, task)))
        for done in backtest(events, enricher.facts, engines, written=written, recording=recording):
            bar.update(task, events=done)
    _say(done, time.monotonic() - began, dead)
    found = done if recording is None else len(recording.ledger)  # verdicts are not judged
    if not found and (dead.total or judged):
        rba = dead.total and options.format is Format.NDJSON
        other = ": --format rba reads that data set" if rba else ""
        raise UnreadableFile(f"there is nothing to judge, since no line holds an event{other}")
    return recording, dead


def _lines(options: _Options, truth: "RbaTruth", watch: "Watch") -> "Iterator[FileEvent]":
    """Every line of every file, merged by time."""
    from streams.backtesting import steadied
    from streams.files import distinct_names, read_events
    from streams.rba import read_rba

    named = zip(options.events, distinct_names(options.events), strict=True)
    if options.format is Format.NDJSON:
        events = [read_events(path, watch, name) for path, name in named]
    else:
        events = [read_rba(path, truth, watch, name) for path, name in named]
    # In no order one late verdict would hold up those behind it; and there are few.
    verdicts = [
        sorted(read_events(path, watch), key=lambda line: line.time) for path in options.verdicts
    ]
    return merge(*map(steadied, events), *verdicts, key=lambda line: line.time)


def _engines(options: _Options) -> "dict[str, PrequentialEngine]":
    from streams.backtesting import PrequentialEngine

    wanted = {} if options.assessed else {DETECTOR: options.settings}
    if options.compare_settings and options.compared:
        wanted[options.compared] = options.compare_settings
    return {
        name: PrequentialEngine(
            load(settings).settings.policy(),
            hand_over_every=options.hand_over_every,
            heat=options.heat,
            intelligence=_intelligence(options, settings),
        )
        for name, settings in wanted.items()
    }


def _intelligence(options: _Options, settings: Path | None) -> "IndicatorTable | None":
    from detectors.intelligence import IndicatorTable
    from streams.sharing.keys import read_keys
    from streams.sharing.records import read_reports

    if not options.indicators:
        return None
    keys = load(settings).settings.sharing_keys
    table = IndicatorTable(read_keys(keys) if keys else ())
    for path in options.indicators:
        for report in read_reports(path):
            table.take(report)
    return table


def _read_scores(options: _Options, recording: "Recording") -> None:
    from streams.backtesting import read_assessments

    recording.scores_of(DETECTOR)  # before the other's: the first is whom the report is of
    if options.assessed:
        read_assessments(options.assessed, recording.scores_of(DETECTOR))
    if options.compare and options.compared:
        read_assessments(options.compare, recording.scores_of(options.compared))


def _judged(
    options: _Options, recording: "Recording", dead: "DeadLines", name: str, warm_up: float
) -> "tuple[Run, Comparison | None]":
    from streams.report.contents import comparison_of, run_of

    files = [*options.events, *options.verdicts]
    run = run_of(name, files, recording, dead, warm_up, assessed=bool(options.assessed))
    if options.compared is None:
        return run, None
    # An earlier run's assessments are what was; other settings are what could be.
    before, after = options.compared, DETECTOR
    if options.compare_settings:
        before, after = after, before
    return run, comparison_of(before, after, recording, run)


def _pool(runs: "list[Run]", run: "Run", told_as: str) -> None:
    """Add a run; one that is there, whatever it and its files are called, is not another."""
    from msgspec.structs import replace

    if any(replace(known, name=run.name, files=run.files) == run for known in runs):
        typer.echo(f"{told_as} is pooled already: it is counted once", err=True)
    else:
        runs.append(run)


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.fields[events]:,} events"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _say(events: int, seconds: float, dead: "DeadLines") -> None:
    """Say on standard error how it went: how fast, and which lines could not be used."""
    rate = events / seconds if seconds else 0
    typer.echo(f"{events:,} events in {seconds:.1f} s, {rate:,.0f} a second", err=True)
    if dead.total:
        codes = ", ".join(f"{count:,} {code}" for code, count in dead.by_code.most_common())
        typer.echo(f"dead lines: {dead.total:,} ({codes}), for example", err=True)
        for example in dead.examples:
            typer.echo(f"  {example}", err=True)
    if dead.disordered:
        typer.echo(
            f"{dead.late:,} events come more than a day after later ones, and were scored as late: "
            "sort each file by time",
            err=True,
        )


def _show(report: "Report", *, to_stderr: bool) -> None:
    from streams.report.changes import changes
    from streams.report.contents import unjudged
    from streams.report.text import tables

    # A narrow terminal breaks the lines; cut short, a figure would be lost or another.
    # Accounts and families are named by others: no name is markup.
    console = Console(stderr=to_stderr, width=WIDE, markup=False, emoji=False)
    for table in tables(report):
        console.print(table)
    if report.comparison is not None:
        for told in changes(report.comparison, labelled=report.runs[-1].labelled):
            console.print(told)
    for run in report.runs:
        if why := unjudged(run):
            typer.echo(why, err=True)
        if run.labels_without_event:
            count = f"{run.labels_without_event:,} labels of {run.name}"
            typer.echo(f"{count} name an event that did not come", err=True)


def _require(folder: Path) -> None:
    """Refuse now what would else fail after the whole pass."""
    from streams.documents import require
    from streams.whole_files import make_folder

    require(what="--report")
    make_folder(folder, "--report")


def _write(report: "Report", folder: Path) -> None:
    from streams.report.page import write

    for path in write(report, folder):
        typer.echo(f"wrote {path}", err=True)

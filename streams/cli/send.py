"""`nightlatch send`: event files into the topics."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import InvalidEvent
from detectors.events import Event
from streams.cli.options import Broker, SettingsFile, settings_from

if TYPE_CHECKING:
    from streams.files import FileEvent, Watch

_SHOWN_AT_MOST = 20


def command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILES]...",
            help="NDJSON files, plain or .gz, .xz, .zst, merged by time; - is standard input.",
        ),
    ] = None,
    *,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, metavar="N", help="Events a second; as fast as it goes if absent."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first line that is no event.")
    ] = False,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Send events from files, or from standard input, to the input topics, keyed by account.

    Each line is one JSON object with a `type` (login, order, account_change or feedback) and an
    `occurred_at`; docs/events.md has the fields. Lines that are no event are left out and told on
    standard error; the exit code is then 1.
    """
    from streams.files import STANDARD_INPUT, read_merged
    from streams.sending import send_events

    chosen = settings_from(settings, broker)
    paths = files or [STANDARD_INPUT]
    lines = _Lines(strict=strict)
    began = time.monotonic()
    with ExitStack() as stack:
        watch = _progress(stack, paths)
        sent = send_events(chosen, lines.events(read_merged(paths, watch)), rate=rate)
    seconds = time.monotonic() - began
    total = sent.total()
    typer.echo(f"{total:,} events sent in {seconds:.1f} s, {total / seconds:,.0f} a second")
    for topic, count in sorted(sent.items()):
        typer.echo(f"{count:>12,} to {topic}")
    if lines.unusable:
        were = "line was no event" if lines.unusable == 1 else "lines were no events"
        typer.echo(f"{lines.unusable:,} {were}" + (": stopped" if strict else ""))
        raise typer.Exit(1)


class _Lines:
    """Tells the events of a file from its other lines, which it reports and counts."""

    def __init__(self, *, strict: bool) -> None:
        self.unusable = 0
        self._strict = strict

    def events(self, lines: "Iterator[FileEvent]") -> Iterator[tuple[Event, bytes]]:
        """Yield the events with their bytes; under `strict` end at the first other line."""
        from streams.presentation import printable

        for line in lines:
            if not isinstance(line.content, InvalidEvent):
                yield line.content, line.line
                continue
            self.unusable += 1
            if self.unusable <= _SHOWN_AT_MOST:
                typer.echo(printable(f"{line.path}:{line.number}: {line.content}"), err=True)
            if self._strict:
                return


def _progress(stack: ExitStack, paths: list[Path]) -> "Watch | None":
    """Show how much of the files has been read, where standard error is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal or not all(path.is_file() for path in paths):
        return None
    columns = (
        TextColumn("sending"),
        BarColumn(),
        "{task.percentage:>3.0f}%",
        TimeRemainingColumn(),
    )
    progress = stack.enter_context(Progress(*columns, console=console, transient=True))
    task = progress.add_task("sending", total=sum(path.stat().st_size for path in paths))
    return lambda count: progress.advance(task, count)

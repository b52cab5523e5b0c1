"""Progress bars for waits, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from streams.local_kafka import Report


@contextmanager
def waiting(console: Console | None = None) -> Iterator[Report]:
    """Give a function that shows how far a wait has got: a bar for each thing that is waited for.

    Bars stay while the context lasts and then go. Where standard error is no terminal, nothing is
    written.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    shown_on = console or Console(stderr=True)
    silent = not shown_on.is_terminal
    with Progress(*columns, console=shown_on, transient=True, disable=silent) as progress:
        bars: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done, total=total)

        yield report

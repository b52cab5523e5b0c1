"""What would change from one detector to another, as tables for a terminal."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from detectors.evaluation.comparison import BudgetChange, ChangedCase, Comparison
from streams.presentation import printable
from streams.report.text import figure, percent, plain_table

SHOWN: Final = 40
"""Cases that are listed; a report lists more."""


def changes(comparison: Comparison, *, labelled: bool) -> Iterator[RenderableType]:
    """Yield a table of the hijacks caught, how many cases change, and a table of these.

    Of the two tables there is none where it would be empty.
    """
    of = f"{comparison.before} → {comparison.after}"
    if comparison.budgets:
        yield _budgets(of, comparison.budgets)
    kept, changed = comparison.kept, comparison.changed
    yield Text(f"{of}: {kept:,} cases stay as they are, {len(changed):,} change")
    if changed:
        yield _cases(changed, labelled=labelled)


def moment(seconds: float) -> str:
    """UTC epoch seconds to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def what_changes(change: ChangedCase) -> str:
    """Say in three words what becomes of a case."""
    if change.after is None:
        return "no longer raised"
    return "raised anew" if change.before is None else "other risk"


def what_it_was(change: ChangedCase, *, labelled: bool) -> str:
    """Name the family of a hijacker's case; a customer is one only where labels say who is not."""
    return change.family or ("customer" if labelled else "unknown")


def _budgets(of: str, budgets: tuple[BudgetChange, ...]) -> Table:
    table = plain_table(f"{of}: hijacks caught by the first order")
    for column in ("budget", "change in recall [95 %]", "now caught", "no longer"):
        table.add_column(column, justify="right", no_wrap=True)
    for change in budgets:
        low, high = (figure(end, 3, signed=True) for end in change.gain.interval)
        gain = f"{figure(change.gain.value, 3, signed=True)} [{low}, {high}]"
        table.add_row(percent(change.budget), gain, str(len(change.gained)), str(len(change.lost)))
    return table


def _cases(changed: Sequence[ChangedCase], *, labelled: bool) -> Table:
    table = plain_table("")
    for column in ("raised (UTC)", "account", "what it was", "change"):
        table.add_column(column, no_wrap=True)
    for column in ("risk before", "after"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("reasons", no_wrap=True)
    for change in changed[:SHOWN]:
        table.add_row(*_case(change, labelled=labelled))
    if len(changed) > SHOWN:
        table.caption = f"the first {SHOWN} by time; --report writes all"
    return table


def _case(change: ChangedCase, *, labelled: bool) -> Iterator[str]:
    yield moment(change.at)
    yield printable(change.account_id)
    yield printable(what_it_was(change, labelled=labelled))
    yield what_changes(change)
    for case in (change.before, change.after):
        yield figure(case.risk, 3) if case else "-"
    told = change.after or change.before
    yield printable(", ".join(told.reasons)) if told else ""

"""The report's main figures as tables for a terminal."""

import re
from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from detectors.evaluation.intervals import Interval
from detectors.evaluation.summary import Share, Summary
from streams.report.contents import Report

_NOUGHT: Final = re.compile(r"^([+-]?)0\.")


def tables(report: Report) -> Iterator[Table]:
    """Yield a table of all detectors, and one of the first by family and depth."""
    first = report.summaries[0]
    if not first.hijacks:
        return
    yield _detectors(report)
    yield _groups(first)


def percent(budget: float) -> str:
    """A budget as a percentage, `0.3 %`."""
    return f"{budget * 100:g} %"


def share(value: Share | None) -> str:
    """A share with its interval, `.45 [.38, .52]`."""
    if value is None:
        return "-"
    return f"{figure(value.value)} {_interval(value.interval)}"


def _interval(interval: Interval) -> str:
    low, high = interval
    return f"[{figure(low)}, {figure(high)}]"


def figure(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """A figure that is at most 1, without the nought that says nothing: `.45`, `1.00`, `-.02`."""
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return _NOUGHT.sub(r"\1.", text)


def plain_table(title: str) -> Table:
    """Return an empty table as all of them look."""
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def _detectors(report: Report) -> Table:
    first = report.summaries[0]
    table = plain_table(
        f"{first.hijacks} hijacks, {first.account_days:,} legitimate account-days: "
        "caught by the first order [95 %]"
    )
    table.add_column("detector", no_wrap=True)
    for at in first.budgets:
        table.add_column(percent(at.budget), justify="right", no_wrap=True)
    for column in ("at access", "money saved", "minutes", "AP", "ECE", "ECE ≥ .1 (events)"):
        table.add_column(column, justify="right", no_wrap=True)
    for summary in report.summaries:
        middle = summary.budgets[1]
        seconds = middle.median_seconds
        table.add_row(
            summary.name,
            *(share(at.in_time) for at in summary.budgets),
            figure(middle.at_access.value),
            figure(middle.saved.value) if middle.saved else "-",
            "-" if seconds is None else f"{seconds / 60:.0f}",
            "-" if summary.average_precision is None else figure(summary.average_precision, 3),
            "-" if summary.calibration_error is None else figure(summary.calibration_error, 4),
            _upper(summary),
        )
    table.caption = (
        f"at access, money saved and minutes at {percent(first.budgets[1].budget)}; "
        "ECE over all events, and over those with a risk of .1 or more\n"
        f"[95 %]: over resampled hijacks; over campaigns, whose hijacks are alike, {first.name}'s "
        + ", ".join(_interval(at.in_time_campaigns) for at in first.budgets)
    )
    return table


def _upper(summary: Summary) -> str:
    if summary.upper_calibration_error is None:
        return "-"
    return f"{figure(summary.upper_calibration_error, 3)} ({summary.upper_events:,})"


def _groups(summary: Summary) -> Table:
    table = plain_table(f"{summary.name}: caught by the first order (at access)")
    table.add_column("family, earlier sign-ins", no_wrap=True)
    table.add_column("hijacks", justify="right", no_wrap=True)
    for at in summary.budgets:
        table.add_column(percent(at.budget), justify="right", no_wrap=True)
        table.add_column("without it", justify="right", no_wrap=True, style="dim")
    for kind in ("families", "depths"):
        for groups in zip(*(getattr(at, kind) for at in summary.budgets), strict=True):
            cells = []
            for group in groups:
                access = figure(group.at_access.value)
                cells.append(f"{figure(group.in_time.value)} ({access})")
                rest = group.rest_in_time
                cells.append(figure(rest.value) if rest else "-")
            table.add_row(groups[0].name, str(groups[0].hijacks), *cells)
        table.add_section()
    return table

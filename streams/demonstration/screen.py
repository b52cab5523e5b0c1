"""What the demonstration shows: each alert beside the truth, and the figures in the end."""

from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from detectors.assessments import Alert
from detectors.simulation import FAMILIES, Staged
from streams.demonstration.outcome import Finding, Result, Summary
from streams.presentation import ACTIONS, STYLES, alert_view

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def alert_panel(alert: Alert, finding: Finding) -> RenderableType:
    """An alert as an analyst reads it, and beneath it what the simulator knows."""
    latency = "" if finding.latency is None else f"read {finding.latency:.1f} s after the event"
    return Panel(
        alert_view(alert),
        subtitle=Text.assemble(_truth(alert, finding), ("  " + latency, "dim")),
        subtitle_align="left",
        border_style=STYLES[alert.severity].replace("on red", ""),
    )


def revision_line(alert: Alert, finding: Finding) -> RenderableType:
    """One line for a case's later revision."""
    return Text.assemble(
        f"   case {alert.alert_id[:8]} of {alert.account_id} goes on: ",
        (f"{alert.severity}", STYLES[alert.severity]),
        f", {ACTIONS[alert.action].lower()}, risk {alert.risk:.2f}  ",
        _truth(alert, finding),
    )


def summary_view(summary: Summary) -> RenderableType:
    """Every hijack with what became of it, then the figures of the whole."""
    table = Table("hijack", "account", "noticed after access", "before the order", "action")
    for result in summary.results:
        table.add_row(*_row(result))
    return Group(Text(), table, Text(), _figures(summary))


def _figures(summary: Summary) -> RenderableType:
    figures = Table.grid(padding=(0, 2))
    figures.add_column(justify="right", style="bold")
    figures.add_column()
    staged = len(summary.results)
    figures.add_row(f"{summary.events:,}", "live events")
    figures.add_row(f"{summary.caught} of {staged}", "staged hijacks caught")
    figures.add_row(f"{summary.in_time} of {staged}", "caught at their first order or before")
    if summary.delay is not None:
        figures.add_row(duration(summary.delay), "from access to alert (median)")
    figures.add_row(f"{summary.false_alerts}", "false alerts")
    if summary.early_false_alerts:
        figures.add_row(f"{summary.early_false_alerts}", "more while it learnt the history")
    if summary.attempts:
        figures.add_row(f"{summary.attempts}", "alerts about attempts that never got in")
    if summary.latency is not None:
        figures.add_row(f"{summary.latency:.2f} s", "from event sent to alert read (median)")
    return figures


def _row(result: Result) -> tuple[str | Text, ...]:
    hijack = result.hijack
    if result.alert is None or result.after_access is None:
        return hijack.family, hijack.account_id, Text("missed", "bold red"), "", ""
    order = "no order came" if hijack.ordered is None else "yes" if result.in_time else "no"
    action = Text(ACTIONS[result.alert.action], STYLES[result.alert.severity])
    return hijack.family, hijack.account_id, duration(result.after_access), order, action


def _truth(alert: Alert, finding: Finding) -> Text:
    if finding.kind == "customer":
        return Text(" staged: nothing, this is a customer ", "yellow")
    if finding.hijack is None:
        return Text(" staged: an attempt that never got in ", "green")
    hijack = finding.hijack
    return Text(f" staged: {hijack.family}, {_when(alert, hijack)} ", "green")


def _when(alert: Alert, hijack: Staged) -> str:
    since = f"{duration(max(0.0, alert.updated_at - hijack.accessed))} after access"
    if hijack.ordered is None:
        return since
    if alert.updated_at < hijack.ordered:
        return f"{since}, {duration(hijack.ordered - alert.updated_at)} before the order"
    return f"{since}, {'at' if alert.updated_at == hijack.ordered else 'after'} the order"


def families_view(hijacks: tuple[Staged, ...]) -> RenderableType:
    """What is staged, told beforehand."""
    table = Table.grid(padding=(0, 2))
    for family in dict.fromkeys(hijack.family for hijack in hijacks):
        table.add_row(Text(f"  {family}", "bold"), Text(FAMILIES[family].meaning, "dim"))
    return table


def duration(seconds: float) -> str:
    """A stretch of time in its natural unit: `at once`, `40 s`, `12 min`, `3.5 h`, `2.0 days`."""
    if seconds < 1:
        return "at once"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.1f} h"
    return f"{seconds / _DAY:.1f} days"

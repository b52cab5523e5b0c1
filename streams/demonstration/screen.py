"""What the demonstration shows: each alert beside the truth, and the figures in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from detectors.assessments import Alert
from detectors.campaigns import Campaign
from detectors.heat import Attack
from detectors.simulation import FAMILIES, Staged
from streams.demonstration.outcome import Finding, Gang, Result, Summary
from streams.presentation import ACTIONS, STYLES, alert_view, counted, printable, through

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def alert_panel(alert: Alert, finding: Finding) -> RenderableType:
    """An alert as an analyst reads it, and beneath it what only the simulator knows."""
    lines = [Text.assemble(("In truth ", "dim"), _truth(alert, finding))]
    if finding.latency is not None:
        lines.append(Text(f"Read {_delay(finding.latency)} after its event was sent.", "dim"))
    return Panel(
        Group(alert_view(alert), *lines),
        border_style=STYLES[alert.severity].removesuffix(" on red"),
        box=box.ROUNDED,
    )


def revision_line(alert: Alert, finding: Finding, before: Alert) -> RenderableType:
    """What is new in a case's later revision, in short."""
    asks_the_same = (alert.severity, alert.action) == (before.severity, before.action)
    if alert.campaign_id not in (None, before.campaign_id) and asks_the_same:
        return Text.assemble(
            "  ⤷ ",
            (printable(alert.account_id), "bold"),
            f" belongs to campaign {printable(str(alert.campaign_id))}.",
        )
    return Text.assemble(
        "  ⤷ ",
        (printable(alert.account_id), "bold"),
        " goes on: ",
        (alert.severity, STYLES[alert.severity]),
        f", {ACTIONS[alert.action].lower()}. ",
        (_moment(alert, finding.hijack).capitalize() + ".", "dim") if finding.hijack else "",
    )


def campaign_line(campaign: Campaign) -> RenderableType:
    """What is new about a campaign, in short."""
    name = Text.assemble("  ⛓ campaign ", (printable(campaign.campaign_id), "bold"))
    if campaign.merged_into is not None:
        return name.append(f" goes on as {printable(campaign.merged_into)}.")
    return name.append(f" links {len(campaign.accounts)} accounts: ").append(
        ", ".join(map(printable, campaign.accounts)), "bold"
    )


def attack_line(attack: Attack) -> RenderableType:
    """An attack under way, for those who run the platform."""
    return Text.assemble(
        "  ⚠ ",
        (attack.technique.replace("_", " ").capitalize(), "bold"),
        f" through {through(attack)}: {attack.failed} of the latest ",
        f"{attack.tried} tries failed; {counted(attack.accounts, 'account')} tried within days.",
    )


class LiveBar:
    """The line beneath the alerts: the shop's time of day, events and alerts so far."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total, clock="", alerts=0)

    def update(self, sent: int, shop_time: float, alerts: int) -> None:
        """Show how far the traffic has come."""
        clock = f"{datetime.fromtimestamp(shop_time, UTC):%H:%M}"
        self._progress.update(self._task, completed=sent, clock=clock, alerts=alerts)


@contextmanager
def live_bar(console: Console, total: int) -> Iterator[LiveBar]:
    """Show a LiveBar while the context lasts, where the console is a terminal."""
    columns = (
        TextColumn("Shop time {task.fields[clock]}"),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,} events"),
        TextColumn("{task.fields[alerts]} cases"),
    )
    silent = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=silent) as progress:
        yield LiveBar(progress, total)


def summary_view(summary: Summary) -> RenderableType:
    """Every hijack with what became of it, then the figures of the whole."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("Hijack", "Account", "Noticed", "By its order"):
        table.add_column(name, no_wrap=True)
    for result in summary.results:
        table.add_row(*_row(result))
    return Group(Text(), table, *map(_gang, summary.gangs), Text(), _figures(summary))


def _gang(gang: Gang) -> Text:
    families = ", ".join(sorted({hijack.family for hijack in gang.hijacks}))
    told = {
        0: "nothing was staged that links them",
        1: f"one gang's, {families}",
    }.get(gang.staged, f"{gang.staged} gangs', {families}")
    accounts = len(gang.campaign.accounts)
    line = Text.assemble(
        "Campaign ",
        (printable(gang.campaign.campaign_id), "bold"),
        f": {accounts} accounts. ",
        (f"In truth {told}", "green" if gang.staged == 1 else "yellow"),
    )
    return line.append(f"; {gang.others} of them not hijacked." if gang.others else ".")


def _figures(summary: Summary) -> RenderableType:
    figures = Table.grid(padding=(0, 2))
    figures.add_column(justify="right", style="bold", no_wrap=True)
    figures.add_column()
    staged = len(summary.results)
    figures.add_row(f"{summary.events:,}", "live events")
    figures.add_row(f"{summary.caught} of {staged}", "staged hijacks caught")
    figures.add_row(f"{summary.in_time} of {staged}", "caught at their first order or before it")
    figures.add_row(f"{summary.stopped} of {staged}", "stopped: a second factor, a hold, a lock")
    by_others = sum(result.told_by_others for result in summary.results)
    if by_others:
        figures.add_row(f"{by_others}", "told first by what the same attack did to others")
    if summary.delay is not None:
        figures.add_row(duration(summary.delay), "from access to alert, median of those caught")
    figures.add_row(f"{summary.false_alerts}", f"false alerts on {summary.customers:,} customers")
    if summary.early_false_alerts:
        figures.add_row(f"{summary.early_false_alerts:,}", "more in the weeks it learnt from")
    if summary.attempts:
        figures.add_row(f"{summary.attempts}", "alerts about attempts that never got in")
    if summary.latency is not None:
        figures.add_row(_delay(summary.latency), "from event sent to alert read, median")
    return figures


def _row(result: Result) -> tuple[str | Text, ...]:
    hijack = result.hijack
    if result.after_access is None:
        return hijack.family, hijack.account_id, Text("missed", "bold red"), ""
    action = Text("too late", "red")
    if result.gravest is not None:
        action = Text(ACTIONS[result.gravest.action], STYLES[result.gravest.severity])
    return hijack.family, hijack.account_id, duration(result.after_access), action


def _truth(alert: Alert, finding: Finding) -> Text:
    if finding.kind == "customer":
        return Text("nothing was staged here: this is a customer.", "yellow")
    if finding.hijack is None:
        return Text("somebody tried this account and never got in.", "green")
    family = FAMILIES[finding.hijack.family]
    return Text.assemble(
        (f"{family.name}: ", "bold green"),
        (family.meaning, "green"),
        (f" This is {_moment(alert, finding.hijack)}.", "green"),
    )


def _moment(alert: Alert, hijack: Staged) -> str:
    """Where an alert stands between a hijack's access and its order."""
    since = alert.updated_at - hijack.accessed
    access = f"{duration(since)} after access" if since >= 1 else "the moment of access"
    if hijack.ordered is None:
        return access
    ahead = hijack.ordered - alert.updated_at
    if ahead >= 1:
        return f"{access}, {duration(ahead)} before the order"
    return f"{access}, {'as the order came' if ahead > -1 else 'after the order'}"


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


def _delay(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"

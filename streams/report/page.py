"""Writes the report: `report.html`, one page without anything outside it, and `report.json`."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from markupsafe import Markup

from detectors.evaluation.judging import BUDGETS, JudgedHijack
from streams.documents.page import environment
from streams.report import charts
from streams.report.changes import moment, what_changes, what_it_was
from streams.report.contents import RaisedAlert, Report, unjudged
from streams.report.text import figure, percent, share
from streams.whole_files import write_together

SHOWN_ALERTS: Final = 400
SHOWN_CHANGES: Final = 400
MIDDLE: Final = 1
"""Of the three budgets, the one that single figures and lists are given at."""


class Plot(NamedTuple):
    """A plot with its caption; `svg` is markup of our own making."""

    svg: Markup
    caption: str


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write both files into a folder, or neither; return their paths."""
    page, data = folder / "report.html", folder / "report.json"
    figures = msgspec.json.format(msgspec.json.encode(report), indent=1)
    write_together({page: html(report).encode(), data: figures})
    return page, data


def html(report: Report) -> str:
    """Return the page."""
    templates = environment("report")
    templates.filters.update(percent=percent, share=share, figure=figure)
    templates.filters.update(delay=delay, money=money, moment=moment)
    return templates.get_template("report.html.j2").render(_context(report))


def delay(seconds: float | None) -> str:
    """A time span in its two largest units, `2 h 5 min`."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return "at once"
    span = timedelta(seconds=round(seconds))
    hours, rest = divmod(span.seconds, 3600)
    units = ((span.days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    first = next(at for at, (count, _) in enumerate(units) if count)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2] if count)


def money(amount: float | str) -> str:
    """An amount with separators and without pence, `1,234`."""
    return f"{float(amount):,.0f}"


def _context(report: Report) -> dict[str, Any]:
    alerts = sorted(
        (alert for run in report.runs for alert in run.alerts),
        key=lambda alert: (-alert.risk, alert.raised_at, alert.alert_id),
    )
    detector = report.summaries[0]
    hijacks = [h for run in report.runs for h in run.judgements[detector.name].hijacks]
    return {
        "report": report,
        "detector": detector,
        "middle": MIDDLE,
        "budgets": BUDGETS,
        "plots": _plots(report, hijacks, alerts),
        "missed": _missed(report, hijacks),
        "thresholds": [run.judgements[detector.name].thresholds for run in report.runs],
        "alerts": alerts[:SHOWN_ALERTS],
        "alerts_raised": sum(run.alerts_raised for run in report.runs),
        "on_takeovers": sum(run.alerts_on_takeovers for run in report.runs),
        "labelled": all(run.labelled for run in report.runs),
        "assessed": all(run.assessed for run in report.runs),
        "unjudged": [why for run in report.runs if (why := unjudged(run)) and run.labelled],
        "dead": sum(sum(run.dead_lines.values()) for run in report.runs),
        "shown_changes": SHOWN_CHANGES,
        "what_changes": what_changes,
        "what_it_was": what_it_was,
    }


def _missed(report: Report, hijacks: list[JudgedHijack]) -> list[JudgedHijack]:
    """The hijacks that were rather missed than caught at the middle budget, dearest first."""
    if not report.summaries[0].budgets:
        return []
    missed = [hijack for hijack in hijacks if hijack.caught[MIDDLE].in_time < 0.5]
    return sorted(missed, key=lambda hijack: -hijack.amount)


def _plots(
    report: Report, hijacks: list[JudgedHijack], alerts: list[RaisedAlert]
) -> dict[str, Plot]:
    detector = report.summaries[0]
    drawn: dict[str, tuple[str | None, str]] = {}
    if detector.budgets:
        at = percent(BUDGETS[MIDDLE])
        drawn["curve"] = (
            charts.recall_curve(report.summaries),
            "Hijacks caught by their first order against the share of customers' days alerted.",
        )
        drawn["families"] = (
            charts.groups(detector, lambda at: at.families),
            f"{detector.name} by family of attack (number of hijacks).",
        )
        drawn["depths"] = (
            charts.groups(detector, lambda at: at.depths),
            f"{detector.name} by how many sign-ins the account had before (number of hijacks).",
        )
        drawn["delays"] = (
            charts.delays(hijacks, MIDDLE),
            f"Time from access to the first alert, at {at} of customers' days.",
        )
        drawn["calibration"] = (
            charts.calibration(detector),
            "Risk means what it says on the dotted line; beside each point, its events.",
        )
    drawn["days"] = (charts.alerts_a_day(alerts), "New cases a day.")
    return {name: Plot(Markup(svg), text) for name, (svg, text) in drawn.items() if svg}  # noqa: S704 - charts are ours

"""The report's plots, as SVG text that goes straight into the page."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from matplotlib.dates import ConciseDateFormatter, DateLocator
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from detectors.evaluation.judging import JudgedHijack
from detectors.evaluation.summary import AtBudget, Group, Summary
from streams.documents.plots import COLOURS, QUIET, plot, svg
from streams.report.contents import RaisedAlert, Truth

TAKEOVER: Final = COLOURS[1]


def recall_curve(summaries: Sequence[Summary]) -> str:
    """Recall by the first order against the budget of false alerts, one line a detector."""
    with plot(10, 4.2) as (figure, axes):
        for number, summary in enumerate(summaries):
            budgets, recalls = zip(*summary.curve, strict=True)
            axes.plot(
                budgets,
                recalls,
                label=summary.name,
                color=COLOURS[number % len(COLOURS)],
                linewidth=2.6 if number == 0 else 1.5,
                zorder=len(summaries) - number,
            )
        for at in summaries[0].budgets:
            axes.axvline(at.budget, color="#6b7480", linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda budget, _: f"{budget * 100:g} %"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set(ylim=(0, 1), xlabel="legitimate account-days alerted")
        axes.set_ylabel("hijacks caught by the first order")
        axes.legend(frameon=False, fontsize=9, loc="upper left")
        return svg(figure)


def groups(summary: Summary, kind: Callable[[AtBudget], Sequence[Group]]) -> str:
    """Recall with intervals for each family or depth, at every budget."""
    rows = kind(summary.budgets[0])
    with plot(5.8, 1.1 + 0.42 * len(rows)) as (figure, axes):
        for number, at in enumerate(summary.budgets):
            for row, group in enumerate(kind(at)):
                low, high = group.in_time.interval
                y = row + (number - 1) * 0.22
                colour = COLOURS[number]
                label = f"{at.budget * 100:g} %" if row == 0 else None
                axes.plot([low, high], [y, y], color=colour, linewidth=2, alpha=0.45)
                axes.plot([group.in_time.value], [y], "o", color=colour, label=label)
        axes.set_yticks(range(len(rows)), [f"{group.name} ({group.hijacks})" for group in rows])
        axes.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.5, -0.5))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("hijacks caught by the first order, with 95 % intervals")
        axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=3)
        return svg(figure)


def calibration(summary: Summary) -> str | None:
    """The share of takeovers against the mean risk, by tenths of risk; None without events."""
    bins = [b for b in summary.calibration or () if b.events]
    if not bins:
        return None
    with plot(5.8, 3.9) as (figure, axes):
        axes.plot([0, 1], [0, 1], color="#6b7480", linewidth=0.8, linestyle=":")
        means = [b.risk / b.events for b in bins]
        shares = [b.takeovers / b.events for b in bins]
        axes.plot(means, shares, "o-", color=COLOURS[0])
        for b, mean, share in zip(bins, means, shares, strict=True):
            axes.annotate(
                f"{b.events:,}", (mean, share), (0, 7), textcoords="offset points", fontsize=8
            )
        axes.set(xlim=(-0.02, 1.06), ylim=(-0.04, 1.04), xlabel="mean risk of the events")
        axes.set_ylabel("share that were takeovers")
        return svg(figure)


def delays(hijacks: Sequence[JudgedHijack], budget: int) -> str | None:
    """How many hijacks were alerted within a time of access; None where none was."""
    caught = (hijack.caught[budget].seconds for hijack in hijacks)
    seconds = sorted(delay for delay in caught if delay is not None)
    if not seconds:
        return None
    with plot(5.8, 3.9) as (figure, axes):
        # The first second stands for "at once": a logarithm has no zero.
        axes.step(
            [1, *(max(delay, 1) for delay in seconds), 2e6],
            [
                0,
                *((n + 1) / len(hijacks) for n in range(len(seconds))),
                len(seconds) / len(hijacks),
            ],
            where="post",
            color=COLOURS[0],
            linewidth=2,
        )
        axes.set_xscale("log")
        ticks = {1: "at once", 60: "1 min", 3600: "1 h", 86_400: "1 d", 604_800: "1 w"}
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(0.8, 2e6)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set(
            ylim=(0, 1), xlabel="time from access to the first alert", ylabel="hijacks alerted"
        )
        return svg(figure)


def alerts_a_day(alerts: Sequence[RaisedAlert]) -> str | None:
    """New cases a UTC day, takeovers below customers where that is known; None without alerts."""
    if not alerts:
        return None
    days = sorted({alert.raised_at[:10] for alert in alerts})
    dates = [datetime.fromisoformat(day) for day in days]
    kinds: tuple[tuple[str, str, Truth], ...] = (
        ("takeovers", TAKEOVER, "takeover"),
        ("customers", QUIET, "customer"),
        ("cases", COLOURS[0], "unknown"),
    )
    with plot(10, 2.8) as (figure, axes):
        bottom = [0.0] * len(days)
        for label, colour, truth in kinds:
            chosen = [alert.raised_at[:10] for alert in alerts if alert.truth == truth]
            if not chosen:
                continue
            counts = [float(chosen.count(day)) for day in days]
            # Any: dates are understood by Matplotlib's converters, which its stubs do not know.
            x: Any = dates
            axes.bar(x, counts, bottom=bottom, color=colour, label=label, width=0.85)
            bottom = [sum(pair) for pair in zip(bottom, counts, strict=True)]
        locator = axes.xaxis.get_major_locator()
        if isinstance(locator, DateLocator):
            dates_in_short = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]  # theirs
            axes.xaxis.set_major_formatter(dates_in_short)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel("new cases a day")
        axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
        return svg(figure)

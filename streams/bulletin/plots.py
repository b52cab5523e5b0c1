"""The bulletin's plots: only figures that are shown are drawn."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from detectors.bulletin.contents import Row
from streams.bulletin.wording import NOT_SHOWN, week
from streams.documents.plots import COLOURS, QUIET, plot

_SAVED, _LOST = COLOURS[2], COLOURS[1]
_MOST_BARS = 12
# Any: Matplotlib's stubs want the names of its settings as literals.
_NOTE: Final[Any] = {"textcoords": "offset points", "fontsize": 8}
_LONGEST_NAME = 44


def attempts_by_week(weeks: Sequence[Row]) -> Figure:
    """Attempts and, of these, takeovers."""
    with plot(5.8, 2.9) as (figure, axes):
        positions = range(len(weeks))
        attempts = [row.attempts or 0 for row in weeks]
        takeovers = [row.takeovers or 0 for row in weeks]
        axes.bar(positions, attempts, color=QUIET, label="attempts", width=0.75)
        axes.bar(positions, takeovers, color=_LOST, label="takeovers", width=0.45)
        _mark(axes, [row.attempts is None for row in weeks])
        axes.set_xticks(positions, [week(row.name) for row in weeks], fontsize=8.5)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
        axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
        return figure


def money_by_week(weeks: Sequence[Row], currency: str) -> Figure:
    """What was stopped above the line, what was lost below it."""
    with plot(5.8, 2.9) as (figure, axes):
        positions = range(len(weeks))
        saved = [row.saved.get(currency) or 0 for row in weeks]
        lost = [-(row.at_loss.get(currency) or 0) for row in weeks]
        axes.bar(positions, saved, color=_SAVED, label="stopped", width=0.6)
        axes.bar(positions, lost, color=_LOST, label="lost", width=0.6)
        axes.axhline(0, color="#6b7480", linewidth=0.8)
        _mark(axes, [None in (r.saved.get(currency), r.at_loss.get(currency)) for r in weeks])
        axes.set_xticks(positions, [week(row.name) for row in weeks], fontsize=8.5)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))
        axes.set_ylabel(currency)
        axes.grid(visible=False, axis="x")
        axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
        return figure


def by_group(rows: Sequence[Row], name: Callable[[Row], str]) -> Figure:
    """The largest groups: attempts and, of these, takeovers."""
    chosen = [row for row in rows if row.attempts and not row.rows][:_MOST_BARS]
    with plot(9.5, 0.9 + 0.3 * len(chosen)) as (figure, axes):
        positions = range(len(chosen))
        axes.barh(positions, [r.attempts or 0 for r in chosen], color=QUIET, label="attempts")
        takeovers = [row.takeovers or 0 for row in chosen]
        axes.barh(positions, takeovers, color=_LOST, label="takeovers", height=0.45)
        for at, row in enumerate(chosen):
            if row.takeovers is None:
                axes.annotate(NOT_SHOWN, (0, at), (4, 0), va="center", **_NOTE)
        axes.set_yticks(positions, [_short(name(row)) for row in chosen], fontsize=8.5)
        axes.set_ylim(len(chosen) - 0.4, -0.6)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="y")
        axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
        return figure


def _mark(axes: Axes, hidden: Sequence[bool]) -> None:
    """Say of bars that are not drawn that there is something."""
    for at, is_hidden in enumerate(hidden):
        if is_hidden:
            axes.annotate(NOT_SHOWN, (at, 0), (0, 3), ha="center", **_NOTE)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"

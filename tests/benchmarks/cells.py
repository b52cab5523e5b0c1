"""Rows of tables: how figures are written, and how a row becomes Markdown."""

from collections.abc import Iterator

from detectors.evaluation.summary import Share, Summary
from streams.report.text import share


def recalls(summary: Summary) -> Iterator[str]:
    """Yield what is caught by the first order at each budget, the interval over campaigns."""
    for at in summary.budgets:
        yield share(Share(at.in_time.value, at.in_time_campaigns))


def figure(value: float | None, digits: int) -> str:
    """Return a figure with so many digits after the point, `-` for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def head(*names: str) -> Iterator[str]:
    """Yield the two lines that a Markdown table begins with."""
    yield line(*names)
    yield line(*("---" for _ in names))


def line(*cells: str) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"

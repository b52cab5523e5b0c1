"""The tables of docs/detection.md, as Markdown, from what the two benchmarks wrote.

python -m tests.benchmarks.detection_tables left_out.json [models.json]
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from detectors.evaluation.summary import Share
from streams.report.text import share
from tests.benchmarks.left_out_families import SHORT, Report
from tests.benchmarks.model_comparison import Line


def main() -> None:
    """Print the tables of the files there are."""
    left_out, *models = map(Path, sys.argv[1:])
    report = msgspec.json.decode(left_out.read_bytes(), type=Report)
    print("\n".join(left_out_table(report)))
    for path in models:
        lines = msgspec.json.decode(path.read_bytes(), type=list[Line])
        print("", *model_table(lines), sep="\n")


def left_out_table(report: Report) -> Iterator[str]:
    """Yield the lines of a table of families and depths, then one for each bar."""
    yield from _head(
        "", "hijacks", "0.1 %", "0.3 %", "1 %", "shipped, 0.1 %", "best baseline, 0.1 %"
    )
    for row in report.rows:
        rival = row.rivals[row.best][0].value
        yield _line(
            row.name.replace("depth", "earlier sign-ins:"),
            str(row.hijacks),
            *map(share, row.left_out),
            share(row.shipped[0]),
            f"{rival:.2f} {SHORT[row.best]}" if rival else "0",
        )
    yield ""
    yield from _head("bar", "measured", "")
    for bar in report.bars:
        yield _line(bar.promise, bar.measured, "holds" if bar.holds else "**missed**")


def model_table(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the lines of a table of models."""
    yield from _head("model", "0.1 %", "0.3 %", "1 %", "AP", "ECE", "upper", "µs an event")
    for line in lines:
        summary = line.summary
        yield _line(
            line.model,
            *(share(Share(at.in_time.value, at.in_time_campaigns)) for at in summary.budgets),
            _figure(summary.average_precision, 2),
            _figure(summary.calibration_error, 4),
            _figure(summary.upper_calibration_error, 2),
            f"{line.microseconds:.0f}",
        )


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _head(*names: str) -> Iterator[str]:
    yield _line(*names)
    yield _line(*("---" for _ in names))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

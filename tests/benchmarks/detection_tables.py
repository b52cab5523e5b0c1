"""The tables of docs/detection.md, as Markdown, from what the two benchmarks wrote.

python -m tests.benchmarks.detection_tables left_out.json [models.json]
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from streams.report.text import share
from tests.benchmarks.cells import figure, head, line, recalls
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
    yield from head(
        "", "hijacks", "0.1 %", "0.3 %", "1 %", "shipped, 0.1 %", "best baseline, 0.1 %"
    )
    for row in report.rows:
        rival = row.rivals[row.best][0].value
        yield line(
            row.name.replace("depth", "earlier sign-ins:"),
            str(row.hijacks),
            *map(share, row.left_out),
            share(row.shipped[0]),
            f"{rival:.2f} {SHORT[row.best]}" if rival else "0",
        )
    yield ""
    yield from head("bar", "measured", "")
    for bar in report.bars:
        yield line(bar.promise, bar.measured, "holds" if bar.holds else "**missed**")


def model_table(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the lines of a table of models."""
    yield from head("model", "0.1 %", "0.3 %", "1 %", "AP", "ECE", "upper", "µs an event")
    for one in lines:
        summary = one.summary
        yield line(
            one.model,
            *recalls(summary),
            figure(summary.average_precision, 2),
            figure(summary.calibration_error, 4),
            figure(summary.upper_calibration_error, 2),
            f"{one.microseconds:.0f}",
        )


if __name__ == "__main__":
    main()

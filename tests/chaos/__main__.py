"""Run faults and print the table: `python -m tests.chaos [--heat] [--faults NAME,...]`.

Exit code 1 where a promise was broken; then the workers' logs are kept, and it is said where.
"""

import argparse
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.chaos import campaign, gangs
from tests.chaos.campaign import Report
from tests.chaos.faults import FAULTS
from tests.chaos.gangs import GANG_FAULTS

_HEADING = """\
| fault | what | seed | struck | events | alerts | sent again | dead letters | exits | left |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def row(report: Report) -> str:
    """Return a report as a line of the table."""
    left = "the same" if not report.differences else f"{len(report.differences)} DIFFERENCES"
    return (
        f"| {report.fault} | {FAULTS[report.fault].meaning} | {report.seed} | {report.strikes} | "
        f"{report.events:,} | {report.alerts} | {report.repeated} | {report.letters} | "
        f"{report.exits} | {left} |"
    )


def _faults(names: str) -> list[str]:
    chosen = names.split(",")
    if unknown := [name for name in chosen if name not in FAULTS]:
        known = ", ".join(FAULTS)
        raise argparse.ArgumentTypeError(f"no such fault: {', '.join(unknown)} (of: {known})")
    return chosen


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = ", ".join(FAULTS)
    parser.add_argument("--faults", type=_faults, help=f"of: {known}; else all that fit")
    parser.add_argument("--heat", action="store_true", help="with a gang at it, heat and campaigns")
    parser.add_argument("--seeds", type=_numbers, default="1", help="one run each, by comma")
    parser.add_argument("--seconds", type=float, default=20, help="how long faults go on, about")
    parser.add_argument("--rate", type=int, default=300, help="events a second meanwhile")
    chosen = parser.parse_args()
    print(_HEADING, flush=True)
    broken = False
    faults = chosen.faults or (GANG_FAULTS if chosen.heat else FAULTS)
    run = gangs.run if chosen.heat else partial(campaign.run, rate=chosen.rate)
    for fault in faults:
        for seed in chosen.seeds:
            folder = Path(tempfile.mkdtemp(prefix=f"nightlatch-chaos-{fault}-{seed}-"))
            report = run(fault, seed, folder, seconds=chosen.seconds)
            print(row(report), flush=True)
            if report.differences:
                broken = True
                print("\n".join([f"kept in {folder}", *report.differences[:20]]), file=sys.stderr)
            else:
                shutil.rmtree(folder)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())

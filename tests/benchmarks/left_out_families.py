"""Each attack family left out in turn: what does the detector make of one it has never seen?

    python -m tests.benchmarks.left_out_families [--seeds 501 502 503] [--json FILE]

For every family a prior is fitted without it, on the shops that the shipped prior is fitted on.
Then, on shops of other seeds, an engine with each of these priors meets all families, side by side
with the shipped detector and the baselines: a hijack is judged by the engine whose prior has never
seen its family. Verdicts flow as in life, late and incomplete, on every family. What is not left
out is what was written by hand: the features, and how takeovers are thought to work.

Prints a table and which bars hold; returns 1 where one does not.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from detectors.evaluation.baselines import BASELINES
from detectors.evaluation.calibration import UPPER, expected_calibration_error, pooled
from detectors.evaluation.intervals import interval
from detectors.evaluation.judging import BUDGETS, JudgedHijack, Judgement
from detectors.evaluation.summary import DEPTHS, Share
from detectors.models.prior import Prior
from detectors.policy import Policy
from detectors.simulation import FAMILIES
from streams.backtesting import PrequentialEngine
from streams.report.text import percent, share
from tests.benchmarks.collecting import SEEDS, Collected, collect_all
from tests.benchmarks.fitting import fit
from tests.benchmarks.shops import SimulatedRun, run_through

SHIPPED: Final = "shipped prior"
SHORT: Final = {name: name.split()[0].strip(":") for name in BASELINES}
TIMES_BASELINE: Final = 2.0
NEWCOMERS: Final = 0.5
CALIBRATION: Final = 0.05
PROCESSES: Final = 2


class Size(NamedTuple):
    """How large the shops are that are judged; `more` times as many hijacks as in life."""

    accounts: int
    visits: float
    more: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The hijacks of a family, of a history depth, or all; one recall a budget.

    `left_out` is by engines that had never seen the family, `shipped` by the product, `rivals` by
    each baseline. Intervals are over resampled campaigns.
    """

    name: str
    hijacks: int
    campaigns: int
    left_out: tuple[Share, ...]
    shipped: tuple[Share, ...]
    rivals: Mapping[str, tuple[Share, ...]]

    @property
    def best(self) -> str:
        """The baseline that catches most at the smallest budget."""
        return max(self.rivals, key=lambda name: self.rivals[name][0].value)

    @property
    def ratio(self) -> float:
        """How many times the best baseline's recall, at the smallest budget."""
        rival = self.rivals[self.best][0].value
        return self.left_out[0].value / rival if rival else float("inf")


class Bar(msgspec.Struct, frozen=True):
    """Something that was promised, what was measured, and whether it holds."""

    promise: str
    measured: str
    holds: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. `calibration` is the worst of all engines, over all events.

    `upper_calibration` is the worst over events with a risk of 0.1 or more.
    """

    seeds: tuple[int, ...]
    accounts: int
    visits: float
    more: float
    events: int
    account_days: int
    rows: tuple[Row, ...]
    calibration: float
    upper_calibration: float
    bars: tuple[Bar, ...]


def main() -> int:
    """Fit, judge, print; return 1 where a bar is missed."""
    options = _options()
    size = Size(options.accounts, options.visits, options.more)
    with get_context("spawn").Pool(PROCESSES) as pool:
        priors = priors_without_each(collect_all(options.fit_seeds, pool=pool))
        runs = pool.map(partial(judged, priors=priors, size=size), options.seeds, chunksize=1)
    report = report_of(runs, options.seeds, size)
    show(report)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 0 if all(bar.holds for bar in report.bars) else 1


def priors_without_each(collected: Collected) -> dict[str, Prior]:
    """Return a prior for each family, fitted as if that family did not exist."""
    return {family: fit(collected, without=[family]) for family in FAMILIES}


def judged(seed: int, *, priors: Mapping[str, Prior], size: Size) -> dict[str, Judgement]:
    """Run every engine and baseline over one shop; return how each did, by family or name."""
    run = SimulatedRun(seed, accounts=size.accounts, visits=size.visits, more=size.more)
    engines = {SHIPPED: PrequentialEngine(Policy())}
    for family, prior in priors.items():
        engines[family] = PrequentialEngine(Policy(), prior=prior)
    return run_through(run.events(), run.enricher(), engines, run.labels, baselines=True)


def never_seen(judgements: Mapping[str, Judgement]) -> list[JudgedHijack]:
    """Return each hijack as the engine judged it whose prior was fitted without its family."""
    hijacks = judgements[SHIPPED].hijacks
    return [judgements[hijack.family].hijacks[at] for at, hijack in enumerate(hijacks)]


def report_of(runs: Sequence[Mapping[str, Judgement]], seeds: Sequence[int], size: Size) -> Report:
    """Pool the runs: thresholds are each run's and engine's own, hijacks are pooled."""
    left_out = [hijack for run in runs for hijack in never_seen(run)]
    others = {
        name: [hijack for run in runs for hijack in run[name].hijacks]
        for name in (SHIPPED, *BASELINES)
    }
    names = ("all", *FAMILIES, *(f"depth {name}" for name, _, _ in DEPTHS))
    there = {name for hijack in left_out for name in groups_of(hijack)}
    rows = tuple(_row(name, left_out, others) for name in names if name in there)
    calibration = _calibration(runs)
    return Report(
        seeds=tuple(seeds),
        accounts=size.accounts,
        visits=size.visits,
        more=size.more,
        events=sum(run[SHIPPED].events for run in runs),
        account_days=sum(run[SHIPPED].account_days for run in runs),
        rows=rows,
        calibration=calibration[0],
        upper_calibration=calibration[1],
        bars=bars(rows, calibration),
    )


def bars(rows: Sequence[Row], calibration: tuple[float, float]) -> tuple[Bar, ...]:
    """Hold the rows against what was promised."""
    by_name = {row.name: row for row in rows}
    everything, newcomers = by_name["all"], by_name["depth 0"]
    families = [row for row in rows if row.name in FAMILIES]
    missed = [row for row in families if row.left_out[0].value == 0]
    caught = newcomers.left_out[0].value
    budget = percent(BUDGETS[0])
    return (
        Bar(
            f"recall at {budget} at least {TIMES_BASELINE:g} times the best baseline's",
            f"{everything.ratio:.2f} times {everything.best}",
            everything.ratio >= TIMES_BASELINE,
        ),
        Bar(
            f"no family at zero at {budget}",
            ", ".join(f"{row.name} (of {row.hijacks})" for row in missed)
            or f"none of {len(families)}",
            not missed,
        ),
        Bar(
            f"of accounts with no history at least {percent(NEWCOMERS)} caught at {budget}",
            f"{caught:.2f} of {newcomers.hijacks}",
            caught >= NEWCOMERS,
        ),
        Bar(
            f"expected calibration error below {CALIBRATION}",
            f"{calibration[0]:.4f}, the worst of all engines "
            f"({calibration[1]:.2f} among risks of 0.1 or more)",
            calibration[0] < CALIBRATION,
        ),
    )


def show(report: Report) -> None:
    """Print the table and the bars."""
    console = Console(width=150)
    table = Table(
        title=f"{len(report.seeds)} held-out shops, {report.events:,} events, "
        f"{report.account_days:,} legitimate account-days: caught by the first order [95 %]",
        box=SIMPLE_HEAD,
    )
    headings = [
        "family",
        "hijacks",
        *(f"never seen, {percent(b)}" for b in BUDGETS),
        "shipped, 0.1 %",
    ]
    for heading in (*headings, "best baseline, 0.1 %", "times"):
        table.add_column(heading, justify="left" if heading == "family" else "right")
    for row in report.rows:
        rival = row.rivals[row.best][0]
        table.add_row(
            row.name,
            str(row.hijacks),
            *map(share, row.left_out),
            share(row.shipped[0]),
            f"{SHORT[row.best]} {rival.value:.2f}" if rival.value else "-",
            f"{row.ratio:.1f}" if rival.value else "-",
        )
    console.print(table)
    for bar in report.bars:
        console.print(f"{'holds ' if bar.holds else 'MISSED'}  {bar.promise}: {bar.measured}")


def groups_of(hijack: JudgedHijack) -> set[str]:
    """Return the names of the rows that a hijack belongs to."""
    depths = (name for name, fewest, most in DEPTHS if fewest <= hijack.depth <= most)
    return {"all", hijack.family, *(f"depth {name}" for name in depths)}


def _row(
    name: str, left_out: Sequence[JudgedHijack], others: Mapping[str, Sequence[JudgedHijack]]
) -> Row:
    def belonging(hijacks: Sequence[JudgedHijack]) -> list[JudgedHijack]:
        return [hijack for hijack in hijacks if name in groups_of(hijack)]

    own = belonging(left_out)
    recalls = {detector: _recalls(belonging(hijacks)) for detector, hijacks in others.items()}
    return Row(
        name=name,
        hijacks=len(own),
        campaigns=len({hijack.campaign for hijack in own}),
        left_out=_recalls(own),
        shipped=recalls.pop(SHIPPED),
        rivals=recalls,
    )


def _recalls(hijacks: Sequence[JudgedHijack]) -> tuple[Share, ...]:
    campaigns = [hijack.campaign for hijack in hijacks]
    found = []
    for number in range(len(BUDGETS)):
        caught = [hijack.caught[number].in_time for hijack in hijacks]
        found.append(Share(sum(caught) / len(caught), interval(caught, groups=campaigns)))
    return tuple(found)


def _calibration(runs: Sequence[Mapping[str, Judgement]]) -> tuple[float, float]:
    """Return the worst expected calibration error of the engines: of all events, of the upper."""
    errors, upper = [0.0], [0.0]
    for engine in (SHIPPED, *FAMILIES):
        tables = [run[engine].reliability for run in runs]
        bins = pooled([table for table in tables if table is not None])
        errors.append(expected_calibration_error(bins) or 0.0)
        upper.append(expected_calibration_error(bins[UPPER:]) or 0.0)
    return max(errors), max(upper)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[501, 502, 503], help="judged")
    parser.add_argument("--fit-seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--accounts", type=int, default=20_000, help="of each shop judged")
    parser.add_argument("--visits", type=float, default=4.0, help="median of those who come at all")
    parser.add_argument("--more", type=float, default=8.0, help="times as many hijacks as in life")
    parser.add_argument("--json", type=Path, help="write the report here too")
    options = parser.parse_args()
    if common := set(options.seeds) & set(options.fit_seeds):
        parser.error(f"seeds {sorted(common)} are both fitted and judged")
    return options


if __name__ == "__main__":
    sys.exit(main())

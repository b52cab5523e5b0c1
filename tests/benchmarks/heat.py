"""What heat and campaigns are worth, and cost: on simulated shops, or on anybody's files.

    python -m tests.benchmarks.heat                              # held-out seeds
    python -m tests.benchmarks.heat --files EVENTS LABELS FEEDBACK LOOKUP ATTACKS [--files …]

Prints a table and, with `--json FILE`, writes the numbers. Every run is made with and without heat
in one go, chunk by chunk, so that both have the machine as it is; cost is CPU time.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from heapq import merge
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple

from detectors.assessments import Alert
from detectors.engine import Observed, Outcome
from detectors.evaluation.judging import BUDGETS, judge
from detectors.evaluation.ledger import Label, Ledger, Named
from detectors.evaluation.scores import Scores
from detectors.evaluation.trial import trial_of
from detectors.events import Order
from detectors.heat.counter import HeatCounter
from detectors.heat.indicators import Indicator, Kind, key_of
from detectors.heat.records import VERSION, Attack, Batch, Hot, Sighting, Totals
from detectors.heat.sightings import came_with
from detectors.heat.table import HotTable
from detectors.policy import Policy
from streams.across_accounts import Published
from streams.backtesting import DeadLines, PrequentialEngine, runs, steadied
from streams.enrichment import Enricher
from streams.files import read_events
from streams.garbage import collect_seldom
from streams.labels import read_labels

SEEDS: Final = (411, 412)
_FAST: Final = ("stuffing_fast", "fast_stuffing")
_SECONDS: Final = 10.0


class Traffic(NamedTuple):
    """The files of one run."""

    name: str
    events: Path
    labels: Path
    feedback: Path
    lookup: Path
    attacks: Path


class Told(NamedTuple):
    """An alert's revision, and the time of the event that it followed."""

    alert: Alert
    at: float
    reassessed: bool


def simulated(folder: Path, seed: int, *options: str) -> Traffic:
    """Simulate a shop of 20,000 accounts over sixty days, Black Friday among them."""
    name = f"seed {seed}{' honest' if '0' in options else ''}"
    stem = folder / name.replace(" ", "-")
    files = [Path(f"{stem}.{part}") for part in ("events", "labels", "feedback", "csv", "attacks")]
    command = [sys.executable, "-m", "streams", "simulate", "--seed", str(seed)]
    named = ("--out", "--labels", "--feedback", "--lookup-out", "--attacks")
    for option, path in zip(named, files, strict=True):
        command += [option, str(path)]
    subprocess.run([*command, *options], check=True)
    return Traffic(name, *files)


class Noting(HotTable):
    """One that notes what turns hot or stays so, until that is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: list[str] = []

    def take(self, hot: Hot) -> None:
        """Note it as well."""
        super().take(hot)
        if hot.nats:
            self._noted.append(hot.id)

    def noted(self) -> list[str]:
        """Hand over what was told since the last call."""
        noted, self._noted = self._noted, []
        return noted


class Measured:
    """Two engines over one run: with heat, and without."""

    def __init__(self, traffic: Traffic) -> None:
        self.labels = read_labels([traffic.labels], [traffic.attacks])
        self.ledger = Ledger(self.labels)
        self.scores = {heat: Scores() for heat in (True, False)}
        self.cpu = {True: 0.0, False: 0.0}
        self.reading = 0.0
        self.told: list[Told] = []
        self.attacks: dict[str, Attack] = {}
        self.hot: dict[str, list[float]] = defaultdict(list)
        self.fast: dict[tuple[str, Label], Observed] = {}
        self._first_orders: dict[tuple[str, Label], float] = {}
        self._run(traffic)

    def _run(self, traffic: Traffic) -> None:
        enricher = Enricher([traffic.lookup])
        table = Noting()
        engines = {
            heat: PrequentialEngine(Policy(), heat=heat, table=table) for heat in (True, False)
        }
        lines = merge(
            steadied(read_events(traffic.events)),
            read_events(traffic.feedback),
            key=lambda line: line.time,
        )
        began = time.process_time()
        for run in runs(DeadLines().living(lines), 500):
            observed = [Observed(event, enricher.facts(event)) for event in run]
            self.reading += time.process_time() - began
            for one in observed:
                event = one.event
                self.ledger.append(event)
                label = self.labels.takeover(event)
                if label is not None:
                    if isinstance(event, Order):
                        self._first_orders.setdefault((event.account_id, label), event.occurred_at)
                    if label.family in _FAST:
                        self.fast.setdefault((event.account_id, label), one)
            for heat, engine in engines.items():
                began = time.process_time()
                made = [
                    (engine.process([one]), engine.published(), table.noted()) for one in observed
                ]
                self.cpu[heat] += time.process_time() - began
                for outcomes, published, hot in made:
                    self.scores[heat].take(o.assessment for o in outcomes if o.assessment)
                    if heat:
                        self._note(outcomes, published, hot)
            began = time.process_time()

    @property
    def cost(self) -> tuple[float, float]:
        """The share of its speed that heat costs a backtest, reading included, and its engine.

        Of a backtest that takes a quarter longer, that is a fifth.
        """
        more = self.cpu[True] - self.cpu[False]
        return more / (self.reading + self.cpu[True]), more / self.cpu[True]

    def _note(self, outcomes: list[Outcome], published: list[Published], hot: list[str]) -> None:
        at = outcomes[0].observed.event.occurred_at
        for record in published:
            if isinstance(record, Attack):
                self.attacks[record.campaign_id] = record
        for indicator in hot:
            self.hot[indicator].append(at)
        for outcome in outcomes:
            observed, assessment, alert = outcome.observed, outcome.assessment, outcome.alert
            if alert is None:
                continue
            told = Told(alert, observed.event.occurred_at, assessment is None)
            self.told.append(told)
            if told.reassessed and any(r.code == "hot_indicator" for r in alert.reasons):
                self._score_again(told)

    def _score_again(self, told: Told) -> None:
        """Count what a reassessment says with its entry, unless it came after the first order."""
        account_id, entry = told.alert.account_id, told.alert.event_ids[-1]
        label = self.ledger.hijack(account_id, entry)
        ordered = self._first_orders.get((account_id, label), told.at) if label else 0.0
        if label is None or told.at <= ordered:
            self.scores[True].add(Named("login", entry), told.alert.risk)

    def recall(self, *, heat: bool) -> dict[str, list[float]]:
        """Return how many hijacks there are, and are caught by their first order, by family."""
        columns = self.ledger.columns()
        trial = trial_of(self.ledger)
        risks, _ = self.scores[heat].aligned(columns.identity)
        caught: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for hijack in judge(trial, risks).hijacks:
            in_time = tuple(at.in_time for at in hijack.caught)
            for name in ("all", hijack.family):
                caught[name].append(in_time)
        return {
            name: [float(len(rows)), *(sum(column) for column in zip(*rows, strict=True))]
            for name, rows in sorted(caught.items())
        }


def pairs(measured: Measured) -> tuple[int, int, int]:
    """Return pairs of alerted accounts that are rightly linked, wrongly linked, and missed.

    An account counts once for each gang that had it, under the campaign that its latest alert is
    in; an account that nobody had belongs to a gang of its own.
    """
    units: dict[tuple[str, str], str | None] = {}
    for told in measured.told:
        alert = told.alert
        labels = {
            label.campaign
            for event_id in alert.event_ids
            if (label := measured.ledger.hijack(alert.account_id, event_id)) is not None
        }
        for gang in labels or {f"nobody:{alert.account_id}"}:
            units[alert.account_id, gang] = alert.campaign_id
    right = wrong = missed = 0
    for (one, one_in), (other, other_in) in combinations(units.items(), 2):
        same, linked = one[1] == other[1], one_in is not None and one_in == other_in
        right += same and linked
        wrong += linked and not same
        missed += same and not linked
    return right, wrong, missed


def first_victims(measured: Measured) -> tuple[int, int, int]:
    """Return fast stuffing's successes, those that a hot indicator led to, and those in time.

    In time is an alert within ten seconds of the success or of its address or range turning hot,
    whichever is later.
    """
    raised: dict[str, list[float]] = defaultdict(list)
    for told in measured.told:
        raised[told.alert.account_id].append(told.at)
    hot = in_time = 0
    for (account_id, _), observed in measured.fast.items():
        came = observed.event.occurred_at
        turned = [
            at
            for kind, key, _ in came_with(observed.event, observed.facts)
            if kind == Kind.PREFIX
            for at in measured.hot.get(Indicator(kind, key).id, ())
            if abs(at - came) < 2 * 86_400
        ]
        if turned:
            hot += 1
            due = max(came, min(turned)) + _SECONDS
            in_time += any(came <= at <= due for at in raised[account_id])
    return len(measured.fast), hot, in_time


def flood() -> dict[str, float]:
    """Count 100,000 addresses an hour for three hours; return what of it is held.

    `memory_megabytes` is by how much the process grew for all of it, the stored state included.
    """
    state: dict[bytes, bytes] = {}
    counter = HeatCounter(state.get)
    began = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(300_000):
        minute = 29_000_000 + number * 180 // 300_000
        kinds = ((Kind.DEVICE, number), (Kind.PREFIX, number), (Kind.OPERATOR, number % 40))
        counter.take(
            Batch(
                VERSION,
                (Totals(minute, 0, 0, 1, 1, 1, 0),),
                tuple(
                    Sighting(
                        kind, key_of(kind, str(value)), minute, 1, 1, 1, (number,), (value,), ()
                    )
                    for kind, value in kinds
                ),
            )
        )
        if number % 20_000 == 19_999:
            state.update((key, value) for key, value in counter.changes() if value is not None)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "addresses": 300_000,
        "cpu_microseconds_each": round((time.process_time() - began) / 0.3, 1),
        "state_megabytes": round(sum(map(len, state.values())) / 1e6, 1),
        "memory_megabytes": round((after - before) / 1024, 1),
    }


def measure(traffic: Traffic) -> dict[str, Any]:
    """Make one run; return its figures."""
    measured = Measured(traffic)
    right, wrong, missed = pairs(measured)
    fast, hot, in_time = first_victims(measured)
    hot_alerts = {
        told.alert.alert_id: told.alert
        for told in measured.told
        if any(reason.code == "hot_indicator" for reason in told.alert.reasons)
    }
    false = [
        alert
        for alert in hot_alerts.values()
        if not any(measured.ledger.hijack(alert.account_id, event) for event in alert.event_ids)
    ]
    return {
        "name": traffic.name,
        "events": len(measured.ledger),
        "cost": round(measured.cost[0], 3),
        "cost_of_engine": round(measured.cost[1], 3),
        "cpu_seconds": {str(heat): round(cpu, 1) for heat, cpu in measured.cpu.items()},
        "recall_with": measured.recall(heat=True),
        "recall_without": measured.recall(heat=False),
        "pairs": {"right": right, "wrong": wrong, "missed": missed},
        "fast_successes": {"all": fast, "hot": hot, "in_time": in_time},
        "attacks": dict(
            sorted(
                Counter(
                    f"{attack.technique} {attack.indicator.partition(':')[0]}"
                    for attack in measured.attacks.values()
                    if attack.merged_into is None
                ).items()
            )
        ),
        "alerts": len({told.alert.alert_id for told in measured.told}),
        "alerts_naming_heat": len(hot_alerts),
        "of_these_false": len(false),
    }


def f1(pairs: dict[str, int]) -> float:
    """Return the harmonic mean of precision and recall."""
    doubled = 2 * pairs["right"]
    return doubled / max(doubled + pairs["wrong"] + pairs["missed"], 1)


def show(found: dict[str, Any]) -> None:
    """Print one run's figures."""
    print(
        f"{found['name']}: {found['events']:,} events, heat costs {found['cost']:.1%} of the speed"
        f" of the backtest, {found['cost_of_engine']:.1%} of the engine's"
    )
    print(f"  campaigns: pairwise F1 {f1(found['pairs']):.3f} {found['pairs']}")
    print(f"  fast stuffing's successes: {found['fast_successes']}")
    print(f"  attacks told: {found['attacks']}")
    print(
        f"  alerts {found['alerts']}, naming heat {found['alerts_naming_heat']},"
        f" false of these {found['of_these_false']}"
    )
    print(f"  recall at {BUDGETS}, without heat and with:")
    for name, (count, *without) in found["recall_without"].items():
        shares = [
            " ".join(f"{caught / count:.2f}" for caught in row)
            for row in (without, found["recall_with"][name][1:])
        ]
        print(f"    {name:22} {count:4.0f}  {shares[0]}   {shares[1]}")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--accounts", default="20000")
    parser.add_argument("--hijacks", default="0.002", help="for each visit: four times the usual")
    parser.add_argument("--honest", type=int, nargs="*", default=[421])
    parser.add_argument("--files", type=Path, nargs=5, action="append", default=[])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    results = []
    collect_seldom()
    # Before the rest: what that took and let go would be had again without being seen.
    flooded = flood()
    print(f"flood: {flooded}")
    with tempfile.TemporaryDirectory() as folder:
        shop = ("--accounts", asked.accounts, "--hijacks", asked.hijacks)
        for seed in asked.seeds:
            results.append(measure(simulated(Path(folder), seed, *shop)))
            show(results[-1])
        for seed in asked.honest:
            honest = ("--hijacks", "0", "--tries", "0")
            results.append(measure(simulated(Path(folder), seed, *shop, *honest)))
            show(results[-1])
    for files in asked.files:
        results.append(measure(Traffic(files[0].parent.name, *files)))
        show(results[-1])
    if asked.json is not None:
        asked.json.write_text(json.dumps({"runs": results, "flood": flooded}, indent=1))


if __name__ == "__main__":
    main()

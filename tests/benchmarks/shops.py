"""Simulated shops: to judge on, as the detector meets them, and to fit on."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from detectors.evaluation.judging import Judgement, judge
from detectors.evaluation.ledger import Label, Labels, Ledger, Named
from detectors.evaluation.scores import Scores
from detectors.evaluation.trial import trial_of
from detectors.events import Event
from detectors.simulation import (
    Shop,
    SimulatedEvent,
    Telemetry,
    as_delivered,
    lookup_rows,
    simulate,
)
from detectors.simulation.simulation import HIJACKS
from streams.backtesting import PrequentialEngine, Recording, Written, backtest
from streams.codec import decode
from streams.enrichment import Enricher
from streams.simulated_files import write_rows

START: Final = 1_790_812_800.0
DAYS: Final = 60


def run_through(
    events: Iterable[Event],
    enricher: Enricher,
    engines: Mapping[str, PrequentialEngine],
    labels: Labels,
    *,
    baselines: bool,
) -> dict[str, Judgement]:
    """Run engines, perhaps beside the baselines, over a shop's events; return how each did."""
    recording = Recording(labels, baselines=baselines)
    for _ in backtest(events, enricher.facts, engines, written=Written(), recording=recording):
        pass
    return judgements_of(recording.ledger, recording.scores)


def judgements_of(ledger: Ledger, scores: Mapping[str, Scores]) -> dict[str, Judgement]:
    """Judge each detector by what it said of the recorded events."""
    trial, identity = trial_of(ledger), ledger.columns().identity
    return {name: judge(trial, kept.aligned(identity)[0]) for name, kept in scores.items()}


class SimulatedRun:
    """A shop's traffic with `more` times as many hijacks as in life.

    The pipeline tells what is typical, some events come late or twice, verdicts come when their
    time has come, and the shop has a look-up file. `labels` fills up while events are read.
    """

    def __init__(
        self,
        seed: int,
        *,
        accounts: int,
        visits: float,
        more: float,
        underworld: int | None = None,
        gang_size: int = 1,
        turn: float = 0.0,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._seed, self._more = seed, more
        self._gang_size, self._turn = gang_size, turn
        self._underworld = seed if underworld is None else underworld
        self._shop = Shop(accounts=accounts, visits=visits, telemetry=telemetry or Telemetry())
        self._takeovers: dict[Named, Label] = {}
        self._attacks: set[Named] = set()
        self.labels = Labels(self._takeovers, self._attacks)

    def enricher(self) -> Enricher:
        """Return what looks events up in this run's own file."""
        with tempfile.TemporaryDirectory(prefix="nightlatch-bench-") as folder:
            path = Path(folder) / "networks.csv"
            with path.open("wb") as file:
                write_rows(file, lookup_rows(self._underworld))
            return Enricher([path])

    def events(self) -> Iterator[Event]:
        """Yield every event in the order of arrival."""
        staged = simulate(
            self._shop,
            seed=self._seed,
            start=START,
            days=DAYS,
            hijacks=self._more * HIJACKS,
            underworld=self._underworld,
            gang_size=self._gang_size,
            turn=self._turn,
        )
        for simulated in as_delivered(staged, seed=self._seed):
            self._note(simulated)
            line = msgspec.json.encode(simulated.event)
            yield decode(line, type_=None, timestamp=simulated.time, fallback_id="none")

    def _note(self, simulated: SimulatedEvent) -> None:
        truth = simulated.truth
        if truth is None:
            return
        name = Named(simulated.event["type"], simulated.event["event_id"])
        if truth.takeover:
            self._takeovers[name] = Label(truth.family, truth.campaign)
        else:
            self._attacks.add(name)

"""The engine over files instead of Kafka: score, then learn, in the order of event time.

Prequential (Dawid 1984): every event is scored by an engine that has seen only what came before
it. Verdicts are events like any other and are merged by their own time, so that none is used
before it would have arrived. The engine's state lives in a dictionary of bytes, and what changed
is handed over every so many events just as a worker does it: what the backtest measures is what
will run.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from math import inf
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeVar

import msgspec

from detectors.assessments import Alert, Assessment
from detectors.engine import Engine, Observed, Outcome
from detectors.errors import ConfigurationError, InvalidEvent
from detectors.evaluation.baselines import BASELINES, Baselines
from detectors.evaluation.ledger import Labels, Ledger, Named, named
from detectors.evaluation.scores import Scores
from detectors.events import Event, EventType
from detectors.facts import Facts
from detectors.heat.sightings import Sightings
from detectors.heat.table import HotTable
from detectors.intelligence import IndicatorTable
from detectors.models.prior import SHIPPED, Prior
from detectors.policy import Policy
from streams.across_accounts import AcrossAccounts, Published
from streams.codec import encode_alert, encode_assessment, encode_published
from streams.files import FileEvent, read_lines

HAND_OVER_ACCOUNTS: Final = 20_000
"""Accounts that may have changed before their state is handed over, 7 kB each until then."""
RUN_LENGTH: Final = 500
LOOK_AHEAD: Final = 100
_EXAMPLES: Final = 5
_DAY: Final = 86_400.0
_LATE_AT_MOST: Final = 0.01
"""Share of events that may come more than a day late where a file is in order."""

Enrich = Callable[[Event], Facts]
_T = TypeVar("_T")


@dataclass
class DeadLines:
    """Lines that could not be used: how many, by the error's code, and the first few.

    Of the `events` in the others `late` came more than a day after later ones.
    """

    by_code: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    events: int = 0
    late: int = 0

    @property
    def disordered(self) -> bool:
        """Whether so many are late that a file is hardly in the order of time."""
        return self.late > self.events * _LATE_AT_MOST

    @property
    def total(self) -> int:
        """How many lines were dead."""
        return self.by_code.total()

    def living(self, lines: Iterable[FileEvent]) -> Iterator[Event]:
        """Yield the events; count the lines that hold none, and the events that are late."""
        latest = 0.0
        for line in lines:
            if isinstance(line.content, InvalidEvent):
                self.by_code[line.content.code] += 1
                if len(self.examples) < _EXAMPLES:
                    self.examples.append(f"{line.path}:{line.number}: {line.content}")
                continue
            # By the time to merge by, which no lone clock leads astray.
            latest = max(latest, line.time)
            self.events += 1
            if line.content.occurred_at < latest - _DAY:
                self.late += 1
            yield line.content


def steadied(lines: Iterable[FileEvent]) -> Iterator[FileEvent]:
    """Give each line the earliest time among itself and the next `LOOK_AHEAD` to be merged by.

    A single clock that runs ahead would else let every verdict of the future pass before the
    events that follow it in the file.
    """
    coming: deque[FileEvent] = deque()
    # Lines that may become the earliest: later in the file and no earlier in time than the first.
    earliest: deque[FileEvent] = deque()
    for line in lines:
        while earliest and earliest[-1].time > line.time:
            earliest.pop()
        earliest.append(line)
        coming.append(line)
        if len(coming) > LOOK_AHEAD:
            if coming[0] is earliest[0]:
                earliest.popleft()
                yield coming.popleft()
            else:
                yield _steady(coming, earliest)
    while coming:
        yield _steady(coming, earliest)


def _steady(coming: deque[FileEvent], earliest: deque[FileEvent]) -> FileEvent:
    line, first = coming.popleft(), earliest[0]
    if first is line:
        earliest.popleft()
        return line
    return msgspec.structs.replace(line, time=first.time)


def runs(items: Iterable[_T], length: int) -> Iterator[list[_T]]:
    """Cut into lists of `length`; the last may be shorter."""
    iterator = iter(items)
    while run := list(islice(iterator, length)):
        yield run


class PrequentialEngine:
    """An engine with its state in memory, handed over now and then, as a worker does it.

    That is what bounds its memory: it is done once `hand_over_accounts` accounts have changed, and,
    with `hand_over_every`, after so many events. What is said is the same, wherever it is done.

    With `heat`, what its events show goes round to other accounts after each event: by the classes
    that a worker's flows drive, as if each flow were at hand at once. What is hot is kept in
    `table`, an empty one. `intelligence` is what others report, of which each report counts while
    it is valid by the events' time.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        hand_over_every: int | None = None,
        hand_over_accounts: int = HAND_OVER_ACCOUNTS,
        prior: Prior = SHIPPED,
        heat: bool = True,
        intelligence: IndicatorTable | None = None,
        table: HotTable | None = None,
    ) -> None:
        self._state: dict[bytes, bytes] = {}
        self._across = AcrossAccounts(self._state.get, table) if heat else None
        hot = self._across.table if self._across is not None else None
        self._sightings = Sightings(shards=1)
        told = self._sightings if heat else None
        self._engine = Engine(
            policy, self._state.get, hot, told, intelligence=intelligence, prior=prior
        )
        self._every = hand_over_every
        self._most = hand_over_accounts
        self._since = 0

    def process(self, run: list[Observed]) -> list[Outcome]:
        """Assess, then learn, each event of a run in order; alerts raised anew follow it."""
        if self._across is None:
            outcomes = self._engine.process(run)
        else:
            outcomes = self._across.process(self._engine, self._sightings, run)
        self._since += len(run)
        if self._engine.changed >= self._most or self._since >= (self._every or inf):
            self.hand_over()
        return outcomes

    def published(self) -> list[Published]:
        """Hand over the campaigns and attacks that were published since the last call."""
        return self._across.published() if self._across is not None else []

    def hand_over(self) -> None:
        """Take what changed into the state, as one unit."""
        self._since = 0
        changed = self._engine.changes()
        if self._across is not None:
            changed.update(self._across.changes())
        for key, value in changed.items():
            if value is None:
                self._state.pop(key, None)
            else:
                self._state[key] = value


class Recording:
    """What a report needs of a run: the events, what every detector said, and the alerts.

    Its size is some hundred bytes an event with the baselines, sixty without.
    """

    def __init__(self, labels: Labels, *, baselines: bool) -> None:
        self.labels = labels
        self.ledger = Ledger(labels)
        self.scores: dict[str, Scores] = {}
        self.revisions: dict[str, list[Alert]] = {}
        self._baselines = Baselines() if baselines else None
        self._rivals = [self.scores_of(name) for name in BASELINES] if baselines else []

    def scores_of(self, detector: str) -> Scores:
        """Return the scores of a detector by its name in the report, new where there are none."""
        return self.scores.setdefault(detector, Scores())

    def observe(self, run: Iterable[Observed]) -> None:
        """Record events, and let the baselines score and learn them."""
        for observed in run:
            self.ledger.append(observed.event)
            if self._baselines is not None:
                risks = self._baselines.process(observed)
                for scores, risk in zip(self._rivals, risks or (), strict=False):
                    scores.add(named(observed.event), risk)

    def take(self, detector: str, outcomes: Iterable[Outcome], *, alerts: bool) -> None:
        """Record what an engine made of a run; of its alerts the first and the last revision."""
        assessments = []
        for outcome in outcomes:
            if outcome.assessment is not None:
                assessments.append(outcome.assessment)
            if alerts and outcome.alert is not None:
                revisions = self.revisions.setdefault(outcome.alert.alert_id, [])
                revisions[1:] = [outcome.alert]
        self.scores_of(detector).take(assessments)


class Written(NamedTuple):
    """Files to write one object a line to; None where nobody wants them."""

    assessments: BinaryIO | None = None
    alerts: BinaryIO | None = None
    campaigns: BinaryIO | None = None

    def take(self, outcomes: Iterable[Outcome], published: Iterable[Published]) -> None:
        """Write what an engine made of a run."""
        if self.campaigns is not None:
            self.campaigns.writelines(encode_published(record) + b"\n" for record in published)
        for outcome in outcomes:
            if self.assessments is not None and outcome.assessment is not None:
                self.assessments.write(encode_assessment(outcome.assessment) + b"\n")
            if self.alerts is not None and outcome.alert is not None:
                self.alerts.write(encode_alert(outcome.alert) + b"\n")


def backtest(
    events: Iterable[Event],
    enrich: Enrich,
    engines: Mapping[str, PrequentialEngine],
    *,
    written: Written,
    recording: Recording | None,
) -> Iterator[int]:
    """Run engines, by the names they have in the report, over events; yield how many are done.

    What the first engine says is written; its alerts, and the scores of all, are recorded.
    """
    done = 0
    for run in runs(events, RUN_LENGTH):
        observed = [Observed(event, enrich(event)) for event in run]
        for number, (name, engine) in enumerate(engines.items()):
            outcomes, published = engine.process(observed), engine.published()
            if number == 0:
                written.take(outcomes, published)
            if recording is not None:
                recording.take(name, outcomes, alerts=number == 0)
        if recording is not None:
            recording.observe(observed)
        done += len(run)
        yield done


class _AssessmentLine(msgspec.Struct):
    """A line of an assessments file: everything but the first two may be absent.

    Without its type it is of whatever event has its id.
    """

    event_id: str
    risk: float | None
    type: EventType | None = None
    account_id: str = ""
    occurred_at: str | float = 0.0
    reasons: tuple[str, ...] = ()
    alert_id: str | None = None


def read_assessments(path: Path, scores: Scores) -> None:
    """Read an assessments file, of this product or another's, into scores.

    A null risk says nothing and is passed over. Raises ConfigurationError, naming the line, for
    one that is no assessment.
    """
    decoder = msgspec.json.Decoder(_AssessmentLine)
    for number, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
            if line.risk is None:
                continue
            scores.add(Named(line.type, line.event_id), line.risk)
            if line.alert_id is not None:
                scores.take_case(_assessment(line, line.risk), line.alert_id)
        except (msgspec.DecodeError, ValueError) as error:
            raise ConfigurationError(f"{path}:{number} is no assessment: {error}") from None


def _assessment(line: _AssessmentLine, risk: float) -> Assessment:
    moment = line.occurred_at
    return Assessment(
        event_id=line.event_id,
        account_id=line.account_id,
        occurred_at=datetime.fromisoformat(moment).timestamp()
        if isinstance(moment, str)
        else moment / 1000,
        type=line.type or "login",  # which no case tells
        risk=risk,
        reasons=line.reasons,
        alert_id=line.alert_id,
    )

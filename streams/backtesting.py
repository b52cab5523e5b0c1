"""The engine over files instead of Kafka: score, then learn, in the order of event time.

Prequential (Dawid 1984): every event is scored by an engine that has seen only what came before
it. Verdicts are events like any other and are merged by their own time, so that none is used
before it would have arrived. The engine's state lives in a dictionary of bytes, and what changed
is handed over every so many events just as a worker does it: what the backtest measures is what
will run.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from detectors.engine import Engine, Observed, Outcome
from detectors.errors import InvalidEvent
from detectors.events import Event
from detectors.facts import Facts
from detectors.policy import Policy
from streams.files import FileEvent

HAND_OVER_EVERY: Final = 20_000
RUN_LENGTH: Final = 500
_EXAMPLES: Final = 5

Enrich = Callable[[Event], Facts]
_T = TypeVar("_T")


@dataclass
class DeadLines:
    """Lines that could not be used: how many, by the error's code, and the first few."""

    by_code: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many lines were dead."""
        return self.by_code.total()

    def living(self, lines: Iterable[FileEvent]) -> Iterator[Event]:
        """Yield the events; count the lines that hold none."""
        for line in lines:
            if isinstance(line.content, InvalidEvent):
                self.by_code[line.content.code] += 1
                if len(self.examples) < _EXAMPLES:
                    self.examples.append(f"{line.path}:{line.number}: {line.content}")
            else:
                yield line.content


def observed_runs(events: Iterable[Event], enrich: Enrich) -> Iterator[list[Observed]]:
    """Yield the events with their facts, in runs of `RUN_LENGTH`."""
    for run in runs(events, RUN_LENGTH):
        yield [Observed(event, enrich(event)) for event in run]


def runs(items: Iterable[_T], length: int) -> Iterator[list[_T]]:
    """Cut into lists of `length`; the last may be shorter."""
    iterator = iter(items)
    while run := list(islice(iterator, length)):
        yield run


class PrequentialEngine:
    """An engine with its state in memory, handed over every so many events as a worker does it."""

    def __init__(self, policy: Policy, *, hand_over_every: int = HAND_OVER_EVERY) -> None:
        self._state: dict[bytes, bytes] = {}
        self._engine = Engine(policy, self._state.get)
        self._every = hand_over_every
        self._since = 0

    def process(self, run: list[Observed]) -> list[Outcome]:
        """Assess, then learn, each event of a run in order."""
        outcomes = self._engine.process(run)
        self._since += len(run)
        if self._since >= self._every:
            self.hand_over()
        return outcomes

    def hand_over(self) -> None:
        """Take what changed into the state, as one unit."""
        self._since = 0
        for key, value in self._engine.changes().items():
            if value is None:
                self._state.pop(key, None)
            else:
                self._state[key] = value

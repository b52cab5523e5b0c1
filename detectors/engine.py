"""The only composition: events in, assessments and alerts out, state kept as bytes by key.

An engine owns everything about one Kafka partition: its accounts' profiles and cases, and the
models and population counts that were learnt from them. It reads no clock: time is the event's.

**State.** The engine sees a key-value store of bytes and nothing else. It reads through the
function it was given, keeps decoded what it works on, and hands over what changed on request.
Whoever runs it (a worker, the backtest) makes each hand-over durable as one unit, together with
the position in the input that it stands for: then a crash can only ever put the whole partition
(profiles, cases, models) back to an earlier moment, never to a mixture of two.

**Repeatability.** The same store and the same events in the same order give the same
assessments, alerts and bytes, whether events come one at a time or in runs, and wherever the
hand-overs fall between them.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from detectors.assessments import Alert, Assessment
from detectors.events import Event
from detectors.facts import Facts
from detectors.policy import Policy

ReadState = Callable[[bytes], bytes | None]
"""Reads a key that an earlier `changes()` wrote; None where there is none."""


class Observed(NamedTuple):
    """An event with what could be looked up about it."""

    event: Event
    facts: Facts


class Outcome(NamedTuple):
    """What an event led to. A verdict has no assessment; most events have no alert."""

    observed: Observed
    assessment: Assessment | None
    alert: Alert | None


class Heat(Protocol):
    """What is known about an event's indicators across accounts, at this moment.

    Where it comes from (a global table fed by another agent, or the backtest's own counts) is the
    caller's business. It must answer at once, from memory: a sign-in is never delayed by it.
    """

    def signals(self, observed: Observed) -> tuple[float, ...]:
        """Return the heat features of an event, in the registry's order; empty for none."""


class NoHeat:
    """Nothing is known across accounts."""

    def signals(self, observed: Observed) -> tuple[float, ...]:  # noqa: ARG002 - the protocol's
        """Return no signals."""
        return ()


class Engine:
    """One partition's detector. See the module for what it promises.

    `policy` fixes every constant and seed; `read` gives the state handed over so far; `heat` is
    what other accounts tell.
    """

    def __init__(self, policy: Policy, read: ReadState, heat: Heat | None = None) -> None:
        raise NotImplementedError

    def assess(self, observed: Observed) -> Assessment | None:
        """Score an event against what is known before it; None for a verdict. Changes nothing."""

    def learn(self, observed: Observed, assessment: Assessment | None) -> Alert | None:
        """Take an event into its account's profile, the case, the models and the population.

        Returns the new revision of the account's case where one is due.
        """

    def process(self, run: Sequence[Observed]) -> list[Outcome]:
        """Assess, then learn, each event of a run in order."""

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over every key changed since the last call, encoded; None means delete it.

        Keys never begin with a zero byte: those belong to whoever stores them. Until the values
        are durable, `read` must already answer with them.
        """

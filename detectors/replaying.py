"""Works an alert out again from what it stood on: the engine itself, over a snapshot's state."""

from typing import NamedTuple

from detectors.assessments import Alert, Assessment
from detectors.engine import Engine, Observed
from detectors.errors import IncompatibleState
from detectors.facts import NOTHING_KNOWN
from detectors.features.reading import Reading
from detectors.heat.indicators import Met
from detectors.heat.records import Hot
from detectors.intelligence.records import IndicatorReport
from detectors.models.prior import Prior
from detectors.snapshots import VERSION, Snapshot, Told, stored


class Replayed(NamedTuple):
    """What came of it again. What another flow told of an account has no assessment."""

    assessment: Assessment | None
    alert: Alert | None


class _AsItWas:
    """What was hot of what the event came with (`detectors.engine.Heat`)."""

    def __init__(self, heat: tuple[Hot, ...]) -> None:
        self._heat = heat

    def hottest(self, reading: Reading) -> tuple[Hot, ...]:  # noqa: ARG002 - the protocol's
        """Return what was hot then."""
        return self._heat


class _AsTold:
    """What others had reported of what the event came with (`detectors.engine.Intelligence`)."""

    def __init__(self, reported: tuple[Told, ...]) -> None:
        self._reports = {(told.kind, told.key): told.reports for told in reported}

    def __len__(self) -> int:
        return len(self._reports)

    def reports(self, met: Met, at: float) -> tuple[IndicatorReport, ...]:  # noqa: ARG002 - the protocol's
        """Return what was reported then."""
        return self._reports.get((met.kind, met.key), ())


def replay(snapshot: Snapshot) -> Replayed:
    """Judge again what was judged. Raises IncompatibleState where this release cannot read it."""
    if snapshot.version != VERSION:
        raise IncompatibleState(f"a snapshot has version {snapshot.version}, not {VERSION}")
    given = snapshot.given
    try:
        state = {key.encode(): value for key, value in snapshot.entries.items()}
        state.update(stored(snapshot.cells))
        engine = Engine(
            snapshot.policy,
            state.get,
            _AsItWas(given.heat),
            intelligence=_AsTold(given.reported),
            prior=Prior(*snapshot.prior),
        )
        if given.notice is not None:
            return Replayed(None, engine.take_notice(given.notice))
        event = given.event
        if event is None:
            raise IncompatibleState("a snapshot has neither an event nor a notice")
        observed = Observed(event, given.facts or NOTHING_KNOWN)
        assessment = engine.assess(observed)
        return Replayed(assessment, engine.learn(observed, assessment))
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        # Whoever wrote the snapshot may have meant no good: its numbers lead anywhere.
        raise IncompatibleState(f"a snapshot cannot be judged again: {error}") from error

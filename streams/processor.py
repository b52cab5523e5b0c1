"""What the product does with a partition's records: decode, look up, score, tell.

Between Kafka's bytes and the engine's objects, and nothing else: what an event means is
`detectors`' business, what survives a crash is `streams.runtime`'s.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from detectors.engine import Engine, Observed, Outcome
from detectors.errors import InvalidEvent
from detectors.events import Event, EventType
from detectors.parsing import EARLIEST, is_plausible
from streams.codec import (
    CUT_BYTES,
    decode,
    encode_alert,
    encode_assessment,
    encode_dead_letter,
)
from streams.dead_letters import DeadLetterShare, origin_of
from streams.enrichment import Enricher
from streams.runtime.interfaces import Prepared, Record, Send

_FAR_AHEAD_SECONDS: Final = 86_400.0


class Source(NamedTuple):
    """What is known of a source topic: its events' type, and whether they are keyed by account."""

    type: EventType
    keyed_by_account: bool = True


class Outputs(NamedTuple):
    """Topics that are written to; `assessments` None writes none."""

    alerts: str
    dead_letters: str
    assessments: str | None = None


class FraudProcessor:
    """One partition's records to alerts, assessments and dead letters (`interfaces.Processor`)."""

    def __init__(
        self,
        engine: Engine,
        enricher: Enricher,
        *,
        sources: Mapping[str, Source],
        outputs: Outputs,
        share: DeadLetterShare,
        max_record_bytes: int,
    ) -> None:
        self._engine = engine
        self._facts = enricher.facts
        self._sources = sources
        self._outputs = outputs
        self._share = share
        self._max_record_bytes = max_record_bytes

    def prepare(self, record: Record) -> Prepared:
        """Decode a record and look it up; one that cannot be used is content too."""
        source = self._sources[record.topic]
        origin = origin_of(record)
        try:
            event = decode(
                record.value,
                type_=source.type,
                timestamp=origin.timestamp,
                fallback_id=origin.position,
                limit=self._max_record_bytes,
            )
            if source.keyed_by_account:
                _check_key(record.key, event.account_id)
        except InvalidEvent as error:
            # Taken at once where its time is impossible: it must not hold back what is behind it.
            time = record.timestamp if is_plausible(record.timestamp) else EARLIEST
            return Prepared(record, time, _bare(error))
        return Prepared(record, _turn(event, record), Observed(event, self._facts(event)))

    def fold(self, run: Sequence[Prepared]) -> Sequence[Send]:
        """Score and learn what can be used; return the messages that a run gives rise to."""
        observed, errors, sends = [], [], []
        for prepared in run:
            if isinstance(prepared.content, InvalidEvent):
                errors.append(prepared.content)
                sends.append(
                    dead_letter(self._outputs.dead_letters, prepared.record, prepared.content)
                )
            else:
                observed.append(prepared.content)
        self._share.count(len(run), errors)
        for outcome in self._engine.process(observed):
            self._tell(outcome, sends)
        return sends

    def summaries(self) -> Sequence[Send]:
        """Sum nothing up."""
        return ()

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what the engine changed."""
        return self._engine.changes()

    def _tell(self, outcome: Outcome, sends: list[Send]) -> None:
        if outcome.alert is not None:
            key = outcome.alert.account_id.encode()
            value = encode_alert(outcome.alert)
            sends.append(Send(self._outputs.alerts, key, value, urgent=True))
        if self._outputs.assessments is not None and outcome.assessment is not None:
            key = outcome.assessment.account_id.encode()
            value = encode_assessment(outcome.assessment)
            sends.append(Send(self._outputs.assessments, key, value))


def dead_letter(topic: str, record: Record, error: InvalidEvent) -> Send:
    """Return the message that puts a record, and what is wrong with it, on the topic for those."""
    key = record.key and record.key[:CUT_BYTES]  # a longer one may be what does not fit
    return Send(topic, key, encode_dead_letter(record, error), independent=True)


def _bare(error: InvalidEvent) -> InvalidEvent:
    """Return an error without what it came of: that holds all that was decoded, while it waits."""
    error.__context__ = None
    return error.with_traceback(None)


def _turn(event: Event, record: Record) -> float:
    """The time by which an event takes its turn among the topics' records.

    Its own, unless a wrong clock puts it far behind the broker's: it would hold back everything
    that comes after it in its topic until all others are read to their end.
    """
    if not is_plausible(record.timestamp):
        return event.occurred_at
    return min(event.occurred_at, record.timestamp + _FAR_AHEAD_SECONDS)


def _check_key(key: bytes | None, account_id: str) -> None:
    """The key decides which worker sees a record, so it must be the account that it is about."""
    if key != account_id.encode():
        raise InvalidEvent(
            "wrong_key",
            field="account_id",
            expected="the record's key" if key is not None else "a record keyed by it",
            found="another account" if key is not None else "a record without a key",
        )

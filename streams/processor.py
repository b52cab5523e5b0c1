"""What the product does with a partition's records: decode, look up, score, tell.

Between Kafka's bytes and the engine's objects, and nothing else: what an event means is
`detectors`' business, what survives a crash is `streams.runtime`'s.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from detectors.assessments import Alert
from detectors.engine import Engine, Observed, Outcome
from detectors.errors import InvalidEvent
from detectors.events import Event, EventType
from detectors.heat import encode_batch
from detectors.parsing import EARLIEST, is_plausible
from streams.codec import decode, encode_alert, encode_assessment
from streams.dead_letters import DeadLetters, bare, origin_of
from streams.enrichment import Enricher
from streams.evidence.records import MOST_BYTES, encode_evidence
from streams.runtime.interfaces import Prepared, Record, Send
from streams.telling import notice_of

_FAR_AHEAD_SECONDS: Final = 86_400.0
_MOST_EVIDENCE_BYTES: Final = 4 << 20
"""Of a run. A thousand alerts in a run come to more only where each is of a giant order."""
_log: Final = logging.getLogger(__name__)


class Source(NamedTuple):
    """What is known of a source topic: its events' type, and whether they are keyed by account."""

    type: EventType
    keyed_by_account: bool = True


class Outputs(NamedTuple):
    """Topics that are written to; `assessments` or `evidence` None writes none."""

    alerts: str
    observations: str
    assessments: str | None = None
    evidence: str | None = None


class FraudProcessor:
    """One partition's records to alerts, assessments and dead letters (`interfaces.Processor`).

    What is in none of `sources` is what other flows tell of accounts.
    """

    def __init__(
        self,
        engine: Engine,
        enricher: Enricher,
        *,
        sources: Mapping[str, Source],
        outputs: Outputs,
        dead_letters: DeadLetters,
        max_record_bytes: int,
    ) -> None:
        self._engine = engine
        self._facts = enricher.facts
        self._sources = sources
        self._outputs = outputs
        self._dead_letters = dead_letters
        self._max_record_bytes = max_record_bytes

    def prepare(self, record: Record) -> Prepared:
        """Decode a record and look it up; one that cannot be used is content too."""
        source = self._sources.get(record.topic)
        if source is None:
            return _prepare_notice(record)
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
            return Prepared(record, time, bare(error))
        return Prepared(record, _turn(event, record), Observed(event, self._facts(event)))

    def fold(self, run: Sequence[Prepared]) -> Sequence[Send]:
        """Score and learn what can be used; return the messages that a run gives rise to."""
        living, sends = self._dead_letters.sift(run)
        for is_event, contents in groupby(living, lambda content: type(content) is Observed):
            if is_event:
                for outcome in self._engine.process(list(contents)):
                    self._tell(outcome, sends)
            else:
                for notice in contents:
                    self._tell_alert(self._engine.take_notice(notice), sends)
        if self._outputs.evidence is not None:
            sends += self._evidence(self._outputs.evidence)
        return sends

    def _evidence(self, topic: str) -> Iterator[Send]:
        """What the alerts of a run stand on, as far as a step of state has room for it."""
        room = _MOST_EVIDENCE_BYTES
        for snapshot in self._engine.snapshots():
            value = encode_evidence(snapshot)
            room -= len(value)
            if len(value) > MOST_BYTES or room < 0:
                _log.warning("what alert %s stands on is too large to keep", snapshot.alert_id)
            else:
                yield Send(topic, snapshot.account_id.encode(), value)

    def summaries(self) -> Sequence[Send]:
        """Sum up, for the flow that counts them, what events came with."""
        topic = self._outputs.observations
        return [
            Send(topic, None, encode_batch(batch), partition=shard)
            for shard, batch in self._engine.sightings()
        ]

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what the engine changed."""
        return self._engine.changes()

    def _tell_alert(self, alert: Alert | None, sends: list[Send]) -> None:
        if alert is not None:
            key = alert.account_id.encode()
            sends.append(Send(self._outputs.alerts, key, encode_alert(alert), urgent=True))

    def _tell(self, outcome: Outcome, sends: list[Send]) -> None:
        self._tell_alert(outcome.alert, sends)
        if self._outputs.assessments is not None and outcome.assessment is not None:
            key = outcome.assessment.account_id.encode()
            value = encode_assessment(outcome.assessment)
            sends.append(Send(self._outputs.assessments, key, value))


def _prepare_notice(record: Record) -> Prepared:
    """It follows from events that were folded here long since: it need not wait its turn."""
    try:
        return Prepared(record, EARLIEST, notice_of(record))
    except InvalidEvent as error:
        return Prepared(record, EARLIEST, bare(error))


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

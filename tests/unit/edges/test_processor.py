"""Whatever a record holds, the processor makes an event or a dead letter of it, and goes on."""

import orjson
import pytest

from detectors.engine import Engine, Observed
from detectors.errors import InvalidEvent
from detectors.parsing import EARLIEST, LATEST
from detectors.policy import Policy
from streams.codec import MAX_LETTER_BYTES
from streams.dead_letters import RESENT_HEADER, DeadLetters, DeadLetterShare, decode_dead_letter
from streams.enrichment import Enricher
from streams.processor import FraudProcessor, Outputs, Source
from streams.runtime.interfaces import Record

MOMENT = 1_795_500_000.25
UNDATED = b'{"account_id":"a","ip":"192.0.2.1","outcome":"success"}'
DATED = b'{"account_id":"a","ip":"192.0.2.1","outcome":"success","occurred_at":1795400000000}'


@pytest.fixture
def processor() -> FraudProcessor:
    """A processor of sign-ins and orders with nothing stored."""
    return FraudProcessor(
        Engine(Policy(), lambda _: None),
        Enricher(()),
        sources={"logins": Source("login"), "orders": Source("order")},
        outputs=Outputs(alerts="alerts", observations="observations"),
        dead_letters=DeadLetters("dead-letters", DeadLetterShare(1, 100), ["logins"]),
        max_record_bytes=1_048_576,
    )


def record(value: bytes | None, timestamp: float = MOMENT) -> Record:
    """Return a sign-in's record as it was read."""
    return Record("logins", 3, 1234, timestamp, b"a", value)


@pytest.mark.parametrize(
    "timestamp", [1.7e12, -1e12, 9.2e15, -9.2e15, -0.001, EARLIEST - 0.001, LATEST]
)
class TestImpossibleTimestamps:
    """Producers mistake the unit of a record's timestamp; that is the record's fault alone."""

    def test_they_stand_in_for_no_time(self, processor: FraudProcessor, timestamp: float) -> None:
        """An event without a time of its own is refused, with the record's timestamp told."""
        prepared = processor.prepare(record(UNDATED, timestamp))
        assert isinstance(prepared.content, InvalidEvent)
        assert (prepared.content.code, prepared.content.field) == ("out_of_range", "occurred_at")
        assert f"{round(timestamp * 1000)} as the record's own timestamp" in str(prepared.content)

    def test_they_matter_to_no_dated_event(
        self, processor: FraudProcessor, timestamp: float
    ) -> None:
        """An event that says when it occurred is used all the same."""
        prepared = processor.prepare(record(DATED, timestamp))
        assert isinstance(prepared.content, Observed)
        assert prepared.time == 1_795_400_000.0

    def test_their_dead_letters_are_written_and_read(
        self, processor: FraudProcessor, timestamp: float
    ) -> None:
        """A letter of such a record has no `received_at`; the record holds no other back."""
        prepared = processor.prepare(record(b"{bad", timestamp))
        assert prepared.time == EARLIEST
        (send,) = processor.fold([prepared])
        letter = decode_dead_letter(send.value)
        assert (letter.value, letter.received_at) == (b"{bad", None)
        assert orjson.loads(send.value or b"")["received_at"] is None


def test_a_possible_timestamp_stands_in(processor: FraudProcessor) -> None:
    """An event without a time occurred when its record was made."""
    prepared = processor.prepare(record(UNDATED))
    assert isinstance(prepared.content, Observed)
    assert prepared.content.event.occurred_at == MOMENT
    assert prepared.content.event.event_id == "logins:3:1234"


def test_a_letter_of_a_record_without_bounds_fits_its_topic(processor: FraudProcessor) -> None:
    """Key and value together are what a broker counts; both may be as large as a client likes."""
    huge = record(b"x" * 14_000_000)._replace(key=b"k" * 14_000_000)
    (send,) = processor.fold([processor.prepare(huge)])
    assert len(send.key or b"") + len(send.value or b"") < MAX_LETTER_BYTES - 1024
    assert decode_dead_letter(send.value).error.code == "too_large"


def test_a_record_that_was_sent_again_is_the_event_that_it_was(processor: FraudProcessor) -> None:
    """Without an id and a time of its own it keeps those of the record that it first was."""
    headers = ((RESENT_HEADER, b"logins:1:7:1795400000500"),)
    prepared = processor.prepare(record(UNDATED)._replace(headers=headers))
    assert isinstance(prepared.content, Observed)
    event = prepared.content.event
    assert (event.event_id, event.occurred_at) == ("logins:1:7", 1_795_400_000.5)
    assert prepared.time == 1_795_400_000.5


def test_a_clock_that_runs_ahead_holds_its_topic_back_by_a_day_at_most(
    processor: FraudProcessor,
) -> None:
    """An event of the far future takes its turn a day after the broker saw it, as what it is."""
    ahead = DATED.replace(b"1795400000000", b"3900000000000")
    prepared = processor.prepare(record(ahead))
    assert isinstance(prepared.content, Observed)
    assert prepared.content.event.occurred_at == 3_900_000_000.0
    assert prepared.time == MOMENT + 86_400
    assert processor.prepare(record(DATED)).time == 1_795_400_000.0

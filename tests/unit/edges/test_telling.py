"""What flows tell one another: what is not theirs is refused, the rest goes where it belongs."""

import logging
from decimal import Decimal

import pytest

from detectors.errors import InvalidEvent
from detectors.heat import (
    Batch,
    Front,
    Hot,
    Kind,
    Link,
    Membership,
    Notice,
    Reassessment,
    decode_batch,
    decode_link,
    decode_linking,
    decode_notice,
    encode_batch,
    encode_hot,
    encode_notice,
)
from detectors.heat.counter import HeatCounter
from detectors.heat.records import VERSION, AlertMark, Entry, Sighting
from detectors.heat.table import HotTable
from streams.dead_letters import DeadLetters, DeadLetterShare, decode_dead_letter
from streams.runtime.interfaces import Record, Send
from streams.runtime.numbering import Sender, numbered
from streams.settings import Settings
from streams.telling import Output, ToldProcessor, into, messages, notice_of, told
from streams.topics import MAX_CARRIED_BYTES
from tests.unit.edges.test_campaigns import ATTACK, CAMPAIGN

MARK = AlertMark("alert", "anna", 1, 1e9, 1e9, 0.9, "access", (), Decimal(5), "GBP")
HOT = Hot(VERSION, Kind.PREFIX, 255, "fast_stuffing", 3.0, 1e9, 1e9, 1e9 + 600, 50, 49, 45)
ENTRY = Entry("anna", "login-1", 1e9, -2.0)
JOINS = Membership("anna", "alert", "campaign", 1e9)
FRONT = Front(Kind.PREFIX, 255, "fast_stuffing", 1, 1e9, 1e9, 50, 49, 45, 0)
LINK = Link(VERSION, Kind.PREFIX, 255, MARK, 3, 1000, 0.0, None)
BATCH = Batch(VERSION, (), (Sighting(Kind.PREFIX, 255, 1, 0, 0, 0, (), (), (), alerts=(MARK,)),))
SENDER = Sender("heat", 0, 7)


def _record(value: bytes | None, key: bytes = b"anna", *, sent: bool = True) -> Record:
    message = Send("told", key, value)
    headers = numbered(message, SENDER).headers if sent else ()
    return Record("told", 0, 5, 1e9, key, value, headers)


@pytest.mark.parametrize("notice", [Reassessment(ENTRY, HOT), JOINS], ids=["entry", "campaign"])
def test_what_a_flow_tells_is_taken(notice: Notice) -> None:
    """It comes as it was told."""
    assert notice_of(_record(encode_notice(notice))) == notice


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (_record(encode_notice(JOINS), sent=False), "missing_field"),
        (_record(encode_notice(JOINS), key=b"berta"), "wrong_key"),
        (_record(None), "wrong_type"),
        (_record(b"\xff\xfe"), "wrong_type"),
        (_record(b"[]"), "wrong_type"),
        (_record(encode_batch(BATCH)), "wrong_type"),
        (_record(bytes(MAX_CARRIED_BYTES + 1)), "too_large"),
    ],
    ids=["nobody's", "another's", "nothing", "no bytes of ours", "JSON", "a batch", "huge"],
)
def test_what_no_flow_tells_is_refused(record: Record, code: str) -> None:
    """Whoever wrote it: it says what is wrong, and changes nothing."""
    with pytest.raises(InvalidEvent) as refused:
        notice_of(record)
    assert refused.value.code == code


@pytest.mark.parametrize("decode", [decode_batch, decode_link, decode_linking, decode_notice])
def test_every_kind_is_refused_alike(decode: object) -> None:
    """No decoder raises anything else."""
    assert callable(decode)
    for value in (b"", b"\x00", b"\x93\x01\x02\x03", b"\xdc\xff\xff", b"{}"):
        with pytest.raises(InvalidEvent):
            told(_record(value), decode)


def _counting() -> ToldProcessor:
    return ToldProcessor(
        HeatCounter(lambda _: None),
        decode_batch,
        message=messages(Settings()),
        dead_letters=DeadLetters("dead-letters", DeadLetterShare(1, 100), ["logins"]),
    )


def test_a_flow_takes_what_it_can_and_sends_the_rest_away() -> None:
    """What cannot be read is a dead letter with its bytes; what can be gives rise to messages."""
    processor = _counting()
    records = [_record(encode_batch(BATCH)), _record(b"nonsense")]
    letter, link = processor.fold([processor.prepare(record) for record in records])
    assert (letter.topic, letter.independent) == ("dead-letters", True)
    assert decode_dead_letter(letter.value).value == b"nonsense"
    assert (link.topic, link.key) == ("nightlatch-alert-links", b"alert")
    assert decode_link(link.value or b"").alert == MARK
    assert processor.changes()
    assert not processor.changes()


@pytest.mark.parametrize(
    ("output", "topic", "key", "urgent"),
    [
        (HOT, "nightlatch-heat", b"address_prefix:00000000000000ff", True),
        (Reassessment(ENTRY, HOT), "nightlatch-reassessments", b"anna", True),
        (JOINS, "nightlatch-reassessments", b"anna", False),
        (LINK, "nightlatch-alert-links", b"alert", False),
        (FRONT, "nightlatch-alert-links", b"address_prefix:00000000000000ff", False),
        (CAMPAIGN, "campaigns", b"c1", False),
        (ATTACK, "campaigns", b"h1", False),
    ],
)
def test_everything_has_its_topic(output: Output, topic: str, key: bytes, urgent: bool) -> None:  # noqa: FBT001 - parametrised
    """Keyed by what it is about; what is about an attack under way does not wait."""
    message = messages(Settings())(output)
    assert (message.topic, message.key, message.urgent) == (topic, key, urgent)


def test_what_is_hot_is_known_and_nonsense_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """A record nobody can read is named in the log, and neither stops nor heats anything."""
    table = HotTable()
    take = into(table)
    with caplog.at_level(logging.WARNING):
        take(_record(b"nonsense", sent=False))
        take(_record(None, sent=False))
    assert "told:0:5 is no hot indicator" in caplog.text
    assert not table._hot
    take(_record(encode_hot(HOT), sent=False))
    assert list(table._hot.values()) == [HOT]

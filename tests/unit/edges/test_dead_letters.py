"""Dead letters keep every byte, say why, can be mended by hand, and stop a worker in excess."""

from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import ConfigurationError, InvalidEvent, TooManyDeadLetters
from streams.codec import CUT_BYTES, MAX_LETTER_BYTES, encode_dead_letter
from streams.dead_letters import (
    RESENT_HEADER,
    DeadLetters,
    DeadLetterShare,
    Resend,
    decode_dead_letter,
    editable,
    origin_of,
    read_dead_letters,
    selected,
)
from streams.runtime.interfaces import Prepared, Record
from streams.sending import Outgoing
from streams.settings import Settings

ERROR = InvalidEvent("missing_field", field="ip", expected="an address", found="nothing")
GOOD = b'{"account_id":"a","ip":"192.0.2.1","outcome":"success"}'


def record(value: bytes | None, topic: str = "logins", key: bytes | None = b"a") -> Record:
    """Return a record as it was read."""
    return Record(topic, 3, 1234, 1795500000.12, key, value)


DEAD = (record(b"?"), ERROR)


@given(
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=200),
    headers=st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=2),
)
def test_every_byte_is_kept(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    """Key, value and headers come back as they were, None and empty told apart."""
    dead = record(value, key=key)._replace(headers=tuple(headers))
    letter = decode_dead_letter(encode_dead_letter(dead, ERROR))
    assert (letter.key, letter.value, letter.headers) == (key, value, tuple(headers))
    assert (letter.position, letter.timestamp) == ("logins:3:1234", dead.timestamp)
    mended = decode_dead_letter(orjson.dumps(editable(letter)))
    assert mended == letter


def test_the_contracts_fields() -> None:
    """Topic, place, time, error and base64 of the bytes, the same bytes each time it is written."""
    fields = orjson.loads(encode_dead_letter(record(b"\xff"), ERROR))
    assert fields == {
        "topic": "logins",
        "partition": 3,
        "offset": 1234,
        "received_at": "2026-11-24T06:00:00.120Z",
        "error": {"code": "missing_field", "message": str(ERROR), "field": "ip"},
        "key": "YQ==",
        "value": "/w==",
    }


# What is left beside the value: base64 of three bytes takes four.
LARGEST = (MAX_LETTER_BYTES - 64 * 1024) // 4 * 3


def test_what_fits_the_topic_is_kept_whole() -> None:
    """A value is kept byte for byte up to the size at which its letter would not fit the topic."""
    whole = encode_dead_letter(record(b"x" * LARGEST, key=None), ERROR)
    assert len(whole) < MAX_LETTER_BYTES
    letter = decode_dead_letter(whole)
    assert (letter.value, letter.cut) == (b"x" * LARGEST, None)


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (b"a", b"x" * (LARGEST + 1), ()),
        (b"a", b"x" * 100_000_000, ()),
        (b"k" * 14_000_000, b"x", ()),
        (b"k" * 14_000_000, None, ()),
        (b"a", b"x", (("h", b"y" * 14_000_000),)),
        (b"a", b"x", (("\x01" * 3_000_000, b"y"),)),
        (b"a", b"x", (("", b""),) * 1_100_000),
    ],
)
def test_what_does_not_fit_is_cut_and_says_so(
    key: bytes, value: bytes | None, headers: tuple[tuple[str, bytes], ...]
) -> None:
    """A letter always fits; a cut one tells place, lengths and digests, and is not sent again."""
    dead = record(value, key=key)._replace(headers=headers)
    encoded = encode_dead_letter(dead, ERROR)
    assert len(encoded) + CUT_BYTES < MAX_LETTER_BYTES
    letter = decode_dead_letter(encoded)
    assert letter.cut is not None
    assert letter.position == "logins:3:1234"
    assert (letter.key, letter.value) == (key[:CUT_BYTES], value and value[:CUT_BYTES])
    assert letter.cut.headers == len(headers)
    assert letter.cut.key_bytes == len(key)
    if value is not None:
        assert letter.cut.value_bytes == len(value)
        assert letter.cut.value_sha256 == sha256(value).hexdigest()
    assert letter.text is None
    assert decode_dead_letter(orjson.dumps(editable(letter))) == letter
    with pytest.raises(InvalidEvent, match="the record itself is at logins:3:1234"):
        Resend(Settings()).record(letter)


@pytest.mark.parametrize("value", [None, b"x", b"{}", b'{"topic":1}'])
def test_what_is_no_dead_letter(value: bytes | None) -> None:
    """Somebody else's record on the topic is refused as one record."""
    with pytest.raises(InvalidEvent):
        decode_dead_letter(value)


def test_a_mended_text_is_what_is_sent(tmp_path: Path) -> None:
    """In a file the `text` is the value: that is how a record is mended by hand."""
    letter = decode_dead_letter(encode_dead_letter(record(b'{"account_id":"a"}'), ERROR))
    path = tmp_path / "letters"
    path.write_bytes(orjson.dumps({**editable(letter), "text": GOOD.decode()}) + b"\n")
    (mended,) = read_dead_letters(path)
    assert mended.value == GOOD
    path.write_bytes(b"\nnonsense\n")
    with pytest.raises(ConfigurationError, match="letters:2"):
        list(read_dead_letters(path))


def test_only_what_would_not_come_back_is_sent() -> None:
    """A record that is still unusable, or is for no input topic, is refused."""
    rules = Resend(Settings())
    letter = decode_dead_letter(encode_dead_letter(record(GOOD), ERROR))
    sent = rules.record(letter)
    assert sent is not None
    assert (sent.topic, sent.key, sent.value) == ("logins", b"a", GOOD)
    assert sent.headers == [(RESENT_HEADER, b"logins:3:1234:1795500000120")]
    for dead in (record(b"{}"), record(GOOD, topic="alerts"), record(GOOD, topic="orders")):
        with pytest.raises(InvalidEvent):
            Resend(Settings()).record(decode_dead_letter(encode_dead_letter(dead, ERROR)))


def test_the_key_of_what_is_sent_again() -> None:
    """A missing or wrong key becomes the account; on a topic that is keyed anew it stays."""
    letter = decode_dead_letter(encode_dead_letter(record(GOOD, key=b"wrong"), ERROR))
    for settings, key in ((Settings(), b"a"), (Settings(rekey=("logins",)), b"wrong")):
        sent = Resend(settings).record(letter)
        assert sent is not None
        assert sent.key == key


def read_again(sent: Outgoing | None, offset: int, timestamp: float) -> Record:
    """Return what was sent again as it is read from where it then is."""
    assert sent is not None
    headers = tuple((name, value or b"") for name, value in sent.headers)
    return Record(sent.topic, 3, offset, timestamp, sent.key, sent.value, headers)


def test_where_a_record_was_first_survives_every_resending() -> None:
    """Its first place and time are told however often it comes back and is sent again."""
    dead = record(GOOD)._replace(headers=(("trace", b"t"),))
    for offset in (2000, 3000):
        letter = decode_dead_letter(encode_dead_letter(dead, ERROR))
        dead = read_again(Resend(Settings()).record(letter), offset, 1_796_000_000.0)
        assert origin_of(dead) == ("logins:3:1234", 1_795_500_000.12)
        assert [name for name, _ in dead.headers] == ["trace", RESENT_HEADER]


def test_an_unknown_time_stays_unknown() -> None:
    """A record without a possible time is sent again only where its event has one."""
    rules = Resend(Settings())
    undated = encode_dead_letter(record(GOOD)._replace(timestamp=1.7e12), ERROR)
    with pytest.raises(InvalidEvent, match="occurred_at"):
        rules.record(decode_dead_letter(undated))
    value = GOOD[:-1] + b',"occurred_at":1795500000000}'
    dated = encode_dead_letter(record(value)._replace(timestamp=1.7e12), ERROR)
    again = read_again(rules.record(decode_dead_letter(dated)), 2000, 1_796_000_000.0)
    assert origin_of(again) == ("logins:3:1234", None)


@pytest.mark.parametrize(
    "value", [b"", b"logins:3:1234", b"logins:3:x:5", b"\xff", b"a b:1:2:3", b"logins:3:1:2:3"]
)
def test_a_header_that_resend_did_not_write_is_ignored(value: bytes) -> None:
    """Whatever else stands in the header, the record is where it was read."""
    found = record(GOOD)._replace(headers=((RESENT_HEADER, value),))
    assert origin_of(found) == ("logins:3:1234", 1_795_500_000.12)


def test_no_record_is_sent_twice_at_once() -> None:
    """A letter that a crash repeated is of one record."""
    rules = Resend(Settings())
    letter = decode_dead_letter(encode_dead_letter(record(GOOD), ERROR))
    assert rules.record(letter) is not None
    assert rules.record(letter) is None
    assert rules.repeats == 1
    other = encode_dead_letter(record(GOOD)._replace(offset=9), ERROR)
    assert rules.record(decode_dead_letter(other)) is not None


def test_letters_are_chosen_by_their_properties() -> None:
    """Each filter narrows the choice."""
    other = InvalidEvent("not_json", field=None, expected="x", found="y")
    letters = [
        decode_dead_letter(encode_dead_letter(dead, error))
        for dead, error in (
            (record(b""), ERROR),
            (record(b"", "orders"), ERROR),
            (record(b""), other),
        )
    ]
    assert list(selected(letters, topic="logins", code="missing_field")) == [letters[0]]
    assert list(selected(letters, field="ip")) == letters[:2]
    assert list(selected(letters)) == letters


def test_a_share_above_the_limit_stops() -> None:
    """Half of a window unusable is too much, as soon as it is so.

    The last one, where it is and the way on are told: at two in the morning nothing else is read.
    What it held is not.
    """
    share = DeadLetterShare(0.5, 100)
    share.count(60, [DEAD] * 49)
    told = r"logins:3:1234: not_allowed, field 'city': expected a string\. .* dead_letter_limit 1 "
    found = "'14 Privet Drive'"
    error = InvalidEvent("not_allowed", field="city", expected="a string", found=found)
    with pytest.raises(TooManyDeadLetters, match=told) as raised:
        share.count(10, [(record(b"?"), error)])
    assert found not in str(raised.value), "whatever a customer sent would be in the log"


def test_the_share_is_of_the_input() -> None:
    """What flows tell one another neither thins it out nor comes up to it."""
    letters = DeadLetters("dead-letters", DeadLetterShare(0.5, 100), ["logins"])
    bad = [Prepared(record(b"?"), 0.0, ERROR)]
    told = Prepared(record(b"", topic="nightlatch-observations"), 0.0, "a batch")
    spoilt = told._replace(content=ERROR)
    letters.sift([*bad * 49, *[told] * 200])
    assert len(letters.sift([spoilt] * 60)[1]) == 60
    with pytest.raises(TooManyDeadLetters):
        letters.sift(bad)


def test_a_few_never_stop() -> None:
    """Below the limit it goes on for ever, one window after another; a limit of 1 always does."""
    share = DeadLetterShare(0.5, 100)
    for _ in range(50):
        share.count(100, [DEAD] * 49)
    never = DeadLetterShare(1, 10)
    for _ in range(50):
        never.count(10, [DEAD] * 10)

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
    DeadLetterShare,
    Resend,
    decode_dead_letter,
    editable,
    read_dead_letters,
    selected,
)
from streams.runtime.interfaces import Record
from streams.settings import Settings

ERROR = InvalidEvent("missing_field", field="ip", expected="an address", found="nothing")
GOOD = b'{"account_id":"a","ip":"192.0.2.1","outcome":"success"}'


def record(value: bytes | None, topic: str = "logins", key: bytes | None = b"a") -> Record:
    """Return a record as it was read."""
    return Record(topic, 3, 1234, 1795500000.12, key, value)


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
    assert (sent.topic, sent.key, sent.value) == ("logins", b"a", GOOD)
    assert sent.headers == [(RESENT_HEADER, b"logins:3:1234")]
    for dead in (record(b"{}"), record(GOOD, topic="alerts"), record(GOOD, topic="orders")):
        with pytest.raises(InvalidEvent):
            rules.record(decode_dead_letter(encode_dead_letter(dead, ERROR)))


def test_the_key_of_what_is_sent_again() -> None:
    """A missing or wrong key becomes the account; on a topic that is keyed anew it stays."""
    letter = decode_dead_letter(encode_dead_letter(record(GOOD, key=b"wrong"), ERROR))
    assert Resend(Settings()).record(letter).key == b"a"
    assert Resend(Settings(rekey=("logins",))).record(letter).key == b"wrong"


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
    """Half of a window unusable is too much, as soon as it is so; the last error is told."""
    share = DeadLetterShare(0.5, 100)
    share.count(60, [ERROR] * 49)
    with pytest.raises(TooManyDeadLetters, match="field 'ip'"):
        share.count(10, [ERROR])


def test_a_few_never_stop() -> None:
    """Below the limit it goes on for ever, one window after another; a limit of 1 always does."""
    share = DeadLetterShare(0.5, 100)
    for _ in range(50):
        share.count(100, [ERROR] * 49)
    never = DeadLetterShare(1, 10)
    for _ in range(50):
        never.count(10, [ERROR] * 10)

"""A producer that means harm: depth, size and number end in a bounded refusal, never in a crash."""

import tracemalloc
from collections.abc import Callable

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.errors import InvalidEvent
from streams.codec import MAX_RECORD_BYTES, decode, decode_object
from streams.processor import FraudProcessor
from streams.runtime.interfaces import Prepared, Record
from tests.fuzz.decoders import TARGETS
from tests.unit.edges.test_processor import processor

__all__ = ["processor"]

SIGN_IN = b'{"account_id":"a","ip":"81.2.69.1","outcome":"success"'
LARGEST = 900_000
MEBIBYTE = 1 << 20


def filled(piece: bytes, *, begin: bytes = b"", end: bytes = b"") -> bytes:
    """Return a record of 900 kB: the same piece again and again."""
    return begin + piece * ((LARGEST - len(begin) - len(end)) // len(piece)) + end


HOSTILE: dict[str, bytes] = {
    "brackets": b"[" * LARGEST,
    "objects in objects": b'{"a":' * (LARGEST // 5),
    "lists in lists, closed": b"[" * (LARGEST // 2) + b"]" * (LARGEST // 2),
    "deep in a field": SIGN_IN + b',"x":' + b"[" * 400_000 + b"]" * 400_000 + b"}",
    "lists by the hundred thousand": filled(b"[],", begin=SIGN_IN + b',"x":[', end=b"0]}"),
    "objects by the hundred thousand": filled(b"{},", begin=SIGN_IN + b',"x":[', end=b"0]}"),
    "items by the hundred thousand": filled(
        b'{"sku":"a"},',
        begin=b'{"account_id":"a","order_id":"o","amount":"1","items":[',
        end=b"{}]}",
    ),
    "one long text": filled(b"x", begin=SIGN_IN + b',"user_agent":"', end=b'"}'),
    "one long number": filled(b"9", begin=SIGN_IN + b',"rtt_ms":', end=b"}"),
    "one long key": filled(b"x", begin=SIGN_IN + b',"', end=b'":1}'),
    "zeros": bytes(LARGEST),
    "a bomb of escapes": filled(b"\\u0000", begin=SIGN_IN + b',"city":"', end=b'"}'),
    "the same key": filled(b',"ip":"::1"', begin=SIGN_IN, end=b"}"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_record_of_900_kilobytes_costs_a_bounded_moment(
    processor: FraudProcessor,
    what: str,
) -> None:
    """Decoding takes at most sixty times its bytes, and keeps none of it beyond the record."""
    value = HOSTILE[what]
    topic = "orders" if what.startswith("items") else "logins"
    record = Record(topic, 0, 0, 1_780_000_000.0, b"a", value)
    processor.prepare(record._replace(value=SIGN_IN + b"}", topic="logins"))  # what is made once
    tracemalloc.start()
    try:
        prepared = processor.prepare(record)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(prepared, Prepared)
    assert peak < 60 * MEBIBYTE, f"{peak:,} bytes"
    assert kept < MEBIBYTE // 8, f"{kept:,} bytes are kept"


def test_depth_is_limited() -> None:
    """A thousand levels can be read, a hundred thousand are refused without a crash."""
    for depth, read in ((1000, True), (100_000, False)):
        value = b'{"x":' + b"[" * depth + b"]" * depth + b"}"
        if read:
            assert decode_object(value)
        else:
            with pytest.raises(InvalidEvent) as caught:
                decode_object(value)
            assert caught.value.code == "not_json"


def test_size_is_limited_before_anything_is_decoded() -> None:
    """What is too large is refused by its length alone."""
    tracemalloc.start()
    value = b"[" * (MAX_RECORD_BYTES + 1)
    before, _ = tracemalloc.get_traced_memory()
    with pytest.raises(InvalidEvent) as caught:
        decode(value, type_="login", timestamp=1e9, fallback_id="f")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "too_large"
    assert peak - before < 100_000


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
@given(data=st.binary(max_size=300))
@example(data=b"\xc1")
@example(data=b"null")
@example(data=b"\x96\x01\xa1\xb0\x00\x00\x00\x00")
@example(data=b"[]")
@example(data=orjson.dumps({"alert_id": 1, "raised_at": "2026"}))
def test_whatever_is_decoded_is_read_or_refused(
    target: Callable[[bytes], None], data: bytes
) -> None:
    """The fuzzed functions raise nothing but what each decoder says that it raises."""
    target(data)

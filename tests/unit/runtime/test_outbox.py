"""Messages: where they go, and how they are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2

from detectors.errors import IncompatibleState
from streams.runtime.interfaces import Record, Send
from streams.runtime.outbox import decode_outbox, encode_outbox, partition_of
from streams.runtime.rekeying import origin_header, original

headers = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=3).map(tuple)
sends = st.builds(
    Send,
    st.text(max_size=5),
    st.none() | st.binary(max_size=5),
    st.none() | st.binary(max_size=20),
    headers,
    st.none() | st.floats(0, 2e9),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 99),
)


@given(st.binary(max_size=40), st.integers(1, 100))
def test_a_key_has_one_partition_whoever_sends(key: bytes, partitions: int) -> None:
    """Another client's hash leads to the same partition: alerts lie beside their accounts."""
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


@given(st.lists(sends, max_size=4).map(tuple))
def test_what_is_kept_is_sent_the_same(kept: tuple[Send, ...]) -> None:
    """Every field of a message survives being stored with the state."""
    assert decode_outbox(encode_outbox(kept)) == kept


def test_an_outbox_of_another_shape_is_refused() -> None:
    """Messages are never guessed."""
    with pytest.raises(IncompatibleState, match="no outbox"):
        decode_outbox(b"\xc1")


@given(st.none() | st.binary(max_size=9), st.integers(0, 99), st.integers(0, 2**62), headers)
def test_a_carried_record_is_the_one_that_was_read(
    key: bytes | None, partition: int, offset: int, own: tuple[tuple[str, bytes], ...]
) -> None:
    """Keyed anew, a record keeps its place, time, key, value and headers."""
    read = Record("logins", partition, offset, 12.5, key, b"value", own)
    header = origin_header(read)
    carried = Record("by-account", 1, 7, 99.0, b"account", b"value", (*own, header))
    assert original(carried, "logins") == read


def test_a_record_nobody_carried_is_refused() -> None:
    """Only the worker writes to a repartition topic; anything else is a mistake to be told."""
    stranger = Record("by-account", 1, 7, 12.5, b"account", b"value", (("trace", b"1"),))
    with pytest.raises(ValueError, match=r"by-account:1:7 does not say where it comes from"):
        original(stranger, "logins")

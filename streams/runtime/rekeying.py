"""Records of a topic that is not keyed by account, carried through one that is.

The carried record keeps value, timestamp and headers, and says in one more header where it comes
from. Carrying is at least once: after a crash some records are carried again, in the same order,
and whoever folds them leaves out what it has folded before.
"""

from typing import Final

from streams.runtime.interfaces import Record

ORIGIN_HEADER: Final = "nightlatch-origin"
_KEYLESS: Final = b"-"


def origin_header(record: Record) -> tuple[str, bytes]:
    """Return the header that says where a carried record comes from, key included."""
    key = _KEYLESS if record.key is None else record.key.hex().encode()
    return ORIGIN_HEADER, b"%d:%d:%s" % (record.partition, record.offset, key)


def original(carried: Record, topic: str) -> Record:
    """Return the record of `topic` that was carried. Raises ValueError without a proper header."""
    *headers, (name, value) = carried.headers or (("", b""),)
    if name != ORIGIN_HEADER:
        raise ValueError(
            f"{carried.topic}:{carried.partition}:{carried.offset} does not say where it comes "
            "from: nobody but the worker may write to this topic"
        )
    partition, offset, key = value.split(b":")
    return carried._replace(
        topic=topic,
        partition=int(partition),
        offset=int(offset),
        key=None if key == _KEYLESS else bytes.fromhex(key.decode()),
        headers=tuple(headers),
    )

"""Records of a topic that is not keyed by account, carried through one that is.

The carried record keeps value and headers, and says in one more header where it comes from and
what its timestamp was: on its way it has that of its carrying, or retention would take an old
backlog before it is read. Carrying is at least once: after a crash some records are carried again.
They come from one source partition in its order, each carrier beginning where an earlier one is
known to have got to, so whoever folds them needs only leave out what lies below the last it has
folded.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from streams.runtime.interfaces import Prepared, Record, Send
from streams.runtime.lanes import Flow, Lane, Run

ORIGIN_HEADER: Final = "nightlatch-origin"
_KEYLESS: Final = b"-"


class Rekeying(NamedTuple):
    """One topic to be keyed anew: records of `source` go to `target`, keyed by `key_of` of each.

    A record of which `key_of` gives None is carried too, for whoever folds it to refuse. What
    `refuse` gives is sent in a record's place: compressed where it comes from, one can be larger
    than any topic takes it otherwise.
    """

    source: str
    target: str
    key_of: Callable[[Record], bytes | None]
    chunk_records: int
    refuse: Callable[[Record], Send | None] = lambda _: None

    @property
    def flow(self) -> Flow:
        """How the source is read."""
        return Flow(f"rekey {self.source}", (self.source,), self.chunk_records)

    def lane(self, number: int) -> Lane:
        """Return what reads one partition of the source."""
        return Lane(self.flow, number, _as_it_is)

    def carried(self, run: Run) -> list[Send]:
        """Return the messages that carry a run."""
        return [self.refuse(record) or self._carried(record) for record, _, _ in run.records]

    def _carried(self, record: Record) -> Send:
        headers = (*record.headers, origin_header(record))
        return Send(self.target, self.key_of(record), record.value, headers)


def _as_it_is(record: Record) -> Prepared:
    return Prepared(record, record.timestamp, None)


def origin_header(record: Record) -> tuple[str, bytes]:
    """Return the header that says where and when a carried record comes from, key included."""
    key = _KEYLESS if record.key is None else record.key.hex().encode()
    milliseconds = round(record.timestamp * 1000)
    return ORIGIN_HEADER, b"%d:%d:%d:%s" % (record.partition, record.offset, milliseconds, key)


def original(carried: Record, topic: str) -> Record:
    """Return the record of `topic` that was carried. Raises ValueError without a proper header."""
    *headers, (name, value) = carried.headers or (("", b""),)
    if name != ORIGIN_HEADER:
        raise ValueError(
            f"{carried.topic}:{carried.partition}:{carried.offset} does not say where it comes "
            "from: nobody but the worker may write to this topic"
        )
    partition, offset, milliseconds, key = value.split(b":")
    return carried._replace(
        topic=topic,
        partition=int(partition),
        offset=int(offset),
        timestamp=int(milliseconds) / 1000.0,
        key=None if key == _KEYLESS else bytes.fromhex(key.decode()),
        headers=tuple(headers),
    )


def topics_by_target(rekeyings: tuple[Rekeying, ...]) -> Mapping[str, str]:
    """Return by repartition topic the topic that it stands for."""
    return {rekeying.target: rekeying.source for rekeying in rekeyings}

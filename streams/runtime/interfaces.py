"""What the runtime asks of the code it drives, and what it promises in return.

The runtime reads the source topics, merges the records of one partition number by time, hands
them over in runs, and makes what came of each run durable. What a record means is the
processor's business. A worker runs several such flows; all that follows holds for each.

**The promise.** All of a partition's state is written to the changelog as one record batch,
together with the position in every source topic that it stands for. A batch is appended whole or
not at all, so after any crash the partition goes on from one moment: no record is folded twice,
none is skipped, and no profile is ahead of the model that judged it. Messages (alerts,
assessments) are part of that batch and leave once it is durable: none is ever out without the
state that accounts for it, a crash can repeat one, byte for byte, and none is lost; one
that another flow of the application reads is folded there once (`numbering`). Committed offsets
come last and only tell operators how far behind the group is.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

ReadState = Callable[[bytes], bytes | None]


class Record(NamedTuple):
    """A source record as it was read. `timestamp` is the record's own, UTC epoch seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def record_bytes(record: Record) -> int:
    """Bytes of a record, headers included: whatever may be large must be seen to be."""
    size = len(record.key or b"") + len(record.value or b"")
    if record.headers:  # mostly there are none, and every record is measured twice
        size += sum(len(name) + len(value) for name, value in record.headers)
    return size


class Prepared(NamedTuple):
    """A record, decoded or found wanting; `time` (UTC epoch seconds) is what runs are merged by."""

    record: Record
    time: float
    content: Any


class Send(NamedTuple):
    """A message that a run gave rise to. `timestamp` is UTC epoch seconds; None is "when sent".

    It leaves with the next hand-over of state; an `urgent` one has that happen at once. One that
    is `independent` follows from the record alone, whatever the state (a dead letter): it leaves
    before, and the state waits for it. It goes to `partition`; None leaves that to the key.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: float | None = None
    urgent: bool = False
    independent: bool = False
    partition: int | None = None


class Processor(Protocol):
    """One partition's business. Made anew, from stored state, whenever the partition is taken up.

    Nothing here may block or await. An exception is a bug: it stops the worker.
    """

    def prepare(self, record: Record) -> Prepared:
        """Decode a record. One that cannot be used is content too: `fold` sends it away."""

    def fold(self, run: Sequence[Prepared]) -> Sequence[Send]:
        """Take a run in order; return the messages it gave rise to, in order."""

    def summaries(self) -> Sequence[Send]:
        """Return messages that sum up what was folded since the last call; mostly none.

        Called right before `changes`, of one step with it: they are not `independent`.
        """

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what changed since the last call (see `detectors.engine.Engine.changes`)."""


ProcessorFactory = Callable[[int, ReadState], Processor]
"""Makes the processor of a partition number from a function that reads its stored state."""

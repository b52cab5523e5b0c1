"""A processor that shows every record skipped, repeated or folded at the wrong moment.

Each account keeps a count and a hash over all it has seen, in order; each partition a "model", a
hash over every record of the partition. An account's hash takes in the model's as it stood, as a
profile takes in a score: a state put together from two moments differs from any that was.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from streams.runtime.interfaces import Prepared, ReadState, Record, Send

MODEL_KEY = b"model"
ALERT_EVERY = 5


class Tally(NamedTuple):
    """How many records, and a hash over them."""

    number: int
    chain: bytes

    def after(self, *what: bytes) -> "Tally":
        """Return the tally with one more record."""
        return Tally(self.number + 1, _hash(self.chain, *what))

    def encode(self) -> bytes:
        """Return what is stored."""
        return b"%d:%s" % self

    @classmethod
    def decode(cls, value: bytes | None) -> "Tally":
        """Return the tally that was stored; nothing is a tally of nothing."""
        count, _, chain = (value or b"0:").partition(b":")
        return cls(int(count), chain.rstrip())


class Counting:
    """`alerts` is where every fifth record of an account raises one.

    With `padding` every record does, and alerts and states are larger by so many bytes.
    Where `across_topics` is not set, each topic is counted by itself, so that the result does not
    depend on which topic's record came first: what arrives live has no order across topics.
    Every record is told to another flow on the topic `tells`.
    """

    def __init__(
        self,
        alerts: str,
        read: ReadState,
        *,
        across_topics: bool,
        fail_on: bytes | None = None,
        tells: str | None = None,
        padding: int = 0,
    ) -> None:
        self._alerts = alerts
        self._read = read
        self._across_topics = across_topics
        self._fail_on = fail_on
        self._tells = tells
        self._padding = b" " * padding
        self._changed: dict[bytes, Tally] = {}

    def prepare(self, record: Record) -> Prepared:
        """Take a record as it is, at its own time."""
        return Prepared(record, record.timestamp, None)

    def fold(self, run: Sequence[Prepared]) -> Sequence[Send]:
        """Count a run."""
        return [send for prepared in run for send in self._fold(prepared.record)]

    def summaries(self) -> Sequence[Send]:
        """Sum nothing up."""
        return ()

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what has changed."""
        changed, self._changed = self._changed, {}
        return {key: tally.encode() + self._padding for key, tally in changed.items()}

    def _fold(self, record: Record) -> list[Send]:
        if record.value == self._fail_on:
            raise ZeroDivisionError("a bug, on purpose")
        account = record.key or b""
        scope = b"" if self._across_topics else record.topic.encode()
        what = b"%s:%d" % (record.topic.encode(), record.offset)
        model = self._tally(MODEL_KEY + scope).after(what)
        tally = self._tally(b"account:" + account + scope).after(what, model.chain)
        self._changed[MODEL_KEY + scope] = model
        self._changed[b"account:" + account + scope] = tally
        value = b"%s:%s" % (account, tally.encode())
        sends = [] if self._tells is None else [Send(self._tells, account, value)]
        if self._padding or tally.number % ALERT_EVERY == 0:
            sends.append(Send(self._alerts, account, value + self._padding, urgent=True))
        return sends

    def _tally(self, key: bytes) -> Tally:
        known = self._changed.get(key)
        return known if known is not None else Tally.decode(self._read(key))


class Adding:
    """What another flow makes of what it is told: by key how many messages, and their sum."""

    def __init__(self, read: ReadState) -> None:
        self._read = read
        self._changed: dict[bytes, bytes | None] = {}

    def prepare(self, record: Record) -> Prepared:
        """Take a record as it is."""
        return Prepared(record, record.timestamp, None)

    def fold(self, run: Sequence[Prepared]) -> Sequence[Send]:
        """Add a run up, in whatever order."""
        for prepared in run:
            key, value = prepared.record.key or b"", prepared.record.value or b""
            self._changed[key] = added(self._changed.get(key) or self._read(key), value)
        return ()

    def summaries(self) -> Sequence[Send]:
        """Sum nothing up."""
        return ()

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what has changed."""
        changed, self._changed = self._changed, {}
        return changed


def added(sum_: bytes | None, value: bytes) -> bytes:
    """Return a count and a sum with one more value in them."""
    count, total = map(int, (sum_ or b"0:0").split(b":"))
    return b"%d:%d" % (count + 1, (total + int(_hash(value), 16)) % 2**64)


def _hash(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"/".join(parts), digest_size=8).hexdigest().encode()

"""Takes partitions up: restores their state, shuts earlier owners out, finds where to read on."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple

from faust.types import TP

from detectors.errors import ConfigurationError
from streams.runtime.changelog import (
    Changelog,
    ForeignWriter,
    Restored,
    Restoring,
    new_lineage,
    restore,
)
from streams.runtime.numbering import first_number
from streams.runtime.options import RuntimeOptions, StatefulFlow
from streams.runtime.partition import Partition
from streams.runtime.position import Position
from streams.runtime.store import LocalStore, MemoryStore, RocksStore, StoreInUse
from streams.runtime.transport import RunConsumer

_log: Final = logging.getLogger(__name__)
_CLAIM_ATTEMPTS: Final = 5
_LOCK_SECONDS: Final = 15.0


class _Claim(NamedTuple):
    """A partition that is ours: where it stands, its changelog's end, and what to write again."""

    position: Position
    next_offset: int
    void_keys: frozenset[bytes]


class Opener:
    """Keeps the local stores of a flow's partitions that this worker owns, and opens them."""

    def __init__(
        self,
        options: RuntimeOptions,
        flow: StatefulFlow,
        changelog: Changelog,
        restoring: Restoring,
    ) -> None:
        self._options = options
        self._restoring = restoring
        self._flow = flow
        self._changelog = changelog
        self._stores: dict[int, LocalStore] = {}

    def close(self) -> None:
        """Close every store; where that fails (StoreFailed) all others are closed none the less."""
        with ExitStack() as closing:
            for store in self._stores.values():
                closing.callback(store.close)
            self._stores.clear()

    async def open(self, assigned: Iterable[TP], consumer: RunConsumer) -> list[Partition]:
        """Return the assigned partitions as they stood last; stores of all others are closed."""
        numbers = {tp.partition for tp in assigned if tp.topic == self._flow.changelog}
        for number in set(self._stores) - numbers:
            self._stores.pop(number).close()
        for number in sorted(numbers - set(self._stores)):
            self._stores[number] = await self._open_store(number)
        claims = await self._claim(numbers, consumer)
        return [
            Partition(
                self._flow,
                number,
                options=self._options,
                store=self._stores[number],
                position=claim.position,
                next_offset=claim.next_offset,
                rewrite=claim.void_keys,
            )
            for number, claim in claims.items()
        ]

    async def _open_store(self, number: int) -> LocalStore:
        if self._options.store_dir is None:
            return MemoryStore()
        path = self._options.store_dir / f"{self._flow.changelog}-{number}"
        deadline = asyncio.get_running_loop().time() + _LOCK_SECONDS
        while True:
            try:
                return RocksStore(path)
            except StoreInUse:
                # Whoever had the partition before may be about to close it.
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def _claim(self, numbers: set[int], consumer: RunConsumer) -> dict[int, _Claim]:
        """Restore partitions and append a first step to each, which shuts earlier owners out."""
        claims: dict[int, _Claim] = {}
        for _ in range(_CLAIM_ATTEMPTS):
            missing = {n: self._stores[n] for n in sorted(numbers - set(claims))}
            if not missing:
                return claims
            found = await restore(
                self._options.client, self._flow.changelog, missing, self._restoring
            )
            starts = await starts_of(self._known(found), consumer, self._options)
            for number, restored in found.items():
                position = self._first(number, restored, starts)
                with suppress(ForeignWriter):  # somebody was faster: read on, and claim again
                    end = await self._changelog.append(number, position, {})
                    claims[number] = _Claim(position, end, restored.void_keys)
        raise ForeignWriter("another worker keeps writing to partitions that are ours")

    def _known(self, found: Mapping[int, Restored]) -> dict[TP, int | None]:
        return {
            TP(topic, number): restored.position.next.get(topic) if restored.position else None
            for number, restored in found.items()
            for topic in self._flow.reading.topics
        }

    def _first(self, number: int, restored: Restored, starts: Mapping[TP, int]) -> Position:
        old = restored.position
        return Position(
            lineage=old.lineage if old else new_lineage(),
            at=restored.next_offset,
            next={topic: starts[TP(topic, number)] for topic in self._flow.reading.topics},
            origins=old.origins if old else {},
            sent=old.sent if old else first_number(),
        )


async def starts_of(
    known: Mapping[TP, int | None], consumer: RunConsumer, options: RuntimeOptions
) -> dict[TP, int]:
    """Where reading begins: the state knows, else the group, else it is a matter of taste.

    Never left to the client: a partition without a committed offset, fetched from and then
    rebalanced before anything was committed, would go on behind what was fetched. What flows send
    one another is no matter of taste: all of it is read.
    """
    earliest = await consumer.earliest_offsets(*known)
    ends = await consumer.highwaters(*known)
    committed = await consumer.thread.committed({tp for tp, at in known.items() if at is None})
    starts = {}
    for tp, position in known.items():
        from_earliest = options.begin == "earliest" or tp.topic in options.numbered
        wanted = position if position is not None else committed[tp]
        if wanted is None:
            wanted = earliest[tp] if from_earliest else ends[tp]
        starts[tp] = _within(tp, wanted, earliest[tp], ends[tp])
    return starts


def _within(tp: TP, wanted: int, earliest: int, end: int) -> int:
    if wanted > end:
        raise ConfigurationError(
            f"{tp.topic}:{tp.partition} ends at {end} but was read up to {wanted}: the topic "
            "was made anew; begin anew under another app_id, or delete the changelogs and the "
            "offsets of this one"
        )
    if wanted < earliest:
        _log.warning(
            "%s:%s: records %s to %s expired before they were read",
            tp.topic,
            tp.partition,
            wanted,
            earliest - 1,
        )
    return max(wanted, earliest)

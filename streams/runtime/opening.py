"""Takes partitions up: restores their state, shuts earlier owners out, finds where to read on."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from faust.types import TP

from detectors.errors import ConfigurationError
from streams.runtime.changelog import Changelog, ForeignWriter, Restored, new_lineage, restore
from streams.runtime.options import RuntimeOptions
from streams.runtime.partition import Partition
from streams.runtime.position import Position
from streams.runtime.rekeying import topics_by_target
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
    """Keeps the local stores of the partitions that this worker owns, and opens partitions."""

    def __init__(self, options: RuntimeOptions, changelog: Changelog) -> None:
        self._options = options
        self._changelog = changelog
        self._stores: dict[int, LocalStore] = {}

    def close(self) -> None:
        """Close every store."""
        for store in self._stores.values():
            store.close()
        self._stores.clear()

    async def open(self, numbers: set[int], consumer: RunConsumer) -> dict[int, Partition]:
        """Return the partitions as they stood last; stores of all others are closed."""
        for number in set(self._stores) - numbers:
            self._stores.pop(number).close()
        for number in sorted(numbers - set(self._stores)):
            self._stores[number] = await self._open_store(number)
        claims = await self._claim(numbers, consumer)
        return {
            number: Partition(
                number,
                store=self._stores[number],
                position=claim.position,
                next_offset=claim.next_offset,
                rewrite=claim.void_keys,
                factory=self._options.factory,
                rekeyed=topics_by_target(self._options.rekeyings),
            )
            for number, claim in claims.items()
        }

    async def starts(self, tps: Collection[TP], consumer: RunConsumer) -> dict[TP, int]:
        """Return where to read on in topics of which only the group knows anything."""
        return await self._starts(dict.fromkeys(tps), consumer)

    async def _open_store(self, number: int) -> LocalStore:
        if self._options.store_dir is None:
            return MemoryStore()
        path = self._options.store_dir / f"{self._options.changelog}-{number}"
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
            found = await restore(self._options.client, self._options.changelog, missing)
            starts = await self._starts(self._known(found), consumer)
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
            for topic in self._options.flow.topics
        }

    def _first(self, number: int, restored: Restored, starts: Mapping[TP, int]) -> Position:
        old = restored.position
        return Position(
            lineage=old.lineage if old else new_lineage(),
            at=restored.next_offset,
            next={topic: starts[TP(topic, number)] for topic in self._options.flow.topics},
            origins=old.origins if old else {},
        )

    async def _starts(self, known: Mapping[TP, int | None], consumer: RunConsumer) -> dict[TP, int]:
        """Where reading begins: the state knows, else the group, else it is a matter of taste.

        Never left to the client: a partition without a committed offset, fetched from and then
        rebalanced before anything was committed, would go on behind what was fetched.
        """
        earliest = await consumer.earliest_offsets(*known)
        ends = await consumer.highwaters(*known)
        committed = await consumer.thread.committed({tp for tp, at in known.items() if at is None})
        begin = earliest if self._options.begin == "earliest" else ends
        starts = {}
        for tp, position in known.items():
            wanted = position if position is not None else committed[tp]
            wanted = wanted if wanted is not None else begin[tp]
            starts[tp] = self._within(tp, wanted, earliest[tp], ends[tp])
        return starts

    def _within(self, tp: TP, wanted: int, earliest: int, end: int) -> int:
        if wanted > end:
            raise ConfigurationError(
                f"{tp.topic}:{tp.partition} ends at {end} but was read up to {wanted}: the topic "
                "was made anew; begin anew under another app_id, or delete the topic "
                f"{self._options.changelog} and the group's offsets"
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

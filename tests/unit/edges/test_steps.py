"""How large a step of state gets, whatever the flows tell one another."""

import random
from uuid import UUID

from detectors.engine import Engine
from detectors.heat import Batch, Kind, encode_batch
from detectors.heat.records import VERSION, Entry, Sighting, Totals
from detectors.heat.sightings import Sightings
from detectors.heat.table import HotTable
from detectors.heat.tallies import BUCKETS, WAYS, Tallies
from detectors.heat.tally import Failures, Rates, Tally
from detectors.policy import Policy
from streams.app import _factories, _stateful
from streams.runtime.changelog import MAX_BATCH_BYTES
from streams.runtime.interfaces import Record, record_bytes
from streams.runtime.lanes import Lane
from streams.runtime.numbering import HEADER
from streams.runtime.options import RuntimeOptions
from streams.runtime.partition import Partition
from streams.runtime.position import Position
from streams.runtime.store import LocalStore, MemoryStore
from streams.settings import Settings
from tests.unit.heat.test_round import sign_in

MINUTE = 29_900_000
RANDOM = random.Random(5)
ENTRY = Entry(str(UUID(int=1)), str(UUID(int=2)), 60.0 * MINUTE, -3.2, str(UUID(int=3)))


def _old_table() -> MemoryStore:
    """Every bucket full of tallies with a past."""
    store = MemoryStore()
    tallies = Tallies(store.get)
    for number in range(BUCKETS):
        for way in range(WAYS):
            key = way << 40 | number << 20
            tally: Tally = tallies.of(Kind.DEVICE, key, MINUTE - 60, MINUTE)
            tally.users = b"\0"
            tally.take((ENTRY,))
            failures = tally.failures = Failures(Rates(MINUTE - 60, [1 / 3] * 12))
            failures.accounts = failures.networks = bytearray(32)
    store.write(dict(tallies.changes()), 0)
    return store


def _backlog(batches: int, sightings: int) -> list[Record]:
    """What many minutes of attack have left unread: each try through another device."""
    records = []
    for offset in range(batches):
        tried = tuple(
            Sighting(Kind.DEVICE, RANDOM.getrandbits(64), MINUTE, 1, 1, 0, (offset,), (7,))
            for _ in range(sightings)
        )
        batch = Batch(VERSION, (Totals(MINUTE, 10, 0, sightings, sightings, 0, 0),), tried)
        header = (HEADER, b"events:0:%d" % offset)
        records.append(
            Record("nightlatch-observations", 0, offset, 1e9, None, encode_batch(batch), (header,))
        )
    return records


def test_a_backlog_of_sightings_is_taken_in_steps_that_fit() -> None:
    """A sighting of 35 bytes has a bucket of kilobytes written anew: the first step fits too."""
    _, steps = _taken(_old_table())
    assert len(steps) > 5
    assert max(steps) < MAX_BATCH_BYTES / 2


def test_a_backlog_is_taken_in_large_steps_where_these_stay_small() -> None:
    """A step costs the same whatever is in it, and a bucket is written once a step."""
    runs, steps = _taken(MemoryStore())
    assert max(runs) > 3 * runs[0]
    assert max(steps) < MAX_BATCH_BYTES / 4


def _taken(store: LocalStore) -> tuple[list[int], list[int]]:
    """Have heat read a backlog; return the bytes of each run, and of each step's state."""
    settings = Settings()
    flow = next(
        flow
        for flow in _stateful(settings, _factories(settings, HotTable()))
        if flow.name == "heat"
    )
    partition = Partition(
        flow,
        0,
        options=RuntimeOptions({}, (flow,), None, 20.0),
        store=store,
        position=Position(lineage="x", at=0, next={"nightlatch-observations": 0}),
        next_offset=0,
        rewrite=frozenset(),
    )
    lane = Lane(flow.reading, 0, partition.prepare)
    backlog = _backlog(600, 30)
    lane.exhausted = {"nightlatch-observations": len(backlog)}
    lane.merge.add("nightlatch-observations", backlog)
    runs, steps = [], []
    while (run := lane.next_run(0.0)) is not None:
        runs.append(sum(record_bytes(prepared.record) for prepared in run.records))
        partition.fold(run.records, run.positions)
        lane.out = False
        if partition.room(3000) <= 0:
            step = partition.step()
            assert step is not None
            steps.append(sum(len(key) + len(value or b"") for key, value in step.changes.items()))
            partition.settle(step, 0)
        lane.most_records = max(1, min(flow.reading.chunk_records, partition.room(3000)))
        lane.most_bytes = partition.run_bytes
    return runs, steps


def test_many_sightings_are_told_in_batches_that_fit() -> None:
    """A batch has some hundreds at most, and each shard is told the totals once, at last."""
    store: dict[bytes, bytes] = {}
    engine = Engine(Policy(), store.get, None, Sightings(2))
    for n in range(700):
        observed = sign_in(
            n, 1.8e9, who=f"c{n}", network=f"10.{n // 250}.{n % 250}", device=f"d{n}", ok=False
        )
        engine.learn(observed, engine.assess(observed))
    told = engine.sightings()
    assert {shard for shard, _ in told} == {0, 1}
    assert all(len(batch.sightings) <= 500 for _, batch in told)
    assert sum(len(batch.sightings) for _, batch in told) > 1400
    for shard in (0, 1):
        totals = [batch.totals for at, batch in told if at == shard]
        assert len(totals) > 1
        assert totals[-1]
        assert totals[:-1] == [()] * (len(totals) - 1)

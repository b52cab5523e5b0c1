"""An event's cost and memory by how many accounts there are: `python -m tests.benchmarks.accounts`.

What a worker does between Kafka's two ends, without Kafka: engines over RocksDB stores as a worker
opens them, one a partition, state handed over every so many events. The stores are filled with as
many accounts, whose profiles are those of a simulated shop; then every visit of another two months
is one of a random account, which is the worst that a cache of profiles can meet. Each size is
measured in a process of its own, which has not filled them.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from detectors.engine import Engine, Observed
from detectors.errors import InvalidEvent
from detectors.events import Feedback
from detectors.heat.sightings import Sightings
from detectors.policy import Policy
from detectors.profiles import digest
from streams.codec import decode
from streams.enrichment import Enricher
from streams.garbage import collect_seldom
from streams.runtime.store import RocksStore
from tests.benchmarks.traffic import REPOSITORY, nightlatch

SIZES: Final = (10_000, 100_000, 1_000_000)
PARTITIONS: Final = 4
RUN: Final = 500
STEP: Final = 3_000
"""Events between two hand-overs of a partition, as the worker has it."""
_FILL: Final = 20_000
_SHOP: Final = ("--accounts", "12000")
_LATER: Final = ("--start", "2026-12-01", "--seed", "2")


class Measured(msgspec.Struct, kw_only=True):
    """CPU microseconds an event, engine and hand-over with the store's write; megabytes."""

    accounts: int
    events: int
    engine: float
    hand_over: float
    resident: int
    on_disk: int

    @property
    def cost(self) -> float:
        """Both."""
        return self.engine + self.hand_over


def main() -> int:
    """Measure every size; return 1 where the largest costs a fifth more, or takes a gigabyte."""
    options = _options()
    if options.size is not None:
        answer = measure(options.folder, options.size, options.events)
        sys.stdout.write(msgspec.json.encode(answer).decode())
        return 0
    with tempfile.TemporaryDirectory(prefix="nightlatch-bench-") as name:
        folder = Path(name)
        for file, arguments in (("first", _SHOP), ("later", (*_SHOP, *_LATER))):
            networks = ("--lookup-out", str(folder / f"{file}.csv"))
            out = ("--out", str(folder / f"{file}.ndjson"))
            nightlatch({}, "simulate", *arguments, *out, *networks)
        rows = [_measured(folder, size, options.events) for size in options.sizes]
    show(rows)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))
    return 0 if rows[-1].cost <= 1.2 * rows[0].cost and rows[-1].resident < 1024 else 1


def _measured(folder: Path, size: int, events: int) -> Measured:
    stores = _stores(folder, size)
    _fill(stores, folder, size)
    for store in stores:
        store.close()
    command = [sys.executable, "-m", "tests.benchmarks.accounts", "--folder", str(folder)]
    command += ["--size", str(size), "--events", str(events)]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Measured)


def measure(folder: Path, size: int, events: int) -> Measured:
    """Run the later shop's events over stores that hold `size` accounts."""
    stores = _stores(folder, size)
    engines = [Engine(Policy(), s.get, None, Sightings(PARTITIONS)) for s in stores]
    since, offsets = [0] * PARTITIONS, [1] * PARTITIONS
    collect_seldom()
    count, engine_seconds, hand_over_seconds = 0, 0.0, 0.0
    visits = _visits(folder, size)
    while count < events and (run := list(islice(visits, RUN))):
        parts: list[list[Observed]] = [[] for _ in range(PARTITIONS)]
        for observed in run:
            parts[digest(observed.event.account_id) % PARTITIONS].append(observed)
        for number, part in enumerate(parts):
            began = time.process_time()
            engines[number].process(part)
            engine_seconds += time.process_time() - began
            since[number] += len(part)
            if since[number] >= STEP:
                began = time.process_time()
                engines[number].sightings()
                changes = engines[number].changes()
                offsets[number] += len(changes)
                stores[number].write(changes, offsets[number])
                hand_over_seconds += time.process_time() - began
                since[number] = 0
        count += len(run)
    files = (folder / f"{size}").rglob("*")
    return Measured(
        accounts=size,
        events=count,
        engine=engine_seconds / count * 1e6,
        hand_over=hand_over_seconds / count * 1e6,
        resident=psutil.Process().memory_info().rss >> 20,
        on_disk=sum(file.stat().st_size for file in files if file.is_file()) >> 20,
    )


def _stores(folder: Path, size: int) -> list[RocksStore]:
    return [RocksStore(folder / f"{size}" / f"{number}") for number in range(PARTITIONS)]


def _fill(stores: list[RocksStore], folder: Path, size: int) -> None:
    """Give every account the profile of one of a shop's, and the partitions its models."""
    state: dict[bytes, bytes | None] = {}
    engine = Engine(Policy(), state.get)
    for observed in _observed(folder, "first"):
        engine.learn(observed, engine.assess(observed))
    state.update(engine.changes())
    profiles = [value for key, value in state.items() if key.startswith(b"a:")]
    models = {key: value for key, value in state.items() if key[:2] not in {b"a:", b"c:", b"x:"}}
    for store in stores:
        store.write(models, 0)
    for first in range(0, size, _FILL):
        parts: list[dict[bytes, bytes | None]] = [{} for _ in stores]
        for number in range(first, min(first + _FILL, size)):
            name = _name(number)
            profile = profiles[number % len(profiles)]
            parts[digest(name) % len(stores)][b"a:" + name.encode()] = profile
        for store, part in zip(stores, parts, strict=True):
            store.write(part, 0)


def _visits(folder: Path, size: int) -> Iterator[Observed]:
    """Yield the later shop's events, each visit by a random one of the accounts."""
    chance, accounts = random.Random(1), dict[str, str]()
    for observed in _observed(folder, "later"):
        event = observed.event
        visit = event.session_id or event.event_id
        if visit not in accounts:
            accounts[visit] = _name(chance.randrange(size))
        event = msgspec.structs.replace(event, account_id=accounts[visit])
        yield Observed(event, observed.facts)


def _observed(folder: Path, file: str) -> Iterator[Observed]:
    enricher = Enricher([folder / f"{file}.csv"])
    with (folder / f"{file}.ndjson").open("rb") as lines:
        for line in lines:
            try:
                event = decode(line, type_=None, timestamp=None, fallback_id="unnamed")
            except InvalidEvent:
                continue
            if not isinstance(event, Feedback):
                yield Observed(event, enricher.facts(event))


def _name(number: int) -> str:
    return f"account-{number:08d}"


def show(rows: list[Measured]) -> None:
    """Print a table."""
    table = Table(title=f"{rows[0].events:,} events over {PARTITIONS} partitions")
    for heading in ("accounts", "engine µs", "hand-over µs", "both µs", "resident MB", "disk MB"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            *(f"{row.accounts:,}", f"{row.engine:.1f}", f"{row.hand_over:.1f}"),
            *(f"{row.cost:.1f}", str(row.resident), str(row.on_disk)),
        )
    Console().print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="accounts")
    parser.add_argument("--events", type=int, default=40_000, help="events at most, of each size")
    parser.add_argument("--json", type=Path, help="write the report here too")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

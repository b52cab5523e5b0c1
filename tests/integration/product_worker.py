"""The product's worker, as a program: `python -m tests.integration.product_worker JSON`."""

import asyncio
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.app import run_worker
from streams.configuration import load
from streams.processor import FraudProcessor
from streams.runtime import store
from streams.runtime.store import RocksStore
from streams.runtime.transport import Fetched, RunConsumerThread
from tests.integration.counting_worker import die

# Shorter than a setting may be: the tests' broker allows it, and others must take over soon.
SESSION_SECONDS = 3.0


class Options(msgspec.Struct, kw_only=True):
    """Settings by name, and what is to go wrong.

    `die_at` is where the process is to kill itself (see `counting_worker`). `hang` has it stand
    still for good at the first run, `deaf` has nothing fetched, as by a fetcher that has died.
    No file may grow beyond `largest_file` bytes once a store is written to, as on a disk that is
    full, and a store keeps nothing in memory. The file `clock` says by how many seconds the clock
    is wrong.
    """

    settings: dict[str, str]
    die_at: str | None = None
    die_after: int = 1
    hang: bool = False
    deaf: bool = False
    largest_file: int | None = None
    clock: str | None = None


def hang(*_: object) -> None:
    """Never return."""
    while True:
        time.sleep(1)


def fill_the_disk(room: int) -> None:
    """Have whatever a store takes go to a file at once, of which none may grow beyond `room`."""
    write = RocksStore.write

    def write_through(
        self: RocksStore, changes: Mapping[bytes, bytes | None], next_offset: int
    ) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        write(self, changes, next_offset)
        try:
            self._db.flush()
        except Exception as error:
            raise store._failed(self._path, error) from error

    RocksStore.write = write_through  # type: ignore[method-assign] # or it would take megabytes


def turn_the_clock(file: Path) -> None:
    """Have the clock be as wrong as a file says: nought where there is none."""
    real = time.time

    def wrong() -> float:
        return real() + (float(file.read_text() or 0) if file.exists() else 0.0)

    time.time = wrong
    append = BatchBuilder.append

    def stamped(self: BatchBuilder, *, timestamp: int | None, **fields: object) -> object:
        # aiokafka's own clock is in C, where nothing can be put in its place.
        return append(self, timestamp=timestamp or int(wrong() * 1000), **fields)

    BatchBuilder.append = stamped


async def hear_nothing(*_: object) -> Fetched:
    """Return no record, ever."""
    await asyncio.sleep(0.1)
    return Fetched({}, {})


def main() -> int:
    """Run the worker; return its exit code."""
    options = msgspec.json.decode(sys.argv[1], type=Options)
    if options.die_at is not None:
        die(options.die_at, options.die_after)
    if options.hang:
        FraudProcessor.fold = hang  # type: ignore[method-assign,assignment] # for this test
    if options.deaf:
        RunConsumerThread._fetch = hear_nothing  # type: ignore[method-assign,assignment] # for this test
    if options.clock is not None:
        turn_the_clock(Path(options.clock))
    if options.largest_file is not None:
        fill_the_disk(options.largest_file)
    settings = load(environ={}, overrides=options.settings).settings
    return run_worker(msgspec.structs.replace(settings, session_seconds=SESSION_SECONDS))


if __name__ == "__main__":
    sys.exit(main())

"""A partition's state on this machine: a copy of its changelog, there to be read fast.

The changelog is the truth. A local store may be lost, cut short or left over from long ago; all
it must do is say exactly up to which changelog offset it is complete. It does, because that
offset is written in the same atomic batch as the values it covers.
"""

import logging
import re
import shutil
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from detectors.errors import ConfigurationError, NightlatchError

CACHE_BYTES: Final = 64 << 20
"""Of blocks read from disk, for all stores of a worker."""
BUFFER_BYTES: Final = 64 << 20
"""Of what is written and not yet in a file, for all stores of a worker, about."""
_log: Final = logging.getLogger(__name__)
# As RocksDB words them: a message may name a block, or a path, that has "lock" in it.
_LOCKED: Final = re.compile(r"IO error: (lock|While lock file)", re.IGNORECASE)
_CORRUPT: Final = re.compile(r"Corruption:")
# What the system says of a disk that is full, of a quota, of a limit on files.
_FULL: Final = re.compile("No space left|quota exceeded|File too large", re.IGNORECASE)
_MARK_KEY: Final = b"\x00changelog"
_MARK: Final = struct.Struct(">Qd")  # next changelog offset, wall clock of the write

# A tombstone lives this long in the changelog (`changelog.TOPIC_CONFIG`). A copy that was last
# written before that may hold keys whose deletion it can no longer learn of.
TOMBSTONE_SECONDS: Final = 7 * 86_400.0
_STALE_SECONDS: Final = TOMBSTONE_SECONDS - 86_400.0


class LocalStore(Protocol):
    """One partition's keys and values, with the changelog offset they are complete up to."""

    next_offset: int
    """The first changelog offset that is not in here; 0 where nothing is."""

    def get(self, key: bytes) -> bytes | None:
        """Return a key's value, or None."""

    def write(self, changes: Mapping[bytes, bytes | None], next_offset: int) -> None:
        """Apply changes (None deletes) and the offset they lead up to, all or nothing."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key with its value, in key order."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Release files and locks; nothing may be called after it. Raises StoreFailed."""


class MemoryStore:
    """Keeps the copy in memory: every start reads the whole changelog."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self.next_offset = 0

    def get(self, key: bytes) -> bytes | None:
        """Return a key's value, or None."""
        return self._values.get(key)

    def write(self, changes: Mapping[bytes, bytes | None], next_offset: int) -> None:
        """Apply changes; see `LocalStore`."""
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
        self.next_offset = next_offset

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key with its value, in key order."""
        yield from sorted(self._values.items())

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self.next_offset = 0

    def close(self) -> None:
        """Nothing is held."""


class RocksStore:
    """Keeps the copy in a RocksDB directory of its own.

    It has no write-ahead log: the changelog is one, written before. A process that is killed, or a
    machine that loses power, loses the latest steps: what was in memory only, `BUFFER_BYTES` of all
    stores together, their offsets included. It is read again from the changelog. One that closes
    loses nothing. Raises ConfigurationError where the directory is in use, StoreFailed where it
    cannot be written: by `write`, as soon as memory has to go into a file and cannot.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[assignment,method-assign] # a property
        self._db = self._open()
        self.next_offset = self._read_mark()

    def get(self, key: bytes) -> bytes | None:
        """Return a key's value, or None."""
        value: bytes | None = self._db.get(key)
        return value

    def write(self, changes: Mapping[bytes, bytes | None], next_offset: int) -> None:
        """Apply changes; see `LocalStore`."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(_MARK_KEY, _MARK.pack(next_offset, time.time()))
        try:
            self._db.write(batch, self._unlogged)
        except Exception as error:
            raise _failed(self._path, error) from error
        self.next_offset = next_offset

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key with its value, in key order."""
        pairs: Iterable[tuple[Any, Any]] = self._db.items()
        yield from ((key, value) for key, value in pairs if key != _MARK_KEY)

    def clear(self) -> None:
        """Forget everything."""
        self.close()
        shutil.rmtree(self._path)
        self._db = self._open()
        self.next_offset = 0

    def close(self) -> None:
        """Release the directory."""
        try:
            self._db.close()
        except Exception as error:
            raise _failed(self._path, error) from error

    def _open(self) -> Rdict:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return Rdict(str(self._path), _options())
        except Exception as error:
            # rocksdict raises plain Exception for whatever RocksDB says.
            if _LOCKED.search(str(error)):
                raise StoreInUse(
                    f"another worker uses {self._path}: give each worker a data_dir of its own"
                ) from error
            if not _CORRUPT.match(str(error)):
                raise _failed(self._path, error) from error
            _log.warning("%s is damaged; it is only a copy, and made anew: %s", self._path, error)
            shutil.rmtree(self._path)
            return Rdict(str(self._path), _options())

    def _read_mark(self) -> int:
        mark: bytes | None = self._db.get(_MARK_KEY)
        if mark is None:
            return 0
        next_offset, written = _MARK.unpack(mark)
        if time.time() - written > _STALE_SECONDS:
            self.clear()
            return 0
        return int(next_offset)


class StoreFailed(NightlatchError):
    """A local store cannot be written, as on a disk that is full. What it held is in Kafka."""


def _failed(path: Path, error: Exception) -> StoreFailed:
    remedy = "free space there" if _FULL.search(str(error)) else "mend that"
    return StoreFailed(
        f"local state in {path} cannot be written ({error}): nothing is lost, since Kafka has it; "
        f"{remedy} and start the worker again"
    )


class StoreInUse(ConfigurationError):
    """A local store's directory is held by another process, perhaps one that is just leaving."""


@cache
def _shared() -> tuple[Cache, WriteBufferManager]:
    """What all stores of a process take their memory from: it must not grow with the partitions."""
    return Cache(CACHE_BYTES), WriteBufferManager(BUFFER_BYTES, allow_stall=False)


def _options() -> Options:
    blocks, buffers = _shared()
    options = Options(raw_mode=True)
    options.create_if_missing(True)  # noqa: FBT003 - rocksdict takes it by position
    options.set_write_buffer_manager(buffers)
    options.set_write_buffer_size(16 << 20)
    options.set_max_write_buffer_number(2)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_keep_log_file_num(2)
    options.set_max_open_files(256)
    table = BlockBasedOptions()
    table.set_bloom_filter(10, False)  # noqa: FBT003 - bits a key, not block-based
    table.set_block_cache(blocks)
    options.set_block_based_table_factory(table)
    return options

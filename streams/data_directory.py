"""The directory of a worker's local state: it can be written to, and is one worker's at a time."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from detectors.errors import ConfigurationError, NightlatchError
from streams.whole_files import make_folder

LOCK: Final = "worker.lock"
"""The file in it that says which worker uses it."""
_NAME_BYTES: Final = 300


def check_data_dir(path: Path) -> None:
    """Make the directory of local state; raises ConfigurationError where that cannot be done."""
    make_folder(path, "data_dir")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigurationError(f"data_dir {path} cannot be written to: change its permissions")


@contextmanager
def held_data_dir(path: Path) -> Iterator[None]:
    """Keep other workers out of a directory for as long as the context, or the process, lasts.

    RocksDB's own locks are a partition's: two workers that the group gives different partitions
    would meet only when it assigns anew. The system gives a lock back however its process ends, so
    whoever comes after a worker that was killed is let in. Raises ConfigurationError where another
    worker has it, NightlatchError where the disk is full.
    """
    try:
        # Not passed on to programs that are started: who has it is this process alone.
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ConfigurationError(f"{path / LOCK} cannot be written: {error.strerror}") from None
    try:
        _take(lock, path)
        yield
    finally:
        os.close(lock)


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(lock, _NAME_BYTES, 0).decode("utf-8", "replace").strip()
        raise ConfigurationError(
            f"another worker ({who or 'which is just starting'}) uses data_dir {path}: "
            "give each worker one of its own"
        ) from None
    try:
        os.ftruncate(lock, 0)
        # The number alone says little where each worker has a container of its own.
        os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    except OSError as error:
        raise NightlatchError(
            f"data_dir {path} cannot be written to ({error.strerror}): free space there and start "
            "the worker again"
        ) from None

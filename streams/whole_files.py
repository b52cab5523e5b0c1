"""Files that are written whole or not at all, and secret ones, which are their owner's alone.

What cannot be written is told in one sentence, here and in `streams.cli` for standard output:
`not_written` makes it.
"""

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from detectors.errors import ConfigurationError, NightlatchError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_OTHERS: Final = 0o077
_OWNERS: Final = 0o600
_ANYBODYS: Final = 0o666
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says of a disk that is full, of a quota, of a limit on files."""


class DiskFull(NightlatchError):
    """There is no room for what is to be written: trying again helps once there is."""


def is_full(error: OSError) -> bool:
    """Return whether it is for want of room that something cannot be written."""
    return error.errno in _FULL


def not_written(what: object, error: OSError, done: str = "written") -> NightlatchError:
    """Return what to raise where a file, or standard output, cannot be written."""
    sentence = f"{what} cannot be {done}: {error.strerror}"
    if is_full(error):
        return DiskFull(f"{sentence}; free space there and try again")
    return ConfigurationError(sentence)


def make_folder(path: Path, what: str) -> None:
    """Make a folder where it is not there, and those above it; `what` it is is for the error.

    Raises ConfigurationError, or DiskFull, where that cannot be done.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        reason = "there is a file of that name"
        raise ConfigurationError(f"{what} {path} cannot be made: {reason}") from None
    except OSError as error:
        raise not_written(f"{what} {path}", error, "made") from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that who reads it finds the old or the new one, never half of one.

    A link stays one, and its target is written; a pipe or device is written to. Raises
    ConfigurationError, or DiskFull, where it cannot be done; nothing is left of it then.
    """
    with _telling(path):
        if _is_special(path):
            path.write_bytes(data)
        else:
            _put(path, data, _ANYBODYS)


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files as `write_whole` does: where there is no room for one of them, none is there."""
    with ExitStack() as stack:
        made = {}
        for path, data in files.items():
            with _telling(path):
                made[path.resolve()] = stack.enter_context(_made(path.resolve(), data, _ANYBODYS))
        for path, new in made.items():
            with _telling(path):
                new.replace(path)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to that takes its name once the context has ended well.

    Where it ends otherwise, by Ctrl-C too, what was there before stays. Links, pipes and devices
    are written as by `write_whole`. Raises ConfigurationError, or DiskFull, where it cannot be
    opened; whoever writes to it gets them where it cannot be written.
    """
    if _is_special(path):
        with _telling(path):
            raw = _Telling(path, path)
        with BufferedWriter(raw) as file:
            yield file
        return
    path = path.resolve()
    with _opened(path, _ANYBODYS) as (file, made):
        yield file
        with _telling(path):
            _finish(file)
            made.replace(path)


def write_secret(path: Path, data: bytes) -> None:
    """Write a file as `write_whole` does, for its owner alone from its first byte on."""
    with _telling(path):
        _put(path, data, _OWNERS)


def write_new_secret(path: Path, data: bytes) -> None:
    """Write a file as `write_secret` does, never in the place of another."""
    with _telling(path):
        try:
            with _made(path, data, _OWNERS) as made:
                # The name is taken with all that it is to hold, or not at all, whenever we are
                # killed.
                os.link(made, path)
        except FileExistsError:
            raise ConfigurationError(f"{path} is there already: it is not overwritten") from None


def read_secret(path: Path, what: str) -> bytes:
    """Return what a secret file holds; `what` it is is for the error.

    Raises ConfigurationError where it cannot be read, or where others than its owner may.
    """
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise ConfigurationError(f"{what} {path} cannot be read: {error.strerror}") from None
    if mode & _OTHERS:
        raise ConfigurationError(
            f"{what} {path} may be read by others than its owner: chmod 600 {path}"
        )
    return data


def _put(path: Path, data: bytes, mode: int) -> None:
    path = path.resolve()
    with _made(path, data, mode) as made:
        made.replace(path)


@contextmanager
def _made(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """Write data to a file beside a path, which is gone afterwards."""
    with _opened(path, mode) as (file, made):
        file.write(data)
        _finish(file)
        yield made


@contextmanager
def _opened(path: Path, mode: int) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a file beside a path, which is closed and gone afterwards."""
    # A name of its own each time: what a process that was killed left behind blocks nobody.
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with _telling(path):
        raw = _Telling(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), path)
    try:
        with BufferedWriter(raw) as file:
            yield file, made
    finally:
        made.unlink(missing_ok=True)


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _is_special(path: Path) -> bool:
    """Return whether it is a pipe, a device or a folder: nothing can be put in its place."""
    return path.exists() and not path.is_file()


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_written(path, error) from None


class _Telling(FileIO):
    """A file that says in one sentence that it, of all that are open, cannot be written."""

    def __init__(self, opened: Path | int, path: Path) -> None:
        super().__init__(opened, "wb")
        self._path = path

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise  # who reads has had enough: no fault, and told as on standard output
        except OSError as error:
            raise not_written(self._path, error) from None

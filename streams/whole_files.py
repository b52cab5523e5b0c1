"""Files that are written whole or not at all, and secret ones, which are their owner's alone."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from detectors.errors import ConfigurationError

_OTHERS: Final = 0o077
_OWNERS: Final = 0o600
_ANYBODYS: Final = 0o666


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that who reads it finds the old or the new one, never half of one.

    A link stays one, and its target is written; a pipe or device is written to. Raises
    ConfigurationError where it cannot be done; nothing is left of it then.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _put(path, data, _ANYBODYS)
    except OSError as error:
        raise _not_written(path, error) from None


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to that takes its name once the context has ended well.

    Where it ends otherwise, by Ctrl-C too, what was there before stays. Links, pipes and devices
    are written as by `write_whole`. Raises OSError where it cannot be opened.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()
    with _opened(path, _ANYBODYS) as (file, made):
        yield file
        _finish(file)
        made.replace(path)


def write_secret(path: Path, data: bytes) -> None:
    """Write a file as `write_whole` does, for its owner alone from its first byte on."""
    try:
        _put(path, data, _OWNERS)
    except OSError as error:
        raise _not_written(path, error) from None


def write_new_secret(path: Path, data: bytes) -> None:
    """Write a file as `write_secret` does, never in the place of another."""
    try:
        with _made(path, data, _OWNERS) as made:
            # The name is taken with all that it is to hold, or not at all, whenever we are killed.
            os.link(made, path)
    except FileExistsError:
        raise ConfigurationError(f"{path} is there already: it is not overwritten") from None
    except OSError as error:
        raise _not_written(path, error) from None


def read_secret(path: Path, what: str) -> bytes:
    """Return what a secret file holds; `what` it is is for the error.

    Raises ConfigurationError where it cannot be read, or where others than its owner may.
    """
    try:
        if path.stat().st_mode & _OTHERS:
            raise ConfigurationError(
                f"{what} {path} may be read by others than its owner: chmod 600 {path}"
            )
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{what} {path} cannot be read: {error.strerror}") from None


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
    try:
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file, made
    finally:
        made.unlink(missing_ok=True)


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _not_written(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{path} cannot be written: {error.strerror}")

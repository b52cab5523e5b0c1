"""A file is there whole or not at all, and a secret one is its owner's alone."""

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from detectors.errors import ConfigurationError
from streams.evidence.keys import new_key
from streams.sharing.keys import add_key, read_keys
from streams.simulated_files import Files
from streams.whole_files import (
    DiskFull,
    make_folder,
    read_secret,
    whole_file,
    write_new_secret,
    write_secret,
    write_together,
    write_whole,
)
from tests.support.disks import a_full_disk

Write = Callable[[Path, bytes], None]
SECRET: tuple[Write, ...] = (write_secret, write_new_secret)


@pytest.mark.parametrize("write", [write_whole, *SECRET])
def test_of_a_failed_write_nothing_is_left(tmp_path: Path, write: Write) -> None:
    """Neither half a file under its name, nor another beside it; the next try succeeds."""
    path = tmp_path / "file"
    with a_full_disk(), pytest.raises(DiskFull, match="cannot be written: File too"):
        write(path, b"x" * 100)
    assert list(tmp_path.iterdir()) == []
    write(path, b"x" * 100)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"x" * 100


@pytest.mark.parametrize("write", [write_whole, write_secret])
def test_what_was_there_stays_until_the_new_one_is_whole(tmp_path: Path, write: Write) -> None:
    """A write that fails half-way takes nothing away."""
    path = tmp_path / "file"
    write(path, b"old")
    with a_full_disk(), pytest.raises(DiskFull):
        write(path, b"x" * 100)
    assert path.read_bytes() == b"old"
    write(path, b"new")
    assert path.read_bytes() == b"new"


def test_of_files_that_belong_together_all_are_new_or_none(tmp_path: Path) -> None:
    """A page beside the figures of another run would be believed."""
    files = {tmp_path / "page": b"new", tmp_path / "figures": b"x" * 100}
    for path in files:
        write_whole(path, b"old")
    with a_full_disk(), pytest.raises(DiskFull, match="figures cannot be written"):
        write_together(files)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "page": b"old",
        "figures": b"old",
    }
    write_together(files)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
@pytest.mark.parametrize("length", [100, 100_000])
def test_of_many_open_files_the_one_without_room_is_named(
    tmp_path: Path, suffix: str, length: int
) -> None:
    """Whether it is told as it is written or only as it is closed, and however it is packed."""
    contents = {"a": b"few", f"full{suffix}": os.urandom(length), "b": b"few"}

    def write() -> None:
        with ExitStack() as stack:
            files = Files(stack)
            opened = {name: files.open(tmp_path / name) for name in contents}
            for name, file in opened.items():
                assert file is not None
                file.write(contents[name])

    with a_full_disk(50), pytest.raises(DiskFull, match=f"full{suffix} cannot be written: File"):
        write()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "full"))]


def test_a_device_that_is_full_is_named() -> None:
    """As any file is."""
    full = Path("/dev/full")
    with pytest.raises(DiskFull, match="/dev/full cannot be written: No space left"):
        write_whole(full, b"x")
    with pytest.raises(DiskFull, match="/dev/full cannot be written"), whole_file(full) as file:
        file.write(b"x")


@pytest.mark.parametrize("write", [write_whole, write_secret])
def test_a_link_stays_a_link(tmp_path: Path, write: Write) -> None:
    """Whoever keeps the file elsewhere finds the new one there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = tmp_path / "link"
    path.symlink_to(elsewhere / "file")
    for content in (b"first", b"second"):
        write(path, content)
        assert path.is_symlink()
        assert (elsewhere / "file").read_bytes() == content
    assert len(list(elsewhere.iterdir())) == 1


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """As `--out /dev/stdout` is: there is nothing to be put in its place."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(path, b"told")
        assert os.read(reading, 10) == b"told"
    finally:
        os.close(reading)
    assert path.is_fifo()


@pytest.mark.parametrize("write", SECRET)
def test_a_secret_file_is_its_owners(tmp_path: Path, write: Write) -> None:
    """Readable by nobody else, whatever the file before it allowed; refused where others may."""
    path = tmp_path / "secret"
    if write is write_secret:
        path.touch(0o644)
    write(path, b"secret")
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_secret(path, "the key") == b"secret"
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_secret(path, "the key")


def test_a_folder_is_no_secret_file(tmp_path: Path) -> None:
    """Whoever took the right to read it away from others could not enter it any more."""
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_secret(tmp_path, "the key")


def test_a_folder_is_made_or_it_is_said_why_not(tmp_path: Path) -> None:
    """It may be there already, and so may a file."""
    for _ in range(2):
        make_folder(tmp_path / "one" / "two", "--out")
    assert (tmp_path / "one" / "two").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"--out .* cannot be made: there is a file of"):
        make_folder(tmp_path / "file", "--out")
    with pytest.raises(ConfigurationError, match=r"--out .* cannot be made: Not a directory"):
        make_folder(tmp_path / "file" / "below", "--out")


def test_a_new_secret_takes_no_others_place(tmp_path: Path) -> None:
    """A key that is overwritten is lost."""
    path = tmp_path / "secret"
    write_new_secret(path, b"first")
    with pytest.raises(ConfigurationError, match="there already"):
        write_new_secret(path, b"second")
    assert path.read_bytes() == b"first"


def test_a_new_secret_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Whoever is killed while it is written leaves no empty file in the way of the next try."""
    path = tmp_path / "secret"
    killed = os.fork()
    if not killed:
        # The write that makes the file too long ends the process there and then.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        with a_full_disk():
            write_new_secret(path, b"x" * 100)
        os._exit(0)
    _, status = os.waitpid(killed, 0)
    assert os.WTERMSIG(status) == signal.SIGXFSZ
    assert not path.exists()
    write_new_secret(path, b"x" * 100)
    assert path.read_bytes() == b"x" * 100


def test_keys_are_written_so(tmp_path: Path) -> None:
    """Both kinds: a full disk leaves the keys that were there, and does not stand in the way."""
    keys, signing = tmp_path / "keys", tmp_path / "signing.pem"
    add_key(keys, "2026-11")
    before = keys.read_bytes()
    with a_full_disk():
        with pytest.raises(DiskFull):
            add_key(keys, "2026-12")
        with pytest.raises(DiskFull):
            new_key(signing)
    assert [one.name for one in tmp_path.iterdir()] == ["keys"]
    assert keys.read_bytes() == before
    add_key(keys, "2026-12")
    assert [key.key_id for key in read_keys(keys)] == ["2026-12", "2026-11"]
    new_key(signing)

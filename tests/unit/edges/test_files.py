"""Event files are read lazily, decompressed by suffix, merged by time, and faults are placed."""

import gzip
import lzma
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import orjson
import pytest
from backports import zstd

from detectors.errors import InvalidEvent, UnreadableFile
from streams.files import read_events, read_lines, read_merged


def line(account: str, seconds: int, **more: object) -> bytes:
    """Write a sign-in at a second of some minute."""
    fields = {"type": "login", "account_id": account, "ip": "192.0.2.1", "outcome": "success"}
    moment = f"2026-11-24T06:08:{seconds:02}Z"
    return orjson.dumps({**fields, "occurred_at": moment, **more}) + b"\n"


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".zst", zstd.compress)],
)
def test_every_compression(suffix: str, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """The suffix says how a file is packed; what was taken from the disk is told all through."""
    path = tmp_path / f"events.ndjson{suffix}"
    path.write_bytes(compress(b"one\r\n\ntwo"))
    counts: list[int] = []
    assert list(read_lines(path, counts.append)) == [b"one", b"", b"two"]
    assert sum(counts) == path.stat().st_size


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    """Windows puts one at the beginning of a file; anywhere else it is what was written."""
    path = tmp_path / "labels.ndjson"
    path.write_bytes(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n")
    assert list(read_lines(path)) == [b"one", b"\xef\xbb\xbftwo"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.gz", gzip.compress(b"x\n" * 1000, mtime=0)[:20]),
        ("wrong.xz", b"nonsense"),
        ("wrong.zst", b"nonsense"),
        ("bits.gz", gzip.compress(b"x", mtime=0)[:10] + b"\xff" * 40),
        ("missing", None),
    ],
)
def test_unreadable_files_are_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    """A damaged or missing file is an error with its name, never a shorter file."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=name):
        list(read_lines(path))


def test_events_of_a_file(tmp_path: Path) -> None:
    """A line is an event or its error, with its number; blank lines count but mean nothing."""
    path = tmp_path / "e.ndjson"
    path.write_bytes(line("a", 1) + b"\n" + b"nonsense\n" + line("b", 2, occurred_at=None))
    first, second, third = read_events(path)
    assert [e.number for e in (first, second, third)] == [1, 3, 4]
    assert isinstance(second.content, InvalidEvent)
    assert second.line == b"nonsense"
    assert not isinstance(third.content, InvalidEvent)
    # A file has no record time: the time and the name come from the line's place.
    assert third.content.occurred_at == first.time
    assert third.content.event_id == "e.ndjson:4"


def test_a_first_line_without_a_time(tmp_path: Path) -> None:
    """Where no line before has a time either, the event has none, and is refused."""
    path = tmp_path / "e.ndjson"
    path.write_bytes(line("a", 1, occurred_at=None))
    (only,) = read_events(path)
    assert isinstance(only.content, InvalidEvent)
    assert only.content.field == "occurred_at"


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    """Several files come in the order of time; each keeps its own order where it is out of it."""
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_bytes(line("a1", 1) + line("a4", 4) + line("a3", 3))
    two.write_bytes(line("b2", 2) + line("b5", 5))
    accounts = [e.content.account_id for e in read_merged([one, two])  # type: ignore[union-attr]  # all valid
                ]  # fmt: skip
    assert accounts == ["a1", "b2", "a4", "a3", "b5"]


def test_reading_is_lazy(tmp_path: Path) -> None:
    """The first event comes before the rest has been read."""
    path = tmp_path / "e"
    path.write_bytes(line("a", 1) * 50_000)
    read: list[int] = []
    events = read_merged([path], read.append)
    assert len(list(islice(events, 10))) == 10
    assert sum(read) < path.stat().st_size / 4
    events.close()  # type: ignore[attr-defined]  # a generator, whose file is to be closed

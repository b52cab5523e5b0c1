"""Event files: NDJSON, one event a line, plain or `.gz`, `.xz`, `.zst`; `-` is standard input.

Everything is read lazily: a year of events needs no more memory than a minute of them.
"""

import gzip
import lzma
import sys
import zlib
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from heapq import merge
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
from backports import zstd

from detectors.errors import InvalidEvent, UnreadableFile
from detectors.events import Event
from streams.codec import decode

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Watch = Callable[[int], object]
STANDARD_INPUT: Final = Path("-")
DAMAGED: Final = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError)
"""What reading from `open_plain` raises where a file is missing, cut short or damaged."""
_OPENERS: Final[dict[str, Callable[[Any], Any]]] = {
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".zst": zstd.open,
}


class FileEvent(msgspec.Struct, frozen=True):
    """A line of an event file: what was read and what it means, an event or why it is none.

    `number` counts lines from 1; `time` (UTC epoch seconds) is the event's, or that of the
    line before where this one is none.
    """

    path: Path
    number: int
    line: bytes
    content: Event | InvalidEvent
    time: float


@contextmanager
def open_plain(path: Path, watch: Watch | None = None) -> Iterator[BinaryIO]:
    """Give a file to read, decompressed by its suffix; raises OSError where it can't be read.

    Reading on raises one of `DAMAGED` where the file is. `watch` is told, as reading goes on, how
    many bytes more were taken from the disk.
    """
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with path.open("rb", buffering=0) as raw, BufferedReader(_Watched(raw, watch), 1 << 18) as file:
        opener = _OPENERS.get(path.suffix)
        yield opener(file) if opener else file


class _Watched(RawIOBase):
    """A file that tells somebody how far it has been read."""

    def __init__(self, raw: RawIOBase, watch: Watch | None) -> None:
        self._raw = raw
        self._watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        count = self._raw.readinto(buffer)
        if self._watch is not None and count:
            self._watch(count)
        return count


def read_lines(path: Path, watch: Watch | None = None) -> Iterator[bytes]:
    """Yield the lines of a file, blank ones too, without their ends and a byte order mark.

    Raises UnreadableFile where the file is missing, or damaged at the place it is damaged.
    """
    mark = BOM_UTF8  # as Windows writes it; of the first line only
    try:
        with open_plain(path, watch) as opened:
            for line in opened:
                yield line.removeprefix(mark).rstrip(b"\r\n")
                mark = b""
    except DAMAGED as error:
        raise UnreadableFile(f"{path}: {told(error)}") from None


def told(error: Exception) -> str:
    """Return what is wrong with a file, as its system or its packing says it."""
    return getattr(error, "strerror", None) or str(error)


def distinct_names(paths: Iterable[Path]) -> list[str]:
    """Return a name for each file: its own, and `events.ndjson~2` for the second of that name."""
    met: Counter[str] = Counter()
    names = []
    for path in paths:
        met[path.name] += 1
        names.append(path.name if met[path.name] == 1 else f"{path.name}~{met[path.name]}")
    return names


def read_events(
    path: Path, watch: Watch | None = None, name: str | None = None
) -> Iterator[FileEvent]:
    """Yield a file's events in its own order; blank lines are passed over.

    A file has no record time, so an event without `occurred_at` takes the time of the line
    before it (and is none in the first line); one without `event_id` is named by file and line.
    `name` is the file's in that, where several have the same.
    """
    time: float | None = None
    name = name or path.name
    for number, line in enumerate(read_lines(path, watch), start=1):
        if not line or line.isspace():
            continue
        content: Event | InvalidEvent
        try:
            content = decode(line, type_=None, timestamp=time, fallback_id=f"{name}:{number}")
            time = content.occurred_at
        except InvalidEvent as error:
            content = error
        yield FileEvent(path, number, line, content, time or 0.0)


def read_merged(paths: Iterable[Path], watch: Watch | None = None) -> Iterator[FileEvent]:
    """Yield the events of several files in the order of time.

    Within one file its own order stays as it was written: what is out of order there was so
    where it was recorded, and a detector must live with it.
    """
    return merge(*(read_events(path, watch) for path in paths), key=lambda event: event.time)

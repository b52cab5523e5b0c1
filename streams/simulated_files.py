"""The files of a simulated run: events, and beside them what only the simulator knows."""

import csv
import gzip
import lzma
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import orjson
from backports import zstd

from detectors.simulation import SimulatedEvent
from streams.whole_files import whole_file

STANDARD_OUTPUT: Final = Path("-")
_COLUMNS: Final = ("network", "asn", "country", "region", "city", "latitude", "longitude")


class Files:
    """Files opened for writing until the stack closes, each path once; compressed by suffix.

    Where the stack is closed by an error, or by Ctrl-C, there are no new ones: half a file would
    pass for a whole one.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._opened: dict[Path, BinaryIO] = {}

    def open(self, path: Path | None) -> BinaryIO | None:
        """Open a file, or give the one already open there; None for no path.

        It, and whoever writes to it, raises ConfigurationError or DiskFull where it can't be
        written.
        """
        if path is None:
            return None
        if path not in self._opened:
            self._opened[path] = self._open(path)
        return self._opened[path]

    def _open(self, path: Path) -> BinaryIO:
        if path == STANDARD_OUTPUT:
            return sys.stdout.buffer
        file = self._stack.enter_context(whole_file(path))
        match path.suffix:
            case ".gz":
                # Without a name and a time, so that the same run gives the same bytes.
                packed: Any = gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0)
            case ".xz":
                packed = lzma.open(file, "wb", preset=1)  # noqa: SIM115 - the stack closes it
            case ".zst":
                packed = zstd.open(file, "wb")
            case _:
                return file
        return cast("BinaryIO", self._stack.enter_context(packed))


def write_line(file: BinaryIO | None, line: Mapping[str, Any]) -> None:
    """Write one object as a line; nowhere if there is no file."""
    if file is not None:
        file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


class Beside(NamedTuple):
    """Where the truth goes: takeovers, tries that gave no access, odd but honest events."""

    labels: BinaryIO | None
    attacks: BinaryIO | None
    circumstances: BinaryIO | None


def noted(events: Iterable[SimulatedEvent], beside: Beside) -> Iterator[SimulatedEvent]:
    """Pass events on, and write the truth about each beside them."""
    for simulated in events:
        truth, event = simulated.truth, simulated.event
        name = {"event_id": event["event_id"], "type": event["type"]}
        if truth is not None and truth.takeover:
            line = {**name, "takeover": True, "family": truth.family}
            write_line(beside.labels, {**line, "campaign": truth.campaign})
        elif truth is not None:
            line = {**name, "attack": truth.family, "campaign": truth.campaign}
            write_line(beside.attacks, line)
        elif simulated.circumstances:
            write_line(beside.circumstances, {**name, "circumstances": simulated.circumstances})
        yield simulated


def write_rows(file: BinaryIO | None, rows: Iterable[tuple[object, ...]]) -> None:
    """Write a look-up file of these rows."""
    if file is not None:
        text = TextIOWrapper(file, "utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
        text.detach()

"""CSV look-up files, `network,asn,country,region,city,latitude,longitude`: own allocations.

Networks may nest: the longest prefix wins, as in routing. On loading they are cut into disjoint
intervals, so that finding an address is one bisection; a million rows load in seconds.
"""

import csv
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, MutableSequence, Sequence
from io import TextIOWrapper
from math import nan
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final

from detectors.errors import ConfigurationError
from streams.enrichment.places import NOWHERE, Place
from streams.files import DAMAGED, open_plain

_BITS: Final = {AF_INET: 32, AF_INET6: 128}
_Network = tuple[int, int, int]  # first address, last address, index of its place


class CsvLookup:
    """A CSV look-up file in memory."""

    def __init__(self, path: Path) -> None:
        self._places: list[Place] = [NOWHERE]
        four: list[_Network] = []
        six: list[_Network] = []
        try:
            with open_plain(path) as opened, TextIOWrapper(opened, "utf-8-sig", newline="") as text:
                for family, first, last, index in _rows(path, text, self._places):
                    (four if family == AF_INET else six).append((first, last, index))
        except (*DAMAGED, UnicodeDecodeError, csv.Error) as error:
            raise ConfigurationError(f"lookups: {path}: {error}") from None
        # 128-bit numbers fit no array; IPv4 ones do, in a quarter of a list's memory.
        self._four = _disjoint(four, array("Q"))
        self._six = _disjoint(six, [])

    def find(self, address: str) -> Place:
        """Return what is known about a canonical address."""
        family = AF_INET6 if ":" in address else AF_INET
        starts, indices = self._six if family == AF_INET6 else self._four
        number = int.from_bytes(inet_pton(family, address), "big")
        at = bisect_right(starts, number) - 1
        return self._places[indices[at]] if at >= 0 else NOWHERE


def _rows(
    path: Path, text: TextIOWrapper, places: list[Place]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield family, first and last address and place of each row; equal places are kept once."""
    reader = csv.DictReader(text)
    if reader.fieldnames is None or "network" not in reader.fieldnames:
        raise ConfigurationError(f"lookups: {path} has no column 'network' in its first line")
    indices: dict[Place, int] = {}
    for row in reader:
        try:
            place = _place(row)
            family, first, last = _network((row["network"] or "").strip())
        except (ValueError, OSError) as error:
            raise ConfigurationError(f"lookups: {path}:{reader.line_num}: {error}") from None
        index = indices.setdefault(place, len(places))
        if index == len(places):
            places.append(place)
        yield family, first, last, index


def _network(text: str) -> tuple[int, int, int]:
    address, slash, length = text.partition("/")
    family = AF_INET6 if ":" in address else AF_INET
    bits = _BITS[family]
    try:
        number = int.from_bytes(inet_pton(family, address), "big")
        prefix = int(length) if slash else bits
    except (OSError, ValueError):
        raise ValueError(f"{text!r} is no network") from None
    if not 0 <= prefix <= bits:
        raise ValueError(f"{text!r} has a prefix longer than {bits}")
    size = 1 << (bits - prefix)
    first = number & -size
    return family, first, first + size - 1


def _place(row: Mapping[str, str | None]) -> Place:
    country = (row.get("country") or "").strip().upper() or None
    if country is not None and len(country) != 2:
        raise ValueError(f"{country!r} is no ISO 3166-1 alpha-2 country code")
    return Place(
        asn=_system(row.get("asn")),
        country=country,
        region=(row.get("region") or "").strip() or None,
        city=(row.get("city") or "").strip() or None,
        latitude=_degrees(row.get("latitude"), 90),
        longitude=_degrees(row.get("longitude"), 180),
    )


def _system(text: str | None) -> int | None:
    number = (text or "").strip().upper().removeprefix("AS")
    if number and not (number.isascii() and number.isdigit()):
        raise ValueError(f"{text!r} is no AS number")
    return int(number) if number else None


def _degrees(text: str | None, bound: float) -> float | None:
    if not text or not text.strip():
        return None
    try:
        degrees = float(text)
    except ValueError:
        degrees = nan
    if not abs(degrees) <= bound:
        raise ValueError(f"{text!r} is not between -{bound} and {bound} degrees")
    return degrees


def _disjoint(
    networks: list[_Network], starts: MutableSequence[int]
) -> tuple[Sequence[int], Sequence[int]]:
    """Cut nested networks into intervals; each holds from its start to the next one's.

    Two networks either nest or have nothing in common, so a stack of the open ones suffices.
    """
    indices = array("L")

    def begin(start: int, index: int) -> None:
        if starts and starts[-1] == start:
            indices[-1] = index  # an inner network that begins where its outer one does
        else:
            starts.append(start)
            indices.append(index)

    still_open: list[_Network] = []
    # Outer before inner; of two rows for the same network the later one stays.
    for network in sorted(networks, key=lambda n: (n[0], -n[1])):
        while still_open and still_open[-1][1] < network[0]:
            _, end, _ = still_open.pop()
            begin(end + 1, still_open[-1][2] if still_open else 0)
        begin(network[0], network[2])
        still_open.append(network)
    while still_open:
        _, end, _ = still_open.pop()
        begin(end + 1, still_open[-1][2] if still_open else 0)
    return starts, indices

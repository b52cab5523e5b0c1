"""What everybody does: counts of values across a partition's accounts, in small pages.

Values share cells by their digest, so memory is fixed however hostile the traffic; a shared cell
makes a value look more common than it is, never rarer. Only pages that changed are handed over.
"""

import sys
from array import array
from collections.abc import Callable, Iterator
from math import pow as power
from typing import Any, Final

from detectors.errors import IncompatibleState

PAGE: Final = 64
"""Cells in a page, a quarter of a kilobyte. Each alert waits for a step, and a step writes
every page that a few dozen events have changed."""

_HEADER: Final = b"\x01"


def pack(cells: "array[Any]") -> bytes:
    """Return numbers as little-endian bytes behind a version byte."""
    if sys.byteorder == "big":
        swapped = cells[:]
        swapped.byteswap()
        return _HEADER + swapped.tobytes()
    return _HEADER + cells.tobytes()


def unpack(stored: bytes, cells: "array[Any]", start: int, length: int) -> None:
    """Put stored numbers back in place. Raises IncompatibleState where they do not fit."""
    if stored[:1] != _HEADER or len(stored) != 1 + cells.itemsize * length:
        raise IncompatibleState("a stored page of counts has another version or size")
    read = cells[:0]
    read.frombytes(stored[1:])
    if sys.byteorder == "big":
        read.byteswap()
    cells[start : start + length] = read


class Pages:
    """A fixed array of four-byte numbers, stored in pages under `name`; zeros to begin with.

    `kind` is "I" for counts and "f" for decayed ones.
    """

    def __init__(
        self, name: str, kind: str, length: int, read: Callable[[bytes], bytes | None]
    ) -> None:
        self.name = name
        self.kind = kind
        self.cells: array[Any] = array(kind, [0]) * length
        self.dirty: set[int] = set()
        for page, start, size in self._pages():
            stored = read(self._key(page))
            if stored is not None:
                unpack(stored, self.cells, start, size)

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the pages that changed since the last call."""
        for page in sorted(self.dirty):
            yield self._stored(page)
        self.dirty.clear()

    def stored(self) -> Iterator[tuple[bytes, bytes]]:
        """Return every page as it would be handed over now."""
        for page, _, _ in self._pages():
            yield self._stored(page)

    def add(self, at: int, amount: int = 1) -> None:
        """Add to one count."""
        held: int = self.cells[at]
        self.cells[at] = held + amount
        self.dirty.add(at // PAGE)

    def count(self, cells: list[int]) -> None:
        """Add one to each of many counts."""
        held, dirty = self.cells, self.dirty
        for at in cells:
            count: int = held[at]
            held[at] = count + 1
            dirty.add(at // PAGE)

    def touch_all(self) -> None:
        """Have every page handed over with the next changes."""
        self.dirty.update(range((len(self.cells) + PAGE - 1) // PAGE))

    def halve(self) -> None:
        """Halve every cell: the past weighs less."""
        cells = self.cells
        whole = cells.typecode == "I"
        for at, value in enumerate(cells):
            if value:
                cells[at] = int(value) // 2 if whole else value / 2
        self.touch_all()

    def _pages(self) -> Iterator[tuple[int, int, int]]:
        for start in range(0, len(self.cells), PAGE):
            yield start // PAGE, start, min(PAGE, len(self.cells) - start)

    def _stored(self, page: int) -> tuple[bytes, bytes]:
        return self._key(page), pack(self.cells[page * PAGE : (page + 1) * PAGE])

    def _key(self, page: int) -> bytes:
        return f"p:{self.name}:{page}".encode()


class Shares:
    """How common each value of one attribute is, as a share of all uses. Cell 0 is the total.

    Counts are halved every `horizon` uses, so that a share follows the fashion.
    """

    def __init__(
        self,
        name: str,
        width: int,
        read: Callable[[bytes], bytes | None],
        horizon: int = 200_000,
    ) -> None:
        self.pages = Pages(name, "I", width + 1, read)
        self.width = width
        self.horizon = horizon

    def share(self, key: int) -> float:
        """Return a value's share, 0 to 1; half a use is granted to what was never seen."""
        cells = self.pages.cells
        uses: int = cells[1 + key % self.width]
        total: int = cells[0]
        return (uses + 0.5) / (total + self.width * 0.5)

    def backed(self, key: int, backing: float) -> float:
        """Return a value's share where so many uses, not half a one, are granted to each cell."""
        cells = self.pages.cells
        uses: int = cells[1 + key % self.width]
        total: int = cells[0]
        return (uses + backing) / (total + self.width * backing)

    def count(self, key: int) -> float:
        """Return a value's uses of late."""
        return float(self.pages.cells[1 + key % self.width])

    def total(self) -> float:
        """Return all uses of late."""
        return float(self.pages.cells[0])

    def add(self, key: int) -> None:
        """Count one use."""
        add_each((self,), (key,))

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the pages that changed since the last call: the total's with any other."""
        if self.pages.dirty:
            self.pages.dirty.add(0)
        return self.pages.changes()


def add_each(shares: tuple[Shares, ...], keys: tuple[int, ...]) -> None:
    """Count one use of a value of each of some attributes."""
    for counted, key in zip(shares, keys):  # noqa: B905 - checked, it is slow once compiled
        pages = counted.pages
        cells = pages.cells
        at = 1 + key % counted.width
        # Held as whole numbers, not as anything that a cell might be: that is quick once compiled.
        before: int = cells[0]
        uses: int = cells[at]
        total = before + 1
        cells[0] = total
        cells[at] = uses + 1
        pages.dirty.add(at // PAGE)
        if total >= counted.horizon:
            pages.halve()


class Attempts:
    """Accounts tried by network or client, and those of them not entered; fading within hours.

    A customer who fails twice and then gets in has been entered; somebody who tries a list of
    passwords leaves most accounts tried and not entered. A cell holds accounts tried, accounts
    not entered, and the time they were last faded at.
    """

    def __init__(
        self,
        name: str,
        width: int,
        read: Callable[[bytes], bytes | None],
        half_life_hours: float = 6.0,
    ) -> None:
        self.pages = Pages(name, "f", width * 4, read)
        self._width = width
        self._half_life = half_life_hours
        self.changes = self.pages.changes

    def recent(self, key: int, hour: float) -> tuple[float, float]:
        """Return attempts and failures of late, faded to a time in hours since the epoch."""
        cells = self.pages.cells
        at = key % self._width * 4
        attempts: float = cells[at]
        failures: float = cells[at + 1]
        day: float = cells[at + 2]
        rest: float = cells[at + 3]
        age = hour - day - rest
        if age > 0.0:
            fade = power(2.0, -age / self._half_life)
            return attempts * fade, failures * fade
        return attempts, failures

    def add(self, key: int, hour: float, *, tried: float, failed: float) -> tuple[float, float]:
        """Count accounts tried, and failed; -1 takes a failure back that was made good.

        Returns what was `recent` before.
        """
        # `recent` once more, in place: every sign-in does this up to three times.
        pages = self.pages
        cells = pages.cells
        at = key % self._width * 4
        attempts: float = cells[at]
        failures: float = cells[at + 1]
        day: float = cells[at + 2]
        rest: float = cells[at + 3]
        age = hour - day - rest
        if age > 0.0:
            fade = power(2.0, -age / self._half_life)
            attempts *= fade
            failures *= fade
        cells[at] = attempts + tried
        left = failures + failed
        cells[at + 1] = left if left > 0.0 else 0.0  # noqa: FURB136 - a call less
        # A four-byte number holds an hour since the epoch only to the nearest minute or two:
        # whole days and the rest are kept apart.
        if hour > day + rest:
            day = hour // 24.0 * 24.0
            cells[at + 2] = day
            cells[at + 3] = hour - day
        pages.dirty.add(at // PAGE)
        return attempts, failures


class Moments:
    """Mean and deviation of what everybody's value is, fading after some thousands."""

    def __init__(
        self, name: str, mean: float, deviation: float, read: Callable[[bytes], bytes | None]
    ) -> None:
        self.pages = Pages(name, "f", 3, read)
        self._prior = (mean, deviation)
        self.changes = self.pages.changes

    def moments(self) -> tuple[float, float]:
        """Return mean and standard deviation; the prior counts as twenty values."""
        cells = self.pages.cells
        count: float = cells[0]
        total: float = cells[1]
        squares: float = cells[2]
        mean, deviation = self._prior
        count, total = count + 20.0, total + 20.0 * mean
        squares += 20.0 * (deviation * deviation + mean * mean)
        mean = total / count
        return mean, power(max(0.05, squares / count - mean * mean), 0.5)

    def add(self, value: float) -> None:
        """Take in one value."""
        pages = self.pages
        cells = pages.cells
        cells[0] += 1.0
        cells[1] += value
        cells[2] += value * value
        pages.dirty.add(0)
        if cells[0] >= 4000:
            pages.halve()


class Newcomers:
    """On how many accounts a value was new of late: a device, an address, a payment, a contact.

    A cell is four numbers: the value's tag (16 bits) and its latest day since the epoch (16); the
    doubt that it came with, half nats, on the last account, the one before and the most doubtful of
    the others (4 each), the days from its first to its latest (4), those on which it was new on an
    account (8) and on how many accounts (8); and the last two of these. What is a fortnight old, or
    dated as far ahead, is forgotten. A value has two cells to choose from; one that is shared is
    not driven out by one that is not.
    """

    def __init__(self, name: str, width: int, read: Callable[[bytes], bytes | None]) -> None:
        # The name tells this layout from three earlier ones.
        self.pages = Pages(f"{name}-by-doubt", "I", width * 4, read)
        self._width = width
        self.changes = self.pages.changes

    def others(self, key: int, account: int, day: int) -> int:
        """Return on how many other accounts this value was new within a fortnight, to 255."""
        at = self._find(key, day)
        if at < 0:
            return 0
        cells = self.pages.cells
        seen: int = cells[at + 1]
        count = seen & 0xFF
        last: int = cells[at + 2]
        before: int = cells[at + 3]
        return count - 1 if account in (last, before) else count

    def doubt_of_others(self, key: int, account: int, day: int) -> float:
        """Return the doubt that it came with on the most doubtful of `others`, 0 to 7.5 nats."""
        at = self._find(key, day)
        if at < 0:
            return 0.0
        cells = self.pages.cells
        doubts, *_ = _unpacked(int(cells[at + 1]))
        last, before, rest = doubts >> 8, doubts >> 4 & 0xF, doubts & 0xF
        if account == cells[at + 2]:
            last = 0
        elif account == cells[at + 3]:
            before = 0
        return max(last, before, rest) / 2.0

    def is_settled(self, key: int, day: int) -> bool:
        """Return whether a value has long been shared, a few accounts a day.

        A terminal in a shop, a forwarder's address: at least five accounts, on four days or more,
        the first of them a week ago. A gang comes all at once, and with what is new.
        """
        at = self._find(key, day)
        if at < 0:
            return False
        cells = self.pages.cells
        _, age, days, count = _unpacked(int(cells[at + 1]))
        latest: int = cells[at] & 0xFFFF
        return count >= 5 and days >= 4 and day - latest + age >= 7

    def add(self, key: int, account: int, day: int, nats: float = 0.0) -> None:
        """Note that the value is new on an account.

        `day` is the day since the epoch; `nats` how much else spoke for a hijacker there.
        """
        doubt = min(int(2.0 * nats), 0xF) if nats > 0.0 else 0
        cells, at, day = self.pages.cells, self._find(key, day), day & 0xFFFF
        if at < 0:
            at, tag = self._room(key, day)
            if at < 0:
                return
            # Packed: its doubt, and one day and account.
            cells[at], cells[at + 1] = tag << 16 | day, doubt << 28 | 0x101
            cells[at + 2] = cells[at + 3] = account
        else:
            latest = int(cells[at]) & 0xFFFF
            doubts, age, days, count = _unpacked(int(cells[at + 1]))
            if account == cells[at + 2]:
                doubts = max(doubts, doubt << 8 | doubts & 0xFF)
            elif account == cells[at + 3]:
                doubts = doubts & 0xF0F | max(doubts >> 4 & 0xF, doubt) << 4
            else:
                doubts = doubt << 8 | doubts >> 4 & 0xF0 | max(doubts >> 4 & 0xF, doubts & 0xF)
                days, count = days + (day > latest), count + 1
                cells[at + 2], cells[at + 3] = account, cells[at + 2]
            age += max(day - latest, 0)
            cells[at] = cells[at] & 0xFFFF0000 | max(day, latest)
            cells[at + 1] = _packed(doubts, age, days, count)
        self.pages.dirty.add(at // PAGE)

    def doubt(self, key: int) -> None:
        """Have a value that a hijacker came with settle anew from its latest day on.

        A verdict comes weeks later: what is held is found however old the event is.
        """
        cells = self.pages.cells
        for at, tag in self._places(key):
            if cells[at] >> 16 == tag and cells[at + 1]:
                doubts, _, _, count = _unpacked(int(cells[at + 1]))
                cells[at + 1] = _packed(doubts, 0, 1, count)
                self.pages.dirty.add(at // PAGE)

    def _places(self, key: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return a value's two cells, each with the tag of it that its place does not imply."""
        width = self._width
        first = key % width * 4, (key // width) & 0xFFFF
        return first, ((key >> 20) % width * 4, key & 0xFFFF)

    def _find(self, key: int, day: int) -> int:
        """Return where a value is held and not forgotten, -1 where it is not."""
        # `_places` once more, in place: most values are asked for, and few are held.
        cells, width = self.pages.cells, self._width
        at = key % width * 4
        held: int = cells[at]
        if held >> 16 == key // width & 0xFFFF and self._holds(at, day):
            return at
        at = (key >> 20) % width * 4
        held = cells[at]
        if held >> 16 == key & 0xFFFF and self._holds(at, day):
            return at
        return -1

    def _room(self, key: int, day: int) -> tuple[int, int]:
        """Return a cell that a value may take, and its tag: one forgotten, else one not shared."""
        places, cells = self._places(key), self.pages.cells
        for at, tag in places:
            if not self._holds(at, day):
                return at, tag
        return next(((at, tag) for at, tag in places if cells[at + 1] & 0xFF == 1), (-1, 0))

    def _holds(self, at: int, day: int) -> bool:
        cells = self.pages.cells
        if not cells[at + 1]:
            return False
        held: int = cells[at]
        return -14 <= day - (held & 0xFFFF) <= 14


def _packed(doubts: int, age: int, days: int, count: int) -> int:
    """Return a cell's second number: three doubts, and what is capped at what it has room for."""
    return doubts << 20 | min(age, 0xF) << 16 | min(days, 0xFF) << 8 | min(count, 0xFF)


def _unpacked(seen: int) -> tuple[int, int, int, int]:
    return seen >> 20, seen >> 16 & 0xF, seen >> 8 & 0xFF, seen & 0xFF


_Counted = Shares | Moments | Attempts | Newcomers


class Population:
    """Everything counted across a partition's accounts.

    `arrays` is where; `owners` names those whose every third and fourth of four cells are accounts.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self.agents = Shares("agents", 2047, read)
        self.clients = Shares("clients", 511, read)
        self.prefixes = Shares("prefixes", 4095, read)
        self.asns = Shares("asns", 1023, read)
        self.countries = Shares("countries", 511, read)
        self.new_asns = Shares("new-asns", 1023, read, horizon=20_000)
        self.new_countries = Shares("new-countries", 511, read, horizon=20_000)
        self.new_clients = Shares("new-clients", 511, read, horizon=20_000)
        self.hours = Shares("hours", 8, read)
        self.categories = Shares("categories", 255, read)
        self.areas = Shares("areas", 255, read)
        self.places = Shares("places", 1023, read)
        self.localities = Shares("localities", 4095, read)
        self.amounts = Moments("amounts", 3.9, 0.8, read)
        self.points = Moments("points", 6.5, 1.0, read)
        self.by_prefix = Attempts("attempts-prefix", 2048, read)
        self.by_operator = Attempts("attempts-operator-client", 1024, read)
        self.by_agent = Attempts("attempts-agent", 1024, read)
        self.new_devices = Newcomers("new-devices", 4096, read)
        self.new_ranges = Newcomers("new-ranges", 2048, read)
        self.new_addresses = Newcomers("new-addresses", 2048, read)
        self.new_payments = Newcomers("new-payments", 2048, read)
        self.new_contacts = Newcomers("new-contacts", 1024, read)
        self._all: tuple[_Counted, ...] = (
            self.agents,
            self.clients,
            self.prefixes,
            self.asns,
            self.countries,
            self.new_asns,
            self.new_countries,
            self.new_clients,
            self.hours,
            self.categories,
            self.areas,
            self.places,
            self.localities,
            self.amounts,
            self.points,
            self.by_prefix,
            self.by_operator,
            self.by_agent,
            self.new_devices,
            self.new_ranges,
            self.new_addresses,
            self.new_payments,
            self.new_contacts,
        )

        self._signed_in = (
            self.hours, self.agents, self.clients, self.prefixes, self.asns, self.countries
        )  # fmt: skip
        self.arrays = tuple(counted.pages for counted in self._all)
        self.owners = frozenset(c.pages.name for c in self._all if isinstance(c, Newcomers))

    def add_sign_in(  # noqa: PLR0917 - one for each of what is counted
        self, hours: int, agent: int, client: int, prefix: int, asn: int, country: int
    ) -> None:
        """Count what a sign-in came with, and in which part of the day."""
        add_each(self._signed_in, (hours, agent, client, prefix, asn, country))

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the pages that changed since the last call."""
        for counted in self._all:
            yield from counted.changes()

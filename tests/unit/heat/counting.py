"""Batches made by hand, and a counter over a store of bytes."""

from detectors.heat.counter import HeatCounter
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import (
    VERSION,
    Batch,
    Entry,
    HeatOutput,
    Hot,
    Reassessment,
    Sighting,
    Totals,
)

MINUTE = 29_900_000
RANGE = key_of(Kind.PREFIX, "198.51.100.0/24")


def tries(
    number: int, *, kind: Kind = Kind.PREFIX, key: int = RANGE, minute: int = MINUTE, fails: bool
) -> Batch:
    """One account tried by a stranger through an indicator."""
    sighting = Sighting(
        kind, key, minute, 1, int(fails), 0, (number * 2_654_435_761 % 2**32,), (7,),
        shown="198.51.100.0/24",
    )  # fmt: skip
    if not fails:
        sighting.entries = (Entry(f"account {number}", f"entry {number}", 60.0 * minute, -3.0),)
    return Batch(VERSION, (Totals(minute, 0, 0, 1, int(fails), 0, 0),), (sighting,))


def customers(minute: int, *, tried: int, failed: int) -> Batch:
    """Customers on their own devices, so many of whom fail."""
    return Batch(VERSION, (Totals(minute, tried, failed, 0, 0, 0, 0),), ())


class Counted:
    """A counter whose state is handed over after each batch, and what it told."""

    def __init__(self, *, reopen: bool = False) -> None:
        self.store: dict[bytes, bytes] = {}
        self.reopen = reopen
        self.counter = HeatCounter(self.store.get)
        self.told: list[HeatOutput] = []

    def take(self, *batches: Batch) -> "Counted":
        """Count batches."""
        for batch in batches:
            self.told += self.counter.take(batch)
            self.store.update((k, v) for k, v in self.counter.changes() if v is not None)
            if self.reopen:
                self.counter = HeatCounter(self.store.get)
        return self

    @property
    def hot(self) -> list[Hot]:
        """Every standing that was told."""
        return [told for told in self.told if isinstance(told, Hot)]

    @property
    def reassessed(self) -> list[str]:
        """The accounts that are to be assessed again."""
        return [told.account_id for told in self.told if isinstance(told, Reassessment)]

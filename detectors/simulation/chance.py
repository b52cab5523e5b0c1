"""Seeded chance: every draw belongs to a named stream, so that no part disturbs another.

A stream is named by the run's seed and what it is for (`("customer", 17)`, `("visit", 17, 3)`).
Leaving out a family, or generating accounts in another order, changes no other stream.
"""

import math
import random
from bisect import bisect
from collections.abc import Iterable
from hashlib import blake2b
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


def seed_of(*name: int | str) -> int:
    """64 bits that a stream's name stands for, the same on every machine."""
    return int.from_bytes(blake2b(repr(name).encode(), digest_size=8).digest(), "big")


def token_of(digits: int, *name: int | str) -> str:
    """So many hexadecimal digits (at most 40) that a name stands for: an id nobody can guess."""
    return blake2b(repr(name).encode(), digest_size=20).hexdigest()[:digits]


class Chance(random.Random):
    """A stream of draws, with the shapes that human behaviour takes."""

    def happens(self, probability: float) -> bool:
        """Return whether something of this probability (0 to 1) happens."""
        return self.random() < probability

    def around(self, median: float, spread: float) -> float:
        """Log-normal with this median; `spread` is the standard deviation of the logarithm."""
        return median * math.exp(spread * self.gauss(0.0, 1.0))

    def between(self, low: float, high: float) -> float:
        """Log-uniform: as likely between 1 and 10 as between 10 and 100. Both above 0."""
        return low * math.exp(math.log(high / low) * self.random())

    def token(self, digits: int) -> str:
        """Return so many lower-case hexadecimal digits."""
        return f"{self.getrandbits(4 * digits):0{digits}x}"


def stream(*name: int | str) -> Chance:
    """Open the stream of this name at its beginning."""
    return Chance(seed_of(*name))


class Weighted(Generic[T]):
    """A fixed choice among values, each with a weight above 0; picking takes O(log n)."""

    def __init__(self, choices: Iterable[tuple[T, float]]) -> None:
        pairs = list(choices)
        self.values = [value for value, _ in pairs]
        sums = list(accumulate(weight for _, weight in pairs))
        self._edges = [s / sums[-1] for s in sums[:-1]]

    def pick(self, chance: random.Random) -> T:
        """Draw one value."""
        return self.values[bisect(self._edges, chance.random())]

"""How many different accounts or networks, in a few bytes."""

from math import log
from typing import Final


class Distinct:
    """How many different digests: linear counting (Whang et al. 1990).

    256 bits tell up to some 500 within a tenth, 4096 up to some 10,000; beyond that "many". A
    sketch that counts millions would be larger than all else that is kept of an indicator.
    """

    SMALL: Final = 32
    LARGE: Final = 512
    MANY: Final = 1_000
    """From so many on 256 bits can no longer tell how many."""

    @staticmethod
    def add(bits: bytearray, digests: tuple[int, ...]) -> int:
        """Add digests to bits; return how many were set by it."""
        width, news = 8 * len(bits), 0
        for digest in digests:
            at = (digest * 0x9E3779B1 >> 16) % width
            held, bit = bits[at >> 3], 1 << (at & 7)
            if not held & bit:
                bits[at >> 3] = held | bit
                news += 1
        return news

    @staticmethod
    def count(bits: bytearray | None) -> int:
        """Return about how many different digests were added."""
        if bits is None:
            return 0
        width = 8 * len(bits)
        ones = int.from_bytes(bits, "little").bit_count()
        return round(-width * log(1 - min(ones, width - 1) / width)) if width else 0

    @staticmethod
    def ones(bits: bytearray | None) -> int:
        """Return how many bits are set."""
        return int.from_bytes(bits, "little").bit_count() if bits else 0

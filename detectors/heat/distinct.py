"""How many different accounts or networks, in a few bytes."""

from math import log
from typing import Final

_MIXED: Final = 0x9E3779B1 & 0xFFFFFFF
"""What spreads digests. No more of either factor than the product is asked for: it stays small."""
_BITS: Final[tuple[int, ...]] = tuple([1 << at for at in range(256)])


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
            at = ((digest & 0xFFFFFFF) * _MIXED >> 16) % width
            held, bit = bits[at >> 3], 1 << (at & 7)
            if not held & bit:
                bits[at >> 3] = held | bit
                news += 1
        return news

    @staticmethod
    def has(bits: bytearray, digest: int) -> bool:
        """Return whether a digest was added, or one that is counted as the same."""
        at = ((digest & 0xFFFFFFF) * _MIXED >> 16) % (8 * len(bits))
        return bool(bits[at >> 3] & 1 << (at & 7))

    @staticmethod
    def count(bits: bytearray | None) -> int:
        """Return about how many different digests were added."""
        if bits is None:
            return 0
        return _estimated(int.from_bytes(bits, "little").bit_count(), 8 * len(bits))


class Few:
    """The same in 256 bits of one whole number: nearly all indicators are met on one account."""

    @staticmethod
    def add(bits: int, digests: tuple[int, ...]) -> int:
        """Return bits with digests added."""
        # Each is one of 256 by bits 16 to 23 of the product, as in `Distinct` of 32 bytes.
        for digest in digests:
            bits |= _BITS[((digest & 0xFFFFFF) * _MIXED >> 16) & 255]
        return bits

    @staticmethod
    def count(bits: int) -> int:
        """Return about how many different digests were added."""
        return _estimated(bits.bit_count(), 256)

    @staticmethod
    def stored(bits: int) -> bytes | None:
        """Return what is stored: the bytes that `Distinct` would count in, None for none."""
        return bits.to_bytes(Distinct.SMALL, "little") if bits else None

    @staticmethod
    def read(stored: bytes | None) -> int:
        """Return the bits that were stored."""
        return int.from_bytes(stored, "little") if stored else 0


def _estimated(ones: int, width: int) -> int:
    return round(-width * log(1 - min(ones, width - 1) / width)) if width else 0

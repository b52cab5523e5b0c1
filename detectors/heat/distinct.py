"""How many different accounts or networks, in a few bytes."""

from math import log
from typing import Final

_MIXED: Final = 0x9E3779B1 & 0xFFFFFFF
"""What spreads digests. No more of either factor than the product is asked for: it stays small."""
_THINNING: Final = 0xC2B2AE35 & 0xFFFFFFF
"""Another such, for a choice that has nothing to do with which bit is a digest's own."""
_SMALL: Final = 32
_BYTES: Final[tuple[bytes, ...]] = tuple([bytes([at]) for at in range(256)])


class Distinct:
    """How many different digests: linear counting (Whang et al. 1990).

    256 bits tell up to some 500 within a tenth, 4096 up to some 10,000; beyond that "many". A
    sketch that counts millions would be larger than all else that is kept of an indicator.
    """

    SMALL: Final = _SMALL
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
    def remove(bits: bytearray | None, digest: int) -> bool:
        """Take a digest out, or one that is counted as the same; return whether there was one."""
        if bits is None:
            return False
        at = ((digest & 0xFFFFFFF) * _MIXED >> 16) % (8 * len(bits))
        if not bits[at >> 3] & 1 << (at & 7):
            return False
        bits[at >> 3] ^= 1 << (at & 7)
        return True

    @staticmethod
    def thinned(digests: tuple[int, ...], share: float) -> tuple[int, ...]:
        """Return about such a share of all digests: of a larger share, the same ones and others."""
        most = int(share * 65_536.0)
        return tuple(
            [one for one in digests if ((one & 0xFFFFFFF) * _THINNING >> 12) & 0xFFFF < most]
        )

    @staticmethod
    def count(bits: bytearray | None) -> int:
        """Return about how many different digests were added."""
        if bits is None:
            return 0
        return _estimated(int.from_bytes(bits, "little").bit_count(), 8 * len(bits))


class Few:
    """The same in 256 bits, or in a byte a digest while these are fewer than 32.

    Nearly all indicators are met on one account or two. A digest's byte says which of the 256 bits
    is its own.
    """

    @staticmethod
    def add(bits: bytes, digests: tuple[int, ...]) -> bytes:
        """Return bits with digests added."""
        # Each is one of 256 by bits 16 to 23 of the product, as in `Distinct` of 32 bytes.
        for digest in digests:
            at = ((digest & 0xFFFFFF) * _MIXED >> 16) & 255
            if len(bits) < _SMALL:
                if at not in bits:
                    bits += _BYTES[at]
                    if len(bits) == _SMALL:
                        bits = sum([1 << one for one in bits]).to_bytes(_SMALL, "little")
            elif not bits[at >> 3] & 1 << (at & 7):
                more = bytearray(bits)
                more[at >> 3] |= 1 << (at & 7)
                bits = bytes(more)
        return bits

    @staticmethod
    def met(bits: bytes) -> int:
        """Return how many of the 256 bits are set."""
        if len(bits) < Distinct.SMALL:
            return len(bits)
        return int.from_bytes(bits, "little").bit_count()

    @staticmethod
    def count(bits: bytes) -> int:
        """Return about how many different digests were added."""
        return _estimated(Few.met(bits), 256)


def _estimated(ones: int, width: int) -> int:
    return round(-width * log(1 - min(ones, width - 1) / width)) if width else 0

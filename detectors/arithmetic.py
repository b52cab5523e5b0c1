"""Sums that every event asks for, quick in both builds of the engine and alike to the last bit."""

from math import floor
from typing import Final

_SCALES: Final[tuple[float, ...]] = tuple([10.0**digits for digits in range(16)])
_LARGEST: Final = 2e9
_NEAR: Final = 1e-6
"""How near to a half the error of a product below `_LARGEST` may come, with room to spare."""


def rounded(value: float, digits: int) -> float:
    """Return `round(value, digits)`, to the last bit and sign, in a third of the time.

    Built-in rounding writes the number out in decimals and reads it back. The nearest whole number
    of the smallest units, divided by how many make one, is the same number wherever it is clear
    which whole number is the nearest; where it is not, built-in rounding decides.
    """
    scale = _SCALES[digits]
    units = value * scale
    if -_LARGEST < units < _LARGEST:
        below = floor(units)
        rest = units - below
        if rest > 0.5 + _NEAR:
            below += 1
        if below and not 0.5 - _NEAR <= rest <= 0.5 + _NEAR:
            return below / scale
    return round(value, digits)


def clamped(value: float, least: float, most: float) -> float:
    """Return the value, or the bound that it is beyond: one call, and built-in ones are slow."""
    if value > most:
        return most
    return value if value > least else least  # noqa: FURB136 - that is the point


def product(weights: tuple[float, ...], values: list[float]) -> float:
    """Return the sum of the products of two rows of one length, summed in their order."""
    total = 0.0
    for weight, value in zip(weights, values):  # noqa: B905 - checked, it is slow once compiled
        if value:  # most are nought
            total += weight * value
    return total


def products(
    weights: tuple[float, ...], others: tuple[float, ...], values: list[float]
) -> tuple[float, float]:
    """Return the `product` of one row and of another with the same values, in one pass."""
    total = beside = 0.0
    for weight, other, value in zip(weights, others, values):  # noqa: B905 - as above
        if value:
            total += weight * value
            beside += other * value
    return total, beside

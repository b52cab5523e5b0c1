"""Sums that are quicker than Python's own and say the same."""

import math
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from detectors.arithmetic import product, products, rounded

numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
near = st.floats(-1e7, 1e7)


@given(st.one_of(numbers, near), st.sampled_from([3, 9]))
@example(0.0005, 3)
@example(2.675, 3)
@example(-0.0001, 3)
@example(-0.0, 3)
@example(1e22, 9)
@example(5e-324, 9)
def test_rounding_is_pythons_own_to_the_last_bit_and_sign(value: float, digits: int) -> None:
    """Scores are stored and compared: a last digit that differs would be another assessment."""
    quick, own = rounded(value, digits), round(value, digits)
    assert quick == own
    assert math.copysign(1.0, quick) == math.copysign(1.0, own)


@given(st.integers(-(10**8), 10**8), st.sampled_from([3, 9]))
def test_halves_and_their_neighbours_are_rounded_alike(units: int, digits: int) -> None:
    """The doubles nearest to a half of the last digit, where it is hardest to tell."""
    half = float((Fraction(units) + Fraction(1, 2)) / 10**digits)
    for value in (half, math.nextafter(half, math.inf), math.nextafter(half, -math.inf)):
        assert rounded(value, digits) == round(value, digits)


@given(st.lists(st.tuples(near, near), max_size=40))
def test_a_product_is_summed_in_order(pairs: list[tuple[float, float]]) -> None:
    """Whatever the build and the release of Python: left to right, no more exactly than that."""
    total = 0.0
    for weight, value in pairs:
        total += weight * value
    weights, values = tuple(w for w, _ in pairs), [v for _, v in pairs]
    assert product(weights, values) == total
    others = tuple(reversed(weights))
    assert products(weights, others, values) == (total, product(others, values))

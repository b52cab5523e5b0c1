"""Bootstrap intervals: how far a share would move if other hijacks had happened."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

RESAMPLES: Final = 1000
SEED: Final = 1


class Interval(NamedTuple):
    """The middle 95 % of the resampled values."""

    low: float
    high: float


def interval(
    values: Sequence[float],
    weights: Sequence[float] | None = None,
    groups: Sequence[str] | None = None,
) -> Interval:
    """Return the percentile bootstrap interval of sum(values) / sum(weights).

    There must be a value at least. `weights` are 1 where absent, which makes it a mean. Whole
    `groups` are drawn where given: the hijacks of one campaign are alike, and an interval that
    took them for independent would be too narrow. Efron and Tibshirani 1993, chapter 13; 1,000
    resamples, fixed seed.
    """
    above = np.asarray(values, dtype=float)
    below = np.ones(len(above)) if weights is None else np.asarray(weights, dtype=float)
    if groups is not None:
        _, member = np.unique(np.asarray(groups), return_inverse=True)
        above, below = np.bincount(member, above), np.bincount(member, below)
    drawn = np.random.default_rng(SEED).integers(0, len(above), (RESAMPLES, len(above)))
    ratios = above[drawn].sum(1) / np.maximum(below[drawn].sum(1), 1e-9)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return Interval(float(low), float(high))

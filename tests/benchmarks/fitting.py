"""The fit of the prior: what tells hijacks from the account-days that alerts are spent on.

A hijack is caught by the most suspicious of its events up to its first order, and an alert on a
customer's account-day is spent by the most suspicious event of that day. So those are what weights
are fitted to, not every event alike: the most suspicious row of each bag by the weights so far,
then the weights by logistic regression on these, in turns (multiple-instance learning, Andrews et
al., NeurIPS 2002). What few days are alerted is decided far up: a few days of customers weigh as
much as all hijacks (compare accuracy at the top, Boyd et al., NeurIPS 2012). The most suspicious
sign-in, order and change of a bag that are not its most suspicious event count as well, for less:
the earlier a hijack is seen, the better.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

from detectors.decisions import log_odds
from detectors.features.registry import NAMES, WIDTH
from detectors.models.prior import Prior
from detectors.policy import Policy
from tests.benchmarks.collecting import MORE, Collected, Floats

LEAST: Final = 0.1
"""No feature may count for next to nothing: these shops may make little of what tells elsewhere."""
MOST: Final = 1.0
"""A feature is a weight of evidence already: none counts for more than it says."""
COMMON: Final = 0.4
"""Where all weights start."""

TURNS: Final = 5
ALIKE: Final = 0.003
"""Share of customers' account-days that weigh as all hijacks do: three times the least budget."""
EARLIER: Final = 0.3
"""What the most suspicious event of a type counts for beside the most suspicious of all."""
PULL_TOGETHER: Final = 30.0
PULL_TO_COMMON: Final = 10.0
"""How much a feature's weight for one type of event is drawn to its weight for all, and that to
what features have in common: squares, beside the hijacks' loss. A third or three times as much
catches as many, within one in a hundred."""
PULL_TO_ODDS: Final = 100.0
"""How much the intercepts are drawn to those at which the scores of sign-ins, orders and changes
are log odds alike. Less catches more by the first order, and warns less at the sign-in: orders
would be alerted for being orders."""

_HEAT: Final = [NAMES.index("heat")]
"""What these shops cannot tell: it comes from outside, as a weight of evidence."""


def fit(collected: Collected, without: Sequence[str] = ()) -> Prior:
    """Return the prior fitted to what was collected, as if some families had never been seen."""
    seen = collected.without(*without)
    table = np.full((3, WIDTH + 1), COMMON)
    table[:, _HEAT], table[:, -1] = 1.0, -4.0
    for _ in range(TURNS):
        table = _fitted(_Bags.by(table, seen), table, _even(table, seen))
    scale, shift = _platt(table, seen)
    # As many hijacks as in life, and of these what a score adds to the base rate.
    shift -= math.log(MORE) + log_odds(Policy().base_rate)
    table[:, _HEAT] = 1.0 / scale
    return rounded(table[:, :-1] * scale, table[:, -1] * scale + shift)


class _Bags(NamedTuple):
    """The most suspicious row of each type, of each hijack and each account-day of a customer.

    `rows` are features and a one; `kind` is the type of event, `sign` 1 for a hijacker's and -1,
    `weight` what a row counts for: every family alike, and within it every hijack.
    """

    rows: Floats
    kind: NDArray[np.int64]
    sign: Floats
    weight: Floats

    @classmethod
    def by(cls, table: Floats, seen: Collected) -> "_Bags":
        judged = np.flatnonzero(seen.judged)
        rows = np.hstack([seen.features[judged], np.ones((len(judged), 1))]).astype(np.float64)
        kind, group = seen.kind[judged], seen.group[judged]
        score = (rows * table[kind]).sum(1)
        worst = np.full(int(group.max()) + 1, -np.inf)
        np.maximum.at(worst, group, score)
        # Sorted by bag and type and, within these, by score: the last is the most suspicious.
        bag = group * 3 + kind
        order = np.lexsort((score, bag))
        last = order[np.append(np.diff(bag[order]) != 0, True)]
        family = seen.family[judged][last]
        counts = np.where(score[last] >= worst[group[last]], 1.0, EARLIER)
        return cls(
            rows[last],
            kind[last],
            np.where(family >= 0, 1.0, -1.0),
            _weights(family, int(seen.days[0])) * counts,
        )


def _weights(family: NDArray[np.int64], days: int) -> Floats:
    weight = np.empty(len(family))
    hijacks = family >= 0
    families = np.unique(family[hijacks])
    for one in families:
        weight[family == one] = hijacks.sum() / len(families) / (family == one).sum()
    weight[~hijacks] = hijacks.sum() / (ALIKE * days)
    return weight


def _fitted(bags: _Bags, start: Floats, even: Floats) -> Floats:
    """Return weights and, in the last column, intercepts (3 by features and one).

    `even` is what the intercepts are drawn to, but for what they have in common. What is held stays
    as it starts.
    """
    size = start.size
    by_kind = [bags.kind == kind for kind in range(3)]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        table, own = parameters[:size].reshape(start.shape), parameters[size:-1]
        apart, unusual = table[:, :-1] - own, own - parameters[-1]
        uneven = table[:, -1] - table[:, -1].mean() - even
        apart[:, _HEAT] = unusual[_HEAT] = 0.0
        value = PULL_TOGETHER * (apart**2).sum() + PULL_TO_COMMON * (unusual**2).sum()
        value += PULL_TO_ODDS * (uneven**2).sum()
        margin = bags.sign * (bags.rows * table[bags.kind]).sum(1)
        value += (bags.weight * np.logaddexp(0.0, -margin)).sum()
        pull = -bags.weight * bags.sign / (1.0 + np.exp(margin))
        slope = np.array([pull[chosen] @ bags.rows[chosen] for chosen in by_kind])
        slope[:, :-1] += 2 * PULL_TOGETHER * apart
        slope[:, -1] += 2 * PULL_TO_ODDS * uneven
        slope[:, _HEAT] = 0.0
        own_slope = 2 * PULL_TO_COMMON * unusual - 2 * PULL_TOGETHER * apart.sum(0)
        common_slope = -2 * PULL_TO_COMMON * unusual.sum()
        return float(value), np.concatenate([slope.ravel(), own_slope, [common_slope]])

    begin = np.concatenate([start.ravel(), start[:, :-1].mean(0), [COMMON]])
    bounds = [*([(LEAST, MOST)] * WIDTH + [(None, None)]) * 3, *[(LEAST, MOST)] * (WIDTH + 1)]
    found: Any = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x[:size], dtype=np.float64).reshape(start.shape)


def _even(table: Floats, seen: Collected) -> Floats:
    """Return how the intercepts should differ for the scores of all types to be log odds alike."""
    scale, shifts = _platt(table, seen, by_type=True)
    intercepts = table[:, -1] + shifts / scale
    apart: Floats = intercepts - intercepts.mean()
    return apart


def _platt(table: Floats, seen: Collected, *, by_type: bool = False) -> tuple[float, Floats]:
    """Return the scale and shifts that make scores log odds (Platt 1999); one shift for all types.

    The fit itself looks at what is most suspicious, which sharpens it where alerts are decided;
    here every event counts that is judged, and one that stands for ten counts for ten.
    """
    judged = seen.judged
    kind, weight = seen.kind[judged], seen.weight[judged]
    score = (seen.features[judged] * table[kind, :-1]).sum(1) + table[kind, -1]
    sign = np.where(seen.takeover[judged], 1.0, -1.0)
    types = kind if by_type else np.zeros_like(kind)

    def loss(scaling: Floats) -> float:
        margin = sign * (scaling[0] * score + scaling[1 + types])
        return float((weight * np.logaddexp(0.0, -margin)).sum())

    found: Any = minimize(loss, np.array([1.0, 0.0, 0.0, 0.0]))
    return float(found.x[0]), found.x[1:] if by_type else np.repeat(found.x[1], 3)


def mean(first: Prior, second: Prior) -> Prior:
    """Return the prior whose scores are halfway between those of two."""
    return rounded(
        (np.array(first.weights) + np.array(second.weights)) / 2,
        (np.array(first.bias) + np.array(second.bias)) / 2,
    )


def rounded(weights: Floats, bias: Floats) -> Prior:
    """Return a prior of two decimals."""
    return Prior(
        tuple(tuple(round(float(weight), 2) for weight in row) for row in weights),
        tuple(round(float(nats), 2) for nats in bias),
    )

"""Fit the prior that ships with the product, on simulated shops alone.

    python -m tests.benchmarks.fit_prior [--seeds 201 202 ...] [--without FAMILY ...] [--write]
    python -m tests.benchmarks.fit_prior --added | --only FEATURE ... [--write]

Fits a logistic regression by type of event to what the features say of several shops, of
pipelines that tell more and less, every family counting alike. `--write` writes the table that
ships, detectors/models/prior_table.py, with the command in it; otherwise the table is printed. With
`--without`, families are left out, to judge the prior on what it has never seen.

The table that ships now began as an earlier fit, on earlier features, which no command prints
again. With `--added`, the features that came or changed later are fitted beside it, and all else
stays as it ships; where they start from does not matter. `--only` does so for those named.
"""

import argparse
import math
import textwrap
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

from detectors.features.registry import NAMES, WIDTH
from detectors.models import prior_table
from detectors.models.prior import SHIPPED, Prior
from detectors.policy import Policy
from detectors.simulation import FAMILIES, Telemetry, draw_telemetry
from tests.benchmarks.collecting import MORE, Collected, Floats, collect, pooled

SEEDS: Final = (201, 202, 204, 205, 206, 207, 208)
ACCOUNTS: Final = 8_000
TELLING: Final = Telemetry(asn=1.0, country=1.0, place=0.9, device_id=0.9, rtt_ms=0.3)

LEAST: Final = 0.02
"""No feature may count for nothing, let alone speak for a customer by speaking against one."""

PULL_TOGETHER: Final = 100.0
PULL_TO_COMMON: Final = 300.0
"""Between 30 and 100, and 100 and 300, a family left out of the fit is recalled about as well, and
somewhat worse beyond; the stronger keep what these shops make little of for other attacks."""


def telemetry_of(position: int, seed: int) -> Telemetry:
    """Return what the shop at a position among the seeds sends: much, as usual, then as drawn."""
    return (TELLING, Telemetry())[position] if position < 2 else draw_telemetry(seed)


def collect_all(
    seeds: Sequence[int] = SEEDS,
    *,
    accounts: int = ACCOUNTS,
    families: Sequence[str] = tuple(FAMILIES),
) -> Collected:
    """Return what the features say of a shop for each seed."""
    return pooled(
        [
            collect(
                seed, accounts=accounts, telemetry=telemetry_of(position, seed), families=families
            )
            for position, seed in enumerate(seeds)
        ]
    )


def fit(collected: Collected, without: Sequence[str] = ()) -> Prior:
    """Return the prior fitted to what was collected, as if some families had never been seen."""
    seen = collected.without(*without)
    return _calibrated(_fitted(seen), seen)


def _fitted(seen: Collected) -> Floats:
    """Return weights and, in the last column, intercepts (3 by features and one).

    A feature is a weight of evidence already, so the weight it is drawn towards is not 0 but one
    common discount for what features have in common, itself fitted; and each type's weight is
    drawn towards the feature's own.
    """
    sides = [_Side(seen, kind) for kind in range(3)]
    size = 3 * (WIDTH + 1)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        table, own = parameters[:size].reshape(3, WIDTH + 1), parameters[size:-1]
        apart, unusual = table[:, :-1] - own, own - parameters[-1]
        value = PULL_TOGETHER * (apart**2).sum() + PULL_TO_COMMON * (unusual**2).sum()
        slope = np.zeros_like(table)
        slope[:, :-1] = 2 * PULL_TOGETHER * apart
        for side, row, down in zip(sides, table, slope, strict=True):
            value += side.loss(row, down)
        own_slope = 2 * PULL_TO_COMMON * unusual - 2 * PULL_TOGETHER * apart.sum(0)
        common_slope = -2 * PULL_TO_COMMON * unusual.sum()
        return float(value), np.concatenate([slope.ravel(), own_slope, [common_slope]])

    start = np.full(size + WIDTH + 1, 0.3)
    start[:size].reshape(3, WIDTH + 1)[:, -1] = -3.0
    bounds = [*([(LEAST, None)] * WIDTH + [(None, None)]) * 3, *[(LEAST, None)] * (WIDTH + 1)]
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x[:size], dtype=np.float64).reshape(3, WIDTH + 1)


def extended(collected: Collected, names: Sequence[str], held: Prior = SHIPPED) -> Prior:
    """Return a prior with the weights of some features fitted anew, and all else as it is held."""
    at = [NAMES.index(name) for name in names]
    table = np.hstack([np.array(held.weights), np.full((3, 1), -3.0)])
    free = np.zeros(table.shape, dtype=bool)
    free[:, [*at, -1]] = True
    sides = [_Side(collected, kind) for kind in range(3)]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        table[free] = parameters
        apart = table[:, at] - table[:, at].mean(0)
        slope = np.zeros_like(table)
        slope[:, at] = 2 * PULL_TOGETHER * apart
        value = PULL_TOGETHER * (apart**2).sum()
        for side, row, down in zip(sides, table, slope, strict=True):
            value += side.loss(row, down)
        return float(value), slope[free]

    bounds = [*[(LEAST, None)] * len(at), (None, None)] * 3
    # From one place, wherever the weights stood: rounded, the table comes out the same again.
    start = np.where(np.arange(len(bounds)) % (len(at) + 1) == len(at), -3.0, 0.3)
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    table[free] = found.x
    return rounded(table[:, :-1], np.array(held.bias))


class _Side:
    """The rows of one type of event, as the loss reads them."""

    def __init__(self, seen: Collected, kind: int) -> None:
        chosen = seen.kind == kind
        rows = seen.features[chosen].astype(np.float64)
        self._rows = np.hstack([rows, np.ones((len(rows), 1))])
        self._sign = np.where(seen.takeover[chosen], 1.0, -1.0)
        self._weight = _balanced(seen)[chosen]

    def loss(self, row: Floats, slope: Floats) -> float:
        """Return the logistic loss of a row of the table; adds its slope."""
        margin = self._sign * (self._rows @ row)
        slope += (-self._weight * self._sign / (1.0 + np.exp(margin))) @ self._rows
        return float((self._weight * np.logaddexp(0.0, -margin)).sum())


def _balanced(seen: Collected) -> Floats:
    """Return the rows' weights: every family alike, and within it every hijack; customers' 1."""
    weight = np.ones(len(seen.kind))
    hijackers = seen.takeover
    _, group, rows = np.unique(seen.group, return_inverse=True, return_counts=True)
    weight[hijackers] = 1.0 / rows[group][hijackers]
    families = np.unique(seen.family[hijackers])
    for family in families:
        own = seen.family == family
        weight[own] *= hijackers.sum() / len(families) / weight[own].sum()
    return weight


def _calibrated(table: Floats, seen: Collected) -> Prior:
    """Return the table scaled so that its scores are log odds (Platt 1999), one scale for all.

    The fit itself looks at every vector alike, which sharpens it where alerts are decided; only
    here does an event that stands for ten count for ten.
    """
    score = (seen.features * table[seen.kind, :-1]).sum(1) + table[seen.kind, -1]
    sign = np.where(seen.takeover, 1.0, -1.0)

    def loss(scale: Floats) -> float:
        margin = sign * (scale[0] * score + scale[1])
        return float((seen.weight * np.logaddexp(0.0, -margin)).sum())

    found: Any = minimize(loss, np.array([1.0, 0.0]))
    weights = np.maximum(table[:, :-1] * found.x[0], 0.01)
    weights[:, NAMES.index("heat")] = 1.0  # not in these shops' traffic: a weight of evidence
    rate = Policy().base_rate
    shift = math.log(MORE) + math.log(rate / (1 - rate))
    bias = table[:, -1] * found.x[0] + found.x[1] - shift
    return rounded(weights, bias)


ADDED: Final = (
    "kind", "guessing", "shared_device", "contact_clock", "credential_clock", "mfa_clock",
    "destination", "rewards", "forwarding", "story", "locality",
)  # fmt: skip
"""Features that came or changed after the earlier fit, and were fitted beside it."""
EARLIER: Final = "an earlier fit, on earlier features"
_EARLIER_ORIGIN: Final = f"""\
An earlier fit, on earlier features, in the layout of tests/benchmarks/fit_prior.py: what that fits
today is another table, and no command prints this one again. What came or changed later was fitted
beside it, by `python -m tests.benchmarks.fit_prior --added --write`:
{textwrap.fill(", ".join(ADDED), 98)}."""
_ORIGIN: Final = "Written by tests/benchmarks/fit_prior.py, by COMMAND, not by hand."


def rounded(weights: Floats, bias: Floats) -> Prior:
    """Return a prior of two decimals."""
    return Prior(
        tuple(tuple(round(float(weight), 2) for weight in row) for row in weights),
        tuple(round(float(nats), 2) for nats in bias),
    )


def registry_digest() -> str:
    """Return eight digits that change when a feature comes, goes or moves."""
    return f"{zlib.crc32(' '.join(NAMES).encode()):08x}"


def command_of(seeds: Sequence[int], accounts: int) -> str:
    """Return the command that writes the table of these shops."""
    shops = f"--seeds {' '.join(map(str, seeds))} --accounts {accounts}"
    return f"python -m tests.benchmarks.fit_prior {shops} --write"


def render(prior: Prior, command: str) -> str:
    """Return the module that ships a prior, fitted by a command or EARLIER."""
    origin = _EARLIER_ORIGIN if command == EARLIER else _ORIGIN
    rows = "\n".join(
        f'    "{name}": ({", ".join(f"{row[at]:.2f}" for row in prior.weights)}),'
        for at, name in enumerate(NAMES)
    )
    return f'''"""The shipped prior: the weight of each feature in a sign-in, an order and a change.

{origin}
Heat is not fitted: it comes from outside as a weight of evidence.
"""

from typing import Final

COMMAND: Final = "{command}"

REGISTRY: Final = "{registry_digest()}"
"""Digest of the names of the features that it weighs."""

FITTED: Final = {{
{rows}
}}

BIAS: Final = ({", ".join(f"{nats:.2f}" for nats in prior.bias)})
'''


def main() -> None:
    """Fit, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--without", nargs="*", default=[], choices=sorted(FAMILIES))
    parser.add_argument("--only", nargs="*", default=[], choices=NAMES, help="features to fit")
    parser.add_argument("--added", action="store_true", help="fit what came or changed later")
    parser.add_argument("--write", action="store_true", help="write the table that ships")
    asked = parser.parse_args()
    families = [family for family in FAMILIES if family not in asked.without]
    collected = collect_all(asked.seeds, accounts=asked.accounts, families=families)
    only = ADDED if asked.added else asked.only
    if only:
        table = render(extended(collected, only), EARLIER)
    else:
        table = render(fit(collected), command_of(asked.seeds, asked.accounts))
    if asked.write and not asked.without:
        Path(prior_table.__file__).write_text(table, encoding="utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main()

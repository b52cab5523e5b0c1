"""Fit the prior that ships with the product, on simulated shops alone.

    python -m tests.benchmarks.fit_prior [--seeds 201 202 204] [--without FAMILY ...] [--write]

Fits a logistic regression by type of event to what the features say of several shops, of
pipelines that tell more and less, every family counting alike. `--write` writes the table that
ships, detectors/models/prior_table.py, with the command in its header; otherwise the table is
printed. With `--without`, families are left out, to judge the prior on what it has never seen.
"""

import argparse
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

from detectors.features.registry import NAMES, WIDTH
from detectors.models import prior_table
from detectors.models.prior import Prior
from detectors.policy import Policy
from detectors.simulation import FAMILIES, Telemetry, draw_telemetry
from tests.benchmarks.collecting import MORE, Collected, Floats, collect, pooled

SEEDS: Final = (201, 202, 204)
ACCOUNTS: Final = 15_000
TELLING: Final = Telemetry(asn=1.0, country=1.0, place=0.9, device_id=0.9, rtt_ms=0.3)

LOWEST: Final = 0.1
PULL_TOGETHER: Final = 30.0


def telemetry_of(position: int, seed: int) -> Telemetry:
    """Return what the shop at a position among the seeds sends: much, as usual, or as drawn."""
    return (TELLING, Telemetry(), draw_telemetry(seed))[position % 3]


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
    table = _fitted(seen)
    return _calibrated(table, seen)


def _fitted(seen: Collected) -> Floats:
    features, kinds = seen.features, seen.kind
    sign = np.where(seen.takeover, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        table = parameters.reshape(3, WIDTH + 1)
        weights, mean = table[:, :-1], table[:, :-1].mean(0)
        margin = sign * ((features * weights[kinds]).sum(1) + table[kinds, -1])
        pull = -sign / (1.0 + np.exp(margin))
        slope = np.empty_like(table)
        for kind in range(3):
            chosen = kinds == kind
            slope[kind, :-1] = pull[chosen] @ features[chosen]
            slope[kind, -1] = pull[chosen].sum()
        apart = weights - mean
        slope[:, :-1] += 2 * PULL_TOGETHER * apart + 2 * mean
        value = np.logaddexp(0.0, -margin).sum()
        value += PULL_TOGETHER * (apart**2).sum() + 3 * (mean**2).sum()
        return float(value), slope.ravel()

    start = np.full((3, WIDTH + 1), 0.3)
    start[:, -1] = -3.0
    lowest = ([LOWEST] * WIDTH + [-np.inf]) * 3
    bounds = [(low, np.inf) for low in lowest]
    found: Any = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=np.float64).reshape(3, WIDTH + 1)


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
    weights = table[:, :-1] * found.x[0]
    weights[:, NAMES.index("heat")] = 1.0  # not in these shops' traffic: a weight of evidence
    rate = Policy().base_rate
    shift = math.log(MORE) + math.log(rate / (1 - rate))
    bias = table[:, -1] * found.x[0] + found.x[1] - shift
    return rounded(weights, bias)


def rounded(weights: Floats, bias: Floats) -> Prior:
    """Return a prior of two decimals."""
    return Prior(
        tuple(tuple(round(float(weight), 2) for weight in row) for row in weights),
        tuple(round(float(nats), 2) for nats in bias),
    )


def registry_digest() -> str:
    """Return eight digits that change when a feature comes, goes or moves."""
    return f"{zlib.crc32(' '.join(NAMES).encode()):08x}"


def render(prior: Prior, command: str) -> str:
    """Return the module that ships a prior."""
    rows = "\n".join(
        f'    "{name}": ({", ".join(f"{row[at]:.2f}" for row in prior.weights)}),'
        for at, name in enumerate(NAMES)
    )
    return f'''"""The shipped prior: the weight of each feature in a sign-in, an order and a change.

Written by tests/benchmarks/fit_prior.py, not by hand. Heat is not fitted: it comes from outside as
a weight of evidence.
"""

from typing import Final

COMMAND: Final = "{command}"

REGISTRY: Final = "{registry_digest()}"
"""Digest of the features' names that it was fitted for."""

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
    parser.add_argument("--write", action="store_true", help="write the table that ships")
    asked = parser.parse_args()
    families = [family for family in FAMILIES if family not in asked.without]
    prior = fit(collect_all(asked.seeds, accounts=asked.accounts, families=families))
    command = (
        f"python -m tests.benchmarks.fit_prior --seeds {' '.join(map(str, asked.seeds))}"
        f" --accounts {asked.accounts} --write"
    )
    table = render(prior, command)
    if asked.write and not asked.without:
        Path(prior_table.__file__).write_text(table, encoding="utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main()

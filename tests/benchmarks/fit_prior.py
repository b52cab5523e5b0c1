"""Fit a prior for detectors/models/prior.py, on the simulator alone.

    python -m tests.benchmarks.fit_prior [--seeds 201 202 204] [--without FAMILY ...]

Runs the engine over simulated shops with more hijacks than life has, takes every feature vector
as it stood before it was learnt, and fits a logistic regression by type of event, its weights
kept from falling below `FLOOR` (a feature that the simulator makes little of may tell more
elsewhere) and drawn towards each other across the types. Prints the
table to paste. It does not print the shipped table again: that was fitted on earlier features, one
of its shops with another pipeline. With
`--without`, families are left out, to judge the prior on what it has never seen.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

from detectors.engine import Engine, Observed
from detectors.events import Feedback
from detectors.features.registry import NAMES, WIDTH
from detectors.parsing import parse_event
from detectors.policy import Policy
from detectors.simulation import FAMILIES, Shop, Telemetry, simulate
from detectors.simulation.simulation import HIJACKS
from streams.enrichment.enricher import Enricher

FLOOR = 0.1
PULL_TOGETHER = 30.0
START = 1_790_812_800.0
TELLING = Telemetry(asn=1.0, country=1.0, place=0.9, device_id=0.9, rtt_ms=0.3)
Floats = NDArray[np.float64]


def examples(
    seed: int, families: Sequence[str], *, accounts: int, more: float
) -> Iterator[tuple[int, list[float], bool, float]]:
    """Yield type, features, whether it is a takeover, and the weight of what was sampled."""
    shop = Shop(accounts=accounts, visits=7.0, telemetry=TELLING)
    enricher, store = Enricher(()), {}  # type: ignore[var-annotated]  # bytes by bytes
    engine = Engine(Policy(), store.get)
    for number, simulated in enumerate(
        simulate(shop, seed=seed, start=START, days=60, families=families, hijacks=more * HIJACKS)
    ):
        raw = msgspec.json.decode(msgspec.json.encode(simulated.event))
        event = parse_event(raw, type_=None, timestamp=simulated.time, fallback_id=f"f{number}")
        observed = Observed(event, enricher.facts(event))
        if not isinstance(event, Feedback):
            reading = engine.read(observed)
            takeover = simulated.truth is not None and simulated.truth.takeover
            notable = reading.logit > -7.5
            if reading.success and (takeover or notable or number % 10 == 0):
                yield reading.type, reading.weights, takeover, 1.0 if takeover or notable else 10.0
        engine.process([observed])
        if number % 5000 == 0:
            store.update(engine.changes())


def fit(kinds: NDArray[np.int64], features: Floats, takeover: Floats, weight: Floats) -> Floats:
    """Return weights (3 by features) and, in the last column, intercepts, by type of event."""
    sign = np.where(takeover > 0, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        table = parameters.reshape(3, WIDTH + 1)
        weights, mean = table[:, :-1], table[:, :-1].mean(0)
        margin = sign * ((features * weights[kinds]).sum(1) + table[kinds, -1])
        pull = -weight * sign / (1.0 + np.exp(margin))
        slope = np.empty_like(table)
        for kind in range(3):
            chosen = kinds == kind
            slope[kind, :-1] = pull[chosen] @ features[chosen]
            slope[kind, -1] = pull[chosen].sum()
        apart = weights - mean
        slope[:, :-1] += 2 * PULL_TOGETHER * apart + 2 * mean
        value = (weight * np.logaddexp(0.0, -margin)).sum()
        value += PULL_TOGETHER * (apart**2).sum() + 3 * (mean**2).sum()
        return float(value), slope.ravel()

    start = np.full((3, WIDTH + 1), 0.3)
    start[:, -1] = -3.0
    lowest = ([FLOOR] * WIDTH + [-np.inf]) * 3
    bounds = [(low, np.inf) for low in lowest]
    found: Any = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=np.float64).reshape(3, WIDTH + 1)


def calibrate(
    table: Floats, kinds: NDArray[np.int64], features: Floats, takeover: Floats, weight: Floats
) -> Floats:
    """Return the table scaled so that its scores are log odds (Platt 1999), one scale for all.

    The fit itself looks at every vector alike, which sharpens it where alerts are decided; only
    here does an event that stands for ten count for ten.
    """
    score = (features * table[kinds, :-1]).sum(1) + table[kinds, -1]
    sign = np.where(takeover > 0, 1.0, -1.0)

    def loss(scale: Floats) -> float:
        margin = sign * (scale[0] * score + scale[1])
        return float((weight * np.logaddexp(0.0, -margin)).sum())

    found: Any = minimize(loss, np.array([1.0, 0.0]))
    scaled = table * found.x[0]
    scaled[:, -1] += found.x[1]
    return np.asarray(scaled, dtype=np.float64)


def main() -> None:
    """Fit, and print what goes into detectors/models/prior.py."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 204])
    parser.add_argument("--accounts", type=int, default=15_000)
    parser.add_argument("--more", type=float, default=8.0, help="times as many hijacks as in life")
    parser.add_argument("--without", nargs="*", default=[], choices=sorted(FAMILIES))
    asked = parser.parse_args()
    families = [family for family in FAMILIES if family not in asked.without]
    drawn = [
        example
        for seed in asked.seeds
        for example in examples(seed, families, accounts=asked.accounts, more=asked.more)
    ]
    kinds = np.array([example[0] for example in drawn])
    features = np.array([example[1] for example in drawn])
    takeover = np.array([float(example[2]) for example in drawn])
    weight = np.array([example[3] for example in drawn])
    table = fit(kinds, features, takeover, np.ones_like(weight))
    table = calibrate(table, kinds, features, takeover, weight)
    table[:, NAMES.index("heat")] = 1.0  # not in the simulator's traffic: a weight of evidence
    for at, name in enumerate(NAMES):
        print(f'    "{name}": ({", ".join(f"{table[kind, at]:.2f}" for kind in range(3))}),')
    rate = Policy().base_rate
    shift = math.log(asked.more) + math.log(rate / (1 - rate))
    print(f"_BIAS: Final = ({', '.join(f'{table[kind, -1] - shift:.2f}' for kind in range(3))})")


if __name__ == "__main__":
    main()

"""Fit the prior that ships with the product, on simulated shops alone.

    python -m tests.benchmarks.fit_prior [--seeds 201 202 ...] [--without FAMILY ...] [--write]

Fits weights by type of event to what the features say of several shops, of pipelines that tell more
and less, every family counting alike (tests/benchmarks/fitting.py says how). `--write` writes the
table that ships, detectors/models/prior_table.py, with the command in it; otherwise the table is
printed. It is halfway between that fit and an earlier one (tests/benchmarks/earlier_prior.py): two
that err in ways of their own err less together. With `--without`, families are left out, and the
fit is printed alone, to judge it on what it has never seen.
"""

import argparse
import zlib
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from detectors.features.registry import NAMES
from detectors.models import prior_table
from detectors.models.prior import Prior
from detectors.simulation import FAMILIES
from tests.benchmarks.collecting import ACCOUNTS, SEEDS, collect_all
from tests.benchmarks.earlier_prior import EARLIER
from tests.benchmarks.fitting import fit, mean

PROCESSES: Final = 2


def registry_digest() -> str:
    """Return eight digits that change when a feature comes, goes or moves."""
    return f"{zlib.crc32(' '.join(NAMES).encode()):08x}"


def command_of(seeds: Sequence[int], accounts: int) -> str:
    """Return the command that writes the table of these shops."""
    asked = "" if list(seeds) == list(SEEDS) else f" --seeds {' '.join(map(str, seeds))}"
    asked += "" if accounts == ACCOUNTS else f" --accounts {accounts}"
    return f"python -m tests.benchmarks.fit_prior{asked} --write"


def render(prior: Prior, command: str) -> str:
    """Return the module that ships a prior, fitted by a command."""
    rows = "\n".join(
        f'    "{name}": ({", ".join(f"{row[at]:.2f}" for row in prior.weights)}),'
        for at, name in enumerate(NAMES)
    )
    return f'''"""The shipped prior: the weight of each feature in a sign-in, an order and a change.

Written by tests/benchmarks/fit_prior.py, by COMMAND, not by hand: halfway between a fit to what is
judged and an earlier one. Heat is not fitted: it comes from outside as a weight of evidence.
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
    parser.add_argument("--write", action="store_true", help="write the table that ships")
    asked = parser.parse_args()
    families = [family for family in FAMILIES if family not in asked.without]
    with get_context("spawn").Pool(PROCESSES) as pool:
        collected = collect_all(asked.seeds, accounts=asked.accounts, families=families, pool=pool)
    prior = fit(collected) if asked.without else mean(fit(collected), EARLIER)
    table = render(prior, command_of(asked.seeds, asked.accounts))
    if asked.write and not asked.without:
        Path(prior_table.__file__).write_text(table, encoding="utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main()

"""The prior's program gives the same fit again; the table that ships is one of its own."""

from pathlib import Path

import numpy as np
import pytest

from detectors.models import prior_table
from detectors.models.prior import SHIPPED
from detectors.simulation import FAMILIES
from tests.benchmarks.collecting import (
    ACCOUNTS,
    SEEDS,
    TELLING,
    Collected,
    collect,
    collect_all,
    recall,
    scores,
)
from tests.benchmarks.fit_prior import command_of, registry_digest, render
from tests.benchmarks.fitting import fit


@pytest.fixture(scope="module")
def collected() -> Collected:
    """A tiny shop, and what the features say of it."""
    return collect(5, accounts=300, telemetry=TELLING)


def test_the_shipped_table_is_laid_out_as_the_program_writes_one() -> None:
    """That the program writes this very one takes minutes to see: by COMMAND."""
    assert command_of(SEEDS, ACCOUNTS) == prior_table.COMMAND
    written = Path(prior_table.__file__).read_text(encoding="utf-8")
    assert written == render(SHIPPED, prior_table.COMMAND)


def test_a_table_says_by_which_command_it_is_written() -> None:
    """What is as the program has it need not be asked for."""
    assert command_of(SEEDS, ACCOUNTS) == "python -m tests.benchmarks.fit_prior --write"
    asked = command_of([5, 6], 300)
    assert asked == "python -m tests.benchmarks.fit_prior --seeds 5 6 --accounts 300 --write"


def test_the_shipped_table_has_the_features_there_are() -> None:
    """By name, at least: a feature that comes, goes or moves asks for a new fit."""
    assert registry_digest() == prior_table.REGISTRY


def test_a_fit_is_the_same_again(collected: Collected) -> None:
    """The same shop and families give the same table, from the first event on."""
    assert fit(collected) == fit(collect_all([5], accounts=300))


def test_a_fit_without_a_family_never_sees_it(collected: Collected) -> None:
    """Leaving a family out of the fit leaves no row of it, and changes the table."""
    left = collected.without("stuffing_slow")
    assert list(FAMILIES).index("stuffing_slow") not in left.family
    assert np.count_nonzero(left.takeover) < np.count_nonzero(collected.takeover)
    assert fit(collected, without=("stuffing_slow",)) == fit(left) != fit(collected)


def test_what_was_collected_comes_back_from_its_file(collected: Collected, tmp_path: Path) -> None:
    """A file holds every column as it was."""
    collected.save(tmp_path / "shop.npz")
    again = Collected.load(tmp_path / "shop.npz")
    for name, column in vars(collected).items():
        assert np.array_equal(getattr(again, name), column)


def test_a_score_that_knows_catches_all_and_one_that_does_not_next_to_none(
    collected: Collected,
) -> None:
    """Recall counts hijacks, at a share of customers' days."""
    truth = collected.takeover.astype(float)
    assert recall(collected, truth, budgets=(0.001,))[0] == 1.0
    assert recall(collected, -truth, budgets=(0.001,))[0] == 0.0
    assert recall(collected, scores(collected, SHIPPED), budgets=(0.01,))[0] > 0.2

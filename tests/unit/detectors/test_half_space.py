"""The flat half-space trees are river's: same splits, same scores, and they survive a restore."""

import random

from river.anomaly import HalfSpaceTrees

from detectors.models.half_space import FlatHalfSpaceTrees
from tests.unit.detectors import nothing

WIDTH, TREES, HEIGHT, WINDOW, SEED = 12, 5, 5, 40, 3


def flat(store: dict[bytes, bytes]) -> FlatHalfSpaceTrees:
    """The product's trees over a store."""
    return FlatHalfSpaceTrees(
        width=WIDTH, trees=TREES, height=HEIGHT, window=WINDOW, seed=SEED, read=store.get
    )


def vectors(count: int) -> list[list[float]]:
    """Vectors like the product's: mostly alike, now and then far off."""
    chance = random.Random(1)
    return [
        [chance.random() if chance.random() < 0.1 else 0.4 for _ in range(WIDTH)]
        for _ in range(count)
    ]


def test_scores_equal_rivers_to_the_last_bit() -> None:
    """Over several windows, cold start included, both say the same of every vector."""
    river = HalfSpaceTrees(n_trees=TREES, height=HEIGHT, window_size=WINDOW, seed=SEED)
    ours = flat({})
    for vector in vectors(250):
        named = {f"{at:03d}": value for at, value in enumerate(vector)}
        assert ours.score(vector) == river.score_one(named)  # type: ignore[no-untyped-call]  # river
        ours.learn(vector)
        river.learn_one(named)  # type: ignore[no-untyped-call]  # river


def test_trees_read_back_go_on_where_they_were() -> None:
    """The masses are all that has to be kept."""
    store: dict[bytes, bytes] = {}
    lived = flat({})
    restored = flat(store)
    for number, vector in enumerate(vectors(200)):
        assert restored.score(vector) == lived.score(vector)
        lived.learn(vector)
        restored.learn(vector)
        if number % 17 == 0:
            store.update(restored.changes())
            restored = flat(store)


def test_a_cold_forest_says_that_it_does_not_know() -> None:
    """Before the first window is full the score is 0, which is no all-clear."""
    ours = flat({})
    assert ours.warming_up
    for vector in vectors(WINDOW):
        ours.learn(vector)
    assert not ours.warming_up


def test_the_masses_handed_over_stay_small() -> None:
    """A hand-over of the product's own forest is below 20 kB."""
    forest = FlatHalfSpaceTrees(width=34, trees=8, height=6, window=500, seed=7, read=nothing)
    for vector in vectors(600):
        forest.learn(vector + [0.4] * (34 - WIDTH))
    assert sum(len(value) for _, value in forest.changes()) < 20_000

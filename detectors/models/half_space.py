"""river's half-space trees, held in flat arrays that are quick to walk and to hand over.

The trees are grown by river from the seed, then copied: same splits, same walks, same scores
(a test holds them equal). Only the masses are state, four bytes a node, in small pages.
Tan, Ting and Liu, Fast Anomaly Detection for Streaming Data, IJCAI 2011.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from river.anomaly import HalfSpaceTrees

from detectors.errors import IncompatibleState
from detectors.population import Pages

_SIZE_LIMIT: Final = 0.1


class FlatHalfSpaceTrees:
    """Half-space trees over vectors of fixed width, each value 0 to 1; scores are 0 to 1.

    A cold forest scores 0, which means "don't know": see `warming_up`.
    """

    def __init__(
        self,
        *,
        width: int,
        trees: int,
        height: int,
        window: int,
        seed: int,
        read: Callable[[bytes], bytes | None],
    ) -> None:
        self.window = window
        self.height = height
        self.trees = trees
        # A power of whole numbers may be a fraction, and is typed as anything: this is not.
        nodes: int = 2 ** (height + 1) - 1
        self._nodes = nodes
        # Of each node of each tree in turn: what it splits by, and the first of the two below it.
        self._features: list[int] = []
        self._thresholds: list[float] = []
        self._grow(width, seed)
        self._below = [
            tree * nodes + 2 * node + 1 for tree in range(trees) for node in range(nodes)
        ]
        # Masses of the window before, of this window, then the counter and "a window is full".
        self.masses = Pages("half-space", "I", 2 * trees * nodes + 2, read)
        if len(self._features) != trees * nodes:
            raise IncompatibleState("river grew trees of another shape")

    @property
    def warming_up(self) -> bool:
        """Whether no window is full yet, so that every score is 0."""
        return bool(self.masses.cells[-1] == 0)

    def score(self, vector: list[float]) -> float:
        """Return how alone a vector is among the last window's, 0 to 1."""
        cells = self.masses.cells
        if self.warming_up:
            return 0.0
        limit, nodes, height = _SIZE_LIMIT * self.window, self._nodes, self.height
        features, thresholds, below = self._features, self._thresholds, self._below
        score = 0.0
        for at in range(0, self.trees * nodes, nodes):
            weight = 1
            for _ in range(height):
                mass: int = cells[at]
                score += float(mass * weight)
                if mass < limit:
                    break
                at = below[at] if vector[features[at]] < thresholds[at] else below[at] + 1  # noqa: PLW2901 - down the tree
                weight += weight
            else:
                mass = cells[at]
                score += float(mass * weight)
        most: int = self.trees * self.window * nodes
        return 1.0 - score / most

    def learn(self, vector: list[float]) -> None:
        """Take a vector into this window's masses; a full window becomes the one that scores."""
        masses, nodes = self.masses, self._nodes
        features, thresholds, below = self._features, self._thresholds, self._below
        half = self.trees * nodes
        counted = [2 * half]
        for at in range(0, half, nodes):
            counted.append(half + at)
            for _ in range(self.height):
                at = below[at] if vector[features[at]] < thresholds[at] else below[at] + 1  # noqa: PLW2901 - down the tree
                counted.append(half + at)
        masses.count(counted)
        if masses.cells[2 * half] >= self.window:
            self._turn(half)

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the pages of masses that changed."""
        return self.masses.changes()

    def _turn(self, half: int) -> None:
        masses = self.masses
        for at in range(half):
            masses.cells[at] = masses.cells[half + at]
            masses.cells[half + at] = 0
        masses.cells[2 * half] = 0
        masses.cells[2 * half + 1] = 1
        masses.touch_all()

    def _grow(self, width: int, seed: int) -> None:
        forest = HalfSpaceTrees(
            n_trees=self.trees, height=self.height, window_size=self.window, seed=seed
        )
        # Names sort like positions: river draws its features from the sorted names.
        names = [f"{at:03d}" for at in range(width)]
        forest.learn_one(dict.fromkeys(names, 0.5))  # type: ignore[no-untyped-call]  # river ships no types here
        for root in forest.trees:
            level = [root]
            while level:
                below: list[Any] = []
                for node in level:
                    branch = hasattr(node, "children")
                    self._features.append(int(node.feature) if branch else 0)
                    self._thresholds.append(float(node.threshold) if branch else 0.0)
                    below.extend(node.children if branch else ())
                level = below

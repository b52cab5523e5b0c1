"""What may be shown: nothing that is of fewer accounts than a smallest group.

A figure of a single customer's case is that customer's, whatever else is left out. So a count or a
sum that is of fewer than `minimum` accounts, and of any at all, is withheld; and where what was
withheld of a column could be had from its total by subtraction, the next smallest figures go too
(primary and secondary cell suppression, as statistical offices do it: Hundepool et al.,
"Statistical Disclosure Control", 2012, chapter 4). Rows may share accounts, so what is left by
subtraction is of the accounts of all that is withheld together, each once.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

MINIMUM: Final = 5
SMALLEST_MINIMUM: Final = 3


def withheld(
    accounts: Sequence[AbstractSet[str]], minimum: int, order: Iterable[int] | None = None
) -> frozenset[int]:
    """Return the positions in a column that are not shown, by the accounts that each is of.

    `order` is in which they go where more must; the smallest first where it is None.
    """
    sizes = list(map(len, accounts))
    hidden = {at for at, number in enumerate(sizes) if 0 < number < minimum}
    left = set().union(*(accounts[at] for at in hidden))
    for at in sorted(range(len(sizes)), key=sizes.__getitem__) if order is None else order:
        if not 0 < len(left) < minimum:
            break
        if accounts[at]:
            hidden.add(at)
            left |= accounts[at]
    return frozenset(hidden)

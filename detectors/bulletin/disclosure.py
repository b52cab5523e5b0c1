"""What may be shown: nothing that is of fewer accounts than a smallest group.

A figure of a single customer's case is that customer's, whatever else is left out. So a count or a
sum that is of fewer than `minimum` accounts, and of any at all, is withheld; and where what was
withheld of a column could be had from its total by subtraction, the next smallest figures go too
(primary and secondary cell suppression, as statistical offices do it: Hundepool et al.,
"Statistical Disclosure Control", 2012, chapter 4). Rows may share accounts, so that what is left by
subtraction is of as many accounts at most.
"""

from collections.abc import Iterable, Sequence
from typing import Final

MINIMUM: Final = 5
SMALLEST_MINIMUM: Final = 3


def withheld(
    accounts: Sequence[int], minimum: int, order: Iterable[int] | None = None
) -> frozenset[int]:
    """Return the positions in a column that are not shown, by how many accounts each is of.

    `order` is in which they go where more must; the smallest first where it is None.
    """
    hidden = {at for at, number in enumerate(accounts) if 0 < number < minimum}
    left = sum(accounts[at] for at in hidden)
    for at in sorted(range(len(accounts)), key=accounts.__getitem__) if order is None else order:
        if not 0 < left < minimum:
            break
        if at not in hidden:
            hidden |= {at} if accounts[at] else set()
            left += accounts[at]
    return frozenset(hidden)

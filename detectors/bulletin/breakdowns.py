"""Rows of a breakdown: numbers with the accounts that they are of, and what of it is shown."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from detectors.bulletin.contents import Row
from detectors.bulletin.disclosure import withheld

SMALL: Final = "others"
"""What rows of too few accounts are called together."""
_MEASURES: Final = ("attempts", "takeovers", "stopped", "lost")


class Figure:
    """A number and the accounts that it is of."""

    __slots__ = ("accounts", "value")

    def __init__(self) -> None:
        self.value = Decimal(0)
        self.accounts: set[str] = set()

    def add(self, account_id: str, value: Decimal | int = 1) -> None:
        """Add what one account's case contributes."""
        self.value += value
        self.accounts.add(account_id)


Tally = Mapping[str, Figure]
"""Figures by what they count; money is named with its currency, `saved GBP`."""


class Breakdown(NamedTuple):
    """Rows that may be shown, and the names of those folded into the last one."""

    rows: tuple[Row, ...]
    folded: frozenset[str]


def broken_down(tallies: Mapping[str, Tally], minimum: int, *, fold: bool) -> Breakdown:
    """Return the rows that may be shown: in their order, or with `fold` the largest first.

    With `fold` rows of too few accounts become one, which comes last; else their figures are
    withheld.
    """
    if not fold:
        return Breakdown(_rows(list(tallies.items()), minimum), frozenset())
    names = sorted(tallies, key=lambda name: (-tallies[name]["attempts"].value, name))
    hidden = withheld([tallies[name]["attempts"].accounts for name in names], minimum)
    kept = [(name, tallies[name]) for at, name in enumerate(names) if at not in hidden]
    small = frozenset(names[at] for at in hidden)
    if small:
        kept.append((SMALL, _joined([tallies[name] for name in sorted(small)])))
    return Breakdown(_rows(kept, minimum, len(small)), small)


def _joined(tallies: Iterable[Tally]) -> Tally:
    joined: dict[str, Figure] = defaultdict(Figure)
    for tally in tallies:
        for name, figure in tally.items():
            joined[name].value += figure.value
            joined[name].accounts |= figure.accounts
    return joined


def _rows(tallies: Sequence[tuple[str, Tally]], minimum: int, folded: int = 0) -> tuple[Row, ...]:
    """Withhold column by column. `folded` is how many rows the last one stands for."""
    columns = {*_MEASURES, *(key for _, tally in tallies for key in tally if " " in key)}
    cells: dict[str, list[int | None]] = {}
    for column in sorted(columns):
        figures = [tally.get(column) or Figure() for _, tally in tallies]
        hidden = withheld([figure.accounts for figure in figures], minimum)
        cells[column] = [None if at in hidden else whole(f) for at, f in enumerate(figures)]

    def money(name: str, at: int) -> dict[str, int | None]:
        return {currency_of(key): cells[key][at] for key in cells if is_of(name, key)}

    return tuple(
        Row(
            name=name,
            attempts=cells["attempts"][at],
            takeovers=cells["takeovers"][at],
            stopped=cells["stopped"][at],
            lost=cells["lost"][at],
            saved=money("saved", at),
            at_loss=money("at_loss", at),
            rows=folded if at == len(tallies) - 1 else 0,
        )
        for at, (name, _) in enumerate(tallies)
    )


def is_of(name: str, key: str) -> bool:
    """Whether a figure's key is a sum of money of this name, in whatever currency."""
    return key.startswith(name + " ")


def currency_of(key: str) -> str:
    """Return the currency of such a sum."""
    return key.partition(" ")[2]


def whole(figure: Figure) -> int:
    """Return a number in whole units."""
    return int(figure.value.to_integral_value(ROUND_HALF_EVEN))

"""The Traffic Light Protocol 2.0 (FIRST, 2022): how far what others told may go.

`clear` to everybody, `green` to the community, `amber` to one's organisation and its clients,
`amber+strict` to one's organisation, `red` to nobody who was not told.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

Marking = Literal["clear", "green", "amber", "amber+strict", "red"]
MILDEST_FIRST: Final[tuple[Marking, ...]] = ("clear", "green", "amber", "amber+strict", "red")
UNMARKED: Final[Marking] = "amber"
"""How far what bears no marking goes."""
MARKING_OF: Final[Mapping[str, Marking]] = {f"tlp:{marking}": marking for marking in MILDEST_FIRST}
"""A marking by what it is called, in small letters: `tlp:amber+strict`."""
STAYING: Final[frozenset[Marking]] = frozenset({"amber+strict", "red"})
"""Markings of what does not leave the house."""


def strictest(markings: Iterable[Marking]) -> Marking | None:
    """Return the strictest of some markings, None of none."""
    return max(markings, key=MILDEST_FIRST.index, default=None)


def label(marking: Marking) -> str:
    """Return a marking as people write it: `TLP:AMBER+STRICT`."""
    return f"TLP:{marking.upper()}"

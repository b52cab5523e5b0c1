"""What an event teaches, as it is kept beside the event until a verdict: plain, storable rows."""

from typing import NamedTuple

import msgspec


class Lesson(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Habits in an event, ready to be taught now or after a verdict. `used` pairs memory, value."""

    minute: int
    type: int
    used: list[tuple[str, int]]
    slot: int
    amount: float
    rewards: int


class Forgotten(NamedTuple):
    """A value that a verdict took from a memory, with what was known of it.

    Or the last place, or what was usual, with its text.
    """

    memory: str
    key: int
    row: list[int]
    text: str | None = None

"""How a profile's memories fill, and make room: a use remembered, the least of habits forgotten.

This is what every event does most to a profile.
"""

from math import inf
from math import pow as power
from typing import Final

import msgspec

from detectors.profiles import UNIT, Memory, Profile, encode, late

_CAP: Final = 60_000

MOST_BYTES: Final = 2048
"""Bytes of a stored profile at most."""

_FIXED: Final = 850
"""Bytes of everything in a profile but its memories' values and its texts, at most."""
_TEXTS: Final = 4 * (48 + 32 + 48)
"""Bytes of its texts at most: the usual client, the one before it, and the city."""
_SHORT: Final = 65_536
"""Minutes that take three bytes instead of five."""
_KEY: Final = 5
"""Bytes of a value's digest."""
_encoder = msgspec.msgpack.Encoder()


def use(  # noqa: PLR0917 - every event calls it for everything that it came with
    memory: Memory, key: int, minute: int, half_life: float, limit: int, doubt: int = 0
) -> bool:
    """Remember one more use; the value with the least weight left makes room.

    Returns whether the value was not remembered before.
    """
    keys, rows = memory.keys, memory.rows
    if key in keys:
        at = 4 * keys.index(key)
        weight, used = rows[at], UNIT
        age = minute - rows[at + 2]
        if age > 0:
            weight = int(weight * power(2.0, -age / half_life))
            rows[at + 2] = minute
        elif age < 0:
            used = late(age, half_life)
        rows[at] = weight + used if weight < _CAP else _CAP
        return False
    if not key:
        return False
    if len(keys) >= limit:
        _forget_least(memory, minute, half_life)
    if not keys:
        # It may share them with all that hold nothing.
        memory.keys, memory.rows = [key], [UNIT, minute, minute, doubt]
        return True
    keys.append(key)
    rows += (UNIT, minute, minute, doubt)
    return True


def make_room(profile: Profile, half_life: float) -> None:
    """Forget what has the least weight left, until the profile is stored in `MOST_BYTES`."""
    # To count the bytes takes ten times as long as to say that they cannot be too many.
    a_value = 15 if profile.seen < _SHORT else 19
    if profile.held >= 0 and _FIXED + profile.held * a_value <= MOST_BYTES - _TEXTS:
        return
    profile.held = values = sum([len(memory.keys) for memory in profile.memories])
    most = _FIXED + values * a_value
    if most <= MOST_BYTES - _TEXTS:
        return
    texts = len((profile.client or "").encode()) + len((profile.city or "").encode())
    texts += len((profile.client_came[1] or "").encode())
    if most + texts <= MOST_BYTES:
        return
    # Most numbers are smaller than they may be: of old accounts nearly all get no further.
    rows = len(_encoder.encode([memory.rows for memory in profile.memories]))
    if _FIXED + texts + _KEY * values + rows <= MOST_BYTES:
        return
    while len(encode(profile)) > MOST_BYTES:
        weights = [_least(memory, profile.seen, half_life) for memory in profile.memories]
        _forget_least(profile.memories[weights.index(min(weights))], profile.seen, half_life)


def _least(memory: Memory, minute: int, half_life: float) -> float:
    """Return the least weight that a value has left, in uses; infinity where there is none."""
    return min(_weights(memory, minute, half_life), default=inf)


def _forget_least(memory: Memory, minute: int, half_life: float) -> None:
    weights = _weights(memory, minute, half_life)
    memory.drop(weights.index(min(weights)))


def _weights(memory: Memory, minute: int, half_life: float) -> list[float]:
    return [memory.weight(at, minute, half_life) for at in range(len(memory.keys))]

"""Attempts on names that no account has: they leave no profile that could tell of a repetition."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import msgspec

from detectors.errors import IncompatibleState, decoded

MOST: Final = 512
"""Attempts that are known when they are told again, the latest: a producer that is not sure whether
it was heard tells what it has told within seconds."""
_KEY: Final = b"m:nobodies"
_VERSION: Final = 1
_decode = partial(msgspec.msgpack.decode, type=tuple[int, list[int]])


class Nobodies:
    """The latest attempts on unknown names, by 32 bits of their events' ids."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._marks: dict[int, None] = {}
        self._dirty = False
        stored = read(_KEY)
        if stored is not None:
            version, marks = decoded(_decode, stored, "stored attempts on nobody")
            if version != _VERSION:
                raise IncompatibleState(f"stored attempts on nobody have version {version}")
            self._marks = dict.fromkeys(marks)

    def is_new(self, mark: int) -> bool:
        """Note an attempt; return whether it is not among the latest."""
        if mark in self._marks:
            return False
        self._dirty = True
        self._marks[mark] = None
        if len(self._marks) > MOST:
            del self._marks[next(iter(self._marks))]
        return True

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand them over where they changed."""
        if self._dirty:
            self._dirty = False
            yield _KEY, msgspec.msgpack.encode((_VERSION, [*self._marks]))

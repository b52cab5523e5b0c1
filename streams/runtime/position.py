"""The record that says what a partition's state stands for, written with every change of it."""

from collections.abc import Mapping
from typing import Final

import msgspec

from detectors.errors import UNREADABLE, IncompatibleState

POSITION_KEY: Final = b"\x00position"
FORMAT: Final = 1


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the input a partition's state stands, and where in the changelog that was written.

    `next` is by topic the offset of the first record not yet folded. `origins` is, for topics that
    are re-keyed, by topic and source partition the first source offset not yet folded; for topics
    that flows write to, by topic, sending flow and its partition the first number not yet folded,
    and `sent` is the number of this partition's own next message to another flow (`numbering`).
    `at` is the changelog offset that the writer expected this record to get: one that lies
    elsewhere was written by an owner who had been replaced, and is void. `lineage` names the
    changelog's life, so that a local copy from an earlier life is known for what it is.
    """

    format: int = FORMAT
    lineage: str
    at: int
    next: Mapping[str, int]
    origins: Mapping[str, Mapping[int, int]] = {}
    sent: int = 0


def encode_position(position: Position) -> bytes:
    """Return the value stored under `POSITION_KEY`."""
    return msgspec.json.encode(position)


def decode_position(value: bytes | None) -> Position:
    """Read what `encode_position` wrote; raises IncompatibleState for anything else."""
    try:
        position = msgspec.json.decode(value or b"", type=Position)
    except UNREADABLE as error:
        raise IncompatibleState(f"the changelog holds no position we can read: {error}") from None
    if position.format != FORMAT:
        raise IncompatibleState(
            f"the state was written in format {position.format}, this release reads {FORMAT}: "
            "start the release that wrote it, or begin anew under another app_id"
        )
    return position

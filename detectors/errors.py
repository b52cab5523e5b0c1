"""Every error the product raises on purpose.

Only `InvalidEvent` means "this one message is bad": it is what dead letters are made of.
Everything else is a fault of the configuration or of the product, and stops the worker.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

_T = TypeVar("_T")


class NightlatchError(Exception):
    """Root of the errors raised on purpose; its text is one sentence fit for an operator."""


class InvalidEvent(NightlatchError):
    """One input record that cannot be used.

    `code` is stable and fit for counting (`not_json`, `not_an_object`, `missing_field`,
    `wrong_type`, `not_allowed`, `out_of_range`, `too_large`, `wrong_key`); `field` is the
    contract's field name, dotted for nested ones (`items[2].quantity`), or None where the record
    as a whole is at fault; `expected` and `found` are short phrases that complete the sentence.
    """

    def __init__(self, code: str, *, field: str | None, expected: str, found: str) -> None:
        self.code = code
        self.field = field
        self.expected = expected
        self.found = found
        subject = f"field {field!r}" if field else "the record"
        super().__init__(f"{subject}: expected {expected}, found {found}")


class ConfigurationError(NightlatchError):
    """A setting, a policy or a look-up file that cannot work; the text says what to change."""


class IncompatibleState(NightlatchError):
    """Stored state of a version or shape that this release cannot read."""


UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are none of ours: text in MessagePack may be no UTF-8, and
anything may hold itself a thousand times over."""


def decoded(decode: Callable[[bytes], _T], stored: bytes, what: str) -> _T:
    """Return what `decode` makes of bytes. Raises IncompatibleState, naming `what`, if it can't."""
    try:
        return decode(stored)
    except UNREADABLE as error:
        raise IncompatibleState(f"{what} cannot be read: {error}") from error


class UnreadableFile(NightlatchError):
    """An input file that is missing, damaged or not permitted."""


class TooManyDeadLetters(NightlatchError):
    """So large a share of the input is unusable that the fault must be ours, not the data's."""

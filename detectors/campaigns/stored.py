"""The bytes of what the linker keeps, alerts, gangs and attacks: MessagePack behind a version."""

from functools import partial
from typing import Any, Final

import msgspec

from detectors.errors import IncompatibleState, decoded

VERSION: Final = 1


def encode(value: object) -> bytes:
    """Return the stored form of a value."""
    return msgspec.msgpack.encode((VERSION, value))


def decode(stored: bytes, kind: Any, what: str) -> Any:
    """Return the value of a kind that was stored; IncompatibleState, naming `what`, where not."""
    decoder = partial(msgspec.msgpack.decode, type=tuple[int, kind])
    version, value = decoded(decoder, stored, what)
    if version != VERSION:
        raise IncompatibleState(f"{what} has version {version}, not {VERSION}")
    return value

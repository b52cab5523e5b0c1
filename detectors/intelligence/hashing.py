"""Keyed hashes: what retailers of a group compare instead of what concerns a person.

`HMAC-SHA-256(key, "<kind>:<16 hexadecimal digits>")` (RFC 2104), where the digits are BLAKE2b-64 of
the value, personalised by the kind (`detectors.heat.indicators`): the product keeps no more than
that of a value across accounts, and needs no more to share it.

Without the key nobody can try values against a hash. With it anybody can, and there are only 17
million address ranges: a keyed hash keeps a value from those outside the group, not from members.
"""

import hmac
from typing import NamedTuple

KEY_BYTES = 32
"""The least that a group's key must have: as much as the hash has."""


class GroupKey(NamedTuple):
    """A key that a group of retailers shares, and the name that hashes made with it bear."""

    key_id: str
    secret: bytes

    def __repr__(self) -> str:
        """Never the secret: this text may end up in a log."""
        return f"GroupKey({self.key_id!r})"


def keyed_hash(key: GroupKey, indicator_id: str) -> str:
    """Return the keyed hash of an indicator's id (`Indicator.id`), 64 hexadecimal digits."""
    return hmac.digest(key.secret, indicator_id.encode(), "sha256").hex()

"""The group's keys: a file of lines `key-id base64-of-the-secret`, the one in use first.

Whoever holds it can try values against the hashes of all members: it is refused where anybody but
its owner may read it.
"""

import secrets
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from pathlib import Path
from typing import Final

from detectors.errors import ConfigurationError
from detectors.intelligence import GroupKey
from detectors.intelligence.hashing import KEY_BYTES
from detectors.intelligence.records import is_key_id
from streams.whole_files import read_secret, write_secret

_MOST_KEYS: Final = 16
_MOST_BYTES: Final = 16 * 1024


def read_keys(path: Path) -> tuple[GroupKey, ...]:
    """Return the keys in a file, the one in use first; raises ConfigurationError where it can't.

    Empty lines and lines that begin with # are passed over.
    """
    text = read_secret(path, "the file of the group's keys").decode("ascii", errors="replace")
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1)]
    keys = [_key(path, number, words) for number, words in lines if words and words[0][:1] != "#"]
    if not keys or len(keys) > _MOST_KEYS or len(text) > _MOST_BYTES:
        raise ConfigurationError(f"{path}: expected 1 to {_MOST_KEYS} keys, found {len(keys)}")
    if len({key.key_id for key in keys}) < len(keys):
        raise ConfigurationError(f"{path}: two keys have the same id")
    return tuple(keys)


def _key(path: Path, number: int, words: list[str]) -> GroupKey:
    """The key of a line. No part of the line is told: it may be the secret."""
    problem = f"{path}:{number} is no key: expected `key-id base64`, of {KEY_BYTES} bytes or more"
    if len(words) != 2 or not is_key_id(words[0]):
        raise ConfigurationError(problem)
    try:
        secret = b64decode(words[1], validate=True)
    except (NotBase64, ValueError):
        raise ConfigurationError(problem) from None
    if len(secret) < KEY_BYTES:
        raise ConfigurationError(problem)
    return GroupKey(words[0], secret)


def add_key(path: Path, key_id: str) -> None:
    """Put a new random key in front of a file's, which is made where it is not there.

    The keys that were there stay, so that hashes made with them are still known. Raises
    ConfigurationError for an id that is taken or none.
    """
    if not is_key_id(key_id):
        raise ConfigurationError(f"{key_id!r} is no key id: 1 to 64 letters, digits, . _ or -")
    before = read_keys(path) if path.exists() else ()
    if any(key.key_id == key_id for key in before):
        raise ConfigurationError(f"{path} has a key {key_id!r} already")
    if len(before) >= _MOST_KEYS:
        raise ConfigurationError(f"{path} has {_MOST_KEYS} keys: take the oldest out")
    keys = (GroupKey(key_id, secrets.token_bytes(KEY_BYTES)), *before)
    text = "".join(f"{key.key_id} {b64encode(key.secret).decode()}\n" for key in keys)
    write_secret(path, text.encode())

"""Every constant a detector runs under, in one frozen object."""

import hashlib

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, half-lives and seeds. Fields are added by what needs them, each with its unit."""

    seed: int = 7

    def digest(self) -> str:
        """Sixteen hexadecimal digits that differ wherever any field does."""
        return hashlib.blake2b(msgspec.json.encode(self, order="sorted"), digest_size=8).hexdigest()

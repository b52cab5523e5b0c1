"""Unit tests of the fraud domain."""


def nothing(_: bytes) -> bytes | None:
    """Read from a store that is empty."""
    return None

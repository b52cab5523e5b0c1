"""The indicator's side: counts sightings, and says what is hot and whom it had entered."""

from collections.abc import Callable, Iterator

from detectors.heat.records import Batch, HeatOutput


class HeatCounter:
    """One shard of the indicators. Memory and state are bounded whatever is sent.

    `shard` is its number; `read` gives the state handed over so far.
    """

    def __init__(self, shard: int, read: Callable[[bytes], bytes | None]) -> None:
        raise NotImplementedError

    def take(self, batch: Batch) -> list[HeatOutput]:
        """Count a batch, unless it was; return what changed by it, in a fixed order."""
        raise NotImplementedError

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over every key changed since the last call; None means delete it."""
        raise NotImplementedError

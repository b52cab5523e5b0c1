"""Links alerts that share rare indicators, online."""

from collections.abc import Callable, Iterator

from detectors.campaigns.records import CampaignOutput
from detectors.heat.records import Link


class CampaignLinker:
    """All campaigns of a retailer: alerts are few enough for one. Memory is bounded.

    `read` gives the state handed over so far.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        raise NotImplementedError

    def take(self, link: Link) -> list[CampaignOutput]:
        """Take what an alert shares with others; return what changed by it, in a fixed order."""
        raise NotImplementedError

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over every key changed since the last call; None means delete it."""
        raise NotImplementedError

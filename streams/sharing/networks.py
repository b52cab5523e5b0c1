"""What kind of network an address range is, by what looks events up."""

from detectors.events import Login
from detectors.facts import NetworkKind
from streams.enrichment import Enricher


def kind_of_range(enricher: Enricher, prefix: str) -> NetworkKind | None:
    """Return the kind of network of a range by its first address; None where nobody knows.

    A range of which a part is somebody's home is looked up by that part or another: whoever
    names ranges in a look-up file names them whole.
    """
    address = prefix.partition("/")[0]
    event = Login(event_id="", occurred_at=0.0, account_id="", ip=address, outcome="success")
    return enricher.facts(event).network_kind

"""What a look-up file tells about an address, and what every look-up file can do."""

from pathlib import Path
from typing import NamedTuple, Protocol

from detectors.errors import ConfigurationError
from detectors.facts import NetworkKind


class Place(NamedTuple):
    """An address's network and whereabouts, as far as a file knows them.

    `operator` is the name of the autonomous system's holder; `kind` is only there where the file
    itself says it (commercial ones do).
    """

    asn: int | None = None
    operator: str | None = None
    kind: NetworkKind | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None


NOWHERE = Place()


class LookupFile(Protocol):
    """A file that knows about addresses."""

    def find(self, address: str) -> Place:
        """Return what is known about a canonical address, `NOWHERE` where nothing is."""


def open_lookup(path: Path) -> LookupFile:
    """Open a look-up file by its suffix; raises ConfigurationError where it can't be used."""
    from streams.enrichment.lookup_csv import CsvLookup
    from streams.enrichment.lookup_mmdb import MmdbLookup

    if not path.is_file():
        raise ConfigurationError(f"lookups: there is no file {path}")
    name = path.name.lower()
    if name.endswith(".mmdb"):
        return MmdbLookup(path)
    if name.endswith((".csv", ".csv.gz", ".csv.xz", ".csv.zst")):
        return CsvLookup(path)
    raise ConfigurationError(f"lookups: {path} is neither .mmdb nor .csv")


def merged(places: list[Place]) -> Place:
    """Return the first known value of each field; a position and a network are taken whole.

    Files disagree: a city of one with the coordinates of another would be a place that no file
    ever named.
    """
    if len(places) == 1:
        return places[0]
    network = next((p for p in places if p.asn is not None), NOWHERE)
    spot = next((p for p in places if p[3:] != NOWHERE[3:]), NOWHERE)
    kind = next((p.kind for p in places if p.kind is not None), None)
    return spot._replace(asn=network.asn, operator=network.operator, kind=kind)

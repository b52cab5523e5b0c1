"""Events to facts: the event's own fields first, then the look-up files, then public lists."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final, NamedTuple

from detectors.events import Event
from detectors.facts import Facts, NetworkKind
from detectors.parsing import canonical_address
from streams.enrichment.clients import Client, ClientReader
from streams.enrichment.networks import kind_by_address, kind_by_operator
from streams.enrichment.places import NOWHERE, Place, merged, open_lookup

CACHED_ADDRESSES: Final = 50_000
_UNNAMED: Final = Client()


class _Known(NamedTuple):
    """What is known about an address without the event."""

    address: str | None
    prefix: str | None
    place: Place
    kind: NetworkKind | None


_UNKNOWN: Final = _Known(None, None, NOWHERE, None)


class Enricher:
    """Looks events up, in files and lists that are opened once.

    `lookups` are files of `.mmdb` or `.csv`; where several know an address, the one named first
    wins. Raises ConfigurationError for a file that cannot be used.
    """

    def __init__(self, lookups: Iterable[Path] = ()) -> None:
        self._files = [open_lookup(path) for path in lookups]
        self._clients = ClientReader()
        self._known = lru_cache(maxsize=CACHED_ADDRESSES)(self._look_up)

    def facts(self, event: Event) -> Facts:
        """Return what can be said about an event's network, place and client."""
        address, prefix, place, kind = self._known(event.ip) if event.ip else _UNKNOWN
        asn = event.asn
        if asn is None:
            asn = place.asn
        elif asn != place.asn:
            # The pipeline knows another operator than the files: theirs is what is judged.
            kind = kind_by_operator(asn)
        country = event.country or place.country
        known_country = place.country
        if known_country is not None and known_country != country:
            place = NOWHERE  # the file speaks of some other place
        latitude, longitude = event.latitude, event.longitude
        if latitude is None or longitude is None:
            latitude, longitude = place.latitude, place.longitude
        agent = event.user_agent
        # Unpacked: passed on as they are, they would be made a list and a tuple of.
        browser, version, os, os_version, device_type = (
            self._clients.read(agent) if agent else _UNNAMED
        )
        return Facts(
            address,
            prefix,
            asn,
            kind,
            country,
            event.region or place.region,
            event.city or place.city,
            latitude,
            longitude,
            browser,
            version,
            os,
            os_version,
            device_type,
        )

    def _look_up(self, text: str) -> _Known:
        address = canonical_address(text)
        if address is None:
            return _UNKNOWN
        found = [place for file in self._files if (place := file.find(address)) is not NOWHERE]
        place = merged(found) if found else NOWHERE
        kind = place.kind
        if kind is None:
            # Lists by address speak only where the operator is unknown: they disagree with it.
            if place.asn is not None:
                kind = kind_by_operator(place.asn, place.operator)
            else:
                kind = kind_by_address(address)
        return _Known(address, _prefix(address), place, kind)


def _prefix(address: str) -> str:
    """The network of a canonical address as text: /24 for IPv4, /48 for IPv6."""
    if ":" not in address:
        return f"{address.rpartition('.')[0]}.0/24"
    first, second, third, *_ = address.split(":")
    if first and second and third and third != "0":
        return f"{first}:{second}:{third}::/48"
    return f"{IPv6Address(int(IPv6Address(address)) >> 80 << 80)}/48"

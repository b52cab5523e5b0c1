"""MaxMind DB files: GeoLite2 and GeoIP2, DB-IP, IPinfo; cities, countries, networks, anonymisers.

The publishers' records differ in shape. The readers below take each value from whichever shape
has it, and leave None what none has.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import maxminddb

from detectors.errors import ConfigurationError
from detectors.facts import NetworkKind
from streams.enrichment.places import NOWHERE, Place

# GeoIP2's flags and user types, and IPinfo's privacy flags.
_FLAGS: Final[dict[str, NetworkKind]] = {
    "is_tor_exit_node": "tor",
    "tor": "tor",
    "is_anonymous_vpn": "vpn",
    "vpn": "vpn",
    "relay": "relay",
    "is_hosting_provider": "hosting",
    "hosting": "hosting",
}
_USER_TYPES: Final[dict[str, NetworkKind]] = {
    "hosting": "hosting",
    "cellular": "mobile",
    "residential": "access",
    "dialup": "access",
    "business": "business",
    "college": "education",
    "school": "education",
}


class MmdbLookup:
    """A MaxMind DB file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        try:
            self._reader = maxminddb.open_database(path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise ConfigurationError(f"lookups: {path} is no MaxMind DB file: {error}") from None
        self._six = self._reader.metadata().ip_version == 6

    def find(self, address: str) -> Place:
        """Return what is known about a canonical address."""
        if ":" in address and not self._six:
            return NOWHERE
        record = self._reader.get(address)
        return place_of(record) if isinstance(record, Mapping) else NOWHERE


def place_of(record: Mapping[str, Any]) -> Place:
    """Return the place that one publisher's record describes."""
    location = _table(record.get("location")) or record
    traits = _table(record.get("traits")) or record
    return Place(
        asn=_asn(traits.get("autonomous_system_number") or record.get("asn")),
        operator=_text(
            traits.get("autonomous_system_organization")
            or record.get("as_name")
            or record.get("name")
        ),
        kind=_kind(record, traits),
        country=_country(record),
        region=_region(record),
        city=_name(record.get("city")),
        latitude=_number(location.get("latitude") or location.get("lat"), 90),
        longitude=_number(location.get("longitude") or location.get("lng"), 180),
    )


def _table(value: object) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else None


def _text(value: object) -> str | None:
    return value[:256] if isinstance(value, str) and value else None


def _name(value: object) -> str | None:
    """A name, which is text or a table of translations."""
    table = _table(value)
    if table is None:
        return _text(value)
    names = _table(table.get("names")) or {}
    return _text(names.get("en") or next(iter(names.values()), None))


def _region(record: Mapping[str, Any]) -> str | None:
    parts = record.get("subdivisions")
    if isinstance(parts, list) and parts:
        return _name(parts[0])
    return _name(record.get("region"))


def _country(record: Mapping[str, Any]) -> str | None:
    table = _table(record.get("country")) or {}
    code = table.get("iso_code") or record.get("country_code") or record.get("country")
    # IPinfo's newer files write the country's name where the older ones wrote its code.
    return code.upper() if isinstance(code, str) and len(code) == 2 else None


def _asn(value: object) -> int | None:
    text = str(value).upper().removeprefix("AS") if value else ""
    return int(text) if text.isdecimal() else None


def _number(value: object, bound: float) -> float | None:
    try:
        number = float(cast("str | float", value))
    except (TypeError, ValueError):
        return None
    return number if abs(number) <= bound else None


def _kind(record: Mapping[str, Any], traits: Mapping[str, Any]) -> NetworkKind | None:
    for flag, kind in _FLAGS.items():
        if record.get(flag) in (True, "true") or traits.get(flag) in (True, "true"):
            return kind
    if record.get("connection_type") == "Cellular":
        return "mobile"
    return _USER_TYPES.get(str(traits.get("user_type")))

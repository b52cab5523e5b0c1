"""What can be looked up about an event, before anybody judges it.

The enrichment in `streams` fills this in; judging it is the features' business. An event's own
fields win over a look-up, and what nobody knows stays None.
"""

from typing import Literal

import msgspec

from detectors.events import Event

NetworkKind = Literal["hosting", "vpn", "tor", "relay", "mobile", "education", "business", "access"]
DeviceType = Literal["desktop", "mobile", "tablet", "bot", "other"]


class Facts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Facts about one event's network, place and client.

    `prefix` is the address's network as text, /24 for IPv4 and /48 for IPv6; `address` its
    canonical text. `network_kind` is None where nobody knows (which is not "a home"); `access` is
    a consumer access network. `country` is ISO 3166-1 alpha-2; `latitude`, `longitude` are WGS-84
    degrees. `browser`, `os` are families without version ("Chrome Mobile", "iOS");
    `browser_version` and `os_version` are the major version.
    """

    address: str | None = None
    prefix: str | None = None
    asn: int | None = None
    network_kind: NetworkKind | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    browser: str | None = None
    browser_version: str | None = None
    os: str | None = None
    os_version: str | None = None
    device_type: DeviceType | None = None


NOTHING_KNOWN = Facts()


def client_named(browser: str | None, system: str | None) -> str | None:
    """Return a client for people, "Firefox on Linux", by what is known of it; None for nothing."""
    return " on ".join([part for part in (browser, system) if part]) or None


def network_named(operator: str, country: str | None) -> str:
    """Return a network for people, "AS5410 (FR)", by its operator or range, and its country."""
    return f"{operator} ({country})" if country else operator


class Observed(msgspec.Struct, frozen=True, gc=False):
    """An event with what could be looked up about it."""

    event: Event
    facts: Facts

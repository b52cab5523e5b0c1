"""What kind of network an address belongs to, judged by its operator before its address.

`networks.csv` names some 370 autonomous systems that most shoppers, and most attackers, come
from: hosting companies, VPN services, Tor relays' operators, private relays, mobile carriers,
universities' networks, security gateways of businesses, and broadband providers. It was written
by hand for this product, from what the registries (RIPE, ARIN, APNIC) and the operators' own
pages say who they are, and claims no more than its kind column: a carrier that sells both phones
and broadband under one number is `access`, and a hosting company that mostly rents to VPN
services is `vpn`. What is not in it is judged by its operator's name, where a look-up file tells
it, and where not even the operator is known, by iporigin's lists of addresses.
"""

import csv
import re
from functools import cache
from importlib.resources import files
from typing import Final, get_args

import iporigin

from detectors.errors import ConfigurationError
from detectors.facts import NetworkKind

_BY_ADDRESS: Final[dict[str, NetworkKind]] = {
    iporigin.HOSTING: "hosting",
    iporigin.CDN: "hosting",
    iporigin.BOT: "hosting",
    iporigin.VPN: "vpn",
    iporigin.TOR: "tor",
}

# In this order: "Vodafone Hosting" is hosting, "University Mobile Network" is a university's.
_NAMES: Final[dict[NetworkKind, str]] = {
    "vpn": r"\bvpn\b|proxy|anonym",
    "tor": r"\btor\b.*\b(exit|relay)|torservers",
    "hosting": r"hosting|\bhost(ed|s)?\b|data ?cent(er|re)|\bcloud|\bservers?\b|\bvps\b"
    r"|\bcolo(cation)?\b|dedicated|\bcdn\b|web ?services",
    "education": r"universit|college|\bschool|academ|research|education|institute of tech",
    "mobile": r"\bmobile?\b|mobilfunk|cellular|wireless|\bgsm\b|\blte\b|\b[345]g\b",
    "access": r"broadband|tele?[ck]om|\bcable|\bfib(er|re)|\bdsl\b|\bisp\b|internet service"
    r"|telef[oó]nica|communications",
}
_BY_NAME: Final = {kind: re.compile(text, re.IGNORECASE) for kind, text in _NAMES.items()}


@cache
def known_networks() -> dict[int, NetworkKind]:
    """Return the kind of every autonomous system in `networks.csv`."""
    kinds: tuple[NetworkKind, ...] = get_args(NetworkKind)
    known: dict[int, NetworkKind] = {}
    text = files("streams.enrichment").joinpath("networks.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        kind = next((kind for kind in kinds if kind == row["kind"]), None)
        if kind is None:
            raise ConfigurationError(f"networks.csv: there is no kind of network {row['kind']!r}")
        known[int(row["asn"])] = kind
    return known


def kind_by_operator(asn: int, name: str | None = None) -> NetworkKind | None:
    """Return what kind of network an operator runs: by its number, else by its name."""
    kind = known_networks().get(asn)
    return kind if kind is not None or not name else kind_by_name(name)


def kind_by_name(name: str) -> NetworkKind | None:
    """Return the kind that an operator's name gives away, or None."""
    return next((kind for kind, pattern in _BY_NAME.items() if pattern.search(name)), None)


def kind_by_address(address: str) -> NetworkKind | None:
    """Return the kind that iporigin's lists of addresses tell; None is not "a home"."""
    origin = iporigin.classify(address)  # type: ignore[no-untyped-call]  # half of it is typed
    return _BY_ADDRESS.get(origin.kind)

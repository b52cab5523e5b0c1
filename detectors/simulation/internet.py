"""An invented internet: which block belongs to which operator at which place, and who gets what.

Blocks are drawn from the run's seed, so two seeds share no addresses on purpose. Every address
of a block is looked up alike: the row that an event carries is the row of the look-up file.
"""

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import NamedTuple

from detectors.facts import NetworkKind
from detectors.simulation.chance import Chance, Weighted, seed_of, stream
from detectors.simulation.operators import OPERATORS, Operator
from detectors.simulation.places import CITIES, Place

# First octets whose /16s are handed out; none holds a reserved block.
_OCTETS = (
    2, 5, 23, 31, 37, 45, 46, 51, 62, 64, 67, 71, 73, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87,
    88, 89, 90, 91, 92, 93, 94, 95, 104, 109, 134, 138, 141, 143, 145, 146, 149, 151, 154, 159,
    163, 176, 178, 185, 188, 193, 194, 195, 212, 213, 217,
)  # fmt: skip
_SITES = {
    "access": 99,
    "mobile": 4,
    "education": 12,
    "business": 6,
    "hosting": 2,
    "vpn": 2,
    "relay": 14,
}


class Site(NamedTuple):
    """One operator's block at one place: a /22 of IPv4 and a /40 of IPv6.

    `place` is what a look-up says, which need not be where its users are.
    """

    operator: Operator
    place: Place
    v4: int
    v6: int

    def v4_address(self, number: int) -> str:
        """Dotted text of one of the block's 1,022 usable addresses, by any number."""
        value = self.v4 + 1 + number % 1022
        return _dotted(value)

    def v6_address(self, line: int, suffix: int) -> str:
        """Text of an address in a line's /64 (24 bits of `line`, 64 of `suffix`)."""
        return str(IPv6Address(self.v6 | (line & 0xFFFFFF) << 64 | suffix & (1 << 64) - 1))


LookupRow = tuple[str, int, str, str, str, float, float]
"""Network, AS number, country, region, city, latitude, longitude."""


class Line(NamedTuple):
    """An address as the shop sees it, and the site it is looked up as."""

    address: str
    site: Site


class Internet:
    """All sites of a run, by kind and country."""

    def __init__(self, seed: int) -> None:
        chance = stream(seed, "internet")
        self._sites: dict[tuple[NetworkKind, str], list[Site]] = defaultdict(list)
        blocks = _free_blocks(chance)
        for operator in OPERATORS:
            for place in _places(operator, chance):
                self._sites[operator.kind, operator.country].append(
                    Site(operator, _located(place, chance), *next(blocks))
                )
        self._choices = {
            key: Weighted((site, site.operator.share) for site in sites)
            for key, sites in self._sites.items()
        }
        self._near = {
            (kind, city): Weighted((site, site.operator.share) for site in sites)
            for (kind, city), sites in self._by_city().items()
        }

    def _by_city(self) -> dict[tuple[NetworkKind, str], list[Site]]:
        found: dict[tuple[NetworkKind, str], list[Site]] = defaultdict(list)
        for (kind, _), sites in self._sites.items():
            for site in sites:
                found[kind, site.place.city].append(site)
        return found

    def site(self, kind: NetworkKind, country: str, chance: Chance, city: str = "") -> Site:
        """Pick a site of this kind, in the city where there is one, else in the country."""
        choice = self._near.get((kind, city)) or self._choices.get((kind, country))
        return (choice or self._choices[kind, "GB"]).pick(chance)

    def rows(self) -> Iterator[LookupRow]:
        """Every block as a row of the look-up file: network, asn, country, … longitude."""
        for sites in self._sites.values():
            for site in sites:
                place = site.place
                for network in (f"{_dotted(site.v4)}/22", f"{IPv6Address(site.v6)}/40"):
                    yield (network, site.operator.asn, *place)


def _dotted(value: int) -> str:
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def _free_blocks(chance: Chance) -> Iterator[tuple[int, int]]:
    """IPv4 /22s and IPv6 /40s in no telling order, each once."""
    sixteens = [octet << 24 | second << 16 for octet in _OCTETS for second in range(1, 254)]
    chance.shuffle(sixteens)
    for number, sixteen in enumerate(sixteens):
        high = 0x2A00_0000 + (number * 37 + chance.getrandbits(3)) * 8
        for quarter in chance.sample(range(64), 64):
            yield sixteen | quarter << 10, (high << 96) | (quarter << 88)


def _places(operator: Operator, chance: Chance) -> list[Place]:
    cities = CITIES[operator.country].values
    if len(cities) <= _SITES[operator.kind]:
        return list(cities)
    # The biggest cities come first in the table, but the sites of an operator are its own.
    return list(
        dict.fromkeys(CITIES[operator.country].pick(chance) for _ in range(_SITES[operator.kind]))
    )


def _located(place: Place, chance: Chance) -> Place:
    """Say where a look-up believes a block is: near the city, for one in sixteen elsewhere."""
    if chance.happens(1 / 16):
        place = CITIES[place.country].pick(chance)
    return place._replace(
        latitude=round(place.latitude + chance.gauss(0, 0.04), 4),
        longitude=round(place.longitude + chance.gauss(0, 0.06), 4),
    )


def lookup_rows(seed: int) -> Iterator[LookupRow]:
    """The look-up file's rows of the run with this seed."""
    return Internet(seed).rows()


def shared_line(site: Site, time: float, chance: Chance) -> Line:
    """An egress address of a site that many share; the set in use changes from week to week."""
    week = int(time // (7 * 86400))
    slot = chance.randrange(max(1, site.operator.egress))
    if site.operator.v6 and chance.happens(site.operator.v6):
        return Line(site.v6_address(chance.getrandbits(24), chance.getrandbits(64)), site)
    return Line(site.v4_address(seed_of(site.v4, week // 2, slot)), site)


def any_line(site: Site, time: float, chance: Chance) -> Line:
    """Some line of a site, for somebody who has no line of their own there."""
    if site.operator.egress:
        return shared_line(site, time, chance)
    if chance.happens(site.operator.v6):
        return Line(site.v6_address(chance.getrandbits(24), chance.getrandbits(64)), site)
    return Line(site.v4_address(chance.getrandbits(16)), site)

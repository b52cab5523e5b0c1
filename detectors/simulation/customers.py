"""Who the customers are: a home, lines, devices, tastes and what happens in their lives.

A customer is a pure function of the run's seed and a number, and so is what surrounds them at
any time: a home is shared by following the same rule to the same root, never by a register.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeVar

from detectors.facts import NetworkKind
from detectors.simulation.calendar import DAY, Calendar
from detectors.simulation.chance import Chance, Weighted, seed_of, stream, token_of
from detectors.simulation.devices import Device, draw_device
from detectors.simulation.goods import CATEGORIES
from detectors.simulation.internet import Internet, Line, Site
from detectors.simulation.places import AREAS, BUSINESS, CITIES, CUSTOMERS, HOLIDAY, Place, anywhere

T = TypeVar("T")

REMEMBERED = 40_000  # customers kept in memory; the rest are drawn again when they come
HOUSEHOLD = 0.25  # share of customers who live with the one before them


class Address(NamedTuple):
    """A delivery address. `token` is what the shop calls it."""

    token: str
    postcode: str
    country: str


class Trip(NamedTuple):
    """Days away from home. `reason` names the circumstance it is."""

    begins: float
    ends: float
    place: Place
    reason: str


@dataclass(slots=True)
class Home:
    """A household's place and line. `lease` is the days an IPv4 address stays the same."""

    place: Place
    site: Site
    number: int
    lease: float
    address: Address
    tablet: Device | None

    def line(self, time: float, chance: Chance) -> Line:
        """The address that the household's traffic comes from."""
        operator = self.site.operator
        if operator.v6 > (self.number % 1000) / 1000 and chance.happens(0.85):
            return Line(self.site.v6_address(self.number, chance.getrandbits(64)), self.site)
        if operator.egress:
            slot = (self.number + int(time / DAY / self.lease)) % operator.egress
            return Line(self.site.v4_address(slot * 37), self.site)
        lease = int((time / DAY + self.number % 97) / self.lease)
        return Line(self.site.v4_address(seed_of(self.number, lease)), self.site)


@dataclass(slots=True)
class Customer:
    """One account's owner. Times are UTC epoch seconds; `mail` is the e-mail's hash.

    `homes`, `phones` hold (since, what) with the newest last: people move and buy phones.
    """

    number: int
    account_id: str
    shares_home: bool
    homes: list[tuple[float, Home]]
    phones: list[tuple[float, Device]]
    desktop: Device | None
    carrier: Site
    work: int | None
    campus: bool
    vpn: float
    relay: bool
    trips: list[Trip]
    friends: list[Address]
    tastes: Weighted[str]
    appetite: float
    buys: float
    method: str
    mfa: bool
    slips: float
    payment_id: str
    second_payment_id: str
    points: int
    collects: float
    mail: str

    def home(self, time: float) -> Home:
        """Where the customer lives at this time."""
        return _current(self.homes, time)

    def phone(self, time: float) -> Device:
        """The phone in the customer's pocket at this time."""
        return _current(self.phones, time)

    def trip(self, time: float) -> Trip | None:
        """The trip the customer is on at this time, if any."""
        for trip in self.trips:
            if trip.begins <= time < trip.ends:
                return trip
        return None


def _current(history: list[tuple[float, T]], time: float) -> T:
    for since, what in reversed(history):
        if time >= since:
            return what
    return history[0][1]


_METHODS = Weighted((("password", 84), ("social", 8), ("passkey", 4), ("otp", 4)))
_VPN = Weighted(((0.0, 92), (0.3, 5), (0.97, 3)))


class Population:
    """Everybody who has an account, drawn when first asked for and forgotten when long unused."""

    def __init__(self, seed: int, accounts: int, calendar: Calendar, internet: Internet) -> None:
        self.seed, self.accounts = seed, accounts
        self._calendar, self._internet = calendar, internet
        self.customer = lru_cache(maxsize=REMEMBERED)(self._draw)
        self._home = lru_cache(maxsize=REMEMBERED // 8)(self._draw_home)

    def account_id(self, number: int) -> str:
        """The account's id in the shop's books."""
        return "c" + token_of(10, self.seed, "account", number)

    def _root(self, number: int) -> int:
        """The first member of a customer's household."""
        while number > 0 and seed_of(self.seed, "shares a home", number) < HOUSEHOLD * 2**64:
            number -= 1
        return number

    def _draw_home(self, root: int, move: int) -> Home:
        chance = stream(self.seed, "home", root, move)
        country = CUSTOMERS.pick(stream(self.seed, "country", root))
        place = CITIES[country].pick(chance)
        kind: NetworkKind = "mobile" if chance.happens(0.08) else "access"
        return Home(
            place=place,
            site=self._internet.site(kind, place.country, chance, place.city),
            number=chance.getrandbits(40),
            lease=chance.between(4, 200),
            address=new_address(place, chance),
            tablet=draw_device("tablet", chance) if chance.happens(0.3) else None,
        )

    def _draw(self, number: int) -> Customer:
        chance = stream(self.seed, "customer", number)
        root = self._root(number)
        homes = [(0.0, self._home(root, 0))]
        start, days = self._calendar.start, self._calendar.days
        if stream(self.seed, "moves", root).happens(0.012 * days / 30):
            homes.append((self._sometime(stream(self.seed, "moved", root)), self._home(root, 1)))
        place = homes[0][1].place
        phones = [(0.0, draw_device("phone", chance))]
        if chance.happens(0.035 * (days + 15) / 30):
            phones.append((self._sometime(chance), _next_phone(phones[0][1], chance)))
        return Customer(
            number=number,
            account_id=self.account_id(number),
            shares_home=root != number,
            homes=homes,
            phones=phones,
            desktop=draw_device("desktop", chance) if chance.happens(0.6) else None,
            carrier=self._internet.site("mobile", place.country, chance),
            work=self._office(chance) if place.country == "GB" else None,
            campus=chance.happens(0.04),
            vpn=_VPN.pick(chance),
            relay=chance.happens(0.14),
            trips=self._trips(place, chance, start, days),
            friends=[
                new_address(anywhere(place, chance), chance)
                for _ in range(chance.choice((0, 0, 1, 2)))
            ],
            tastes=Weighted((category, chance.between(0.2, 8)) for category in CATEGORIES),
            appetite=chance.around(1.0, 0.35),
            buys=chance.choice((0.12, 0.25, 0.35, 0.5)),
            method=_METHODS.pick(chance),
            mfa=chance.happens(0.08),
            slips=chance.choice((0.03, 0.05, 0.1, 0.3)),
            payment_id="p" + chance.token(12),
            second_payment_id="p" + chance.token(12),
            points=int(chance.around(600, 1.2)),
            collects=chance.choice((0.02, 0.05, 0.1, 0.6)),
            mail=chance.token(12),
        )

    def _sometime(self, chance: Chance) -> float:
        return self._calendar.start + DAY * (self._calendar.days + 15) * chance.random() - 15 * DAY

    def _office(self, chance: Chance) -> int | None:
        """The number of the firm that a customer works at, if they shop from there at all."""
        return chance.randrange(max(3, self.accounts // 150)) if chance.happens(0.3) else None

    def _trips(self, home: Place, chance: Chance, start: float, days: float) -> list[Trip]:
        trips = []
        time = start - 10 * DAY + chance.expovariate(0.2 / 30) * DAY
        while time < start + days * DAY:
            length, place, reason = _journey(home, chance)
            trips.append(Trip(time, time + length * DAY, place, reason))
            time += DAY * (length + chance.expovariate(0.2 / 30))
        return trips


def _journey(home: Place, chance: Chance) -> tuple[float, Place, str]:
    if chance.happens(0.3):
        return chance.between(1, 5), CITIES[BUSINESS.pick(chance)].pick(chance), "business_travel"
    if chance.happens(0.35):
        return chance.between(1.5, 5), CITIES[home.country].pick(chance), "holiday_travel"
    return chance.between(4, 16), CITIES[HOLIDAY.pick(chance)].pick(chance), "holiday_travel"


def _next_phone(old: Device, chance: Chance) -> Device:
    """Most stay with their platform; the new one is up to date and knows no cookie."""
    new = draw_device("phone", chance)
    while new.platform != old.platform and chance.happens(0.8):
        new = draw_device("phone", chance)
    new.lag = min(new.lag, 4.0)
    return new


def new_address(place: Place, chance: Chance) -> Address:
    """An address in a place that the shop has not seen before."""
    if place.country == "GB":
        area = chance.choice(AREAS[place.city])
        code = f"{area}{chance.randrange(1, 30)} {chance.randrange(1, 10)}"
        code += chance.choice("ABDEFGHJLNPQRSTUWXYZ") + chance.choice("ABDEFGHJLNPQRSTUWXYZ")
    else:
        code = f"{10 + int(abs(place.latitude))}{chance.randrange(1000):03d}"
    return Address("a" + chance.token(12), code, place.country)

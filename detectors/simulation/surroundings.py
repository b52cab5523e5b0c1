"""With which device, from which network: home, work, the street, a trip, a terminal in a shop."""

from typing import NamedTuple

from detectors.simulation.calendar import DAY
from detectors.simulation.chance import Chance, Weighted, stream
from detectors.simulation.customers import Customer
from detectors.simulation.devices import SCRIPTS, Device, draw_device
from detectors.simulation.internet import Line, Site, any_line, shared_line
from detectors.simulation.world import World

_KIOSKS = 24
_SERVERS = Weighted((("GB", 6), ("DE", 2), ("NL", 2), ("FR", 2), ("US", 2), ("RO", 1)))
_VPN_EXITS = Weighted((("GB", 68), ("NL", 14), ("US", 11), ("DE", 7)))


class Surroundings(NamedTuple):
    """A device, a line, and what is odd about them."""

    device: Device
    line: Line
    circumstances: tuple[str, ...]


class _Visitor(NamedTuple):
    """A customer at a time, with what their visit draws from."""

    world: World
    customer: Customer
    time: float
    chance: Chance

    def at(self, device: Device, site: Site, odd: tuple[str, ...]) -> Surroundings:
        """Somewhere at a site where the customer has no line of their own."""
        return Surroundings(device, any_line(site, self.time, self.chance), odd)


def choose_surroundings(
    world: World, customer: Customer, time: float, chance: Chance
) -> Surroundings:
    """Draw where a visit happens."""
    if chance.happens(0.004):
        return _kiosk(world, time, chance)
    visitor = _Visitor(world, customer, time, chance)
    trip = customer.trip(time)
    device, odd = _device(visitor, away=trip is not None)
    if chance.happens(customer.vpn):
        return _tunnel(visitor, device, odd)
    if trip is not None:
        if device.form == "phone" and chance.happens(0.5):
            # Roaming traffic leaves through the carrier at home.
            return visitor.at(device, customer.carrier, (*odd, trip.reason))
        site = world.internet.site("access", trip.place.country, chance, trip.place.city)
        return visitor.at(device, site, (*odd, trip.reason))
    if customer.relay and device.browser == "safari" and chance.happens(0.9):
        place = customer.home(time).place
        site = world.internet.site("relay", place.country, chance, place.city)
        return visitor.at(device, site, (*odd, "privacy_relay"))
    return _about_town(visitor, device, odd)


def _tunnel(visitor: _Visitor, device: Device, odd: tuple[str, ...]) -> Surroundings:
    """A VPN service's exit or, for one in six, a rented server that is the customer's own."""
    world, customer, _, chance = visitor
    own = stream(world.seed, "tunnel", customer.number)
    if own.happens(1 / 6):
        site = world.internet.site("hosting", _SERVERS.pick(own), own)
        line = Line(site.v4_address(own.getrandbits(16)), site)
        return Surroundings(device, line, (*odd, "vpn"))
    site = world.internet.site("vpn", _VPN_EXITS.pick(chance), chance)
    return visitor.at(device, site, (*odd, "vpn"))


def _device(visitor: _Visitor, *, away: bool) -> tuple[Device, tuple[str, ...]]:
    world, customer, time, chance = visitor
    draw = chance.random()
    if customer.desktop is not None and draw < (0.1 if away else 0.42):
        return customer.desktop, ()
    tablet = customer.home(time).tablet
    if tablet is not None and draw > 0.85:
        return tablet, ("shared_tablet",)
    phone = customer.phone(time)
    odd: tuple[str, ...] = ()
    if len(customer.phones) > 1 and 0 <= time - customer.phones[1][0] < 10 * DAY:
        odd = ("new_phone",)
    if phone.browser == "app" and world.calendar.just_released(time):
        odd = (*odd, "app_release")
    return phone, odd


def _about_town(visitor: _Visitor, device: Device, odd: tuple[str, ...]) -> Surroundings:
    world, customer, time, chance = visitor
    draw = chance.random()
    if device.form == "phone" and draw < 0.38:
        return visitor.at(device, customer.carrier, (*odd, "carrier_gateway"))
    home = customer.home(time)
    if customer.campus and draw < 0.75:
        campus = stream(world.seed, "campus", home.number % 12)
        site = world.internet.site("education", "GB", campus)
        return visitor.at(device, site, (*odd, "campus"))
    if customer.work is not None and device.form != "tablet" and draw < 0.6:
        return _office(visitor, device, customer.work, odd)
    if device.form == "phone" and draw > 0.93:
        # A friend's or a café's line.
        place = home.place
        site = world.internet.site("access", place.country, chance, place.city)
        return visitor.at(device, site, odd)
    if len(customer.homes) > 1 and 0 <= time - customer.homes[1][0] < 21 * DAY:
        odd = (*odd, "moving_house")
    elif customer.shares_home:
        odd = (*odd, "household")
    return Surroundings(device, home.line(time, chance), odd)


def _office(visitor: _Visitor, device: Device, number: int, odd: tuple[str, ...]) -> Surroundings:
    """A firm's one address, or the cloud proxy that its browsers go through."""
    own = stream(visitor.world.seed, "office", number)
    site = visitor.world.internet.site("business", "GB", own)
    if site.operator.egress:
        return visitor.at(device, site, (*odd, "office"))
    return Surroundings(device, Line(site.v4_address(own.getrandbits(16)), site), (*odd, "office"))


def _kiosk(world: World, time: float, chance: Chance) -> Surroundings:
    own = stream(world.seed, "kiosk", chance.randrange(_KIOSKS))
    device = draw_device("desktop", own)
    site = world.internet.site("business", "GB", own)
    slot = own.getrandbits(16)
    line = (
        shared_line(site, time, chance)
        if site.operator.egress
        else Line(site.v4_address(slot), site)
    )
    return Surroundings(device, line, ("kiosk",))


def script_surroundings(
    world: World, customer: Customer, time: float, chance: Chance
) -> tuple[Device, Line]:
    """A customer's own script: a rented server or the home line, no cookie, a tool's user agent."""
    own = stream(world.seed, "script", customer.number)
    device = draw_device("desktop", own)
    device.cookie = None
    if own.happens(0.6):
        device.raw = own.choice(SCRIPTS)
    if own.happens(0.5):
        site = world.internet.site("hosting", "GB", own)
        return device, Line(site.v4_address(own.getrandbits(16)), site)
    return device, customer.home(time).line(time, chance)

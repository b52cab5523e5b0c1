"""Thieves: a campaign's crew, with its tools, lines, drop addresses and wares, and one hijack.

What a crew shares (devices, addresses, networks) is drawn once a campaign; what it hides is drawn
anew for each victim. Its devices and homes come from the same draws as the customers'.
"""

import math
from dataclasses import replace

from detectors.simulation.calendar import HOURS
from detectors.simulation.chance import Chance, Weighted, stream
from detectors.simulation.customers import Address, Customer, new_address
from detectors.simulation.devices import SCRIPTS, Device, Form, draw_device
from detectors.simulation.feedback import report_takeover
from detectors.simulation.goods import fill_basket
from detectors.simulation.internet import Line, Site, any_line, shared_line
from detectors.simulation.places import CITIES
from detectors.simulation.recording import Checkout, Record, Scene, new_value
from detectors.simulation.world import Hijacked, Truth, World

_WARES = (
    Weighted((("electronics", 6), ("giftcard", 1))),
    Weighted((("electronics", 3), ("fashion", 3), ("sports", 2))),
    Weighted((("beauty", 3), ("fashion", 3), ("electronics", 1))),
    Weighted((("giftcard", 3), ("electronics", 1), ("home", 1))),
    Weighted((("fashion", 2), ("home", 2), ("toys", 2), ("electronics", 2))),
)
CODES = Weighted((("giftcard", 1),))
_LINES = Weighted(((1, 54), (2, 24), (3, 12), (4, 6), (6, 4)))
_PATIENT = 0.2
"""Share of crews that keep an account warm before they order (assumed)."""


class Crew:
    """A campaign of one family, against every shop that its underworld knows of.

    `ends` is when its thieves want to be done, if ever; `timing` draws when it strikes. It is
    `at_home` in a shop that has its underworld for itself. `patient` crews come a few times, over
    days, before they order, so that by then they are who always comes.
    """

    def __init__(self, world: World, family: str, number: int, ends: float) -> None:
        self.world, self.family, self.ends = world, family, ends
        self.chance = chance = stream(world.underworld, "crew", family, number)
        self.at_home = world.underworld == world.seed
        self.timing = stream(world.underworld, "timing", family, number)
        self.campaign = "k" + chance.token(10)
        self.tools = [draw_device(self._form(), chance) for _ in range(chance.choice((1, 2, 3)))]
        self.careless = chance.happens(0.3)
        patience = stream(world.underworld, "patience", family, number)
        self.patient = patience.happens(_PATIENT) and ends == math.inf
        self.scripted = chance.choice(SCRIPTS) if chance.happens(0.2) else None
        self.wares = chance.choice(_WARES)
        self.drops = [
            new_address(CITIES["GB"].pick(chance), chance)
            for _ in range(chance.choice((1, 1, 2, 3)))
        ]
        self.counters = [chance.randrange(40), chance.randrange(40)]
        self.servers = [self._server() for _ in range(chance.randrange(1, 6))]
        self.exit = world.internet.site("vpn", chance.choice(("GB", "NL", "US", "DE")), chance)
        self.base = world.internet.site(
            "access", chance.choice(("RO", "IN", "VN", "MA", "NL", "ID", "BR", "UA")), chance
        )

    def _form(self) -> Form:
        return self.chance.choice(("desktop", "phone"))

    def _server(self) -> Line:
        site = self.world.internet.site(
            "hosting", self.chance.choice(("GB", "DE", "NL", "US", "FR", "RO")), self.chance
        )
        return Line(site.v4_address(self.chance.getrandbits(16)), site)

    def device(self, chance: Chance) -> Device:
        """A tool as one victim meets it: most crews begin each with a clean browser profile."""
        tool = chance.choice(self.tools)
        if self.careless or tool.cookie is None:
            return tool
        return replace(tool, cookie=chance.getrandbits(63), cookie_days=None)

    def machine(self, chance: Chance) -> Device:
        """What tries passwords: mostly a browser's likeness, sometimes plainly a script."""
        tool = self.device(chance)
        if self.scripted is not None:
            return replace(tool, raw=self.scripted, cookie=None)
        if self.careless:
            return tool
        cookie = chance.getrandbits(63) if chance.happens(0.8) else None
        return replace(tool, cookie=cookie, cookie_days=None)

    def line(self, how: str, victim: Customer, time: float, chance: Chance) -> Line:
        """A line: server, vpn, base, carrier, near, or home (a home in the country)."""
        internet, place = self.world.internet, victim.home(time).place
        if how == "server":
            return chance.choice(self.servers)
        site: Site
        if how == "vpn":
            return shared_line(self.exit, time, chance)
        if how == "base":
            site = self.base
        elif how == "carrier":
            site = internet.site("mobile", place.country, chance)
        else:
            site = internet.site(
                "access", place.country, chance, place.city if how == "near" else ""
            )
        return any_line(site, time, chance)

    def hijack(self, number: int) -> "Hijack":
        """Begin with a victim."""
        return Hijack(self, self.world.population.customer(number))

    def attempt(self, scene: Scene, time: float, chance: Chance, reason: str) -> None:
        """A try that gives no access."""
        record = self.world.recorder.login(scene, time, chance, outcome="failure", reason=reason)
        self.world.emit(time, record, Truth(self.family, self.campaign, takeover=False))


class Hijack:
    """One account in a thief's hands: every event it leads to is labelled."""

    def __init__(self, crew: Crew, victim: Customer) -> None:
        self.crew, self.victim, self.world = crew, victim, crew.world
        self.chance = stream(self.world.seed, "hijack", crew.family, crew.campaign, victim.number)
        self.scene = Scene(victim.account_id, None, None)
        self.locked_out = False
        self._events: list[Record] = []
        self._truth = Truth(crew.family, crew.campaign, takeover=True)

    def appear(self, how: str, time: float, device: Device | None = None) -> None:
        """Come from a line of this kind, with a tool of the crew's or the device given."""
        line = self.crew.line(how, self.victim, time, self.chance)
        self.scene = self.scene._replace(device=device or self.crew.device(self.chance), line=line)

    def victims_device(self, time: float, *, cookie: bool, same_browser: bool = True) -> Device:
        """Seem to be the victim's device: its user agent, and its cookie if that was stolen too."""
        known = self.world.sessions.get(self.victim.number)
        own = known.device if known is not None else self.victim.phone(time)
        tool = own if same_browser else self.chance.choice(self.crew.tools)
        if cookie:
            return replace(tool, copied=own.device_id(time), cookie=None)
        return replace(tool, cookie=self.chance.getrandbits(63), cookie_days=None)

    def victims_session(self) -> str:
        """The token of the victim's latest session, or of one older than the run."""
        known = self.world.sessions.get(self.victim.number)
        return known.token if known is not None else "s" + self.chance.token(16)

    def after(self, time: float, seconds: float, spread: float = 0.8) -> float:
        """When the thief goes on; those who want to be done by a time make haste for it."""
        wait, haste = self.chance.around(seconds, spread), 0.2 + 0.6 * self.chance.random()
        room = self.crew.ends - time
        return time + (wait if wait < room else room * haste)

    def fail(self, time: float, reason: str = "bad_password") -> None:
        """Try the door in vain."""
        self.crew.attempt(self.scene._replace(session=None), time, self.chance, reason)

    def sign_in(self, time: float, *, method: str = "password", mfa: str = "none") -> None:
        """Get in; a new session begins."""
        self.scene = self.scene.signed_in(self.chance)
        record = self.world.recorder.login(self.scene, time, self.chance, method=method, mfa=mfa)
        self._emit(time, record)

    def change(
        self, time: float, what: str, *, actor: str = "customer", value: str | None = None
    ) -> None:
        """Change the account, to a new value of the thief's unless one is given."""
        value = value or new_value(what, self.chance)
        if what in {"email", "password", "password_reset_completed"}:
            self.locked_out = True
        record = self.world.recorder.change(
            self.scene, time, self.chance, what, actor=actor, value=value
        )
        self._emit(time, record)

    def order(
        self,
        time: float,
        *,
        delivery: str = "home",
        address: Address | None = None,
        wares: Weighted[str] | None = None,
        appetite: float = 1.0,
        gift_card: int = 0,
        points: int = 0,
        payment_id: str | None = None,
    ) -> None:
        """Order on the victim's account, with the victim's stored card unless another is given."""
        basket = fill_basket(
            wares or self.crew.wares, appetite, _LINES.pick(self.chance), self.chance
        )
        checkout = Checkout(
            basket,
            delivery,
            address,
            payment_id or self._payment(),
            gift_card=gift_card,
            points=points,
        )
        self._emit(time, self.world.recorder.order(self.scene, time, self.chance, checkout))

    def _payment(self) -> str:
        """Mostly the card that is stored; sometimes one stolen elsewhere."""
        if self.chance.happens(0.85):
            return self.victim.payment_id
        return "p" + self.chance.token(12)

    def drop(self) -> Address:
        """One of the campaign's delivery addresses."""
        return self.chance.choice(self.crew.drops)

    def done(self, time: float) -> None:
        """Leave; somebody may notice."""
        self.world.hijacked[self.victim.number] = Hijacked(time, self.locked_out)
        for said, verdict in report_takeover(self._events, time, self.chance):
            self.world.emit(said, verdict)

    def _emit(self, time: float, record: Record) -> None:
        self._events.append(record)
        self.world.emit(time, record, self._truth)


def waking_hour(time: float, chance: Chance) -> float:
    """Move a moment to an hour of its day at which people are about; half of the thieves care."""
    if chance.happens(0.5):
        return time
    hour = Weighted(enumerate(HOURS.tolist())).pick(chance)
    return time - time % 86400 + 3600 * (hour + chance.random())

"""What honest customers order and change once they are in."""

from datetime import UTC, datetime
from functools import lru_cache

from detectors.simulation.calendar import DAY
from detectors.simulation.chance import Chance, Weighted, stream
from detectors.simulation.customers import Address, Customer, Home, new_address
from detectors.simulation.feedback import review
from detectors.simulation.goods import Basket, fill_basket
from detectors.simulation.internet import any_line
from detectors.simulation.places import CITIES, anywhere
from detectors.simulation.recording import Checkout, Scene, new_value
from detectors.simulation.signing_in import Attempt

_LINES = Weighted(((1, 50), (2, 22), (3, 13), (4, 7), (5, 4), (7, 3), (11, 1)))
# Changes made on a visit for no other reason, and how often.
_ERRANDS = (
    ("phone", 0.008), ("email", 0.0025), ("password", 0.006), ("mfa_enrolled", 0.004),
    ("mfa_removed", 0.001), ("sessions_revoked", 0.002), ("payment", 0.012), ("address", 0.02),
)  # fmt: skip
_TUNNELS_AND_TRIPS = {"vpn", "privacy_relay", "holiday_travel", "business_travel", "kiosk"}


def maybe_order(
    attempt: Attempt, scene: Scene, time: float, *, eager: bool, mood: float = 1.0
) -> bool:
    """Let a customer who is in run errands and perhaps order; return whether they ordered."""
    chance, customer = attempt.chance, attempt.customer
    if not eager:
        _errands(attempt, scene, time)
    if not chance.happens(0.6 if eager else min(0.9, customer.buys * mood)):
        return False
    _order(attempt, scene, time, chance.around(400, 0.95))
    if chance.happens(0.06):
        _order(attempt, scene, time + 1200, chance.around(1500, 0.9))
    return True


def _errands(attempt: Attempt, scene: Scene, time: float) -> None:
    draw = attempt.chance.random()
    for what, share in _ERRANDS:
        if draw < share:
            value = new_value(what, attempt.chance)
            attempt.change(scene, time + attempt.chance.around(90, 0.8), what, value=value)
            return
        draw -= share


def _order(attempt: Attempt, scene: Scene, begun: float, browsed: float) -> None:
    """Order after browsing so many seconds; what the order needs is entered on the way."""
    time, entered = begun + browsed, begun + browsed * (0.5 + 0.45 * attempt.chance.random())
    chance, customer = attempt.chance, attempt.customer
    basket = fill_basket(customer.tastes, customer.appetite, _LINES.pick(chance), chance)
    delivery = _delivery(basket, customer, chance)
    address, odd = _address(attempt, scene, entered, delivery)
    if chance.happens(0.01):
        # The courier asks for a number.
        attempt.change(scene, entered, "phone", value=new_value("phone", chance))
    scene = _moved_on(attempt, scene, time, browsed)
    by_points = 0.3 if delivery == "digital" else 0.07
    checkout = Checkout(
        basket=basket,
        delivery=delivery,
        address=address,
        payment_id=_payment(attempt, scene, entered),
        gift_card=chance.choice((1000, 2000, 2500, 5000)) if chance.happens(0.05) else 0,
        points=_redeemed(customer, chance) if chance.happens(by_points) else 0,
    )
    record = attempt.world.recorder.order(scene, time, chance, checkout)
    circumstances = (*attempt.circumstances, *odd)
    attempt.world.emit(time, record, None, circumstances)
    for said, verdict in review(record, time, odd, chance):
        attempt.world.emit(said, verdict)


def _redeemed(customer: Customer, chance: Chance) -> int:
    return 100 * chance.randrange(1, 2 + customer.points // 100)


def _moved_on(attempt: Attempt, scene: Scene, time: float, browsed: float) -> Scene:
    """Who browses on a phone for long may have left the house: same session, another network."""
    customer, chance = attempt.customer, attempt.chance
    on_phone = scene.device is not None and scene.device.form == "phone"
    stays = not _TUNNELS_AND_TRIPS.isdisjoint(attempt.circumstances)
    if not on_phone or stays or browsed < 900 or not chance.happens(0.3):
        return scene
    if "carrier_gateway" in attempt.circumstances:
        return scene._replace(line=customer.home(time).line(time, chance))
    return scene._replace(line=any_line(customer.carrier, time, chance))


def _delivery(basket: Basket, customer: Customer, chance: Chance) -> str:
    if all(item["category"] == "giftcard" for item in basket.items):
        return "digital"
    if chance.happens(customer.collects):
        return "locker" if chance.happens(0.25) else "click_and_collect"
    return "home"


_COUNTERS = [place for at, place in enumerate(CITIES["GB"].values) for _ in range(3 - min(at, 2))]


@lru_cache(maxsize=512)
def pick_up(seed: int, kind: str, number: int) -> Address:
    """One of the shop's counters or lockers (`kind` is the way of delivery), by number."""
    return new_address(_COUNTERS[number], stream(seed, kind, number))


def _near(home: Home, chance: Chance) -> int:
    """The counter that one goes to: mostly one of the own city's, where there is any."""
    near = [number for number, place in enumerate(_COUNTERS) if place == home.place]
    if near and chance.happens(0.85):
        return near[home.number % len(near)]
    return chance.randrange(len(_COUNTERS))


def _address(
    attempt: Attempt, scene: Scene, time: float, delivery: str
) -> tuple[Address | None, tuple[str, ...]]:
    chance, customer = attempt.chance, attempt.customer
    home = customer.home(time)
    if delivery == "digital":
        return None, ()
    if delivery != "home":
        return pick_up(attempt.world.seed, delivery, _near(home, chance)), ()
    date = datetime.fromtimestamp(time, UTC)
    festive = date.month == 12 or (date.month == 11 and date.day > 15)
    if chance.happens(0.07 if festive else 0.02):
        address = new_address(anywhere(home.place, chance), chance)
        _entered(attempt, scene, time, address, "gift")
        return address, ("gift",)
    if customer.friends and chance.happens(0.08):
        return chance.choice(customer.friends), ()
    if len(customer.homes) > 1 and 0 <= time - customer.homes[1][0] < 15 * DAY:
        _entered(attempt, scene, time, home.address, "moving_house")
        return home.address, ("moving_house",)
    return home.address, ()


def _entered(attempt: Attempt, scene: Scene, time: float, address: Address, odd: str) -> None:
    """A new address is kept in the address book by about half."""
    if attempt.chance.happens(0.5):
        attempt.change(scene, time, "address", odd, value=address.token)


def _payment(attempt: Attempt, scene: Scene, time: float) -> str:
    chance, customer = attempt.chance, attempt.customer
    draw = chance.random()
    if draw < 0.9:
        return customer.payment_id
    if draw < 0.965:
        return customer.second_payment_id
    payment_id = "p" + chance.token(12)
    if chance.happens(0.6):
        attempt.change(scene, time, "payment", value=payment_id)
    return payment_id

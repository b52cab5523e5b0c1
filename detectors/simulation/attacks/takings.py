"""Attacks that are told apart by what is done on the account."""

from detectors.simulation.attacks.scripts import DAY, HOUR, MINUTE, cash_out, collect, keep_warm
from detectors.simulation.crews import CODES, Hijack
from detectors.simulation.world import Process


def spoofed_targeted(hijack: Hijack, time: float) -> Process:
    """From the victim's city, with the victim's user agent, and patience with the order."""
    known = hijack.chance.happens(0.2)
    hijack.appear("near", time, hijack.victims_device(time, cookie=known))
    if hijack.chance.happens(0.15):
        hijack.fail(time)
        time = hijack.after(time, 15)
        yield time
    hijack.sign_in(time)
    time = yield from keep_warm(hijack, time, "near")
    yield from cash_out(hijack, time, appetite=1.0)


def change_before_order(hijack: Hijack, time: float) -> Process:
    """Something is changed, and minutes to days later it serves an order."""
    chance = hijack.chance
    how = chance.choice(("home", "near", "vpn", "base", "base"))
    hijack.appear(how, time)
    hijack.sign_in(time)
    time = yield from keep_warm(hijack, time, how)
    time = hijack.after(time, 2 * MINUTE)
    yield time
    what = chance.choice(("email", "phone", "address", "address", "payment"))
    drop, card = hijack.drop(), "p" + chance.token(12)
    value = {"address": drop.token, "payment": card}.get(what)
    hijack.change(time, what, value=value)
    time = hijack.after(time, chance.between(2 * MINUTE, 7 * DAY), 0.1)
    yield time
    if chance.happens(0.7):
        hijack.appear(how, time, hijack.scene.device)
        hijack.sign_in(time)
        time = hijack.after(time, 4 * MINUTE)
        yield time
    hijack.order(time, address=drop, payment_id=card if what == "payment" else None, appetite=1.3)
    hijack.done(time)


def dormant_revival(hijack: Hijack, time: float) -> Process:
    """A long silent account signs in and orders."""
    how = hijack.chance.choice(("home", "vpn", "carrier", "base", "base"))
    hijack.appear(how, time)
    if hijack.chance.happens(0.3):
        hijack.change(time, "password_reset_requested")
        time = hijack.after(time, 80)
        yield time
        hijack.change(time, "password_reset_completed")
        time = hijack.after(time, 15)
        yield time
    hijack.sign_in(time)
    time = yield from keep_warm(hijack, time, how)
    yield from cash_out(hijack, time)


def checker_canary(hijack: Hijack, time: float) -> Process:
    """A checker orders something small; days later the buyer of the account cashes out."""
    chance = hijack.chance
    hijack.appear(chance.choice(("server", "server", "home", "vpn")), time)
    hijack.sign_in(time)
    time = hijack.after(time, 3 * MINUTE)
    yield time
    if chance.happens(0.5):
        hijack.order(time, delivery="digital", wares=CODES, appetite=0.1)
    else:
        hijack.order(time, address=hijack.victim.home(time).address, appetite=0.1)
    time = hijack.after(time, 3 * DAY, 0.7)
    yield time
    hijack.appear(chance.choice(("home", "vpn", "base", "base", "carrier")), time)
    hijack.sign_in(time)
    yield from cash_out(hijack, time, appetite=1.5)


def points_drain(hijack: Hijack, time: float) -> Process:
    """Points become codes, mostly all at once, or a gift card's balance becomes goods."""
    chance, points = hijack.chance, hijack.victim.points
    how = chance.choice(("home", "vpn", "carrier", "base", "base"))
    hijack.appear(how, time)
    hijack.sign_in(time)
    time = yield from keep_warm(hijack, time, how)
    for _ in range(chance.choice((1, 1, 2, 3))):
        time = hijack.after(time, 4 * MINUTE)
        yield time
        if points > 100 and chance.happens(0.7):
            spent = int(points * (1.0 if chance.happens(0.6) else chance.between(0.3, 0.9)))
            points -= spent
            hijack.order(time, delivery="digital", wares=CODES, points=spent)
        else:
            balance = chance.choice((1000, 2000, 2500, 5000))
            collect(hijack, time, appetite=0.5, gift_card=balance)
    hijack.done(time)


def click_and_collect(hijack: Hijack, time: float) -> Process:
    """Goods that somebody picks up within the day."""
    chance = hijack.chance
    how = chance.choice(("home", "near", "carrier", "vpn", "base"))
    hijack.appear(how, time)
    hijack.sign_in(time)
    time = yield from keep_warm(hijack, time, how)
    for _ in range(chance.choice((1, 1, 2))):
        time = hijack.after(time, 7 * MINUTE if chance.happens(0.8) else 3 * HOUR)
        yield time
        collect(hijack, time)
    hijack.done(time)

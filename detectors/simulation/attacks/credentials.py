"""Leaked and common passwords: tried by machines, used by people."""

from detectors.simulation.attacks.scripts import DAY, HOUR, MINUTE, cash_out, keep_warm
from detectors.simulation.crews import Hijack
from detectors.simulation.world import Process


def stuffing_fast(hijack: Hijack, time: float) -> Process:
    """A server finds the password; somebody comes back for the goods, or never does."""
    yield from _found(hijack, time, "server", soon=2 * HOUR)


def stuffing_slow(hijack: Hijack, time: float) -> Process:
    """A try from somebody's home fits; the thief comes back from another."""
    yield from _found(hijack, time, "home", soon=20 * MINUTE)


def spraying(hijack: Hijack, time: float) -> Process:
    """A common password fits, from any of many lines."""
    how = hijack.chance.choice(("server", "home", "vpn", "carrier"))
    yield from _found(hijack, time, how, soon=HOUR)


def _found(hijack: Hijack, time: float, how: str, *, soon: float) -> Process:
    chance = hijack.chance
    hijack.appear(how, time, hijack.crew.machine(chance))
    hijack.sign_in(time)
    if chance.happens(0.25):
        hijack.done(time)
        return
    if hijack.crew.scripted or chance.happens(0.6):
        time = hijack.after(time, soon if chance.happens(0.7) else 2 * DAY, 1.0)
        yield time
        how = chance.choice(("vpn", "home", "base", "base", "carrier"))
        hijack.appear(how, time)
        hijack.sign_in(time)
    time = yield from keep_warm(hijack, time, how)
    yield from cash_out(hijack, time)

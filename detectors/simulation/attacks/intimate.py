"""Attacks that get at the victim, their phone, their browser or the shop's own people."""

from detectors.simulation.attacks.scripts import DAY, HOUR, MINUTE, cash_out
from detectors.simulation.crews import Hijack
from detectors.simulation.recording import Scene
from detectors.simulation.world import Process


def aitm_relay(hijack: Hijack, time: float) -> Process:
    """The victim signs in through the relay's server; the session goes on at the thief's."""
    device = hijack.victims_device(time, cookie=False)
    hijack.appear("server", time, device)
    if hijack.chance.happens(0.2):
        hijack.fail(time)
        time = hijack.after(time, 20)
        yield time
    hijack.sign_in(time, mfa="passed" if hijack.chance.happens(0.85) else "none")
    time = hijack.after(time, 25 * MINUTE, 1.2)
    yield time
    hijack.appear(hijack.chance.choice(("home", "vpn", "base")), time)
    if hijack.chance.happens(0.4):
        hijack.change(time, hijack.chance.choice(("phone", "email")))
    yield from cash_out(hijack, time)


def cookie_theft(hijack: Hijack, time: float) -> Process:
    """The victim's session, copied by malware, goes on elsewhere; often with its device cookie."""
    session = hijack.victims_session()
    hijack.scene = hijack.scene._replace(session=session)
    if hijack.chance.happens(0.45):
        device = hijack.victims_device(time, cookie=True, same_browser=hijack.chance.happens(0.4))
        hijack.appear(hijack.chance.choice(("home", "vpn", "near", "base")), time, device)
    else:
        hijack.appear(hijack.chance.choice(("home", "vpn", "near", "base", "base")), time)
    if hijack.chance.happens(0.3):
        hijack.change(time, "email" if hijack.chance.happens(0.3) else "phone")
    yield from cash_out(hijack, time)


def sim_swap_reset(hijack: Hijack, time: float) -> Process:
    """The codes come to the thief's phone: reset, sign-in, contact change, order."""
    hijack.appear(hijack.chance.choice(("carrier", "carrier", "home", "vpn", "base")), time)
    hijack.change(time, "password_reset_requested")
    time = hijack.after(time, 90)
    yield time
    hijack.change(time, "password_reset_completed")
    time = hijack.after(time, 25)
    yield time
    hijack.sign_in(time, method="otp" if hijack.chance.happens(0.4) else "password", mfa="passed")
    time = hijack.after(time, 3 * MINUTE)
    yield time
    hijack.change(time, hijack.chance.choice(("email", "email", "phone")))
    yield from cash_out(hijack, time)


def insider(hijack: Hijack, time: float) -> Process:
    """The console changes contact or address; an accomplice resets, signs in and orders."""
    chance = hijack.chance
    hijack.scene = hijack.world.support_desk(time, hijack.victim.account_id)
    what = chance.choice(("email", "phone", "email", "password_reset_requested"))
    hijack.change(time, what, actor="support")
    if hijack.victim.mfa or chance.happens(0.2):
        time = hijack.after(time, 4 * MINUTE)
        yield time
        hijack.change(time, "mfa_removed", actor="support")
    time = hijack.after(time, HOUR if chance.happens(0.6) else DAY, 1.0)
    yield time
    hijack.scene = Scene(hijack.victim.account_id, None, None)
    hijack.appear(chance.choice(("home", "near", "carrier")), time)
    if chance.happens(0.6):
        hijack.change(time, "password_reset_completed")
        time = hijack.after(time, 30)
        yield time
    hijack.sign_in(time)
    yield from cash_out(hijack, time)

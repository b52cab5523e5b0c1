"""What the scripts of all families share."""

from collections.abc import Callable, Generator

from detectors.simulation.crews import Hijack
from detectors.simulation.orders import pick_up
from detectors.simulation.world import Process

Script = Callable[[Hijack, float], Process]
"""A hijack that begins at a time (UTC epoch seconds), as a process: it yields when it goes on."""

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def keep_warm(hijack: Hijack, time: float, how: str) -> Generator[float, None, float]:
    """Sign in again and again over days, as a patient crew does; return when it is over.

    The tool stays what it is; the line mostly, and else is another one of the kind `how`.
    """
    if not hijack.crew.patient:
        return time
    for _ in range(hijack.chance.choice((1, 2, 3, 4, 6))):
        time = hijack.after(time, 2.5 * DAY, 0.7)
        yield time
        if hijack.chance.happens(0.3):
            hijack.appear(how, time, hijack.scene.device)
        hijack.sign_in(time)
    return time


def cash_out(hijack: Hijack, time: float, *, appetite: float = 1.2) -> Process:
    """Order goods on an account that one is in, in one of the usual ways; ends the hijack.

    Some first see to it that the owner hears nothing of it, and cannot come back.
    """
    if hijack.chance.happens(0.22):
        time = hijack.after(time, 2 * MINUTE)
        yield time
        hijack.change(time, hijack.chance.choice(("email", "email", "phone")))
    if hijack.chance.happens(0.06):
        time = hijack.after(time, 2 * MINUTE)
        yield time
        hijack.change(time, "mfa_enrolled")
    for _ in range(1 if hijack.chance.happens(0.7) else 2):
        time = hijack.after(time, 6 * MINUTE)
        yield time
        if hijack.chance.happens(0.7):
            address = hijack.drop()
            if hijack.chance.happens(0.5):
                hijack.change(time, "address", value=address.token)
                time = hijack.after(time, 50)
                yield time
            hijack.order(time, address=address, appetite=appetite)
        else:
            collect(hijack, time, appetite=appetite)
    hijack.done(time)


def collect(hijack: Hijack, time: float, *, appetite: float = 1.2, gift_card: int = 0) -> None:
    """Order to a counter or a locker, one of the two that the crew goes to."""
    delivery = "locker" if hijack.chance.happens(0.3) else "click_and_collect"
    counter = hijack.crew.counters[0 if hijack.chance.happens(0.7) else 1]
    address = pick_up(hijack.world.seed, delivery, counter)
    hijack.order(time, delivery=delivery, address=address, appetite=appetite, gift_card=gift_card)

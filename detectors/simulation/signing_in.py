"""Signing in as people do: most at once, some after slips, some only after a reset."""

from typing import NamedTuple

from detectors.simulation.chance import Chance
from detectors.simulation.customers import Customer
from detectors.simulation.feedback import review
from detectors.simulation.recording import Record, Scene, new_value
from detectors.simulation.world import World

_ASKED = ("phone", "email", "address", "password_reset_requested", "mfa_removed", "password")


class Attempt(NamedTuple):
    """A customer at the door: who, from where, and what is odd about it."""

    world: World
    customer: Customer
    scene: Scene
    chance: Chance
    circumstances: tuple[str, ...]

    def login(self, scene: Scene, time: float, odd: str = "", **what: str) -> Record:
        """Emit a sign-in attempt, and return it."""
        record = self.world.recorder.login(scene, time, self.chance, **what)
        circumstances = (*self.circumstances, odd) if odd else self.circumstances
        self.world.emit(time, record, None, circumstances)
        return record

    def change(
        self,
        scene: Scene,
        time: float,
        what: str,
        odd: str = "",
        *,
        actor: str = "customer",
        value: str | None = None,
    ) -> None:
        """Emit a change of the account."""
        record = self.world.recorder.change(
            scene, time, self.chance, what, actor=actor, value=value
        )
        circumstances = (*self.circumstances, odd) if odd else self.circumstances
        self.world.emit(time, record, None, circumstances)


def sign_in(attempt: Attempt, time: float) -> tuple[Scene, float] | None:
    """Get a customer in; return the scene with its session and when, or None if they give up."""
    world, customer, chance = attempt.world, attempt.customer, attempt.chance
    if _notices(attempt, time):
        locked_out = world.hijacked.pop(customer.number).locked_out
        if chance.happens(0.3):
            time = _ask_support(attempt, time, "recovery", ("email", "phone", "password"))
        return _reset(attempt, time, "recovery", tries=3 if locked_out else 0)
    if _was_reset(world, customer, time):
        return _reset(attempt, time, "forced_reset", tries=1)
    if chance.happens(0.0015):
        time = _ask_support(attempt, time, "support_reset", _ASKED)
    method = _method(attempt)
    if method == "password":
        # Who is not known on a device has to remember the password.
        new = "new_phone" in attempt.circumstances
        slips = _slips(attempt, 0.35 if new else customer.slips)
        if slips >= 3 or chance.happens(0.07 if new else 0.008):
            return _reset(attempt, time, "forgotten_password", tries=slips)
        for _ in range(slips):
            time = _slip(attempt, time)
    if method != "remembered" and customer.mfa and chance.happens(0.05):
        time = _mistype_code(attempt, time, method)
    return _enter(attempt, time, method), time


def _notices(attempt: Attempt, time: float) -> bool:
    """Whether the customer finds that a thief has been there."""
    hijacked = attempt.world.hijacked.get(attempt.customer.number)
    if hijacked is None or hijacked.time >= time:
        return False
    return hijacked.locked_out or attempt.chance.happens(0.3)


def _mistype_code(attempt: Attempt, time: float, method: str) -> float:
    attempt.login(
        attempt.scene,
        time,
        "failed_attempts",
        outcome="failure",
        reason="mfa_failed",
        method=method,
        mfa="failed",
    )
    return time + attempt.chance.around(20, 0.5)


def _enter(attempt: Attempt, time: float, method: str, odd: str = "") -> Scene:
    customer, chance = attempt.customer, attempt.chance
    challenged = method == "password" and (customer.mfa or chance.happens(0.03))
    scene = attempt.scene.signed_in(chance)
    mfa = "passed" if challenged else "none"
    record = attempt.login(scene, time, odd, method=method, mfa=mfa)
    for said, verdict in review(record, time, (*attempt.circumstances, odd), chance):
        attempt.world.emit(said, verdict)
    return scene


def _method(attempt: Attempt) -> str:
    device, chance = attempt.scene.device, attempt.chance
    known = attempt.world.sessions.get(attempt.customer.number)
    same = known is not None and known.device == device and "kiosk" not in attempt.circumstances
    share = 0.6 if device is not None and device.browser == "app" else 0.2
    return "remembered" if same and chance.happens(share) else attempt.customer.method


def _slips(attempt: Attempt, rate: float) -> int:
    chance, slips = attempt.chance, 0
    while slips < 5 and chance.happens(rate):
        slips += 1
        rate = 0.35
    return slips


def _slip(attempt: Attempt, time: float) -> float:
    """One mistyped password, or account name; return when the customer tries again."""
    chance, scene = attempt.chance, attempt.scene
    reason, draw = "bad_password", chance.random()
    if draw < 0.18:
        reason = "unknown_account"
        scene = scene._replace(account_id="c" + chance.token(10))
    elif draw < 0.21:
        # The name that was mistyped is somebody else's.
        population = attempt.world.population
        other = population.account_id(chance.randrange(population.accounts))
        scene = scene._replace(account_id=other)
    attempt.login(scene, time, "failed_attempts", outcome="failure", reason=reason)
    return time + chance.around(14, 0.7)


def _reset(attempt: Attempt, time: float, odd: str, *, tries: int) -> tuple[Scene, float] | None:
    chance, scene = attempt.chance, attempt.scene
    for _ in range(tries):
        attempt.login(scene, time, odd, outcome="failure", reason="bad_password")
        time += chance.around(16, 0.7)
    if tries >= 4:
        attempt.login(scene, time, odd, outcome="failure", reason="locked")
        time += chance.around(40, 0.7)
    attempt.change(scene, time, "password_reset_requested", odd)
    if chance.happens(0.12):
        return None
    time += chance.around(75, 0.7)
    attempt.change(scene, time, "password_reset_completed", odd)
    time += chance.around(12, 0.6)
    return _enter(attempt, time, "password", odd), time


def _ask_support(attempt: Attempt, time: float, odd: str, asked: tuple[str, ...]) -> float:
    """Customer service changes something on the customer's call, before they sign in."""
    chance, customer = attempt.chance, attempt.customer
    what = chance.choice(asked)
    value = new_value(what, chance)
    console = attempt.world.support_desk(time, customer.account_id)
    attempt.change(console, time, what, odd, actor="support", value=value)
    return time + chance.around(900, 1.0)


def _was_reset(world: World, customer: Customer, time: float) -> bool:
    """Whether this is the first visit of a customer whom the shop made reset their password."""
    if time < world.calendar.forced_reset or not world.must_reset(customer.number):
        return False
    known = world.sessions.get(customer.number)
    return known is None or known.time < world.calendar.forced_reset


def unreachable(attempt: Attempt, time: float) -> float | None:
    """Try while sign-in is down; return when the customer comes back afterwards, or None."""
    world, chance = attempt.world, attempt.chance
    for _ in range(chance.choice((1, 2, 2, 3, 5))):
        if not world.calendar.in_outage(time):
            return time
        reason = {} if chance.happens(0.5) else {"reason": "bad_password"}
        attempt.login(attempt.scene, time, "outage", outcome="failure", **reason)
        time += chance.around(30, 0.9)
    if chance.happens(0.4):
        return None
    return max(time, world.calendar.outage[1]) + chance.around(1800, 1.2)

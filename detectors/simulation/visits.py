"""What a customer does on a visit: sign in, with slips; order; change something.

Everything about a visit is drawn from the visit's own stream, so that nothing an attacker does
moves an honest event, except where the attacker changed the account itself.
"""

from detectors.simulation.calendar import DAY
from detectors.simulation.chance import Chance, stream
from detectors.simulation.customers import Customer
from detectors.simulation.orders import maybe_order
from detectors.simulation.plan import SLEEPER, TRACKER, Visit
from detectors.simulation.recording import Scene
from detectors.simulation.signing_in import Attempt, sign_in, unreachable
from detectors.simulation.surroundings import choose_surroundings, script_surroundings
from detectors.simulation.world import Process, Session, World


def visit(world: World, planned: Visit, customer: Customer, chance: Chance) -> None:
    """Let a customer come, at the planned time."""
    time = planned.time
    if planned.kind == TRACKER:
        _script_signs_in(world, customer, time, chance)
        return
    around = choose_surroundings(world, customer, time, chance)
    on_sale = world.calendar.on_sale(time)
    circumstances = around.circumstances + (("black_friday",) if on_sale else ())
    if planned.kind == SLEEPER:
        circumstances += ("sleeper",)
    attempt = Attempt(
        world,
        customer,
        Scene(customer.account_id, around.device, around.line),
        chance,
        circumstances,
    )
    if world.calendar.in_outage(time):
        back = unreachable(attempt, time)
        if back is None:
            return
        time = back
    _sign_in_and_shop(attempt, time)


def _sign_in_and_shop(attempt: Attempt, time: float) -> None:
    world, customer, chance = attempt.world, attempt.customer, attempt.chance
    known = world.sessions.get(customer.number)
    if (
        known is not None
        and known.device == attempt.scene.device
        and time - known.time < 14 * DAY
        and customer.number not in world.hijacked
        and chance.happens(0.35)
    ):
        # Still signed in: nothing is seen of the visit but what is ordered.
        scene = attempt.scene._replace(session=known.token)
        if maybe_order(attempt, scene, time, eager=True):
            return
    entered = sign_in(attempt, time)
    if entered is None:
        return
    scene, since = entered
    if scene.session is not None and scene.device is not None:
        world.sessions[customer.number] = Session(scene.session, since, scene.device)
    sleeper = 2.0 if "sleeper" in attempt.circumstances else 1.0
    sale = 1.6 if "black_friday" in attempt.circumstances else 1.0
    maybe_order(attempt, scene, since, eager=False, mood=sale * sleeper)


def forced_reset(world: World) -> Process:
    """The shop ends the sessions of the accounts that it makes reset, in one night's job."""
    chance = stream(world.seed, "forced reset")
    time = world.calendar.forced_reset
    for number in range(world.population.accounts):
        if world.must_reset(number):
            yield time
            scene = Scene(world.population.account_id(number), None, None)
            record = world.recorder.change(scene, time, chance, "sessions_revoked", actor="system")
            world.emit(time, record, None, ("forced_reset",))
            time += chance.expovariate(1.0) * 7200 / (1 + world.population.accounts / 30)


def _script_signs_in(world: World, customer: Customer, time: float, chance: Chance) -> None:
    if world.calendar.in_outage(time):
        return
    device, line = script_surroundings(world, customer, time, chance)
    scene = Scene(customer.account_id, device, line)
    fails = chance.happens(0.02)
    if fails:
        record = world.recorder.login(scene, time, chance, outcome="failure", reason="bad_password")
    else:
        record = world.recorder.login(scene.signed_in(chance), time, chance)
    world.emit(time, record, None, ("price_tracker",))

"""Simulated traffic of an invented shop: its customers, its thieves and the verdicts on both."""

from collections.abc import Collection, Iterator

from detectors.errors import ConfigurationError
from detectors.simulation.families import FAMILIES, checked
from detectors.simulation.shop import Shop
from detectors.simulation.staging import Stage, how_many
from detectors.simulation.visits import forced_reset, visit
from detectors.simulation.world import SimulatedEvent, World

HIJACKS = 5e-4  # takeovers for each visit; the public data set has fewer, shops' worst months more
TRIES = 0.15  # failed tries by thieves for each visit, at most


def simulate(
    shop: Shop,
    *,
    seed: int,
    start: float,
    days: float,
    families: Collection[str] = tuple(FAMILIES),
    hijacks: float = HIJACKS,
    tries: float = TRIES,
    underworld: int | None = None,
    gang_size: int = 1,
    turn: float = 0.0,
) -> Iterator[SimulatedEvent]:
    """Yield everything that happens in a shop in `days` days from `start`, in event-time order.

    `start` is UTC epoch seconds, best a midnight. `families` are the attacks staged, each at least
    once; `hijacks` are takeovers and `tries` the failed attempts of thieves, for each visit that
    customers make (0 for none). Shops that are simulated with the same `underworld` (the seed where
    absent) are on one internet, and hit by the same gangs with the same tools, servers and drop
    addresses, which come to each in its `turn`: by that part of the run (0 to 1, around its end)
    later than at a shop of turn 0. A gang aims at `gang_size` times as many hijacks as most of its
    family. Verdicts (`type` "feedback") come in between, when their time has come. The same
    arguments give the same events; leaving out a family changes nobody else's. Raises
    ConfigurationError for a family that is not in the registry, and for no days.
    """
    checked(families)
    if days <= 0:
        raise ConfigurationError("a simulated run needs more than 0 days")
    world = World(shop, seed=seed, start=start, days=days, underworld=underworld)
    if families and hijacks > 0:
        counts = how_many(families, round(hijacks * len(world.plan)))
        stage = Stage(
            world,
            begins=start,
            ends=world.calendar.end,
            tries=int(tries * len(world.plan)),
            gang_size=gang_size,
            turn=turn,
        )
        stage.campaigns(counts)
    world.spawn(world.calendar.forced_reset, forced_reset(world))
    return world.run(visit)

"""Which campaigns a run has, when, against whom; and the tries that gave no access."""

import math
from collections.abc import Collection

from detectors.simulation.attacks import SCRIPTS
from detectors.simulation.calendar import DAY
from detectors.simulation.chance import Chance, stream
from detectors.simulation.crews import Crew, waking_hour
from detectors.simulation.families import FAMILIES
from detectors.simulation.recording import Scene
from detectors.simulation.world import Process, World

FRESH = 0.38  # share of victims without any earlier visit (54 of 140 in the public data set)
_SUCCESS = {
    "stuffing_fast": (0.003, 0.02),
    "stuffing_slow": (0.004, 0.03),
    "spraying": (0.003, 0.01),
}
_DORMANT = 180 * DAY
_WORTHWHILE = 800
"""Points below which nobody bothers to spend what is not theirs."""
# All others need no more than a password, and get no further where there is more.
_PAST_PASSWORDS = frozenset({"aitm_relay", "cookie_theft", "sim_swap_reset", "insider"})
# Who shops more often meets phishing and malware more often, and is worth an effort; leaked
# passwords fit anybody's account alike.
_MET = frozenset({"aitm_relay", "cookie_theft", "sim_swap_reset", "spoofed_targeted"})


def how_many(families: Collection[str], hijacks: int) -> dict[str, int]:
    """The hijacks of each of `families`, at least one, if all families together have so many.

    Leaving a family out therefore leaves the others as they were.
    """
    total = sum(family.share for family in FAMILIES.values())
    return {
        name: max(1, round(hijacks * family.share / total))
        for name, family in FAMILIES.items()
        if name in families
    }


class Stage:
    """Sets up the campaigns of a run between two times, with at most `tries` failed tries in all.

    Each family draws from its own streams and looks for victims among accounts of its own, so
    that no family depends on which others there are. `fresh` is the share of victims whose
    account had no visit before (dormant ones aside). Hijacks that begin before `ends` may go on
    after it, unless they are to `hurry`. Gangs aim at `gang_size` times as many hijacks as their
    family's do, and come by `turn` of the run (0 to 1, around its end) later than elsewhere.
    """

    def __init__(
        self,
        world: World,
        *,
        begins: float,
        ends: float,
        tries: int,
        fresh: float = FRESH,
        hurry: bool = False,
        gang_size: int = 1,
        turn: float = 0.0,
    ) -> None:
        self._world, self._fresh, self._hurry = world, fresh, hurry
        self._begins, self._ends, self._gang_size = begins, ends, gang_size
        self._turn = turn
        self._tries = tries // len(_SUCCESS)
        self._taken: set[int] = set()

    def campaigns(self, counts: dict[str, int]) -> None:
        """Stage so many hijacks of each family."""
        for name, count in counts.items():
            chance = stream(self._world.seed, "staging", name)
            budget, staged, number = self._tries, 0, 0
            while staged < count:
                size = chance.randint(*FAMILIES[name].campaign) * self._gang_size
                size = min(count - staged, size)
                crew = Crew(self._world, name, number, self._ends if self._hurry else math.inf)
                budget -= self._campaign(crew, size, budget, chance)
                staged, number = staged + size, number + 1

    def _campaign(self, crew: Crew, size: int, budget: int, chance: Chance) -> int:
        """Stage one campaign; return how many failed tries it makes."""
        family, tries = crew.family, 0
        # A gang that hits several shops moves from one to the next, at moments of its own.
        timing = chance if crew.at_home else crew.timing
        moment = (timing.random() + self._turn) % 1.0
        start = self._begins + 0.85 * (self._ends - self._begins) * moment
        span = min(_span(family, timing), 0.9 * (self._ends - start))
        if family in _SUCCESS and budget > 0:
            tries = min(int(size / chance.between(*_SUCCESS[family])), budget)
            if family == "stuffing_fast":
                span = min(span, tries / chance.between(0.2, 4.0))
            self._world.spawn(start, _tries(crew, start, span, tries))
        for _ in range(size):
            time = start + span * chance.random()
            if family not in _SUCCESS and span > DAY:
                time = max(start, min(waking_hour(time, chance), start + span))
            victim = self._victim(family, time, chance)
            if victim is not None:
                self._taken.add(victim)
                self._world.spawn(time, SCRIPTS[family](crew.hijack(victim), time))
        return tries

    def _victim(self, family: str, time: float, chance: Chance) -> int | None:
        """Find an account with the past that the family looks for; None where none is left."""
        fresh = chance.happens(self._fresh)
        own = list(FAMILIES).index(family)
        begun = self._world.plan.begun(time)
        fallback = None
        for _ in range(600):
            if family in _MET and not fresh and begun:
                number = int(self._world.plan.numbers[chance.randrange(begun)])
            else:
                number = chance.randrange(self._world.shop.accounts)
            if number in self._taken or number % len(FAMILIES) != own:
                continue
            fallback = number
            if self._fits(family, number, time, fresh=fresh):
                return number
        return fallback

    def _fits(self, family: str, number: int, time: float, *, fresh: bool) -> bool:
        customer = self._world.population.customer(number)
        if family not in _PAST_PASSWORDS and (customer.mfa or customer.method != "password"):
            return False
        visits = self._world.plan.of(number)
        before = visits[visits < time]
        if family == "dormant_revival":
            return len(before) == 0 or time - before[-1] > _DORMANT
        if family == "points_drain" and customer.points < _WORTHWHILE:
            return False
        if family == "cookie_theft":
            return len(before) > 0 and time - before[-1] < 30 * DAY
        return (len(before) == 0) == fresh


def _span(family: str, chance: Chance) -> float:
    """Seconds over which a campaign's hijacks begin."""
    if family == "stuffing_fast":
        return DAY
    if family == "aitm_relay":
        return DAY * chance.between(0.3, 4)
    return DAY * chance.between(2, 20)


def _tries(crew: Crew, start: float, span: float, tries: int) -> Process:
    """Failed tries: most on names that the shop does not know."""
    chance = crew.chance
    moments = sorted(start + span * chance.random() for _ in range(tries))
    for time in moments:
        yield time
        known = chance.happens(0.3)
        number = chance.randrange(crew.world.shop.accounts)
        account = crew.world.population.account_id(number) if known else "c" + chance.token(10)
        how = _LINES[crew.family]
        victim = crew.world.population.customer(number)
        line = crew.line(chance.choice(how), victim, time, chance)
        device = crew.machine(chance)
        reason = chance.choice(_KNOWN) if known else "unknown_account"
        crew.attempt(Scene(account, device, line), time, chance, reason)


_KNOWN = ("bad_password",) * 17 + ("locked", "blocked", "mfa_failed")
_LINES = {
    "stuffing_fast": ("server",),
    "stuffing_slow": ("home",),
    "spraying": ("server", "home", "home", "vpn", "carrier"),
}

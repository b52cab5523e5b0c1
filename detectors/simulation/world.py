"""The stage: what happens is emitted here and comes out in the order of its time.

Attacks and verdicts are processes: generators that yield the time at which they go on, so that
each step meets the world as it is by then (the session a victim has, the password they changed).
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from detectors.simulation.calendar import Calendar
from detectors.simulation.chance import Chance, seed_of, stream
from detectors.simulation.customers import Customer, Population
from detectors.simulation.devices import Device, draw_device
from detectors.simulation.internet import Internet, any_line
from detectors.simulation.plan import Plan, Visit
from detectors.simulation.recording import Record, Recorder, Scene
from detectors.simulation.shop import Shop

Process = Iterator[float]
HONEST: tuple[str, ...] = ()


class Truth(NamedTuple):
    """What an attacker's event is. `takeover` is false for tries that gave no access."""

    family: str
    campaign: str
    takeover: bool


class SimulatedEvent(NamedTuple):
    """One of the contract's objects, and beside it what only the simulator knows.

    `time` is event time, UTC epoch seconds. `truth` is None for customers and for verdicts;
    `circumstances` name why an honest event may look odd.
    """

    time: float
    event: Record
    truth: Truth | None = None
    circumstances: tuple[str, ...] = HONEST


class Session(NamedTuple):
    """A customer's latest session."""

    token: str
    time: float
    device: Device


class Hijacked(NamedTuple):
    """An account in a thief's hands since `time`; `locked_out` where its owner can't sign in."""

    time: float
    locked_out: bool


class World:
    """Everything there is in one run; of the same `underworld` are networks and gangs the same."""

    def __init__(
        self, shop: Shop, *, seed: int, start: float, days: float, underworld: int | None = None
    ) -> None:
        self.shop, self.seed = shop, seed
        self.underworld = seed if underworld is None else underworld
        self.calendar = Calendar(seed, start, days)
        self.internet = Internet(self.underworld)
        self.population = Population(seed, shop.accounts, self.calendar, self.internet)
        self.plan = Plan(seed, shop, self.calendar)
        self.recorder = Recorder(shop.telemetry, self.calendar)
        self.sessions: dict[int, Session] = {}
        self.hijacked: dict[int, Hijacked] = {}
        self._due: list[tuple[float, int, SimulatedEvent]] = []
        self._processes: list[tuple[float, int, Process]] = []
        self._order = count()
        self._chance = Chance()

    def emit(
        self,
        time: float,
        event: Record,
        truth: Truth | None = None,
        circumstances: tuple[str, ...] = HONEST,
    ) -> None:
        """Let an event happen at this time, which may be later than now but not earlier."""
        heappush(
            self._due, (time, next(self._order), SimulatedEvent(time, event, truth, circumstances))
        )

    def spawn(self, time: float, process: Process) -> None:
        """Let a process begin at this time."""
        heappush(self._processes, (time, next(self._order), process))

    def must_reset(self, number: int) -> bool:
        """Whether the shop's forced reset concerns this account; one in thirty."""
        return seed_of(self.seed, "forced reset", number) % 30 == 0

    def support_desk(self, time: float, account_id: str) -> Scene:
        """The support console of the shop's own office; no session of the customer's."""
        own = stream(self.seed, "support desk")
        site = self.internet.site("business", "GB", own)
        device = draw_device("desktop", own)
        device.cookie = None
        return Scene(account_id, device, any_line(site, time, own))

    def run(
        self, visit: Callable[["World", Visit, Customer, Chance], None]
    ) -> Iterator[SimulatedEvent]:
        """Every event of the run, in order of event time; `visit` lets a customer come."""
        for planned in self.plan:
            yield from self._until(planned.time)
            visit(self, planned, self._customer_of(planned), self._chance)
        yield from self._until(self.calendar.end)

    def _customer_of(self, planned: Visit) -> Customer:
        self._chance.seed(seed_of(self.seed, "visit", planned.number, int(planned.time * 1000)))
        return self.population.customer(planned.number)

    def _until(self, time: float) -> Iterator[SimulatedEvent]:
        """Go on with every process, and give every event, that comes before this time."""
        while self._processes and self._processes[0][0] < time:
            now, _, process = heappop(self._processes)
            yield from self._released(now)
            again = next(process, None)
            if again is not None:
                self.spawn(again, process)
        yield from self._released(time)

    def _released(self, time: float) -> Iterator[SimulatedEvent]:
        while self._due and self._due[0][0] < time:
            yield heappop(self._due)[2]

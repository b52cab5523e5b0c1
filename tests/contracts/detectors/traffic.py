"""Traffic for the contract tests: a small simulated shop, hijacks and verdicts in it."""

from functools import cache

import msgspec

from detectors.engine import Engine, Intelligence, Observed, Outcome
from detectors.events import Event
from detectors.facts import Facts
from detectors.parsing import parse_event
from detectors.policy import Policy
from detectors.simulation import Shop, simulate

POLICY = Policy(profile_cache=200)


@cache
def traffic() -> tuple[Observed, ...]:
    """Some four thousand events with hijacks, in order."""
    return _simulated(Shop(accounts=400, visits=6.0), hijacks=0.02)


@cache
def customers() -> tuple[Observed, ...]:
    """Some ten thousand events of customers alone, in order."""
    return _simulated(Shop(accounts=900, visits=8.0), hijacks=0.0)


def _simulated(shop: Shop, hijacks: float) -> tuple[Observed, ...]:
    events = []
    for number, simulated in enumerate(
        simulate(shop, seed=5, start=1_790_812_800.0, days=30, hijacks=hijacks)
    ):
        raw = msgspec.json.decode(msgspec.json.encode(simulated.event))
        event = parse_event(raw, type_=None, timestamp=simulated.time, fallback_id=f"f{number}")
        events.append(Observed(event, _facts(event)))
    return tuple(events)


def _facts(event: Event) -> Facts:
    """What a look-up might say: little, but the same for the same network and client."""
    return Facts(
        address=event.ip,
        prefix=event.ip and event.ip.rsplit(".", 1)[0],
        asn=event.asn,
        country=event.country,
        city=event.city,
        latitude=event.latitude,
        longitude=event.longitude,
        browser=event.user_agent and event.user_agent.rsplit(" ", 1)[-1].split("/")[0],
        os=event.user_agent and event.user_agent.partition("(")[2].split(" ")[0],
    )


class Stored:
    """An engine over a store of bytes that is handed over to at given places.

    With `reopen`, each hand-over is followed by a new engine that knows only the bytes.
    """

    def __init__(
        self,
        policy: Policy = POLICY,
        *,
        reopen: bool = False,
        intelligence: Intelligence | None = None,
    ) -> None:
        self.store: dict[bytes, bytes] = {}
        self.policy = policy
        self.reopen = reopen
        self.intelligence = intelligence
        self.engine = Engine(policy, self.store.get, intelligence=intelligence)

    def hand_over(self) -> dict[bytes, bytes | None]:
        """Make what changed durable."""
        changed = self.engine.changes()
        for key, value in changed.items():
            if value is None:
                self.store.pop(key, None)
            else:
                self.store[key] = value
        if self.reopen:
            self.engine = Engine(self.policy, self.store.get, intelligence=self.intelligence)
        return changed

    def run(self, events: tuple[Observed, ...], cuts: tuple[int, ...] = ()) -> list[Outcome]:
        """Process events in runs that end at the cuts, handing over at each and at the end."""
        outcomes: list[Outcome] = []
        start = 0
        for end in (*sorted(cuts), len(events)):
            outcomes += self.engine.process(events[start:end])
            self.hand_over()
            start = end
        return outcomes

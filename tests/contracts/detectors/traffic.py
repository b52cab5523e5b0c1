"""Traffic for the contract tests: a small simulated shop, hijacks and verdicts in it."""

from functools import cache

import msgspec

from detectors.engine import Engine, Observed, Outcome
from detectors.facts import Facts
from detectors.parsing import parse_event
from detectors.policy import Policy
from detectors.simulation import Shop, simulate

POLICY = Policy(profile_cache=200)


@cache
def traffic() -> tuple[Observed, ...]:
    """Some four thousand events, in order, with what a look-up would say of their networks."""
    shop = Shop(accounts=400, visits=6.0)
    events = []
    for number, simulated in enumerate(
        simulate(shop, seed=5, start=1_790_812_800.0, days=30, hijacks=0.02)
    ):
        raw = msgspec.json.decode(msgspec.json.encode(simulated.event))
        event = parse_event(raw, type_=None, timestamp=simulated.time, fallback_id=f"f{number}")
        prefix = event.ip and event.ip.rsplit(".", 1)[0]
        facts = Facts(
            address=event.ip,
            prefix=prefix,
            asn=event.asn,
            country=event.country,
            city=event.city,
            latitude=event.latitude,
            longitude=event.longitude,
            browser=event.user_agent and event.user_agent.split(" ", 1)[0],
        )
        events.append(Observed(event, facts))
    return tuple(events)


class Stored:
    """An engine over a store of bytes that is handed over to at given places.

    With `reopen`, each hand-over is followed by a new engine that knows only the bytes.
    """

    def __init__(self, policy: Policy = POLICY, *, reopen: bool = False) -> None:
        self.store: dict[bytes, bytes] = {}
        self.policy = policy
        self.reopen = reopen
        self.engine = Engine(policy, self.store.get)

    def hand_over(self) -> dict[bytes, bytes | None]:
        """Make what changed durable."""
        changed = self.engine.changes()
        for key, value in changed.items():
            if value is None:
                self.store.pop(key, None)
            else:
                self.store[key] = value
        if self.reopen:
            self.engine = Engine(self.policy, self.store.get)
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

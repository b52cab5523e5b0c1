"""How events reach the retailer's stream: most in order, some late, some twice."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from detectors.simulation.chance import stream
from detectors.simulation.world import SimulatedEvent

LATE = 0.005  # share of events that come late
DUPLICATES = 0.002  # share of events that come again, under the same id


def as_delivered(
    events: Iterable[SimulatedEvent],
    *,
    seed: int,
    late: float = LATE,
    duplicates: float = DUPLICATES,
) -> Iterator[SimulatedEvent]:
    """Yield events (given in event-time order) in the order in which they arrive.

    A share `late` of them comes 2 seconds to 15 minutes after its time, and a share `duplicates`
    a second time, seconds to minutes after the first. What happened stays as it was.
    """
    chance = stream(seed, "delivery")
    waiting: list[tuple[float, int, SimulatedEvent]] = []
    for number, event in enumerate(events):
        while waiting and waiting[0][0] <= event.time:
            yield heappop(waiting)[2]
        if chance.happens(duplicates):
            heappush(waiting, (event.time + chance.between(2, 600), number, event))
        if chance.happens(late):
            heappush(waiting, (event.time + chance.between(2, 900), number, event))
        else:
            yield event
    while waiting:
        yield heappop(waiting)[2]

"""A short scenario: weeks of history, then a little live traffic with hijacks in it."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from detectors.simulation.calendar import DAY
from detectors.simulation.families import FAMILIES, checked
from detectors.simulation.shop import Shop
from detectors.simulation.staging import Stage
from detectors.simulation.visits import forced_reset, visit
from detectors.simulation.world import SimulatedEvent, World


class Staged(NamedTuple):
    """A hijack that happens in the live part; times are UTC epoch seconds of event time.

    `ordered` is the time of its first order, None where there is none.
    """

    account_id: str
    family: str
    campaign: str
    accessed: float
    ordered: float | None
    event_ids: tuple[str, ...]


class Story(NamedTuple):
    """`history` has no attack in it; `live` follows on it. Both are in event-time order."""

    history: list[SimulatedEvent]
    live: list[SimulatedEvent]
    hijacks: tuple[Staged, ...]


def story(
    *,
    seed: int,
    start: float,
    accounts: int = 2_000,
    history_days: float = 28.0 + 16 / 24,
    live_minutes: float = 360.0,
    families: Collection[str] = tuple(FAMILIES),
    hijacks_each: int = 1,
    more: Mapping[str, int] | None = None,
    tries: int = 60,
) -> Story:
    """Make a scenario that can be played at once.

    `live_minutes` of event time follow `history_days` from `start` (UTC epoch seconds). Each of
    `families` hijacks `hijacks_each` accounts within the live part (`more` says how many of
    single ones), from access to order; only those that try passwords leave a quarter of the
    accounts they find unused. `tries` are the failed attempts around those that try passwords.
    By default the live part is an evening from 16:00, if `start` is a midnight. Thieves choose
    accounts with a history wherever their family lets them. The same arguments give the same story.
    """
    live_from = start + history_days * DAY
    days = history_days + live_minutes / 1440
    world = World(Shop(accounts=accounts), seed=seed, start=start, days=days)
    end = world.calendar.end
    stage = Stage(world, begins=live_from, ends=end, tries=tries, fresh=0.0, hurry=True)
    stage.campaigns({**dict.fromkeys(checked(families), hijacks_each), **(more or {})})
    world.spawn(world.calendar.forced_reset, forced_reset(world))
    history: list[SimulatedEvent] = []
    live: list[SimulatedEvent] = []
    for event in world.run(visit):
        (live if event.time >= live_from else history).append(event)
    return Story(history, live, tuple(_hijacks(live)))


def _hijacks(events: list[SimulatedEvent]) -> Iterator[Staged]:
    taken: dict[tuple[str, str], list[SimulatedEvent]] = {}
    for event in events:
        if event.truth is not None and event.truth.takeover:
            taken.setdefault((event.event["account_id"], event.truth.campaign), []).append(event)
    for (account_id, campaign), own in taken.items():
        orders = [event.time for event in own if event.event["type"] == "order"]
        ids = tuple(event.event["event_id"] for event in own)
        family = own[0].truth.family if own[0].truth else ""
        ordered = min(orders, default=None)
        yield Staged(account_id, family, campaign, own[0].time, ordered, ids)

"""A seeded simulator of a shop's traffic, with takeovers in it. Pure: no clock, no files.

`simulate(Shop(accounts=2_000), seed=1, start=1_790_812_800.0, days=28)` yields `SimulatedEvent`s
in event-time order: the contract's object in `.event`, and beside it what only the simulator
knows: `.truth` (family, campaign, takeover or failed try) and `.circumstances`.
`story(seed=…, start=…)` is a short scenario for a demonstration: history, then live traffic.
`FAMILIES` and `CIRCUMSTANCES` are the registries of what is staged.
"""

from detectors.simulation.circumstances import CIRCUMSTANCES, Circumstance
from detectors.simulation.delivery import as_delivered
from detectors.simulation.families import FAMILIES, Family, checked
from detectors.simulation.internet import lookup_rows
from detectors.simulation.shop import BARE, EVERYTHING, Shop, Telemetry, draw_telemetry
from detectors.simulation.simulation import simulate
from detectors.simulation.story import Staged, Story, story
from detectors.simulation.world import SimulatedEvent, Truth

__all__ = [
    "BARE",
    "CIRCUMSTANCES",
    "EVERYTHING",
    "FAMILIES",
    "Circumstance",
    "Family",
    "Shop",
    "SimulatedEvent",
    "Staged",
    "Story",
    "Telemetry",
    "Truth",
    "as_delivered",
    "checked",
    "draw_telemetry",
    "lookup_rows",
    "simulate",
    "story",
]

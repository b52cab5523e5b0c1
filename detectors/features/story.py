"""The whole case: suspicious things of the last days that the event at hand did not do."""

from bisect import bisect_right
from math import log, log1p
from math import pow as power
from typing import Final

from detectors.features.access import doubt_of, is_own_device
from detectors.features.reading import DAY, HABIT, Reading
from detectors.features.registry import ACCESS, POSITION
from detectors.models.half_space import FlatHalfSpaceTrees
from detectors.models.likelihood import HIGHEST, Row, Rows, Table
from detectors.profiles import Memory
from detectors.stored_profiles import Doubt

STORY: Final = POSITION["story"]
ISOLATION: Final = POSITION["isolation"]
# Outcomes: no doubt; doubt, by steps, left by whoever does this event; likewise by somebody else.
STORY_CUSTOMER: Final[Rows] = (
    (0.86, 0.04, 0.025, 0.015, 0.006, 0.003, 0.02, 0.015, 0.01, 0.004, 0.002),
)
STORY_HIJACKER: Final[Row] = (
    *(0.52, 0.03, 0.04, 0.05, 0.04, 0.03),
    *(0.05, 0.06, 0.07, 0.06, 0.05),
)
STEPS: Final[Row] = (0.7, 1.5, 2.5, 3.5, 5.0)
STRANGE: Final[Row] = (0.0, 1.5, 3.0, 5.0, 7.5)
"""Nats of the sign-in between the contexts: who always comes strangely was doubted before, too."""


def _recent_doubt(
    reading: Reading, half_life: float, *, own_device: bool
) -> tuple[float, Doubt | None]:
    """Return the worst faded doubt, nats, that other sessions left, and which it is."""
    minute, own = reading.minute, reading.session_key
    worst, whose = 0.0, None
    for doubt in reading.profile.doubts:
        # A customer who travels with the own phone is doubted once for it, not each time again.
        if own_device and doubt.own:
            continue
        nats = doubt.nats
        if nats > worst and (doubt.session != own or own == 0):
            age = minute - doubt.minute
            if age > 0:
                nats *= power(2.0, -age / half_life)
            if nats > worst:
                worst, whose = nats, doubt
    return worst, whose


def weigh_story(reading: Reading, table: Table, half_life: float) -> None:
    """Judge what the account's last days amount to, given how familiar this doer is.

    The doubt is what other sessions left on the account, or what came with the device or range
    that the event uses, whichever is more. `half_life` is in minutes. Whoever left the doubt and
    comes again may be a customer on a journey; who comes after somebody else's doubt is another
    matter. And who comes by what nothing ties to the account is no less a stranger than at first
    (`_strangeness`), however known it is by now.
    """
    own_device = is_own_device(reading)
    worst, whose = _recent_doubt(reading, half_life, own_device=own_device)
    brought = 0.0 if own_device else max(brought_along(reading))
    outcome = bisect_right(STEPS, max(worst, brought))
    if whose is not None and worst > brought:
        reading.doubted = whose
        if outcome and _is_another(reading, whose.session):
            outcome += 5
    context = bisect_right(STRANGE, reading.access_doubt)
    reading.cells[STORY] = context * 11 + outcome
    weight = max(table.ratio(context, outcome), -0.5)
    came = came_apart(reading)
    if came is not None:
        taken_for_habit = _strangeness(reading, *came) - reading.access_doubt
        if taken_for_habit > weight:
            weight = min(taken_for_habit, HIGHEST)
            reading.doubted, reading.apart = None, came[0].first(came[1])
    reading.weights[STORY] = weight


def came_apart(reading: Reading) -> tuple[Memory, int] | None:
    """Return what of an event came to its account apart from all else, before its session.

    The more doubtful of device and range, as a memory and the position in it; None where neither
    did, or the device is the customer's. A new device tells nothing of its own: whoever clears his
    cookies has another one each time.
    """
    profile, session = reading.profile, reading.session
    before = session.opened if session is not None else reading.minute + 1
    found: tuple[Memory, int] | None = None
    for memory, at in ((profile.devices, reading.device_at), (profile.prefixes, reading.prefix_at)):
        if at < 0 or memory.first(at) >= before:
            continue
        if memory.is_apart(at):
            if found is None or memory.doubt(at) > found[0].doubt(found[1]):
                found = memory, at
        elif memory is profile.devices:
            return None
    return found


def _strangeness(reading: Reading, memory: Memory, at: int) -> float:
    """Return how strange, nats, somebody is who comes again by what came apart from all else.

    Who comes again is who came: what is known of the device, and of the client and network that
    came with it, is the stranger's own habit. What speaks for a customer is that a thief seldom
    waits and seldom comes often. His returns are taken to thin out as one over the days since, and
    the number of his visits as its power of -1.5 (both assumed, not fitted).
    """
    days = max(reading.minute - memory.first(at), 0) / DAY
    # Many visits in one day are one.
    visits = max(min(memory.weight(at, reading.minute, HABIT), 1.0 + days), 1.0)
    return memory.doubt(at) - log1p(days) - 1.5 * log(visits)


def _is_another(reading: Reading, whose: int) -> bool:
    """Whether a session of late came with neither the device nor the range that this event has."""
    for session in reading.profile.sessions:
        if session.key == whose:
            return session.device != reading.device and session.prefix != reading.prefix
    return False


ISOLATION_CUSTOMER: Final[Rows] = ((0.70, 0.14, 0.07, 0.04, 0.03, 0.02),)
ISOLATION_HIJACKER: Final[Row] = (0.30, 0.12, 0.13, 0.15, 0.15, 0.15)
ISOLATION_STEPS: Final[Row] = (0.80, 0.86, 0.90, 0.94, 0.97)


def weigh_isolation(reading: Reading, table: Table, forest: FlatHalfSpaceTrees) -> None:
    """Judge how alone the event is among the last ones, by half-space trees over all features."""
    if forest.warming_up:
        return
    outcome = bisect_right(ISOLATION_STEPS, forest.score(in_unit_range(reading.weights)))
    reading.cells[ISOLATION] = reading.type * 6 + outcome
    reading.weights[ISOLATION] = table.ratio(reading.type, outcome)


def in_unit_range(weights: list[float]) -> list[float]:
    """Return the features, but isolation itself, scaled from nats to 0 to 1."""
    scaled = [(weight + 4.0) * 0.1 for weight in weights]
    scaled[ISOLATION] = 0.4
    return scaled


def brought_along(reading: Reading) -> tuple[float, float]:
    """Return the doubt, nats, that device and range came with, if before the session."""
    profile, minute = reading.profile, reading.minute
    session = reading.session
    before = session.opened if session is not None else minute + 1
    return (
        doubt_of(profile.devices, reading.device_at, minute, before),
        doubt_of(profile.prefixes, reading.prefix_at, minute, before),
    )


def access_doubt(reading: Reading) -> float:
    """Return what the sign-in's features amount to, nats."""
    return sum(reading.weights[:ACCESS])


def judge_doer(reading: Reading) -> None:
    """Set what the sign-in's features amount to, and so how familiar the event's doer is."""
    reading.access_doubt = access_doubt(reading)
    reading.who = bisect_right((0.0, 3.0), reading.access_doubt)

"""How the sign-in came about: place, hour, method, failures before, silence before, guessing."""

from bisect import bisect_right
from math import asin, cos, log, pi, sin, sqrt
from math import pow as power
from typing import Final

from detectors.arithmetic import clamped
from detectors.events import Login
from detectors.features.access import ELSEWHERE, OPERATOR
from detectors.features.reading import DAY, MIXING, Reading
from detectors.features.registry import POSITION
from detectors.models.likelihood import Row, Rows, Table
from detectors.population import Population

TRAVEL: Final = POSITION["travel"]
HOURS: Final = POSITION["hours"]
METHOD: Final = POSITION["method"]
ROUND_TRIP: Final = POSITION["round_trip"]
FAILURES: Final = POSITION["failures"]
DORMANCY: Final = POSITION["dormancy"]
GUESSING: Final = POSITION["guessing"]

GEOLOCATION_ERROR: Final = 185.0
"""Median distance, km, between two well-known databases' answers for one address."""

AIRLINER: Final = 900.0
"""km/h."""

_AROUND: Final = 50.0
"""Kilometres within which a place is the same."""
_NEAR: Final = 0.2
"""Degrees that are 22.3 km at most: two places less apart each way are less than 32 km apart."""

_RADIAN: Final = pi / 180.0
"""A degree."""

TRAVEL_CUSTOMER: Final[Rows] = ((0.40, 0.40, 0.12, 0.075, 0.005),)
TRAVEL_HIJACKER: Final[Row] = (0.35, 0.15, 0.18, 0.22, 0.10)

METHODS: Final = {None: 0, "password": 1, "otp": 2, "passkey": 3, "social": 4, "remembered": 5}
# Outcomes: method; known to the account or not; MFA passed, not passed, or missing for once.
METHOD_CUSTOMER: Final[Rows] = ((1.0,) * 36,)
METHOD_HIJACKER: Final[Row] = (
    *(0.3, 2.0, 0.3, 0.3, 1.0, 0.2),
    *(1.0, 14.0, 0.6, 0.8, 4.0, 0.5),
    *(0.6, 0.6, 0.1, 0.6, 0.6, 0.1),
    *(0.05, 0.2, 0.05, 0.05, 0.2, 0.05),
    *(0.05, 0.9, 0.05, 0.05, 0.9, 0.05),
    *(0.05, 0.4, 0.05, 0.05, 0.3, 0.05),
)

RTT_STEPS: Final[Row] = (12.0, 25.0, 45.0, 80.0, 140.0, 240.0, 400.0)
RTT_CUSTOMER: Final[Rows] = ((0.10, 0.22, 0.26, 0.20, 0.11, 0.06, 0.03, 0.02),)
RTT_HIJACKER: Final[Row] = (0.05, 0.10, 0.14, 0.18, 0.18, 0.16, 0.11, 0.08)

FAILURES_CUSTOMER: Final[Rows] = (
    (0.80, 0.001, 0.02, 0.09, 0.01, 0.04, 0.008, 0.025, 0.003, 0.003),
)
FAILURES_HIJACKER: Final[Row] = (0.64, 0.001, 0.07, 0.06, 0.04, 0.03, 0.05, 0.04, 0.04, 0.03)

DORMANCY_CUSTOMER: Final[Rows] = ((0.40, 0.33, 0.18, 0.06, 0.02, 0.01),)
DORMANCY_HIJACKER: Final[Row] = (0.30, 0.28, 0.20, 0.10, 0.05, 0.07)


def distance_km(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Great-circle distance in km between two points in WGS-84 degrees (haversine)."""
    a, b, c, d = here[0], here[1], there[0], there[1]
    along, across = sin((c - a) * _RADIAN / 2), sin((d - b) * _RADIAN / 2)
    s = along * along + cos(a * _RADIAN) * cos(c * _RADIAN) * (across * across)
    return 12742.0 * asin(min(1.0, sqrt(s)))


def weigh_travel(reading: Reading, table: Table) -> None:
    """Judge the journey from the last sign-in's place, with both places' error granted."""
    place, latitude, longitude = (
        reading.profile.place,
        reading.facts.latitude,
        reading.facts.longitude,
    )
    if place is None or latitude is None or longitude is None:
        return
    if -_NEAR < latitude - place[0] < _NEAR and -_NEAR < longitude - place[1] < _NEAR:
        outcome = 1  # as the distance would tell, which takes ten times as long
    else:
        apart = distance_km((place[0], place[1]), (latitude, longitude))
        beyond = apart - 2 * GEOLOCATION_ERROR
        if beyond <= 0:
            outcome = 1 if apart < _AROUND else 2
        else:
            hours = max(abs(reading.minute - place[2]), 1) / 60.0
            outcome = 4 if beyond / hours > AIRLINER else 3
    masked = reading.kind in {"vpn", "relay", "tor", "hosting"}
    context = (1 if masked else 0) + (2 if reading.device_group else 0)
    reading.cells[TRAVEL] = context * 5 + outcome
    reading.weights[TRAVEL] = table.ratio(context, outcome)


_CHOSEN: Final = -0.3
"""Nats that an hour says for a customer at most: a thief may choose to come at it."""


def weigh_hours(reading: Reading, population: Population) -> None:
    """Judge the hour: what hijackers keep of everybody's hours over this customer's, shrunk.

    Two in five have no regard for the hour: they live elsewhere, or their machines do not sleep.
    """
    hours = reading.profile.hours
    slot = reading.weekhour % 24 // 3
    usual = population.hours
    everybody = usual.backed(slot, 20.0)
    own = (hours[slot] + 8.0 * everybody) / (sum(hours) + 8)
    hijackers = 0.6 * everybody + 0.4 / 8.0
    reading.weights[HOURS] = clamped(log(hijackers / own), _CHOSEN, 1.5)


def weigh_method(reading: Reading, event: Login, table: Table) -> None:
    """Judge how the sign-in was proved, given whether the device is known."""
    method = METHODS[event.method]
    profile = reading.profile
    known = method + 1 in profile.methods.keys
    usual = profile.challenged * 2 > profile.logins
    proof = 0 if event.mfa == "passed" else 2 if usual else 1
    outcome = method * 6 + (0 if known else 3) + proof
    context = 1 if reading.device_group else 0
    reading.cells[METHOD] = context * 36 + outcome
    reading.weights[METHOD] = clamped(table.ratio(context, outcome), -2.5, 2.5)


def weigh_round_trip(reading: Reading, event: Login, table: Table) -> None:
    """Judge the round trip, ms: a proxy adds its own way to that of the network it shows."""
    if event.rtt_ms is None:
        return
    outcome = bisect_right(RTT_STEPS, event.rtt_ms)
    context = (1 if reading.kind == "mobile" else 0) + (2 if reading.network >= OPERATOR else 0)
    reading.cells[ROUND_TRIP] = context * 8 + outcome
    reading.weights[ROUND_TRIP] = table.ratio(context, outcome)


def failures_left(reading: Reading) -> float:
    """Return the failures of the last hours before it, fading by half in two hours."""
    profile = reading.profile
    if profile.failed < 0:
        return 0.0
    return profile.failures * power(2.0, -max(0, reading.minute - profile.failed) / 120.0)


def weigh_failures(reading: Reading, table: Table) -> None:
    """Judge the failures of the last hours before it, and whether they came from here."""
    profile = reading.profile
    recent = failures_left(reading)
    here = profile.failed_prefix == reading.prefix
    outcome = bisect_right((0.5, 1.5, 2.5, 5.5), recent) * 2 + (1 if here and recent >= 0.5 else 0)
    context = 1 if reading.device_group else 0
    reading.cells[FAILURES] = context * 10 + outcome
    reading.weights[FAILURES] = table.ratio(context, outcome)


def weigh_dormancy(reading: Reading, table: Table) -> None:
    """Judge the silence before it, given whether the device is known."""
    if reading.depth == 0:
        return
    days = (reading.minute - reading.profile.signed_in) / DAY
    outcome = bisect_right((1.0, 7.0, 30.0, 90.0, 180.0), days)
    context = 1 if reading.device_group else 0
    reading.cells[DORMANCY] = context * 6 + outcome
    reading.weights[DORMANCY] = table.ratio(context, outcome)


BY_RANGE: Final = 1
BY_TOOL: Final = 2
BY_CLIENT: Final = 3
"""What is failing on many accounts: an address range, a client at one operator, a client."""

_CUSTOMERS_FAIL: Final = 0.12
"""Share of accounts whose customers try and do not get in within the hour, on a bad day."""


def weigh_guessing(reading: Reading, population: Population) -> None:
    """Judge network and client by the accounts that were tried there and not entered of late.

    Of a thousand guesses about five succeed, of all events one in two thousand is a hijacker's:
    `log(1 + excess failures x 0.005 / (successes x 0.0005))`, for the worst of address range,
    client within an operator, and user agent.
    """
    hour = reading.hour
    worst, failing = 0.0, 0
    if reading.network >= 2:
        attempts, failures = population.by_prefix.recent(reading.prefix, hour)
        worst, failing = guessed(attempts, failures), BY_RANGE
        if reading.network >= ELSEWHERE and reading.asn:
            attempts, failures = population.by_operator.recent(tool_of(reading), hour)
            tried = guessed(attempts, failures)
            if tried > worst:
                worst, failing = tried, BY_TOOL
    if reading.agent and reading.weights[1] > 0:
        attempts, failures = population.by_agent.recent(reading.agent, hour)
        tried = guessed(attempts, failures)
        if tried > worst:
            worst, failing = tried, BY_CLIENT
    reading.failing = failing if worst > 0.0 else 0
    reading.weights[GUESSING] = worst if worst < 6.0 else 6.0  # noqa: FURB136 - a call less


def tool_of(reading: Reading) -> int:
    """Return 32 bits for an operator and a client: a gang's tool behind one cloud's addresses.

    By the operator alone, all who share a VPN with the gang would be taken for it.
    """
    return (reading.client ^ reading.asn * MIXING) & 0xFFFFFFFF


def guessed(attempts: float, failures: float) -> float:
    """Return what these tell of who gets in beside them, nats: 0 where customers account for them.

    `attempts` and `failures` are accounts that were tried, and not entered, of late.
    """
    excess = failures - _CUSTOMERS_FAIL * attempts - 2.0
    if excess <= 0:
        return 0.0
    return log(1.0 + 10.0 * excess / (attempts - failures + 1.0))

"""Who signs in: device, client and network against the account's habit and everybody's.

The chain rule keeps what goes together from counting twice: a new phone brings a new client with
it, so the client is judged given whether the device was new, and the network likewise.
"""

from bisect import bisect_right
from math import log
from math import pow as power
from typing import Final

from detectors.arithmetic import clamped
from detectors.features.reading import DAY, HABIT, YOUNG, Reading, terminal_of
from detectors.features.registry import POSITION
from detectors.models.likelihood import HIGHEST, LOWEST, Row, Rows, Table
from detectors.population import Population
from detectors.profiles import Memory, Profile

DEVICE: Final = POSITION["device"]
CLIENT: Final = POSITION["client"]
NETWORK: Final = POSITION["network"]
RARITY: Final = POSITION["rarity"]
KIND: Final = POSITION["kind"]
SHARED: Final = POSITION["shared_device"]
RANGE: Final = POSITION["shared_range"]
CHURN: Final = POSITION["churn"]

FREQUENT: Final = 0
KNOWN: Final = 1
RECENT: Final = 2
NEW: Final = 3
ABSENT: Final = 4
MISSING: Final = 5
"""A device: seen often, seen, first seen lately or apart from all else of the account's, never
seen, absent as usual, absent for once."""
_GROUPS: Final = (0, 0, 1, 2, 3, 3)
"""What of that the client is judged by: 0 known, 1 known lately, 2 new, 3 none given."""

DEVICE_HIJACKER: Final[Row] = (0.03, 0.03, 0.06, 0.64, 0.16, 0.08)
_STEADY: Final[Row] = (0.60, 0.15, 0.08, 0.05, 0.10, 0.02)
_MIXED: Final[Row] = (0.38, 0.20, 0.10, 0.19, 0.10, 0.03)
_RESTLESS: Final[Row] = (0.10, 0.10, 0.12, 0.53, 0.10, 0.05)
DEVICE_CUSTOMER: Final[Rows] = (
    (0.01, 0.01, 0.03, 0.75, 0.15, 0.05),
    (0.05, 0.30, 0.25, 0.25, 0.12, 0.03),
    *(_STEADY, _MIXED, _RESTLESS) * 2,
)

CLIENT_CUSTOMER: Final[Rows] = (
    *((0.80, 0.17, 0.01, 0.01, 0.01),) * 2,
    *((0.70, 0.20, 0.05, 0.04, 0.01),) * 2,
    *((0.35, 0.25, 0.17, 0.22, 0.01),) * 2,
    *((0.55, 0.25, 0.10, 0.05, 0.05),) * 2,
)
CLIENT_HIJACKER: Final[Row] = (0.10, 0.10, 0.25, 0.50, 0.05)

HOME: Final = 0
LATELY: Final = 1
OPERATOR: Final = 2
OPERATOR_AWAY: Final = 3
ELSEWHERE: Final = 4
ELSEWHERE_AWAY: Final = 5
ABROAD: Final = 6
NOWHERE: Final = 7
"""A network: known range, range first seen lately or apart from all else of the account's, known
operator in a known or another city, new operator likewise, new country, none told."""

_AT_HOME: Final[Row] = (0.70, 0.10, 0.09, 0.03, 0.03, 0.02, 0.01, 0.02)
_ABOUT: Final[Row] = (0.45, 0.15, 0.12, 0.08, 0.08, 0.06, 0.03, 0.03)
_ROAMING: Final[Row] = (0.25, 0.15, 0.12, 0.08, 0.16, 0.14, 0.07, 0.03)
NETWORK_CUSTOMER: Final[Rows] = (
    (0.05, 0.10, 0.10, 0.10, 0.20, 0.35, 0.05, 0.05),
    (0.45, 0.15, 0.13, 0.07, 0.10, 0.05, 0.03, 0.02),
    *(_AT_HOME, _ABOUT, _ROAMING) * 2,
) * 8
NETWORK_HIJACKER: Final[Row] = (0.02, 0.04, 0.04, 0.10, 0.09, 0.36, 0.30, 0.05)

KINDS: Final = {
    None: 0, "access": 1, "mobile": 2, "hosting": 3, "vpn": 4, "tor": 5, "relay": 6,
    "education": 7, "business": 8,
}  # fmt: skip
_KIND_ANY: Final[Row] = (0.20, 0.42, 0.28, 0.01, 0.03, 0.002, 0.02, 0.02, 0.02)
_KIND_OWN: Final[Row] = (0.20, 0.38, 0.28, 0.03, 0.05, 0.004, 0.03, 0.02, 0.02)
"""With a device that has long been the account's, a tunnel is mostly its owner's."""
KIND_CUSTOMER: Final[Rows] = (*(_KIND_ANY,) * 8, *(_KIND_OWN,) * 8)
KIND_HIJACKER: Final[Row] = (0.20, 0.33, 0.10, 0.18, 0.10, 0.03, 0.03, 0.01, 0.02)

RANGE_CUSTOMER: Final[Rows] = ((0.55, 0.20, 0.10, 0.08, 0.07),)
RANGE_HIJACKER: Final[Row] = (0.50, 0.18, 0.12, 0.11, 0.09)

CHURN_CUSTOMER: Final[Rows] = (
    (0.95, 0.04, 0.007, 0.003),
    (0.75, 0.18, 0.05, 0.02),
    (0.4, 0.3, 0.2, 0.1),
)
CHURN_HIJACKER: Final[Row] = (0.60, 0.25, 0.10, 0.05)

SHARED_CUSTOMER: Final[Rows] = ((0.93, 0.05, 0.012, 0.006, 0.002),)
SHARED_HIJACKER: Final[Row] = (0.72, 0.10, 0.06, 0.07, 0.05)

_ANYWHERE: Final = frozenset(("hosting", "vpn", "tor", "relay"))

_FIRST: Final = 1.0
"""Nats that a rare client or network says at most of somebody who comes for the first time."""

_RAREST: Final = 0.002
"""Share of customers who use a client at least, however few were seen to."""

_SPOOFED: Final = 0.04
"""Share of hijackers who know the victim's client or network and imitate it."""


def propensity(profile: Profile, changes: float) -> int:
    """Return the context of an account: how much is known, and how often it brings new things.

    0: no sign-in yet; 1: one or two; 2 to 4: three to nine, of a steady, mixed or restless
    customer; 5 to 7: ten or more, likewise.
    """
    depth = profile.depth
    if depth < 3:
        return 0 if depth == 0 else 1
    rate = (changes + 0.3) / (profile.logins + 3.0)
    return (2 if depth < 10 else 5) + (0 if rate < 0.12 else 1 if rate < 0.4 else 2)


def weigh_device(reading: Reading, table: Table) -> None:
    """Judge the device; sets its class and group, and how often the account brings new ones."""
    profile = reading.profile
    reading.device_class = outcome = _device_class(reading, profile)
    reading.device_group = _GROUPS[outcome]
    reading.propensity = context = propensity(profile, profile.fresh)
    reading.cells[DEVICE] = context * 6 + outcome
    if context:
        reading.weights[DEVICE] = table.ratio(context, outcome)


def _device_class(reading: Reading, profile: Profile) -> int:
    if reading.device == 0:
        return ABSENT if profile.absent_devices * 2.5 >= profile.logins else MISSING
    at = reading.device_at
    if at < 0:
        return NEW
    minute = reading.minute
    if _is_young(profile.devices, at, minute):
        return RECENT
    weight = profile.devices.weight(at, minute, HABIT)
    return FREQUENT if weight * 5 >= profile.logins else KNOWN


def _is_young(memory: Memory, at: int, minute: int) -> bool:
    """Return whether a device or range proves nothing yet: its owner may be an intruder.

    So it is for two days, and for weeks where nothing ties it to what the account had before it.
    """
    age = minute - memory.first(at)
    return age < YOUNG or (age < HABIT and memory.is_apart(at))


def is_own_device(reading: Reading) -> bool:
    """Return whether the device has long been the account's, with no doubt left of its coming."""
    at = reading.device_at
    if at < 0 or reading.device_class > KNOWN:
        return False
    minute = reading.minute
    return doubt_of(reading.profile.devices, at, minute, minute + 1) < 1.0


def weigh_client(reading: Reading, table: Table, population: Population) -> None:
    """Judge browser and system, given the device's class and how common they are."""
    profile = reading.profile
    if profile.depth == 0:
        if reading.agent:
            weight = _rarity(population.clients.share(reading.client), 40)
            reading.weights[CLIENT] = min(weight, _FIRST)
        return
    context = reading.device_group * 2 + (1 if profile.depth > 2 else 0)
    if reading.agent == 0:
        outcome = 4
    elif reading.agent in profile.agents.keys:
        outcome = 0
    elif reading.client in profile.clients.keys:
        outcome = 1
    else:
        outcome = 2 if reading.system in profile.systems.keys else 3
    reading.cells[CLIENT] = context * 5 + outcome
    weight = table.ratio(context, outcome)
    if outcome <= 1:
        # That a hijacker happens to use what a quarter of all customers use proves little.
        chance = population.agents.share(reading.agent)
        if outcome == 1:
            chance = population.clients.share(reading.client) - chance
        chance = chance if chance > _RAREST else _RAREST  # noqa: FURB136 - a call less
        chance = _SPOOFED + (1 - _SPOOFED) * chance
        weight = log(chance / table.customer_share(context, outcome))
    elif outcome < 4:
        weight += _rarity(population.new_clients.share(reading.client), 40)
    reading.weights[CLIENT] = clamped(weight, LOWEST, HIGHEST)


def _rarity(share: float, values: int) -> float:
    """Weight of a new value: hijackers pick half by what is common, half anything at all."""
    return log(0.5 + 0.5 / (values * share))


def weigh_network(reading: Reading, table: Table, kinds: Table, population: Population) -> None:
    """Judge the network, given whether the device is known, and how unusual it is at all."""
    profile = reading.profile
    if reading.prefix == 0:
        return
    reading.network = outcome = _network_class(reading, profile)
    known = reading.device_group < 1
    context = propensity(profile, profile.strange) + (0 if known else 8)
    context += 16 if reading.kind == "mobile" or _roams(reading) else 0
    # A desk stays where it is: what nobody's phone would be asked for tells of a copied cookie.
    context += 32 if reading.facts.device_type == "desktop" else 0
    reading.cells[NETWORK] = context * 8 + outcome
    if profile.depth:
        weight = table.ratio(context, outcome)
        if outcome <= OPERATOR_AWAY:
            # A hijacker comes by a popular operator by chance, or by the victim's on purpose.
            if outcome >= OPERATOR:
                chance = 0.8 * population.asns.share(reading.asn) + _SPOOFED
                chance *= 0.25 if outcome == OPERATOR else 0.75
            else:
                chance = 0.5 * (population.prefixes.share(reading.prefix) + _SPOOFED)
            weight = log(chance / table.customer_share(context, outcome))
        reading.weights[NETWORK] = clamped(weight, LOWEST, HIGHEST)
    if outcome >= OPERATOR:
        _weigh_newness(reading, kinds, population)


def _roams(reading: Reading) -> bool:
    """Whether the account is known to come by a service whose addresses change all the time."""
    masked = reading.kind in {"vpn", "relay", "tor", "hosting"}
    return masked and KINDS[reading.kind] in reading.profile.kinds.keys


def _weigh_newness(reading: Reading, kinds: Table, population: Population) -> None:
    weight = 0.0
    # Whoever comes for the first time comes from where everybody lives.
    first = reading.depth == 0
    if ELSEWHERE <= reading.network <= ABROAD and reading.asn:
        asns = population.asns if first else population.new_asns
        weight = _rarity(asns.share(reading.asn), 80)
    if reading.network == ABROAD and reading.country:
        countries = population.countries if first else population.new_countries
        weight = max(weight, _rarity(countries.share(reading.country), 40))
    reading.weights[RARITY] = min(weight, _FIRST if first else 4.0)
    context = (1 if reading.network >= ELSEWHERE else 0) + (2 if reading.depth else 0)
    outcome = KINDS[reading.kind]
    if outcome in reading.profile.kinds.keys:
        context += 4
    if reading.device_group == 0:
        context += 8
    reading.cells[KIND] = context * 9 + outcome
    reading.weights[KIND] = kinds.ratio(context, outcome)


def _network_class(reading: Reading, profile: Profile) -> int:
    at = reading.prefix_at
    if at >= 0:
        return LATELY if _is_young(profile.prefixes, at, reading.minute) else HOME
    if reading.asn == 0:
        return NOWHERE
    away = 1 if reading.city and reading.city not in profile.cities.keys else 0
    if reading.asn in profile.asns.keys:
        return OPERATOR + away
    abroad = reading.country and reading.country not in profile.countries.keys
    return ABROAD if abroad else ELSEWHERE + away


def weigh_sharing(reading: Reading, table: Table, population: Population) -> None:
    """Judge a new device by the other accounts that it was new on of late."""
    if reading.device_class != NEW:
        return
    others = population.new_devices.others(reading.device, reading.account, reading.day)
    outcome = bisect_right((1, 2, 3, 6), others)
    reading.cells[SHARED] = outcome
    reading.weights[SHARED] = table.ratio(0, outcome)


def pass_over_terminal(reading: Reading, population: Population) -> None:
    """Judge nobody by the terminal of a place: many customers come by it, a few a day, for weeks.

    It and its line are new to most who use them, and shared with all the others. A hijacker gains
    nothing by sitting down at one, and far away has to come by its line as well as its name. A
    range that many customers come by, a carrier's, is not its line.
    """
    if reading.device_class != NEW or reading.kind in _ANYWHERE:
        return
    if not population.new_devices.is_settled(reading.device, reading.day):
        return
    of_it: tuple[int, ...] = (DEVICE, CLIENT, SHARED)
    if population.new_ranges.is_settled(terminal_of(reading), reading.day):
        of_it += (NETWORK, RARITY, KIND, RANGE)
    for at in of_it:
        reading.weights[at] = 0.0
        reading.cells[at] = -1


def weigh_shared_range(reading: Reading, table: Table, population: Population) -> None:
    """Judge a new address range by the other accounts that it was new on of late."""
    if reading.network < OPERATOR:
        return
    others = population.new_ranges.others(reading.prefix, reading.account, reading.day)
    outcome = bisect_right((1, 2, 4, 10), others)
    context = 1 if reading.kind == "mobile" else 2 if reading.kind == "access" else 0
    reading.cells[RANGE] = context * 5 + outcome
    reading.weights[RANGE] = table.ratio(context, outcome)


def weigh_churn(reading: Reading, table: Table) -> None:
    """Judge how many other devices were new in the last week, given how restless the account is."""
    profile = reading.profile
    if profile.depth < 2:
        return
    since = reading.minute - 7 * DAY
    devices = profile.devices
    churned = 0
    for at, key in enumerate(devices.keys):
        if devices.rows[4 * at + 1] >= since and key != reading.device:
            churned += 1
    context = (reading.propensity - 2) % 3 if reading.propensity > 2 else 0
    outcome = churned if churned < 3 else 3  # noqa: FURB136 - a call less
    reading.cells[CHURN] = context * 4 + outcome
    reading.weights[CHURN] = table.ratio(context, outcome)


def watched(reading: Reading) -> tuple[float, ...]:
    """Return what drift is watched on, in the order of models.drift.SERIES, each about 0 to 1."""
    return (
        min(max(reading.logit / 20.0 + 0.5, 0.0), 1.0),
        float(reading.device_class == NEW),
        float(ELSEWHERE <= reading.network <= ABROAD),
        float(reading.device == 0),
        float(reading.facts.country is None),
    )


def doubt_of(memory: Memory, at: int, minute: int, before: int) -> float:
    """Return how suspicious the event was that brought the value at a position in; it fades.

    In nats, half of them left after three days. 0 for a value first seen at `before` or later: that
    is the event's own session; and where there is none.
    """
    doubt = memory.doubt(at) if at >= 0 else 0
    if not doubt:  # as most
        return 0.0
    first = memory.first(at)
    if first >= before:
        return 0.0
    return doubt * power(2.0, -max(0, minute - first) / (3.0 * DAY))

"""What an event teaches a profile: habits only where it was not flagged, clocks always."""

from collections.abc import Iterable
from functools import lru_cache
from math import log
from math import pow as power
from typing import Final

from detectors.arithmetic import rounded
from detectors.events import AccountChange, Login, Order
from detectors.facts import client_named, network_named
from detectors.features.access import KINDS, is_own_device
from detectors.features.changes import GROUP
from detectors.features.evidence import carried
from detectors.features.lesson import Forgotten, Lesson
from detectors.features.orders import DELIVERIES
from detectors.features.reading import (
    CHANGE,
    DAY,
    HABIT,
    LOGIN,
    ORDER,
    SESSIONS,
    YOUNG,
    Reading,
    area_key,
    is_staffs,
    terminal_of,
)
from detectors.features.signin import METHODS, guessed, tool_of
from detectors.features.ties import tie_all
from detectors.habits import use
from detectors.heat.sightings import contact_of
from detectors.population import Population
from detectors.profiles import MEMORIES, Memory, Profile, digest
from detectors.stored_profiles import Came, Doubt, Session

_DOUBTS: Final = 3
_REMEMBERED: Final = 16
_PLACE: Final = "place"
_USUAL: Final = ("client", "network")
_CAME: Final = "_came"
_MILLI: Final = 1_000.0
"""A place is known to thousandths of a degree, and forgotten as whole ones."""
_NO_ORDER: Final = 1e-6
"""A count of orders below this is rounding, once the last one is taken back."""

# What each memory holds at most: the most telling and the most various get the room.
_LIMITS: Final = {
    "devices": 10, "agents": 7, "clients": 5, "systems": 4, "prefixes": 12, "asns": 7,
    "countries": 5, "cities": 6, "kinds": 4, "methods": 5, "addresses": 6, "postcodes": 5,
    "payments": 5, "deliveries": 4, "categories": 8,
}  # fmt: skip
_PLACES: Final = {name: (at, _LIMITS[name]) for at, name in enumerate(MEMORIES)}
"""Where a profile has each memory, and what that holds at most."""
_DEVICES: Final = MEMORIES.index("devices")
_ASNS: Final = MEMORIES.index("asns")


def lesson_of(reading: Reading) -> Lesson:
    """Return what the event would teach."""
    event = reading.event
    used: list[tuple[str, int]] = []
    amount, rewards = 0.0, 0
    if type(event) is Login or reading.fresh_access:
        used = [
            ("devices", reading.device), ("agents", reading.agent), ("clients", reading.client),
            ("systems", reading.system), ("prefixes", reading.prefix), ("asns", reading.asn),
            ("countries", reading.country), ("cities", reading.city),
            ("kinds", KINDS[reading.kind]),
        ]  # fmt: skip
    if type(event) is Login:
        used.append(("methods", METHODS[event.method] + 1))
    elif type(event) is Order:
        used += _order_habits(reading, event)
        amount = reading.amount
        rewards = 1 if event.loyalty_points or event.gift_card_amount else 0
    return Lesson(reading.minute, reading.type, used, reading.weekhour % 24 // 3, amount, rewards)


def _order_habits(reading: Reading, order: Order) -> list[tuple[str, int]]:
    habits = [("deliveries", DELIVERIES[order.delivery] + 1)]
    for memory, value in (
        ("addresses", reading.address),
        ("postcodes", reading.postcode),
        ("payments", reading.payment),
    ):
        if value:
            habits.append((memory, value))
    habits += [("categories", category) for category in reading.categories]
    return habits


def teach(profile: Profile, lesson: Lesson, doubt: int) -> None:
    """Teach a profile an event's habits; `doubt` (nats) stays with the values it brings in."""
    minute, memories = lesson.minute, profile.memories
    _fade(profile, minute)
    weight = _weight(profile, minute)
    new_device = new_operator = False
    for name, value in lesson.used:
        if value:
            at, limit = _PLACES[name]
            if use(memories[at], value, minute, HABIT, limit, doubt):
                if profile.held >= 0:
                    profile.held += 1
                new_device = new_device or at == _DEVICES
                new_operator = new_operator or at == _ASNS
    if lesson.type == LOGIN:
        profile.depth = min(profile.depth + 1, 60_000)
        profile.logins += weight
        if new_device:
            profile.fresh += weight
        if new_operator:
            profile.strange += weight
        if lesson.used[0][1] == 0:
            profile.absent_devices += weight
        _count_hour(profile.hours, lesson.slot)
    elif lesson.type == ORDER:
        profile.bought = min(profile.bought + 1, 60_000)
        _weigh_order(profile, lesson, weight)


def take_back(profile: Profile, lesson: Lesson) -> None:
    """Undo what a lesson taught, as far as what was forgotten since still shows it."""
    minute = lesson.minute
    weight = -_weight(profile, minute)
    new_device = new_operator = False
    for name, value in lesson.used:
        if value:
            memory: Memory = getattr(profile, name)
            at = memory.find(value)
            new = at >= 0 and memory.first(at) == minute
            new_device = new_device or (new and name == "devices")
            new_operator = new_operator or (new and name == "asns")
            memory.take_back(value, minute, HABIT)
    if lesson.type == LOGIN:
        profile.depth = max(profile.depth - 1, 0)
        profile.logins = max(profile.logins + weight, 0.0)
        profile.fresh = max(profile.fresh + weight * new_device, 0.0)
        profile.strange = max(profile.strange + weight * new_operator, 0.0)
        absent = weight * (lesson.used[0][1] == 0)
        profile.absent_devices = max(profile.absent_devices + absent, 0.0)
        profile.hours[lesson.slot] = max(profile.hours[lesson.slot] - 1, 0)
    elif lesson.type == ORDER:
        profile.bought = max(profile.bought - 1, 0)
        _weigh_order(profile, lesson, weight)


def _weight(profile: Profile, minute: int) -> float:
    """Return what an event weighs by now: one, unless it is told of days later."""
    if minute >= profile.decayed:
        return 1.0
    days = (profile.decayed - minute // DAY * DAY) // DAY
    return power(2.0, -days * DAY / HABIT)


def _weigh_order(profile: Profile, lesson: Lesson, weight: float) -> None:
    """Take an order into the account's mean and spread; with less than no weight, out of them."""
    before = profile.orders
    count = before + weight
    if count < _NO_ORDER:
        profile.amount_mean = profile.amount_square = profile.orders = profile.rewards = 0.0
        return
    apart = lesson.amount - profile.amount_mean
    profile.amount_mean += weight * apart / count
    spread = profile.amount_square * before + weight * apart * (lesson.amount - profile.amount_mean)
    profile.amount_square = max(spread / count, 0.0)
    profile.orders = count
    profile.rewards = max(profile.rewards + weight * lesson.rewards, 0.0)


def _count_hour(hours: list[int], slot: int) -> None:
    hours[slot] += 1
    if hours[slot] > 60:
        hours[:] = [count // 2 for count in hours]


def _fade(profile: Profile, minute: int) -> None:
    days = (minute - profile.decayed) // DAY
    if days > 0:
        fade = power(2.0, -days * DAY / HABIT)
        profile.logins *= fade
        profile.fresh *= fade
        profile.strange *= fade
        profile.absent_devices *= fade
        profile.challenged *= fade
        profile.orders *= fade
        profile.rewards *= fade
        profile.decayed += days * DAY


def record(reading: Reading, *, flagged: bool) -> None:
    """Record what is true whoever did it: clocks, failures, sessions, places, doubts."""
    profile, event, minute = reading.profile, reading.event, reading.minute
    profile.seen = max(profile.seen, minute)
    if type(event) is Login and not reading.success:
        _count_failure(reading)
        return
    if type(event) is Login:
        profile.signed_in = max(profile.signed_in, minute)
        if profile.failed_prefix == reading.prefix:
            # Failures that were made good from the same place are over.
            profile.failures, profile.failed_prefix = 0.0, 0
        if not flagged:
            _place(reading)
            if event.mfa == "passed":
                profile.challenged += 1.0
    elif type(event) is Order:
        profile.ordered = max(profile.ordered, minute)
    elif type(event) is AccountChange:
        group = GROUP[event.change]
        if event.change == "address" and minute >= profile.changed[group]:
            profile.added = digest(event.value_hash) if event.value_hash else 0
        profile.changed[group] = max(profile.changed[group], minute)
    _remember_session(reading)
    _remember_doubt(reading)


def _count_failure(reading: Reading) -> None:
    profile, minute = reading.profile, reading.minute
    if minute < profile.failed:
        # What is told late has faded by now, and is not the latest.
        profile.failures += power(2.0, (minute - profile.failed) / 120.0)
        return
    fade = 0.0
    if profile.failed >= 0:
        fade = power(2.0, -(minute - profile.failed) / 120.0)
    profile.failures = profile.failures * fade + 1.0
    profile.failed, profile.failed_prefix = minute, reading.prefix


def _place(reading: Reading) -> None:
    facts, profile = reading.facts, reading.profile
    late = profile.place is not None and reading.minute < profile.place[2]
    if facts.latitude is not None and facts.longitude is not None and not late:
        latitude, longitude = facts.latitude, facts.longitude
        if latitude and longitude:
            latitude, longitude = _rounded(latitude, longitude)
        else:  # a nought has a sign, which the cache does not tell
            latitude, longitude = rounded(latitude, 3), rounded(longitude, 3)
        profile.place = latitude, longitude, reading.minute
        profile.city = facts.city and facts.city[:32]
    # "Usual" in an alert is what the account has used for days, not what came with this session.
    minute = reading.minute
    if facts.browser:
        client, known = _client_shown(facts.browser, facts.os), profile.client
        if client != known:
            came = _came(known, profile.client_came, profile.clients, reading.client, minute)
            if came is not None:
                profile.client, profile.client_came = client, came
    if facts.asn:
        network, known = _network_shown(facts.asn, facts.country), profile.network
        if network != known:
            came = _came(known, profile.network_came, profile.asns, reading.asn, minute)
            if came is not None:
                profile.network, profile.network_came = network, came


# Many customers share these: they are remembered.
@lru_cache(4096)
def _rounded(latitude: float, longitude: float) -> tuple[float, float]:
    return rounded(latitude, 3), rounded(longitude, 3)


@lru_cache(4096)
def _client_shown(browser: str, system: str | None) -> str:
    return (client_named(browser, system) or "")[:48]


@lru_cache(4096)
def _network_shown(asn: int, country: str | None) -> str:
    return network_named(f"AS{asn}", country)


def _came(known: str | None, came: Came, memory: Memory, key: int, minute: int) -> Came | None:
    """Return when a value came that may be called usual, and what is so until now; else None.

    It may be once it was known for long enough, or where nothing is known yet.
    """
    if key not in memory.keys:
        return None
    at = memory.keys.index(key)
    first = memory.first(at)
    return None if known is not None and minute - first < YOUNG else (first, known, came[0])


def _remember_session(reading: Reading) -> None:
    if not reading.session_key:
        return
    if reading.session is None and is_staffs(reading.event):
        # Whoever's session it is has not been seen in it: it is read as one never signed in to.
        return
    session, signed_in = reading.session, reading.type == LOGIN
    sessions = reading.profile.sessions
    contact = session.contact if session is not None else 0
    if reading.type == CHANGE:
        contact = contact_of(reading.event) or contact
    if session is None or signed_in:
        fresh = Session(
            reading.session_key, reading.device, reading.agent, reading.client, reading.prefix,
            reading.asn, reading.country, reading.device_class, reading.network, reading.minute,
            reading.minute, carried(reading), signed_in, contact, reading.proved,
        )  # fmt: skip
        for known in sessions:
            if known.key == fresh.key:
                # Of sign-ins by one device within a minute that name no session, the last remains.
                sessions.remove(known)
                break
        sessions.append(fresh)
        del sessions[:-SESSIONS]
    else:
        session.used, session.contact = max(session.used, reading.minute), contact


def doubt_left(reading: Reading) -> int:
    """Return the whole nats of doubt that stay with what an event brings in, 0 to 15."""
    return min(15, int(reading.doubt)) if reading.doubt >= 1.0 else 0


def _remember_doubt(reading: Reading) -> None:
    if reading.doubt < 0.9:
        return
    nats = rounded(reading.doubt, 3)
    if nats < 1.0:
        return
    doubts, own = reading.profile.doubts, is_own_device(reading)
    for doubt in doubts:
        if doubt.session == reading.session_key:
            if nats >= doubt.nats:
                doubt.nats, doubt.minute = nats, reading.minute
            doubt.own = doubt.own and own
            return
    doubts.append(Doubt(reading.session_key, reading.minute, nats, own))
    if len(doubts) > _DOUBTS:
        doubts.remove(min(doubts, key=lambda doubt: (doubt.nats, doubt.minute)))


def count(reading: Reading, population: Population) -> None:
    """Count what the event shows of everybody's habits."""
    event = reading.event
    if type(event) is Login:
        _count_attempt(reading, population)
        if not reading.success:
            return
        population.add_sign_in(
            reading.weekhour % 24 // 3,
            reading.agent,
            reading.client,
            reading.prefix,
            reading.asn,
            reading.country,
        )
        if reading.depth:
            _count_news(reading, population)
    elif type(event) is Order:
        population.amounts.add(reading.amount)
        if event.loyalty_points:
            population.points.add(log(1.0 + event.loyalty_points))
        for category in reading.categories:
            population.categories.add(category)
        _count_locality(reading, event, population)
        _count_new_values(reading, population)
    elif type(event) is AccountChange and event.value_hash:
        value, account, day = digest(event.value_hash), reading.account, reading.day
        population.new_contacts.add(value, account, day, reading.alone)


def _count_locality(reading: Reading, order: Order, population: Population) -> None:
    """Count where goods go that are ordered from a place, one address an account and place."""
    postcode = order.shipping_postcode
    if not reading.city or not postcode or order.delivery == "digital":
        return
    if reading.address in reading.profile.addresses.keys:
        return
    area = area_key(postcode, order.shipping_country)
    population.areas.add(area)
    population.places.add(reading.city)
    population.localities.add(area ^ reading.city)


def _count_new_values(reading: Reading, population: Population) -> None:
    profile, account, day = reading.profile, reading.account, reading.day
    if reading.payment and reading.payment not in profile.payments.keys:
        population.new_payments.add(reading.payment, account, day, reading.alone)
    if reading.address and reading.address not in profile.addresses.keys:
        population.new_addresses.add(reading.address, account, day, reading.alone)


def _count_attempt(reading: Reading, population: Population) -> None:
    profile, hour = reading.profile, reading.hour
    # Failures of this account on this network within the hour are one try, until it succeeds.
    again = profile.failed_prefix == reading.prefix and 0 <= reading.minute - profile.failed <= 60
    again = again and profile.failed >= 0
    if reading.success:
        tried, failed = (0.0, -1.0) if again else (1.0, 0.0)
    elif again:
        return
    else:
        tried, failed = 1.0, 1.0
    # Where an address range tells who tries, all others with a popular browser are neither under
    # suspicion for it nor cleared by who gets in there.
    before = population.by_prefix.add(reading.prefix, hour, tried=tried, failed=failed)
    told = failed >= 0.0 and guessed(before[0], before[1]) > 0.0
    if reading.asn:
        population.by_operator.add(tool_of(reading), hour, tried=tried, failed=failed)
    if reading.agent and not told:
        population.by_agent.add(reading.agent, hour, tried=tried, failed=failed)


def _count_news(reading: Reading, population: Population) -> None:
    profile = reading.profile
    if reading.device and reading.device_at < 0:
        population.new_devices.add(reading.device, reading.account, reading.day)
        # What others use as well may be a terminal: then its line is its own.
        if population.new_devices.others(reading.device, reading.account, reading.day):
            population.new_ranges.add(terminal_of(reading), reading.account, reading.day)
    if reading.prefix and reading.prefix_at < 0:
        population.new_ranges.add(reading.prefix, reading.account, reading.day)
    if reading.asn and reading.asn not in profile.asns.keys:
        population.new_asns.add(reading.asn)
    if reading.country and reading.country not in profile.countries.keys:
        population.new_countries.add(reading.country)
    if reading.client and reading.client not in profile.clients.keys:
        population.new_clients.add(reading.client)


def undo(profile: Profile, minutes: Iterable[int]) -> list[Forgotten]:
    """Forget what was brought in since events of these minutes: a hijacker had access.

    What came after a verdict had given the account back to its customer is forgotten only for what
    a hijacker did after that again. Nor is it known where the account was last, if that was since.
    """
    before = [minute for minute in minutes if minute <= profile.recovered]
    since = [minute for minute in minutes if minute > profile.recovered]
    forgotten = _forget_between(profile, min(before), profile.recovered) if before else []
    if since:
        profile.recovered = profile.seen
        forgotten += _forget_between(profile, min(since), profile.seen)
    return forgotten


def _forget_between(profile: Profile, begin: int, end: int) -> list[Forgotten]:
    forgotten = [
        Forgotten(name, *value)
        for name in _LIMITS
        if name not in {"deliveries", "methods", "categories"}
        for value in getattr(profile, name).forget_between(begin, end)
    ]
    place = profile.place
    if place is not None and begin <= place[2] <= end:
        profile.place = None
        row = [round(_MILLI * place[0]), round(_MILLI * place[1]), place[2]]
        forgotten.append(Forgotten(_PLACE, 0, row, profile.city))
        profile.city = None
    for name in _USUAL:
        forgotten += _forget_usual(profile, name, begin, end)
    return forgotten


def _forget_usual(profile: Profile, name: str, begin: int, end: int) -> list[Forgotten]:
    """Call usual again what was so before something came that is forgotten, unless that is too."""
    text: str | None = getattr(profile, name)
    came: Came = getattr(profile, name + _CAME)
    first, before, before_first = came
    if begin <= before_first <= end:
        before, before_first = None, -1
    if not begin <= first <= end:
        setattr(profile, name + _CAME, (first, before, before_first))
        return []
    setattr(profile, name, before)
    setattr(profile, name + _CAME, (before_first, None, -1))
    return [Forgotten(name, first, [], text)]


def recall(profile: Profile, forgotten: Iterable[Forgotten]) -> None:
    """Undo `undo`: nobody but the customer had access."""
    profile.held = -1
    for name, key, row, text in forgotten:
        if name == _PLACE:
            if profile.place is None:
                profile.place = row[0] / _MILLI, row[1] / _MILLI, row[2]
                profile.city = text
            continue
        if name in _USUAL:
            came: Came = getattr(profile, name + _CAME)
            setattr(profile, name + _CAME, (key, getattr(profile, name), came[0]))
            setattr(profile, name, text)
            continue
        getattr(profile, name).recall(key, row, _LIMITS[name])


def trust(
    profile: Profile, minutes: set[int], sessions: set[int], used: Iterable[tuple[str, int]] = ()
) -> None:
    """Drop the doubts that the events of these minutes and sessions left: it was the customer.

    By whose device and network they came: what `used` tells, memory and value, and the sessions.
    """
    opened = {session.key for session in profile.sessions if session.opened in minutes}
    sessions = (sessions | opened) - {0}
    minutes = minutes | {session.opened for session in profile.sessions if session.key in sessions}
    profile.doubts = [
        doubt
        for doubt in profile.doubts
        if doubt.minute not in minutes and doubt.session not in sessions
    ]
    for name in ("devices", "prefixes"):
        getattr(profile, name).clear_doubt(minutes)
    tie_all(profile, used, sessions)

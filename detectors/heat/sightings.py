"""The account's side: what an engine's events show of their indicators, summed up.

Most sign-ins come with a device or a network that the account knows. No attacker has both the
password list and the victim's cookie or home, so these are counted in two numbers a minute; an
indicator hears only of accounts that everything was new to, and of where goods go and how they are
paid. That is what makes an office, a carrier, a forced reset or a new version of the app as quiet
as they are.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from msgspec import structs

from detectors.events import AccountChange, Event, Login, Order
from detectors.facts import Facts, client_named
from detectors.features.access import NEW, OPERATOR
from detectors.features.reading import LOGIN, YOUNG, Reading
from detectors.features.registry import POSITION
from detectors.heat.indicators import COARSE, KINDS, Kind, Met, met
from detectors.heat.records import (
    VERSION,
    AlertMark,
    Batch,
    Brought,
    Entry,
    Hot,
    Sighting,
    Totals,
    Way,
)
from detectors.profiles import Memory, Profile, digest
from detectors.watermark import TOLERANCE

HEAT: Final = POSITION["heat"]
_SLOT: Final = 5
"""Minutes that totals are told for."""
_AGAIN: Final = 60
"""Minutes within which a success makes good a failure on the same account and network."""
_MOST: Final = 500
"""Sightings of a batch: each may change much of the state of whoever counts it."""
_REMOTE: Final = -7.0
"""Nats of log-odds below which an entry is not told to what many share: so popular a thing seldom
is hot by the three nats that would make an alert of it, and most who enter by it are customers."""
_WAYS: Final = 8
"""Ways that one sighting's failures are told to have come by at most."""
_SHOWN: Final = 160
"""Characters of a value that are told at most."""


class Sightings:
    """Sums up what a partition's engine sees, by indicator and minute, until it is handed over.

    `shards` is how many heat partitions there are, `source` the number of the engine's own. Memory:
    some 200 bytes for each indicator met since the last hand-over by an account that it was new to.
    Nothing is stored: what was seen leaves with the state that saw it.
    """

    def __init__(self, shards: int, source: int = 0) -> None:
        self._shards = shards
        self._source = source
        # In the order that they were begun in, and by minute and key: the keys of two kinds differ
        # as surely as those of two values.
        self._told: list[Sighting] = []
        self._sums: dict[int, dict[int, Sighting]] = {}
        self._totals: dict[int, list[int]] = {}
        # What is excused, by minute and key, as told: a botnet has thousands of ranges.
        self._excused: dict[tuple[int, int], dict[tuple[int, int], None]] = {}
        # Whether anything was seen that may change what others know: a failure or an alert.
        self.telling = False

    def see(self, reading: Reading) -> None:
        """Note an order or a change as it was read, before it is learnt, unless it was flagged."""
        brought = carried_anew(reading)
        if brought:
            self._see_new(reading, brought)

    def see_sign_in(
        self,
        reading: Reading,
        login: Login,
        explained: Hot | None = None,
        *,
        known: bool,
        flagged: bool,
    ) -> None:
        """Note a sign-in as it was read, before it is learnt. Of a flagged one nothing is honest.

        `known` tells whether its account knows what it came with. A failure is `explained` by what
        it came with that is hot already: it says nothing of what else it has in common with
        customers, the operator and client where that is an address or device.
        """
        minute = _minute(reading)
        if explained is not None and not COARSE[explained.kind]:
            self._see_failure(reading, (1, 1, 0), minute, explained)
            return
        tried, failed = _tries(reading)
        totals = self._totals.get(minute // _SLOT)
        if totals is None:
            totals = self._totals[minute // _SLOT] = [0, 0, 0, 0, 0, 0]
        if reading.success and reading.depth == 0:
            totals[5] += 1
        if known:
            totals[0] += tried
            totals[1] += failed
            if reading.success and not flagged:
                news = _news(reading)
                if news:
                    self._see_new(reading, news)
            return
        if reading.proved:
            self._see_proved(reading, minute, made_good=failed < 0, flagged=flagged)
            totals[3] -= failed < 0
            return
        # A shop whose look-up is down knows nobody; an account that was ever entered exists.
        is_unknown = login.failure_reason == "unknown_account" and reading.depth == 0
        unknown = tried if is_unknown else 0
        hot = reading.hot
        # A failure that an address or device explained counts nowhere else: nor is it made good.
        apart = reading.success and hot is not None and not COARSE[hot.kind]
        totals[2] += 1 if apart else tried
        totals[3] += 0 if apart else failed
        totals[4] += unknown
        if reading.success:
            self._see_entry(reading, login, minute, (tried, failed), flagged=flagged)
        elif tried:
            self._see_failure(reading, (tried, failed, unknown), minute, explained)

    def see_attacked(self, hot: Hot, mark: AlertMark) -> None:
        """Note that an alert was raised for what came through a hot indicator."""
        self.telling = True
        self._at(hot.kind, hot.key, int(hot.at // 60)).alerts += (mark,)

    def see_alert(self, reading: Reading, mark: AlertMark, *, lately: bool) -> None:
        """Note which indicators an event of an alert's case came with (`brought_by`)."""
        self.see_hijack(brought_by(reading, lately=lately), mark, _minute(reading))

    def see_hijack(self, brought: Iterable[Brought], mark: AlertMark, minute: int) -> None:
        """Note what an event came with, within a minute, of a hijack that is told of."""
        self.telling = True
        for one in brought:
            summed = self._at(one.kind, one.key, minute)
            told = structs.replace(mark, host=one.host) if one.host else mark
            if told not in summed.alerts[-1:]:
                summed.alerts += (told,)
            summed.shown = one.shown

    def batches(self) -> list[tuple[int, Batch]]:
        """Hand over what was seen since the last call: shards and what each is told.

        Call it right before the engine's `changes`, and make both durable as one.
        """
        if not self._told and not self._totals:
            return []
        for (minute, key), excused in self._excused.items():
            self._sums[minute][key].excused = tuple(excused)
        totals = tuple([Totals(_SLOT * slot, *counts) for slot, counts in self._totals.items()])
        parts = [self._told]
        if self._shards > 1:
            parts = [[] for _ in range(self._shards)]
            for summed in self._told:
                parts[summed.key % self._shards].append(summed)
        self._told, self._sums, self._totals, self._excused = [], {}, {}, {}
        self.telling = False
        return [
            # Each shard is told the totals once, and at last: they tell of the hand-over's end.
            (
                shard,
                self._batch(
                    totals if begin + _MOST >= len(part) else (), part[begin : begin + _MOST]
                ),
            )
            for shard, part in enumerate(parts)
            for begin in range(0, max(len(part), 1), _MOST)
        ]

    def _batch(self, totals: tuple[Totals, ...], part: list[Sighting]) -> Batch:
        return Batch(VERSION, totals, tuple(part), self._source)

    def _see_proved(self, reading: Reading, minute: int, *, made_good: bool, flagged: bool) -> None:
        """Note a try that no list of passwords can make: it only takes back a failure before it."""
        if reading.success and not flagged:
            self._see_new(reading, _news(reading))
        if made_good:
            for kind, key, _ in came_by(reading):
                summed = self._at(kind, key, minute)
                if COARSE[kind]:
                    summed.tried += 1
                    self._make_good(reading, kind, key, minute)
                else:
                    summed.failed -= 1
                summed.accounts += (reading.account,)

    def _see_failure(
        self,
        reading: Reading,
        counts: tuple[int, int, int],
        minute: int,
        explained: Hot | None,
    ) -> None:
        tried, failed, unknown = counts
        self.telling = True
        account, network = (reading.account,), (reading.prefix,)
        sums, came = self._summed(minute), came_by(reading)
        ways = (_way_of(came),)
        excused = None
        if explained is not None and not COARSE[explained.kind]:
            excused = network[0], int(explained.since // 60)
        for kind, key, value in came:
            if explained is not None and COARSE[kind] and kind != explained.kind:
                if excused is not None:
                    self._excuse(kind, key, minute, excused)
                continue
            summed = sums.get(key)
            if summed is None:
                summed = sums[key] = Sighting(
                    kind, key, minute, tried, failed, unknown, account, network, (), (), (),
                    _shown(kind, value), ways,
                )  # fmt: skip
                self._told.append(summed)
                continue
            summed.tried += tried
            summed.failed += failed
            summed.unknown += unknown
            summed.accounts += account
            summed.networks += network
            summed.shown = _shown(kind, value)
            if len(summed.ways) < _WAYS and ways[0] not in summed.ways:
                summed.ways += ways

    def _excuse(self, kind: int, key: int, minute: int, excused: tuple[int, int]) -> None:
        """Note that what failed through what many share from a range by a minute is not its doing.

        It is the doing of an address or a device, and so is what failed from there before that was
        known to be under attack; or it has been made good.
        """
        told = self._excused.get((minute, key))
        if told is None:
            self._at(kind, key, minute)
            told = self._excused[minute, key] = {}
        told[excused] = None

    def _make_good(self, reading: Reading, kind: int, key: int, minute: int) -> None:
        """Note that a customer got in who had failed from the same range through what many share.

        Whether that failure counted there, and by how much, only its range tells: not every one
        does, and what was put down to the range is taken back already.
        """
        profile = reading.profile
        self._excuse(kind, key, minute, (reading.prefix, profile.born + profile.failed))

    def _see_entry(
        self,
        reading: Reading,
        login: Login,
        minute: int,
        counts: tuple[int, int],
        *,
        flagged: bool,
    ) -> None:
        logit = round(reading.logit - reading.weights[HEAT], 3)
        entry = Entry(
            login.account_id, login.event_id, reading.at, logit, login.session_id,
            reading.telling, reading.guessing,
        )  # fmt: skip
        account, entries = (reading.account,), (entry,)
        likely = entries if logit >= _REMOTE else ()
        new = () if flagged else account
        tried, failed = counts
        hot = reading.hot
        sums = self._summed(minute)
        for kind, key, _ in came_by(reading):
            told: tuple[Entry, ...] = entries
            tries, failures = tried, failed
            if COARSE[kind]:
                told, tries, failures = likely, 1, 0
            summed = sums.get(key)
            if summed is None:
                summed = sums[key] = Sighting(
                    kind, key, minute, tries, failures, 0, account, (), new, told
                )
                self._told.append(summed)
                continue
            summed.tried += tries
            summed.failed += failures
            summed.accounts += account
            summed.new += new
            summed.entries += told
        if failed < 0:
            for kind, key, _ in came_by(reading):
                # What explained a failure has counted it; with what else is shared it never was.
                if COARSE[kind] and (hot is None or kind == hot.kind):
                    self._make_good(reading, kind, key, minute)

    def _see_new(self, reading: Reading, brought: Sequence[Met]) -> None:
        """Note what is new to an account: how common a thing is, everybody tells."""
        minute = _minute(reading)
        account, sums = (reading.account,), self._summed(minute)
        for kind, key, _ in brought:
            summed = sums.get(key)
            if summed is None:
                summed = sums[key] = Sighting(kind, key, minute, 0, 0, 0, (), (), account)
                self._told.append(summed)
            else:
                summed.new += account

    def _summed(self, minute: int) -> dict[int, Sighting]:
        sums = self._sums.get(minute)
        if sums is None:
            sums = self._sums[minute] = {}
        return sums

    def _at(self, kind: int, key: int, minute: int) -> Sighting:
        sums = self._summed(minute)
        summed = sums.get(key)
        if summed is None:
            summed = sums[key] = Sighting(kind, key, minute)
            self._told.append(summed)
        return summed


def brought_by(reading: Reading, *, lately: bool) -> list[Brought]:
    """Return what an event brought to its account that tells of a hijacker, if it was one's.

    Its network and client only where it brought them, or, with `lately`, what came before it within
    two days; where the goods go and how they are paid only where that came within two days. What a
    customer has long used says nothing of who else uses it: households share a door and a card. Nor
    does a customer's own device say anything of the network. A contact that was left in the session
    before is told too.
    """
    event = reading.event
    since = reading.minute - YOUNG if lately else None
    customers = reading.device and not is_new(reading, _DEVICE, since)
    brought = () if customers else came_by(reading)
    before = reading.session.contact if reading.session is not None else 0
    left = (Met(_CONTACT, before, ""),) if before else ()
    found: list[Brought] = []
    for kind, key, value in (*brought, *carried(event), *left):
        if kind in _MEMORIES and not is_new(reading, kind, since):
            continue
        if _is_long_used(reading, kind, value):
            continue
        found.append(Brought(kind, key, _shown(kind, value), _behind(kind, event)))
    return found


def _tries(reading: Reading) -> tuple[int, int]:
    """Return how many tries, and how many of them failed, a sign-in adds to those that counted."""
    profile = reading.profile
    if profile.failed >= 0 and profile.failed_prefix == reading.prefix:  # hardly ever
        since = reading.minute - profile.failed
        if 0 <= since <= _AGAIN:
            return (0, -1) if reading.success else (0, 0)
    return (1, 0) if reading.success else (1, 1)


def is_familiar(reading: Reading) -> bool:
    """Return whether the account knows the event's device or its address range."""
    return reading.device_at >= 0 or reading.prefix_at >= 0


def is_strangers(reading: Reading) -> bool:
    """Return whether neither device nor address range is known to the account.

    In a session it is the session's beginning that counts. A customer behind an address that is
    hot, with a device or a range of their own, has nothing to do with what is tried from there.
    """
    # New, absent, or missing for once.
    return reading.success and reading.network >= OPERATOR and reading.device_class >= NEW


def is_new(reading: Reading, kind: int, since: int | None = None) -> bool:
    """Return whether the account did not know the event's network or client before a minute.

    Without one, before the event: what its own session brought in is as new as it was then.
    """
    names = _MEMORIES[kind]
    memory: Memory = getattr(reading.profile, names[0])
    at = memory.find(getattr(reading, names[1]))
    if at < 0:
        return True
    opened = reading.session.opened if reading.session is not None else reading.minute + 1
    return memory.first(at) >= (opened if since is None else min(opened, since))


def carries_news(reading: Reading) -> bool:
    """Return whether an event in a session tells of an address, payment or contact that is new."""
    if not reading.session_key or reading.type == LOGIN:
        return False
    return bool(carried_anew(reading))


def _news(reading: Reading) -> list[Met]:
    """Return what a sign-in came with that its account has not met."""
    event, facts, profile = reading.event, reading.facts, reading.profile
    news: list[Met] = []
    if event.ip is not None and reading.prefix not in profile.prefixes.keys:
        news.append(met(_RANGE, facts.prefix or event.ip))
    if facts.asn is not None and reading.asn not in profile.asns.keys:
        news.append(_operator(facts.asn))
    if event.device_id is not None and reading.device not in profile.devices.keys:
        news.append(met(_DEVICE, event.device_id))
    if event.user_agent is not None and reading.agent not in profile.agents.keys:
        news.append(met(_AGENT, event.user_agent))
    return news


def came_with(event: Event, facts: Facts) -> list[Met]:
    """Return the network and the client that an event came with, as far as it tells them."""
    found: list[Met] = []
    if event.ip is not None:
        found.append(met(_RANGE, facts.prefix or event.ip))
    if facts.asn is not None:
        found.append(_operator(facts.asn))
    if event.device_id is not None:
        found.append(met(_DEVICE, event.device_id))
    if event.user_agent is not None:
        found.append(met(_AGENT, event.user_agent))
        cookie = event.device_id is not None
        found.append(_shape(facts.browser, facts.os, cookie, facts.network_kind))
    return found


def came_by(reading: Reading) -> list[Met]:
    """Return the network and the client that an event came with; they are put together once."""
    if reading.came is None:
        reading.came = came_with(reading.event, reading.facts)
    return reading.came


def _way_of(came: Sequence[Met]) -> Way:
    """Return by what of that which customers share an event came."""
    agent = shape = operator = 0
    for kind, key, _ in came:
        if kind == _AGENT:
            agent = key
        elif kind == _SHAPE:
            shape = key
        elif kind == _OPERATOR:
            operator = key
    return Way(agent, shape, operator)


# A member of an enumeration is looked up in its class each time, and is slow to write.
_RANGE: Final = int(Kind.PREFIX)
_OPERATOR: Final = int(Kind.OPERATOR)
_DEVICE: Final = int(Kind.DEVICE)
_AGENT: Final = int(Kind.AGENT)
_SHAPE: Final = int(Kind.SHAPE)
_DELIVERY: Final = int(Kind.DELIVERY)
_PAYMENT: Final = int(Kind.PAYMENT)
_CONTACT: Final = int(Kind.CONTACT)
_POSTCODE: Final = int(Kind.POSTCODE)
_MEMORIES: Final = {
    _RANGE: ("prefixes", "prefix"),
    _OPERATOR: ("asns", "asn"),
    _DEVICE: ("devices", "device"),
    _AGENT: ("agents", "agent"),
}
"""Where a profile and a reading have what an event came with."""


@lru_cache(4096)
def _operator(asn: int) -> Met:
    return met(_OPERATOR, str(asn))


@lru_cache(4096)
def _shape(browser: str | None, system: str | None, cookie: bool, network: str | None) -> Met:  # noqa: FBT001 - keywords would cost it its cache
    """Return what a tool that changes its version and address for every try still shows."""
    told = "cookie" if cookie else "no cookie"
    # The key is of this text, whatever is known: what has been counted under it goes on.
    key = met(_SHAPE, f"{browser} on {system}, {told}, {network or 'unknown'} network").key
    known = [client_named(browser, system) or "unknown client", told]
    return Met(_SHAPE, key, ", ".join([*known, f"{network} network"] if network else known))


def carried(event: Event) -> list[Met]:
    """Return where an event has goods or mail go, and how it pays."""
    return [met(kind, value) for kind, value in _values(event)]


def carried_anew(reading: Reading) -> tuple[Met, ...]:
    """Return what of this the account did not know before the event; a contact always."""
    if reading.anew is None:
        event = reading.event
        reading.anew = _ordered_anew(reading, event) if type(event) is Order else _set_anew(reading)
    return reading.anew


def _ordered_anew(reading: Reading, order: Order) -> tuple[Met, ...]:
    profile = reading.profile
    anew: list[Met] = []
    if order.shipping_address_id and reading.address not in profile.addresses.keys:
        anew.append(met(_DELIVERY, order.shipping_address_id))
    if order.payment_id and reading.payment not in profile.payments.keys:
        anew.append(met(_PAYMENT, order.payment_id))
    if order.shipping_postcode and reading.postcode not in profile.postcodes.keys:
        anew.append(met(_POSTCODE, order.shipping_postcode))
    return tuple(anew)


def _set_anew(reading: Reading) -> tuple[Met, ...]:
    anew: list[Met] = []
    for kind, value in _values(reading.event):
        memory = _memory_of(reading.profile, kind)
        if memory is None or digest(value) not in memory.keys:
            anew.append(met(kind, value))
    return tuple(anew)


def _is_long_used(reading: Reading, kind: int, value: str) -> bool:
    """Return whether an account has had goods sent to an address, or paid so, for two days."""
    memory = _memory_of(reading.profile, kind)
    if memory is None:
        return False
    at = memory.find(digest(value))
    return at >= 0 and reading.minute - memory.first(at) >= YOUNG


def _memory_of(profile: Profile, kind: int) -> Memory | None:
    """Return where a profile has what events carry of a kind; contacts it does not remember."""
    if kind == _DELIVERY:
        return profile.addresses
    if kind == _PAYMENT:
        return profile.payments
    return profile.postcodes if kind == _POSTCODE else None


def _values(event: Event) -> list[tuple[int, str]]:
    values: list[tuple[int, str]] = []
    if type(event) is Order:
        if event.shipping_address_id:
            values.append((_DELIVERY, event.shipping_address_id))
        if event.payment_id:
            values.append((_PAYMENT, event.payment_id))
        if event.shipping_postcode:
            values.append((_POSTCODE, event.shipping_postcode))
    elif type(event) is AccountChange and event.value_hash:
        # A new address or payment is told under the token that orders tell it by.
        values.append((_CHANGED.get(event.change, _CONTACT), event.value_hash))
    return values


_CHANGED: Final = {"address": _DELIVERY, "payment": _PAYMENT}


def _behind(kind: int, event: Event) -> int:
    """Return what stands for a range's very address, for a shape's user agent, 0 for others."""
    if kind == _RANGE and event.ip is not None:
        return host_of(event.ip)
    if kind == _SHAPE and event.user_agent is not None:
        return met(_AGENT, event.user_agent).key
    return 0


def host_of(address: str) -> int:
    """Return what stands for the address itself in its range, never 0.

    A range of IPv6 is one customer's line already, which changes its addresses by the day.
    """
    return 1 if ":" in address else digest(address)


def contact_of(event: Event) -> int:
    """Return the key of the contact that an event sets, 0 where it sets none."""
    if type(event) is not AccountChange:
        return 0
    return next((one.key for one in carried(event) if one.kind == _CONTACT), 0)


def _shown(kind: int, value: str) -> str | None:
    return value[:_SHOWN] if KINDS[kind].shown else None


def _minute(reading: Reading) -> int:
    # What is dated too late to be believed is told as of now: others' clocks must not follow it.
    if reading.event.occurred_at > reading.at:
        return int((reading.at - TOLERANCE) // 60)
    return reading.on

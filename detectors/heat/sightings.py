"""The account's side: what an engine's events show of their indicators, summed up.

Most sign-ins come with a device or a network that the account knows. No attacker has both the
password list and the victim's cookie or home, so these are counted in two numbers a minute; an
indicator hears only of accounts that everything was new to, and of where goods go and how they are
paid. That is what makes an office, a carrier, a forced reset or a new version of the app as quiet
as they are.
"""

from collections.abc import Iterator
from typing import Final

from detectors.assessments import Alert
from detectors.events import AccountChange, Event, Login, Order
from detectors.facts import Facts
from detectors.features.access import ABSENT, MISSING, NEW, OPERATOR
from detectors.features.reading import Reading
from detectors.features.registry import POSITION
from detectors.heat.indicators import KINDS, Kind, key_of
from detectors.heat.records import VERSION, AlertMark, Batch, Entry, Hot, Sighting, Totals
from detectors.profiles import Memory, digest
from detectors.watermark import TOLERANCE

HEAT: Final = POSITION["heat"]
_SLOT: Final = 5
"""Minutes that totals are told for."""
_AGAIN: Final = 60
"""Minutes within which a success makes good a failure on the same account and network."""
_MOST: Final = 500
"""Sightings of a batch: each may change much of the state of whoever counts it."""
_ALL: Final = frozenset(Kind)
_FINE: Final = frozenset(kind for kind, facts in KINDS.items() if not facts.coarse)
_SHOWN: Final = 160
"""Characters of a value that are told at most."""


class Sightings:
    """Sums up what a partition's engine sees, by indicator and minute, until it is handed over.

    `shards` is how many heat partitions there are. Memory: some 200 bytes for each indicator met
    since the last hand-over by an account that it was new to. Nothing is stored: what was seen
    leaves with the state that saw it.
    """

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._sums: dict[tuple[int, int, int], Sighting] = {}
        self._totals: dict[int, list[int]] = {}
        self._telling = False

    @property
    def telling(self) -> bool:
        """Whether anything was seen that may change what others know: a failure or an alert."""
        return self._telling

    def see(self, reading: Reading, *, flagged: bool, explained: bool = False) -> None:
        """Note an event as it was read, before it is learnt. Of a flagged one nothing is honest.

        A failure is `explained` that came from an address or device which is hot already: it says
        nothing of the operator and client that it has in common with customers.
        """
        event = reading.event
        if type(event) is Login:
            if explained:
                self._see_failure(reading, event, (1, 1, 0), _minute(reading), _FINE)
            else:
                self._see_attempt(reading, event, flagged=flagged)
        elif not flagged:
            for kind, value in _carried(event):
                if _is_new(reading, kind, value):
                    self._at(kind, key_of(kind, value), _minute(reading)).new += (reading.account,)

    def see_attacked(self, hot: Hot, alert: Alert) -> None:
        """Note that an alert was raised for what came through a hot indicator."""
        self._telling = True
        self._at(hot.kind, hot.key, int(hot.at // 60)).alerts += (_mark_of(alert),)

    def see_alert(self, reading: Reading, alert: Alert) -> None:
        """Note which indicators an alert's newest event came with.

        Its network and client only where a stranger brought them: what a customer has long used
        says nothing of who else uses it.
        """
        self._telling, mark = True, _mark_of(alert)
        brought = came_with(reading.event, reading.facts) if is_strangers(reading) else ()
        for kind, value in (*brought, *_carried(reading.event)):
            if kind in _MEMORIES and not is_new(reading, kind):
                continue
            summed = self._at(kind, key_of(kind, value), _minute(reading))
            summed.alerts += (mark,)
            _show(summed, value)

    def batches(self) -> list[tuple[int, Batch]]:
        """Hand over what was seen since the last call: shards and what each is told.

        Call it right before the engine's `changes`, and make both durable as one.
        """
        if not self._sums and not self._totals:
            return []
        totals = tuple(Totals(_SLOT * slot, *counts) for slot, counts in self._totals.items())
        parts: list[list[Sighting]] = [[] for _ in range(self._shards)]
        for at, summed in self._sums.items():
            parts[at[1] % self._shards].append(summed)
        self._sums, self._totals, self._telling = {}, {}, False
        return [
            # Each shard is told the totals once.
            (shard, Batch(VERSION, () if begin else totals, tuple(part[begin : begin + _MOST])))
            for shard, part in enumerate(parts)
            for begin in range(0, max(len(part), 1), _MOST)
        ]

    def _see_attempt(self, reading: Reading, login: Login, *, flagged: bool) -> None:
        profile, success, minute = reading.profile, reading.success, _minute(reading)
        since = reading.minute - profile.failed
        again = (
            profile.failed_prefix == reading.prefix and profile.failed >= 0 and 0 <= since <= _AGAIN
        )
        tried, failed = (0, -1 if success else 0) if again else (1, 0 if success else 1)
        totals = self._totals.get(minute // _SLOT)
        if totals is None:
            totals = self._totals[minute // _SLOT] = [0, 0, 0, 0, 0, 0]
        entry = None
        # A failure that was explained counted nowhere but with what is hot: nor is it made good.
        explained = success and reading.hot is not None and not _is_coarse(reading.hot.kind)
        usual = (1, 0) if explained else (tried, failed)
        known = is_familiar(reading)
        if known:
            totals[0] += tried
            totals[1] += failed
        else:
            unknown = tried if login.failure_reason == "unknown_account" else 0
            totals[2] += usual[0]
            totals[3] += usual[1]
            totals[4] += unknown
            if not success:
                if tried:
                    self._see_failure(reading, login, (tried, failed, unknown), minute, _ALL)
                return
            logit = round(reading.logit - reading.weights[HEAT], 3)
            entry = Entry(
                login.account_id,
                login.event_id,
                reading.at,
                logit,
                login.session_id,
                reading.telling,
                reading.guessing,
            )
        if success:
            totals[5] += reading.depth == 0
            if entry is not None:
                self._see_entry(reading, (tried, failed), usual, entry, flagged=flagged)
            elif not flagged:
                self._see_news(reading, minute)

    def _see_failure(
        self,
        reading: Reading,
        login: Login,
        counts: tuple[int, int, int],
        minute: int,
        kinds: frozenset[Kind],
    ) -> None:
        tried, failed, unknown = counts
        self._telling = True
        account, network = (reading.account,), (reading.prefix,)
        for kind, value in came_with(login, reading.facts):
            if kind not in kinds:
                continue
            summed = self._at(kind, key_of(kind, value), minute)
            summed.tried += tried
            summed.failed += failed
            summed.unknown += unknown
            summed.accounts += account
            summed.networks += network
            _show(summed, value)

    def _see_entry(
        self,
        reading: Reading,
        fine: tuple[int, int],
        coarse: tuple[int, int],
        entry: Entry,
        *,
        flagged: bool,
    ) -> None:
        minute, account = _minute(reading), (reading.account,)
        for kind, value in came_with(reading.event, reading.facts):
            summed = self._at(kind, key_of(kind, value), minute)
            tried, failed = coarse if _is_coarse(kind) else fine
            summed.tried += tried
            summed.failed += failed
            summed.accounts += account
            summed.entries += (entry,)
            if not flagged:
                summed.new += account

    def _see_news(self, reading: Reading, minute: int) -> None:
        """Note what a known customer brings along: how common a thing is, everybody tells."""
        for kind, value in came_with(reading.event, reading.facts):
            if is_new(reading, kind):
                self._at(kind, key_of(kind, value), minute).new += (reading.account,)

    def _at(self, kind: int, key: int, minute: int) -> Sighting:
        at = kind, key, minute
        summed = self._sums.get(at)
        if summed is None:
            summed = self._sums[at] = Sighting(kind, key, minute)
        return summed


def _mark_of(alert: Alert) -> AlertMark:
    return AlertMark(
        alert.alert_id,
        alert.account_id,
        alert.revision,
        alert.raised_at,
        alert.updated_at,
        alert.risk,
        alert.stage,
        alert.techniques,
        alert.amount_at_risk,
        alert.currency,
    )


def is_familiar(reading: Reading) -> bool:
    """Return whether the account knows the event's device or its address range."""
    profile = reading.profile
    return profile.devices.find(reading.device) >= 0 or profile.prefixes.find(reading.prefix) >= 0


def is_strangers(reading: Reading) -> bool:
    """Return whether neither device nor address range is known to the account.

    In a session it is the session's beginning that counts. A customer behind an address that is
    hot, with a device or a range of their own, has nothing to do with what is tried from there.
    """
    return reading.success and (
        reading.network >= OPERATOR and reading.device_class in {NEW, ABSENT, MISSING}
    )


def is_new(reading: Reading, kind: Kind) -> bool:
    """Return whether the account did not know the event's network or client of a kind before.

    What the event's own session brought in is as new as it was then. Kinds that no profile
    remembers are never new.
    """
    names = _MEMORIES.get(kind)
    if names is None:
        return False
    memory: Memory = getattr(reading.profile, names[0])
    at = memory.find(getattr(reading, names[1]))
    return at < 0 or (reading.session is not None and memory.first(at) >= reading.session.opened)


def came_with(event: Event, facts: Facts) -> list[tuple[Kind, str]]:
    """Return the network and the client that an event came with, as far as it tells them."""
    found: list[tuple[Kind, str]] = []
    if event.ip is not None:
        found.append((_RANGE, facts.prefix or event.ip))
    if facts.asn is not None:
        found.append((_OPERATOR, str(facts.asn)))
    if event.device_id is not None:
        found.append((_DEVICE, event.device_id))
    if event.user_agent is not None:
        found += ((_AGENT, event.user_agent), (_SHAPE, shape_of(event, facts)))
    return found


# A member of an enumeration is looked up in its class each time.
_RANGE, _OPERATOR = Kind.PREFIX, Kind.OPERATOR
_DEVICE, _AGENT, _SHAPE = Kind.DEVICE, Kind.AGENT, Kind.SHAPE
_MEMORIES: Final = {
    _RANGE: ("prefixes", "prefix"),
    _OPERATOR: ("asns", "asn"),
    _DEVICE: ("devices", "device"),
    _AGENT: ("agents", "agent"),
}
"""Where a profile and a reading have what an event came with."""


def shape_of(event: Event, facts: Facts) -> str:
    """Return what a tool that changes its version and address for every try still shows."""
    cookie = "cookie" if event.device_id is not None else "no cookie"
    return f"{facts.browser} on {facts.os}, {cookie}, {facts.network_kind or 'unknown'} network"


def _carried(event: Login | Order | AccountChange) -> Iterator[tuple[Kind, str]]:
    if type(event) is Order:
        if event.shipping_address_id:
            yield Kind.DELIVERY, event.shipping_address_id
        if event.payment_id:
            yield Kind.PAYMENT, event.payment_id
    elif type(event) is AccountChange and event.value_hash:
        # A new address or payment is told under the token that orders tell it by.
        yield _CHANGED.get(event.change, Kind.CONTACT), event.value_hash


_CHANGED: Final = {"address": Kind.DELIVERY, "payment": Kind.PAYMENT}


def _is_new(reading: Reading, kind: Kind, value: str) -> bool:
    if kind is Kind.DELIVERY:
        return reading.profile.addresses.find(digest(value)) < 0
    return kind is Kind.CONTACT or reading.profile.payments.find(digest(value)) < 0


def _is_coarse(kind: int) -> bool:
    return KINDS[Kind(kind)].coarse


def _show(summed: Sighting, value: str) -> None:
    if KINDS[Kind(summed.kind)].shown:
        summed.shown = value[:_SHOWN]


def _minute(reading: Reading) -> int:
    # What is dated too late to be believed is told as of now: others' clocks must not follow it.
    ahead = reading.event.occurred_at > reading.at
    return int((reading.at - TOLERANCE if ahead else reading.at) // 60)

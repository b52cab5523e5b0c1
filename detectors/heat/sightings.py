"""The account's side: what an engine's events show of their indicators, summed up.

Most sign-ins come with a device or a network that the account knows. No attacker has both the
password list and the victim's cookie or home, so these are counted in two numbers a minute; an
indicator hears only of accounts that everything was new to, and of values new to an account. That
is what makes an office, a carrier, a forced reset or a new version of the app as quiet as they are.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from detectors.assessments import Alert
from detectors.events import AccountChange, Event, Login, Order
from detectors.facts import Facts
from detectors.features.reading import Reading
from detectors.features.registry import POSITION
from detectors.heat.indicators import KINDS, Indicator, Kind, key_of
from detectors.heat.records import VERSION, AlertMark, Batch, Entry, Sighting, Totals
from detectors.profiles import digest

HEAT: Final = POSITION["heat"]
_KEY: Final = b"h:sequence"
_AGAIN: Final = 60
"""Minutes within which a success makes good a failure on the same account and network."""
_SHOWN: Final = 160
"""Characters of a value that are told at most."""


class _Sum:
    """A sighting in the making."""

    __slots__ = ("accounts", "alerts", "entries", "failed", "new", "shown", "tried", "unknown")

    def __init__(self) -> None:
        self.tried = self.failed = self.unknown = 0
        self.accounts: list[int] = []
        self.new: list[int] = []
        self.entries: list[Entry] = []
        self.alerts: list[AlertMark] = []
        self.shown: str | None = None


class Sightings:
    """Sums up what a partition's engine sees, by indicator and minute, until it is handed over.

    `source` tells this engine's batches from others'; `shards` is how many heat partitions there
    are; `read` gives the state handed over so far. Memory: some 200 bytes for each indicator met
    since the last hand-over by an account that it was new to.
    """

    def __init__(self, source: int, shards: int, read: Callable[[bytes], bytes | None]) -> None:
        self._source, self._shards = source, shards
        stored = read(_KEY)
        self._sequence = int(msgspec.msgpack.decode(stored, type=int)) if stored else 0
        self._sums: dict[tuple[int, int, int], _Sum] = {}
        self._totals: dict[int, list[int]] = {}
        self._changed = False

    def see(self, reading: Reading, *, flagged: bool) -> None:
        """Note an event as it was read, before it is learnt. Of a flagged one nothing is honest."""
        event = reading.event
        if type(event) is Login:
            self._see_attempt(reading, event, flagged=flagged)
        elif not flagged:
            for kind, value in _carried(event):
                if _is_new(reading, kind, value):
                    self._sum(kind, value, _minute(reading)).new.append(reading.account)

    def see_alert(self, reading: Reading, alert: Alert) -> None:
        """Note which indicators an alert's newest event came with."""
        mark = AlertMark(
            alert.alert_id, alert.account_id, alert.revision, alert.raised_at, alert.updated_at,
            alert.risk, alert.stage, alert.techniques, alert.amount_at_risk, alert.currency,
        )  # fmt: skip
        for kind, value in (*came_with(reading.event, reading.facts), *_carried(reading.event)):
            summed = self._sum(kind, value, _minute(reading))
            summed.alerts.append(mark)
            _show(summed, kind, value)

    def batches(self) -> list[tuple[int, Batch]]:
        """Hand over what was seen since the last call: shards and what each is told.

        Call it right before `changes`, and make both durable as one: what was handed over is
        told under the same number again after a crash, or not at all.
        """
        if not self._sums and not self._totals:
            return []
        self._sequence += 1
        self._changed = True
        totals = tuple(Totals(minute, *counts) for minute, counts in self._totals.items())
        parts: list[list[Sighting]] = [[] for _ in range(self._shards)]
        for (kind, key, minute), summed in self._sums.items():
            parts[Indicator(kind, key).shard(self._shards)].append(
                Sighting(
                    kind,
                    key,
                    minute,
                    summed.tried,
                    summed.failed,
                    summed.unknown,
                    tuple(summed.accounts),
                    tuple(summed.new),
                    tuple(summed.entries),
                    tuple(summed.alerts),
                    summed.shown,
                )
            )
        self._sums, self._totals = {}, {}
        return [
            (shard, Batch(VERSION, self._source, self._sequence, totals, tuple(part)))
            for shard, part in enumerate(parts)
        ]

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over how many batches there were, where that changed."""
        if self._changed:
            self._changed = False
            yield _KEY, msgspec.msgpack.encode(self._sequence)

    def _see_attempt(self, reading: Reading, login: Login, *, flagged: bool) -> None:
        profile, minute = reading.profile, _minute(reading)
        since = reading.minute - profile.failed
        again = (
            profile.failed_prefix == reading.prefix and profile.failed >= 0 and 0 <= since <= _AGAIN
        )
        tried, failed = (0, -1 if reading.success else 0) if again else (1, not reading.success)
        totals = self._totals.setdefault(minute, [0, 0, 0, 0, 0])
        if is_familiar(reading):
            totals[0] += tried
            totals[1] += failed
        else:
            totals[2] += tried
            totals[3] += failed
            self._see_stranger(reading, login, tried, failed)
        if reading.success:
            totals[4] += reading.depth == 0
            if not flagged:
                for kind, value in came_with(reading.event, reading.facts):
                    if _is_new(reading, kind, value):
                        self._sum(kind, value, minute).new.append(reading.account)

    def _see_stranger(self, reading: Reading, login: Login, tried: int, failed: int) -> None:
        entry = None
        if reading.success:
            logit = reading.logit - reading.weights[HEAT]
            entry = Entry(
                login.account_id, login.event_id, reading.at, round(logit, 3), login.session_id
            )
        unknown = tried if login.failure_reason == "unknown_account" else 0
        for kind, value in came_with(reading.event, reading.facts):
            summed = self._sum(kind, value, _minute(reading))
            summed.tried += tried
            summed.failed += failed
            summed.unknown += unknown
            summed.accounts.append(reading.account)
            if entry is not None:
                summed.entries.append(entry)
            else:
                _show(summed, kind, value)

    def _sum(self, kind: Kind, value: str, minute: int) -> _Sum:
        at = kind, key_of(kind, value), minute
        summed = self._sums.get(at)
        if summed is None:
            summed = self._sums[at] = _Sum()
        return summed


def is_familiar(reading: Reading) -> bool:
    """Return whether the account knows the event's device or its address range."""
    profile = reading.profile
    return profile.devices.find(reading.device) >= 0 or profile.prefixes.find(reading.prefix) >= 0


def came_with(event: Event, facts: Facts) -> Iterator[tuple[Kind, str]]:
    """Yield the network and the client that an event came with, as far as it tells them."""
    if event.ip is not None:
        yield Kind.ADDRESS, facts.address or event.ip
        yield Kind.PREFIX, facts.prefix or event.ip
    if facts.asn is not None:
        yield Kind.OPERATOR, str(facts.asn)
    if event.device_id is not None:
        yield Kind.DEVICE, event.device_id
    if event.user_agent is not None:
        yield Kind.AGENT, event.user_agent
        yield Kind.SHAPE, shape_of(event, facts)


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
    profile = reading.profile
    if kind is Kind.ADDRESS or kind is Kind.PREFIX:
        return profile.prefixes.find(reading.prefix) < 0
    if kind is Kind.OPERATOR:
        return profile.asns.find(reading.asn) < 0
    if kind is Kind.DEVICE:
        return profile.devices.find(reading.device) < 0
    if kind is Kind.AGENT or kind is Kind.SHAPE:
        return profile.agents.find(reading.agent) < 0
    if kind is Kind.DELIVERY:
        return profile.addresses.find(digest(value)) < 0
    return kind is Kind.CONTACT or profile.payments.find(digest(value)) < 0


def _show(summed: _Sum, kind: Kind, value: str) -> None:
    if KINDS[kind].shown:
        summed.shown = value[:_SHOWN]


def _minute(reading: Reading) -> int:
    return int(reading.at // 60)

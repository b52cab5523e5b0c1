"""The alerts and campaigns that are known: bounded, and kept as bytes by key.

The latest `ALERTS` alerts are kept, in a ring of that many slots; one that makes room stays named
in its campaign, but nothing new is linked to it.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import msgspec

from detectors.campaigns.records import Campaign, SharedIndicator
from detectors.campaigns.weighing import Tie
from detectors.errors import UNREADABLE, IncompatibleState
from detectors.heat.indicators import Indicator
from detectors.heat.records import AlertMark, Link

VERSION: Final = 1
ALERTS: Final = 20_000
_SHARING: Final = 32
"""Alerts that are looked up by one indicator: the latest. What more share is no rarity."""
_TIES: Final = 40
_MEMBERS: Final = 2_000


class Known(msgspec.Struct, array_like=True):
    """An alert: its latest mark, what it came with, and the campaign it is in."""

    mark: AlertMark
    slot: int
    held: list[Tie] = []
    shown: dict[str, str] = {}
    gang: str | None = None

    @property
    def age(self) -> tuple[float, str]:
        """By which of two alerts is the older."""
        return self.mark.raised_at, self.mark.alert_id

    @property
    def ties(self) -> dict[tuple[int, int], Tie]:
        """What it came with, by indicator."""
        return {(tie.kind, tie.key): tie for tie in self.held}

    def tie(self, tie: Tie, link: Link) -> None:
        """Note an indicator; the first ones stay."""
        kept = [held for held in self.held if (held.kind, held.key) != (tie.kind, tie.key)]
        if len(kept) < _TIES:
            self.held = [*kept, tie]
            if link.shown is not None:
                self.shown = {**self.shown, Indicator(link.kind, link.key).id: link.shown}


class Member(msgspec.Struct, array_like=True):
    """What a campaign keeps of an alert in it."""

    account_id: str
    at: float
    amount: Decimal
    currency: str | None
    techniques: tuple[str, ...]


class Gang(msgspec.Struct, array_like=True):
    """A campaign as it is kept. `shared` counts by indicator the alerts that came with it."""

    campaign_id: str
    first_seen: float
    revision: int = 0
    members: dict[str, Member] = {}
    shared: dict[str, int] = {}
    shown: dict[str, str] = {}
    merged_from: tuple[str, ...] = ()
    merged_into: str | None = None
    told: str = ""


class Memory:
    """Reads records through `read` and keeps what changed until it is handed over."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._read = read
        self._kept: dict[bytes, Any] = {}
        self._dirty: dict[bytes, None] = {}

    def alert(self, alert_id: str) -> Known | None:
        """Return a known alert."""
        known: Known | None = self._get(b"g:a:" + alert_id.encode(), Known)
        return known

    def gang(self, campaign_id: str | None) -> Gang | None:
        """Return a campaign, that which it went into where it was merged."""
        while campaign_id is not None:
            gang: Gang | None = self._get(b"g:c:" + campaign_id.encode(), Gang)
            if gang is None or gang.merged_into is None:
                return gang
            campaign_id = gang.merged_into
        return None

    def add(self, mark: AlertMark) -> Known:
        """Take in an alert; the one that has been known longest makes room."""
        number = self._get(b"g:next", int) or 0
        slot = b"g:s:%d" % (number % ALERTS)
        evicted: str | None = self._get(slot, str)
        if evicted is not None:
            self._forget(evicted)
        known = Known(mark, number % ALERTS)
        self._put(slot, mark.alert_id)
        self._put(b"g:next", number + 1)
        self._put(b"g:a:" + mark.alert_id.encode(), known)
        return known

    def touch(self, known: Known) -> None:
        """Note that an alert changed, and that it is found by what it came with."""
        self._put(b"g:a:" + known.mark.alert_id.encode(), known)
        for tie in known.held:
            at = _indicator_key(tie.kind, tie.key)
            alerts = self._get(at, list[str]) or []
            if known.mark.alert_id not in alerts:
                self._put(at, [*alerts, known.mark.alert_id][-_SHARING:])

    def sharing(self, kind: int, key: int, but: str) -> Iterator[Known]:
        """Yield the other alerts that came with an indicator, the oldest first."""
        alerts = self._get(_indicator_key(kind, key), list[str]) or []
        known = [self.alert(alert_id) for alert_id in alerts if alert_id != but]
        yield from sorted((one for one in known if one is not None), key=lambda one: one.age)

    def count_sharing(self, kind: int, key: int) -> int:
        """Return how many alerts came with an indicator, as far as they are looked up."""
        return len(self._get(_indicator_key(kind, key), list[str]) or [])

    def found(self, oldest: Known) -> Gang:
        """Begin a campaign with an alert."""
        hashed = blake2b(b"campaign\0" + oldest.mark.alert_id.encode(), digest_size=12)
        gang = Gang(hashed.hexdigest(), oldest.mark.raised_at)
        self._put_gang(gang)
        return gang

    def join(self, gang: Gang, known: Known) -> None:
        """Make an alert a member."""
        known.gang = gang.campaign_id
        self.touch(known)
        self.update(gang, known)

    def update(self, gang: Gang, known: Known) -> None:
        """Take an alert's present mark and indicators into its campaign."""
        mark = known.mark
        if mark.alert_id not in gang.members and len(gang.members) >= _MEMBERS:
            return
        gang.members[mark.alert_id] = Member(
            mark.account_id, mark.at, mark.amount, mark.currency, mark.techniques
        )
        gang.first_seen = min(gang.first_seen, mark.raised_at)
        gang.shared = self._shared(gang)
        gang.shown = {
            name: value
            for name, value in {**gang.shown, **known.shown}.items()
            if name in gang.shared
        }
        self._put_gang(gang)

    def merge(self, older: Gang, younger: Gang) -> Campaign:
        """Make two campaigns one, under the older's id; return the younger's last revision."""
        older.members = {**older.members, **younger.members}
        older.merged_from = tuple(
            sorted({*older.merged_from, younger.campaign_id, *younger.merged_from})
        )
        older.shown = {**older.shown, **younger.shown}
        older.shared = self._shared(older)
        for alert_id in younger.members:
            known = self.alert(alert_id)
            if known is not None:
                known.gang = older.campaign_id
                self.touch(known)
        younger.merged_into = older.campaign_id
        self._put_gang(older)
        self._put_gang(younger)
        last = self.publish(younger)
        assert last is not None  # noqa: S101 - that it was merged is news
        return last

    def publish(self, gang: Gang) -> Campaign | None:
        """Return the campaign's new revision, None where it says nothing new."""
        campaign = _published(gang)
        told = blake2b(msgspec.msgpack.encode(campaign), digest_size=8).hexdigest()
        if told == gang.told:
            return None
        gang.told = told
        gang.revision += 1
        self._put_gang(gang)
        return msgspec.structs.replace(campaign, revision=gang.revision)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over what changed since the last call, and make room."""
        for at in sorted(self._dirty):
            value = self._kept[at]
            yield at, None if value is None else msgspec.msgpack.encode((VERSION, value))
        self._dirty.clear()
        if len(self._kept) > ALERTS:
            self._kept.clear()

    def _shared(self, gang: Gang) -> dict[str, int]:
        counts: dict[str, int] = {}
        for alert_id in gang.members:
            known = self.alert(alert_id)
            for tie in known.held if known is not None else ():
                name = Indicator(tie.kind, tie.key).id
                counts[name] = counts.get(name, 0) + 1
        return {name: count for name, count in sorted(counts.items()) if count > 1}

    def _forget(self, alert_id: str) -> None:
        known = self.alert(alert_id)
        for tie in known.held if known is not None else ():
            at = _indicator_key(tie.kind, tie.key)
            rest = [other for other in self._get(at, list[str]) or [] if other != alert_id]
            self._put(at, rest or None)
        self._put(b"g:a:" + alert_id.encode(), None)

    def _put_gang(self, gang: Gang) -> None:
        self._put(b"g:c:" + gang.campaign_id.encode(), gang)

    def _put(self, at: bytes, value: Any) -> None:
        self._kept[at] = value
        self._dirty[at] = None

    def _get(self, at: bytes, kind: Any) -> Any:
        if at not in self._kept:
            stored = self._read(at)
            self._kept[at] = None if stored is None else _decode(stored, kind)
        return self._kept[at]


def _decode(stored: bytes, kind: Any) -> Any:
    try:
        version, value = msgspec.msgpack.decode(stored, type=tuple[int, kind])
    except UNREADABLE as error:
        raise IncompatibleState(f"a stored campaign cannot be read: {error}") from error
    if version != VERSION:
        raise IncompatibleState(f"a stored campaign has version {version}, not {VERSION}")
    return value


def _indicator_key(kind: int, key: int) -> bytes:
    return b"g:i:" + Indicator(kind, key).id.encode()


def _published(gang: Gang) -> Campaign:
    members = gang.members
    by_age = sorted(members.items(), key=lambda item: (item[1].at, item[0]))
    currency = next((member.currency for _, member in by_age if member.currency), None)
    return Campaign(
        campaign_id=gang.campaign_id,
        revision=0,
        first_seen=gang.first_seen,
        last_seen=max(member.at for member in members.values()),
        accounts=tuple(sorted({member.account_id for member in members.values()})),
        alert_ids=tuple(sorted(members)),
        indicators=tuple(
            SharedIndicator(indicator=name, value=gang.shown.get(name), alerts=count)
            for name, count in sorted(gang.shared.items(), key=lambda item: (-item[1], item[0]))
        ),
        techniques=tuple(sorted({t for member in members.values() for t in member.techniques})),
        amount_at_risk=sum(
            (member.amount for member in members.values() if member.currency == currency),
            Decimal(0),
        ),
        currency=currency,
        merged_from=gang.merged_from,
        merged_into=gang.merged_into,
    )

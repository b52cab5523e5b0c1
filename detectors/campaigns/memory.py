"""The alerts and campaigns that are known: bounded, and kept as bytes by key.

The latest `ALERTS` alerts are kept, in a ring of that many slots; one that makes room stays named
in its campaign, but nothing new is linked to it. A campaign goes with the last of its alerts.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec

from detectors.campaigns.pace import Pace
from detectors.campaigns.records import MEMBERS, Campaign, SharedIndicator
from detectors.campaigns.stored import decode, encode
from detectors.campaigns.weighing import Tie, tools
from detectors.heat.indicators import KINDS, Indicator
from detectors.heat.records import AlertMark, Link

ALERTS: Final = 20_000
_SHARING: Final = 32
"""Alerts that are looked up by one indicator: the latest. What more share is no rarity."""
_PACE: Final = b"g:pace"
_RAIDED: Final = b"g:attacked"
_TIES: Final = 40
_INDICATORS: Final = 100
"""Of what a campaign's alerts share: so many are told, those that most of them do."""
_MERGED: Final = 100
"""Of a campaign that many others went into: so many are named, the latest."""


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
    unnoticed: bool = False


class Gang(msgspec.Struct, array_like=True):
    """A campaign as it is kept.

    `members` are at most `MEMBERS`; `more` counts those beyond. `remembered` counts the known
    alerts that lead to it, those of what was merged into it among them. `told` is a digest of what
    was published last.
    """

    campaign_id: str
    first_seen: float
    revision: int = 0
    members: dict[str, Member] = {}
    more: int = 0
    remembered: int = 0
    merged_from: tuple[str, ...] = ()
    merged_into: str | None = None
    told: str = ""


class Memory:
    """Reads records through `read` and keeps what changed until it is handed over."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._read = read
        self._kept: dict[bytes, Any] = {}
        self._dirty: dict[bytes, None] = {}
        self._untold: set[str] = set()

    def alert(self, alert_id: str) -> Known | None:
        """Return a known alert."""
        known: Known | None = self._get(b"g:a:" + alert_id.encode(), Known)
        return known

    def gang(self, campaign_id: str | None) -> Gang | None:
        """Return a campaign, that which it went into where it was merged."""
        return next(reversed(self._way(campaign_id)), None)

    def add(self, mark: AlertMark) -> Known:
        """Take in an alert; the one that has been known longest makes room."""
        number = self._get(b"g:next", int) or 0
        slot = b"g:s:%d" % (number % ALERTS)
        evicted: str | None = self._get(slot, str)
        if evicted is not None:
            self._forget(evicted)
        pace = self.pace
        pace.see(_believed(mark))
        self._put(_PACE, pace)
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

    @property
    def pace(self) -> Pace:
        """How often alerts and raids come."""
        pace: Pace = self._get(_PACE, Pace) or Pace()
        return pace

    def see_raided(self, known: Known) -> None:
        """Note that an alert came by what a raid comes through, once."""
        raided: list[str] = self._get(_RAIDED, list[str]) or []
        if known.mark.alert_id in raided:
            return
        self._put(_RAIDED, [*raided, known.mark.alert_id][-_SHARING:])
        if sum(tie.is_raid for tie in known.held) == 1:
            pace = self.pace
            pace.see_raided(_believed(known.mark))
            self._put(_PACE, pace)

    def near(self, known: Known) -> list[Known]:
        """Return the alerts that an alert may belong to, the oldest first.

        They share something that is not shared by hundreds, or is a tool, or a raid let both in.
        """
        telling = [tie for tie in known.held if not KINDS[tie.kind].coarse]
        telling += tools(known.ties).values()
        names = {name for tie in telling for name in self._names(_indicator_key(tie.kind, tie.key))}
        if any(tie.is_raid for tie in telling):
            names.update(self._names(_RAIDED))
        found = [self.alert(name) for name in names - {known.mark.alert_id}]
        return sorted((one for one in found if one is not None), key=lambda one: one.age)

    def _names(self, at: bytes) -> list[str]:
        names: list[str] = self._get(at, list[str]) or []
        return names

    def count_sharing(self, kind: int, key: int) -> int:
        """Return how many alerts came with an indicator, as far as they are looked up."""
        return len(self._get(_indicator_key(kind, key), list[str]) or [])

    def found(self, oldest: Known) -> Gang:
        """Begin a campaign with an alert; one that was forgotten since goes on with its own.

        Where that is forgotten as well, it begins another: what was told of the first as its
        revisions would be told otherwise.
        """
        latest = (self._get(b"g:next", int) or 0) - 1
        rounds = (latest - (latest - oldest.slot) % ALERTS) // ALERTS
        for known in dict.fromkeys((0, rounds)):
            gang = self.gang(_campaign_id(oldest, known))
            if gang is not None and gang.remembered:
                return gang
        return Gang(_campaign_id(oldest, rounds), oldest.mark.raised_at)

    def join(self, gang: Gang, known: Known) -> None:
        """Make an alert a member."""
        known.gang = gang.campaign_id
        gang.remembered += 1
        if known.mark.alert_id not in gang.members and len(gang.members) >= MEMBERS:
            gang.more += 1
        self.touch(known)
        self.update(gang, known)

    def update(self, gang: Gang, known: Known) -> None:
        """Take an alert's present mark and indicators into its campaign."""
        mark = known.mark
        if mark.alert_id in gang.members or len(gang.members) < MEMBERS:
            gang.members[mark.alert_id] = Member(
                mark.account_id,
                mark.at,
                mark.amount,
                mark.currency,
                mark.techniques,
                mark.unnoticed,
            )
        gang.first_seen = min(gang.first_seen, mark.raised_at)
        self._revise(gang)

    def merge(self, older: Gang, younger: Gang) -> None:
        """Make two campaigns one, under the older's id."""
        for alert_id, member in younger.members.items():
            if alert_id in older.members or len(older.members) < MEMBERS:
                older.members[alert_id] = member
            else:
                older.more += 1
            known = self.alert(alert_id)
            if known is not None and known.gang == younger.campaign_id:
                known.gang = older.campaign_id
                younger.remembered -= 1
                older.remembered += 1
                self.touch(known)
        # Those that are not listed still lead there by way of the younger.
        older.remembered += younger.remembered
        older.more += younger.more
        merged = (*older.merged_from, *younger.merged_from, younger.campaign_id)
        older.merged_from = tuple(dict.fromkeys(merged))[-_MERGED:]
        younger.merged_into = older.campaign_id
        self._revise(older)
        self._revise(younger)

    def revisions(self) -> Iterator[Campaign]:
        """Yield the new revisions of what changed since the last call, those that say anything."""
        for campaign_id in sorted(self._untold):
            gang: Gang = self._get(_gang_key(campaign_id), Gang)
            campaign = _published(gang, self._shared(gang))
            told = blake2b(msgspec.msgpack.encode(campaign), digest_size=8).hexdigest()
            if told != gang.told:
                gang.told = told
                gang.revision += 1
                yield msgspec.structs.replace(campaign, revision=gang.revision)
            if gang.merged_into is not None:
                gang.members = {}  # all that is left of it is the way to the other
            self._put_gang(gang)
        self._untold.clear()

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over what changed since the last call, and make room."""
        for at in sorted(self._dirty):
            value = self._kept[at]
            if isinstance(value, Gang) and not value.remembered:
                value = self._kept[at] = None
            yield at, None if value is None else encode(value)
        self._dirty.clear()
        if len(self._kept) > ALERTS:
            self._kept.clear()

    def _way(self, campaign_id: str | None) -> list[Gang]:
        """A campaign, and what it went into, to the last."""
        way: list[Gang] = []
        while campaign_id is not None:
            gang: Gang | None = self._get(_gang_key(campaign_id), Gang)
            if gang is None:
                break
            way.append(gang)
            campaign_id = gang.merged_into
        return way

    def _shared(self, gang: Gang) -> tuple[SharedIndicator, ...]:
        """What most of the alerts that are known of a campaign came with."""
        members = [known for known in map(self.alert, gang.members) if known is not None]
        sharing: dict[tuple[int, int], list[str]] = {}
        shown: dict[str, str] = {}
        for known in members:
            shown |= known.shown
            for tie in known.held:
                sharing.setdefault((tie.kind, tie.key), []).append(known.mark.account_id)
        names = {Indicator(*at).id: of for at, of in sharing.items() if len(of) > 1}
        shared = [
            SharedIndicator(
                indicator=name, value=shown.get(name), alerts=len(of), accounts=len(set(of))
            )
            for name, of in names.items()
        ]
        return tuple(sorted(shared, key=lambda one: (-one.alerts, one.indicator))[:_INDICATORS])

    def _forget(self, alert_id: str) -> None:
        known = self.alert(alert_id)
        for tie in known.held if known is not None else ():
            at = _indicator_key(tie.kind, tie.key)
            rest = [other for other in self._get(at, list[str]) or [] if other != alert_id]
            self._put(at, rest or None)
        for gang in self._way(known.gang if known is not None else None):
            gang.remembered -= 1
            self._put_gang(gang)
        self._put(b"g:a:" + alert_id.encode(), None)

    def _revise(self, gang: Gang) -> None:
        self._untold.add(gang.campaign_id)
        self._put_gang(gang)

    def _put_gang(self, gang: Gang) -> None:
        self._put(_gang_key(gang.campaign_id), gang)

    def _put(self, at: bytes, value: Any) -> None:
        self._kept[at] = value
        self._dirty[at] = None

    def _get(self, at: bytes, kind: Any) -> Any:
        if at not in self._kept:
            stored = self._read(at)
            self._kept[at] = None if stored is None else decode(stored, kind, "a stored campaign")
        return self._kept[at]


def _believed(mark: AlertMark) -> float:
    """Return when an alert was raised: it tells its event's own time, which may be a wrong clock's.

    Its latest event's is what the account's partition believed.
    """
    return min(mark.raised_at, mark.at)


# An alert's indicators are looked up whenever it is told of another.
@lru_cache(4096)
def _indicator_key(kind: int, key: int) -> bytes:
    return b"g:i:" + Indicator(kind, key).id.encode()


def _campaign_id(oldest: Known, rounds: int) -> str:
    """Return the id of the campaign that an alert begins, which came when the ring had been round.

    By as many times it tells from one another what the same alert began before it was forgotten.
    """
    text = f"campaign\0{oldest.mark.alert_id}" + (f"\0{rounds}" if rounds else "")
    return blake2b(text.encode(), digest_size=12).hexdigest()


def _gang_key(campaign_id: str) -> bytes:
    return b"g:c:" + campaign_id.encode()


def _published(gang: Gang, shared: tuple[SharedIndicator, ...]) -> Campaign:
    members = gang.members
    by_age = sorted(members.items(), key=lambda item: (item[1].at, item[0]))
    noticed = [name for name, member in by_age if not member.unnoticed]
    currency = next((member.currency for _, member in by_age if member.currency), None)
    return Campaign(
        campaign_id=gang.campaign_id,
        revision=0,
        first_seen=gang.first_seen,
        last_seen=max(member.at for member in members.values()),
        alerts=len(noticed) + gang.more,
        accounts=tuple(sorted({member.account_id for member in members.values()})),
        alert_ids=tuple(sorted(noticed)),
        unnoticed=tuple(sorted({m.account_id for m in members.values() if m.unnoticed})),
        indicators=shared,
        techniques=tuple(sorted({t for member in members.values() for t in member.techniques})),
        amount_at_risk=sum(
            (member.amount for member in members.values() if member.currency == currency),
            Decimal(0),
        ),
        currency=currency,
        merged_from=gang.merged_from,
        merged_into=gang.merged_into,
    )

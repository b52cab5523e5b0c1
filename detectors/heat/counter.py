"""The indicator's side: counts sightings, and says what is hot and whom it had entered."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from math import expm1, log1p
from typing import Final, TypeVar, get_args

import msgspec

from detectors.heat.clock import Clock
from detectors.heat.customers import Everybody
from detectors.heat.distinct import Distinct
from detectors.heat.indicators import KINDS
from detectors.heat.judging import Customers, Judgement, everywhere, judge
from detectors.heat.records import (
    TECHNIQUE_IDS,
    VERSION,
    AlertMark,
    Attack,
    Batch,
    Entry,
    HeatOutput,
    Hot,
    Link,
    Reassessment,
    Sighting,
    Technique,
    Totals,
)
from detectors.heat.tallies import Tallies
from detectors.heat.tally import HALF_LIVES, Tally
from detectors.profiles import digest

_ENTRIES: Final = 32
"""Entries that an indicator remembers, the latest."""
_MOST_ENTERED: Final = 256
"""Accounts that an attack is said to have entered at most."""
_LOOKS_BACK: Final = {"fast_stuffing": 86_400.0, "spraying": 86_400.0, "slow_stuffing": 259_200.0}
"""Seconds before an attack was known from which on entries may have been its own."""
_BEFORE: Final = 10
"""Minutes before an address's first failure that a success may be of the same attack."""
_STEP: Final = 0.5
"""Nats by which the evidence has to move to be told again."""
_TELLS_OF_THE_PAST: Final = 2.0
"""Nats without which what many customers share says nothing of those who came before."""
_HOUR, _DAY = 60, 1_440
_ORDERED: Final = frozenset({"goods", "payment"})
_SEEN: Final = 14 * _DAY
"""Minutes that a shop has to be watched before most who order have done so. Until then a household
is a few strangers who share a door, and alerted for that: who will come counts with who came."""
_Told = TypeVar("_Told", Totals, Sighting)


class HeatCounter:
    """One shard of the indicators. Memory and state are bounded whatever is sent.

    `read` gives the state handed over so far.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._tallies = Tallies(read)
        self._everybody = Everybody(read)
        self._clock = Clock(read)

    def take(self, batch: Batch) -> list[HeatOutput]:
        """Count a batch; return what changed by it, in a fixed order."""
        latest = self._clock.take(batch)
        for totals in batch.totals:
            self._everybody.add(_no_later(totals, latest), latest)
        customers = self._everybody.now()
        told: list[HeatOutput] = []
        for dated in batch.sightings:
            sighting = dated if dated.minute <= latest else _no_later(dated, latest)
            tally = self._tallies.of(sighting.kind, sighting.key, sighting.minute, latest)
            if sighting.new:
                if not tally.users:
                    tally.users = bytearray(Distinct.SMALL)
                Distinct.add(tally.users, sighting.new)
            if sighting.shown is not None:
                tally.shown = sighting.shown
            if sighting.accounts:
                self._count(tally, sighting, customers.rise)
                if sighting.failed > 0 or tally.nats > 0.0:
                    told += self._judge(tally, sighting, customers)
            if sighting.alerts:
                tally.alerted = True
                told += [self._link(tally, mark, sighting.minute) for mark in sighting.alerts]
        return told

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over every key changed since the last call; None means delete it."""
        yield from self._tallies.changes()
        yield from self._everybody.changes()
        yield from self._clock.changes()

    def _count(self, tally: Tally, sighting: Sighting, rise: float) -> None:
        made_good = sighting.failed < 0 and tally.rates is not None
        if sighting.failed > 0 or made_good or tally.nats > 0.0:
            self._count_tries(tally, sighting, rise)
        else:
            tally.quiet += sighting.tried
        if sighting.entries:
            tally.entries += sighting.entries
            del tally.entries[:-_ENTRIES]

    def _count_tries(self, tally: Tally, sighting: Sighting, rise: float) -> None:
        minute, failed, unknown = sighting.minute, sighting.failed / rise, sighting.unknown / rise
        if sighting.failed > 0:
            tally.fail(minute)
            share = self._take_places(tally, sighting)
            failed, unknown = failed * share, unknown * share
        rates, hot = tally.fails(minute), tally.nats > 0.0
        rates.count(minute, sighting.tried, failed, unknown, usual=not hot)
        if hot and KINDS[tally.kind].coarse and sighting.tried > sighting.failed:
            rates.keep_custom(sighting.tried - max(sighting.failed, 0))

    def _take_places(self, tally: Tally, sighting: Sighting) -> float:
        """Note accounts and ranges of failures; return the share of them to be counted."""
        minute, coarse = sighting.minute, KINDS[tally.kind].coarse
        if minute - tally.tried_since >= 3 * _DAY:
            tally.tried_since = minute
            tally.accounts_before = tally.accounts
            tally.accounts = tally.networks = None
        if not tally.accounts or not tally.networks:
            tally.accounts = bytearray(Distinct.SMALL)
            tally.networks = bytearray(Distinct.LARGE if coarse else Distinct.SMALL)
        Distinct.add(tally.accounts, sighting.accounts)
        news = Distinct.add(tally.networks, sighting.networks)
        if not coarse or not sighting.networks:
            return 1.0
        # What many customers share is not judged by what one address does through it: a range's
        # first failure counts, whether its others came in the same hand-over or later.
        return news / len(sighting.networks)

    def _judge(
        self, tally: Tally, sighting: Sighting, customers: Customers
    ) -> Iterator[HeatOutput]:
        if tally.rates is None:
            return
        minute = tally.rates.at
        found = judge(tally, customers)
        if found is None:
            if tally.nats > 0.0:
                yield self._cool(tally, minute)
            return
        before = tally.nats if tally.until > minute else 0.0
        if before == 0.0:
            tally.since, tally.entered = 60.0 * minute, ()
        nearly_over = tally.until - minute < found.holds / 2
        if abs(found.nats - before) >= _STEP or nearly_over or found.technique != tally.technique:
            hot = self._heat(tally, found, customers, minute)
            yield hot
            rose = found.nats - before >= _STEP
            yield from self._reassess(tally, hot, tally.entries if rose else sighting.entries)
            yield self._attack(tally, hot)
        elif sighting.entries:
            yield from self._reassess(
                tally, self._standing(tally, found, customers), sighting.entries
            )

    def _heat(self, tally: Tally, found: Judgement, customers: Customers, minute: int) -> Hot:
        tally.nats, tally.technique = round(found.nats, 3), found.technique
        tally.until = minute + found.holds
        tally.revision += 1
        tally.window = found.window
        return self._standing(tally, found, customers)

    def _standing(self, tally: Tally, found: Judgement, customers: Customers) -> Hot:
        level = everywhere(self._everybody.strangers, customers, found.window)
        return Hot(
            VERSION, tally.kind, tally.key, found.technique, tally.nats, tally.since,
            60.0 * tally.last, 60.0 * tally.until, found.tried, found.failed,
            tally.tried_accounts, round(level, 3), tally.shown,
        )  # fmt: skip

    def _cool(self, tally: Tally, minute: int) -> Hot:
        technique = _technique(tally)
        tally.nats = tally.until = 0.0
        return Hot(
            VERSION, tally.kind, tally.key, technique or "slow_stuffing", 0.0, tally.since,
            60.0 * minute, 60.0 * minute, 0, 0, 0, shown=tally.shown,
        )  # fmt: skip

    def _reassess(self, tally: Tally, hot: Hot, entries: Sequence[Entry]) -> Iterator[HeatOutput]:
        if KINDS[tally.kind].coarse and hot.nats < _TELLS_OF_THE_PAST:
            return
        since = hot.at - _LOOKS_BACK[hot.technique]
        if not KINDS[tally.kind].coarse:
            # Who came before anything failed was not let in by what fails nearly always.
            since = max(since, 60.0 * (tally.failing - _BEFORE))
        for entry in entries:
            told = hot if entry.at >= since else None
            if told is not None and KINDS[tally.kind].coarse:
                told = _as_of(entry, hot, HALF_LIVES[tally.window])
            if told is not None:
                self._enter(tally, told, entry)
                yield Reassessment(entry, told)

    def _enter(self, tally: Tally, hot: Hot, entry: Entry) -> None:
        # Through what many share most who enter are customers: only a likely hijacker counts.
        likely = not KINDS[tally.kind].coarse or entry.logit + hot.nats > 0.0
        account = digest(entry.account_id)
        if likely and account not in tally.entered and len(tally.entered) < _MOST_ENTERED:
            tally.entered = (*tally.entered, account)

    def _attack(self, tally: Tally, hot: Hot) -> Attack:
        return Attack(
            campaign_id=blake2b(hot.episode.encode(), digest_size=12).hexdigest(),
            revision=tally.revision,
            technique=hot.technique,
            techniques=TECHNIQUE_IDS[hot.technique],
            indicator=hot.id,
            value=tally.shown,
            first_seen=hot.since,
            last_seen=hot.at,
            tried=hot.tried,
            failed=hot.failed,
            accounts=hot.accounts,
            entered=len(tally.entered),
        )

    def _link(self, tally: Tally, mark: AlertMark, minute: int) -> Link:
        technique = _technique(tally)
        hot = tally.nats if tally.until > tally.last else 0.0
        # A verdict tells of hijacks weeks old: what is under attack since was not by then.
        if technique is None or 60.0 * minute < tally.since - _LOOKS_BACK[technique]:
            hot = 0.0
        users, everybody = Distinct.count(tally.users), self._everybody.accounts
        if users >= Distinct.MANY:
            # It may be anybody: however large the shop, this is not rare.
            users = max(users, everybody)
        elif KINDS[tally.kind].group in _ORDERED:
            watched = max(self._everybody.watched(int(mark.at // 60)), _HOUR)
            users = max(users, users * _SEEN // watched)
        return Link(
            VERSION, tally.kind, tally.key, mark, users, everybody, hot,
            technique if hot else None, tally.shown,
        )  # fmt: skip


def _as_of(entry: Entry, hot: Hot, half_life: float) -> Hot | None:
    """Return what an attack tells of an earlier entry by what many share, None for too little.

    When it began is not known there, only over how long its failures were summed up: the earlier,
    the less likely it was on already.
    """
    age = max(hot.at - entry.at, 0.0) / 60.0
    nats = log1p(expm1(hot.nats) * 2.0 ** (-age / half_life))
    if nats < _TELLS_OF_THE_PAST:
        return None
    return msgspec.structs.replace(hot, nats=round(nats, 3))


def _no_later(told: _Told, latest: int) -> _Told:
    """Return what was told, as of now where its minute is not believed."""
    if told.minute <= latest:
        return told
    return msgspec.structs.replace(told, minute=latest - _DAY)


def _technique(tally: Tally) -> Technique | None:
    return next((known for known in get_args(Technique) if known == tally.technique), None)

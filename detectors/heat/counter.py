"""The indicator's side: counts sightings, and says what is hot and whom it had entered."""

from collections.abc import Callable, Iterator, Sequence
from math import expm1, log1p
from typing import Final, TypeVar, get_args

import msgspec

from detectors.heat.clock import Clock
from detectors.heat.customers import Everybody
from detectors.heat.distinct import Distinct, Few
from detectors.heat.indicators import COARSE, KINDS
from detectors.heat.judging import Customers, Judgement, everywhere, judge, may_be_attacked
from detectors.heat.records import (
    VERSION,
    AlertMark,
    Batch,
    Entry,
    Front,
    HeatOutput,
    Hot,
    Link,
    Reassessment,
    Sighting,
    Technique,
    Totals,
    Way,
)
from detectors.heat.tallies import Tallies
from detectors.heat.tally import HALF_LIVES, Failures, Tally
from detectors.profiles import digest

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
is a few strangers who share a door, and alerted for that: who will come counts with who came, one
more being taken to have come, or what is alerted on a shop's first day would be rare."""
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
        rise, tallies = self._everybody.rise, self._tallies
        known, dirty = tallies.known, tallies.dirty
        told: list[HeatOutput] = []
        for dated in batch.sightings:
            sighting = dated if dated.minute <= latest else _no_later(dated, latest)
            minute = sighting.minute
            # `Tallies.of` in place for what is known: nearly two indicators an event are told.
            tally = known[sighting.kind].get(sighting.key)
            if tally is None or tally.last > latest:
                tally = tallies.of(sighting.kind, sighting.key, minute, latest)
            else:
                dirty[tally.bucket] = 1
                last = tally.last
                tally.last = minute if minute > last else last  # noqa: FURB136 - a call less
            new, shown = sighting.new, sighting.shown
            if new:
                tally.users = Few.add(tally.users, new)
            if shown is not None:
                tally.shown = shown
            if sighting.accounts:
                if sighting.entries:
                    tally.take(sighting.entries)
                if _is_quiet(tally.failures, sighting.failed):
                    # Nearly all are let in by what has never failed, or not of late.
                    tally.quiet += sighting.tried
                else:
                    self._count(tally, sighting, rise, told)
            if sighting.alerts or sighting.excused:
                self._take_rare(tally, sighting, told)
        return told

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over every key changed since the last call; None means delete it."""
        yield from self._tallies.changes()
        yield from self._everybody.changes()
        yield from self._clock.changes()

    def _take_rare(self, tally: Tally, sighting: Sighting, told: list[HeatOutput]) -> None:
        """Take what hardly a sighting tells: alerts, and failures that something else explains."""
        if sighting.excused and tally.failures is not None:
            self._excuse(tally, tally.failures, sighting, told)
        if sighting.alerts:
            tally.alerted = True
            told += [self._link(tally, mark, sighting.minute) for mark in sighting.alerts]

    def _count(self, tally: Tally, sighting: Sighting, rise: float, told: list[HeatOutput]) -> None:
        """Count tries through what has failed before, or does now; add to what is told."""
        # What is made good was a failure once.
        minute, failures = sighting.minute, tally.fails(sighting.minute)
        share = 1.0 / rise
        if sighting.failed > 0:
            failures.fail(minute)
            share = self._take_places(failures, sighting, rise)
        failed, unknown = sighting.failed * share, sighting.unknown * share
        rates, hot = failures.rates, failures.nats > 0.0
        rates.count(minute, sighting.tried, failed, unknown, usual=not hot)
        if rise > 1.0 and sighting.unknown and not COARSE[tally.kind]:
            # Of an outage's customers few have no account: `judge` expects more of them instead.
            rates.count_burst_unknown(minute, sighting.unknown - unknown)
        if hot and COARSE[tally.kind] and sighting.tried > sighting.failed:
            rates.keep_custom(sighting.tried - max(sighting.failed, 0))
        if hot or (sighting.failed > 0 and may_be_attacked(failures)):
            self._judge(tally, failures, sighting, told)

    def _take_places(self, failures: Failures, sighting: Sighting, rise: float) -> float:
        """Note accounts and ranges of failures; return the share of them to be counted.

        While customers fail `rise` times as often as usual, a failure counts for so much less. Of
        what many share, one range in so many counts instead, and whole: what a range has counted
        is taken back to the very failure by `_excuse`, and nothing has to be kept of how much it
        was. Which ranges these are depends on them alone; one that did not count has not failed.
        """
        minute, coarse = sighting.minute, COARSE[sighting.kind]
        if minute - failures.tried_since >= 3 * _DAY:
            # What is older yet has faded, and nothing of it is to be taken back.
            lately = coarse and minute - failures.tried_since < 6 * _DAY
            failures.networks_before = failures.networks if lately else None
            failures.accounts_before = failures.accounts
            failures.tried_since = minute
            failures.accounts = failures.networks = None
        if not failures.accounts or not failures.networks:
            failures.accounts = bytearray(Distinct.SMALL)
            failures.networks = bytearray(Distinct.LARGE if coarse else Distinct.SMALL)
        Distinct.add(failures.accounts, sighting.accounts)
        networks = sighting.networks
        if not coarse or not networks:
            Distinct.add(failures.networks, networks)
            return 1.0 / rise
        if rise > 1.0:
            networks = Distinct.thinned(networks, 1.0 / rise)
        news = Distinct.add(failures.networks, networks)
        # What many customers share is not judged by what one address does through it: a range's
        # first failure counts, whether its others came in the same hand-over or later.
        return news / len(sighting.networks)

    def _excuse(
        self, tally: Tally, failures: Failures, sighting: Sighting, told: list[HeatOutput]
    ) -> None:
        """Take back what ranges counted for before it was known that they are under attack.

        Each counted once, a little before that: an attack through sixty ranges had made itself out
        to be the doing of all who use the same client. So did what a customer has made good since.
        A range whose failure is taken back has counted none: it is not taken back again, and the
        next one counts.
        """
        took = False
        for network, since in sighting.excused:
            if Distinct.remove(failures.networks, network):
                self._take_back(failures, since)
                took = True
            if Distinct.remove(failures.networks_before, network):
                # It came before the others were begun.
                self._take_back(failures, min(since, failures.tried_since))
                took = True
        if took and failures.nats > 0.0:
            self._judge(tally, failures, Sighting(tally.kind, tally.key, sighting.minute), told)

    def _take_back(self, failures: Failures, since: int) -> None:
        at = min(since, failures.rates.at)
        failures.rates.take_back(at, usual=not failures.was_hot(at))

    def _judge(
        self,
        tally: Tally,
        failures: Failures,
        sighting: Sighting,
        told: list[HeatOutput],
    ) -> None:
        """Judge an indicator anew, and add what there is to tell to what is told."""
        minute, customers = failures.rates.at, self._everybody.now()
        found = judge(tally, customers)
        if found is None:
            if failures.nats > 0.0:
                told.append(self._cool(tally, failures, minute))
            return
        before = failures.nats if failures.until > minute else 0.0
        if not failures.since:
            failures.since, failures.entered, failures.revision = 60.0 * minute, (), 0
        entered = len(failures.entered)
        goes_on = failures.failed + found.holds - failures.until > found.holds / 2
        other = found.technique != failures.technique
        if abs(found.nats - before) >= _STEP or goes_on or other:
            hot = self._heat(tally, failures, found, customers)
            told.append(hot)
            rose = found.nats - before >= _STEP
            told += self._reassess(
                tally, failures, hot, tally.entries if rose else sighting.entries
            )
            if sighting.failed > 0:
                told += self._fronts(tally, failures, hot, found, sighting.ways)
                return
        elif sighting.entries or sighting.failed > 0:
            hot = self._standing(tally, failures, found, customers)
            told += self._reassess(tally, failures, hot, sighting.entries)
        else:
            return
        # That somebody gets in when nothing fails any more is nothing that the attack has done.
        entered_lately = len(failures.entered) > entered and minute - failures.failed <= _HOUR
        if entered_lately or (sighting.failed > 0 and minute - failures.told >= _HOUR):
            told += self._fronts(tally, failures, hot, found, sighting.ways)

    def _heat(
        self,
        tally: Tally,
        failures: Failures,
        found: Judgement,
        customers: Customers,
    ) -> Hot:
        failures.nats, failures.technique = round(found.nats, 3), found.technique
        failures.until = failures.failed + found.holds
        failures.window = found.window
        return self._standing(tally, failures, found, customers)

    def _standing(
        self, tally: Tally, failures: Failures, found: Judgement, customers: Customers
    ) -> Hot:
        level = everywhere(self._everybody.strangers, customers, found.window)
        return Hot(
            VERSION, tally.kind, tally.key, found.technique, failures.nats, failures.since,
            60.0 * failures.rates.at, 60.0 * failures.until, found.tried, found.failed,
            failures.tried_accounts, round(level, 3), tally.shown,
        )  # fmt: skip

    def _cool(self, tally: Tally, failures: Failures, minute: int) -> Hot:
        technique = _technique(failures)
        failures.nats, failures.until = 0.0, min(failures.until, float(minute))
        return Hot(
            VERSION, tally.kind, tally.key, technique or "slow_stuffing", 0.0, failures.since,
            60.0 * minute, 60.0 * minute, 0, 0, 0, shown=tally.shown,
        )  # fmt: skip

    def _reassess(
        self, tally: Tally, failures: Failures, hot: Hot, entries: Sequence[Entry]
    ) -> Iterator[HeatOutput]:
        if COARSE[tally.kind] and hot.nats < _TELLS_OF_THE_PAST:
            return
        since = hot.at - _LOOKS_BACK[hot.technique]
        if not COARSE[tally.kind]:
            # Who came before anything failed was not let in by what fails nearly always.
            since = max(since, 60.0 * (failures.failing - _BEFORE))
        for entry in entries:
            told = hot if entry.at >= since else None
            if told is not None and COARSE[tally.kind]:
                told = _as_of(entry, hot, HALF_LIVES[failures.window])
            if told is not None:
                self._enter(tally, failures, told, entry)
                yield Reassessment(entry, told)

    def _enter(self, tally: Tally, failures: Failures, hot: Hot, entry: Entry) -> None:
        # Through what many share most who enter are customers: only a likely hijacker counts.
        likely = not COARSE[tally.kind] or entry.logit + hot.nats > 0.0
        account = digest(entry.account_id)
        if likely and account not in failures.entered and len(failures.entered) < _MOST_ENTERED:
            failures.entered = (*failures.entered, account)

    def _fronts(
        self,
        tally: Tally,
        failures: Failures,
        hot: Hot,
        found: Judgement,
        ways: tuple[Way, ...],
    ) -> Iterator[Front]:
        """Tell what an attack comes by, but for what customers use more than it does.

        That weighs in a score by what it is worth; to name a browser as under attack, most of whose
        tries are customers', would be of no use to anybody.
        """
        if COARSE[tally.kind] and not found.most:
            return
        failures.revision += 1
        failures.told = failures.rates.at
        yield Front(
            tally.kind, tally.key, hot.technique, failures.revision, hot.since, hot.at,
            hot.tried, hot.failed, hot.accounts, len(failures.entered), tally.shown, ways,
        )  # fmt: skip

    def _link(self, tally: Tally, mark: AlertMark, minute: int) -> Link:
        failures, technique, hot = tally.failures, None, 0.0
        if failures is not None and failures.until > tally.last:
            technique = _technique(failures)
            # A verdict tells of hijacks weeks old: what is under attack since was not by then.
            if technique is not None and 60.0 * minute >= failures.since - _LOOKS_BACK[technique]:
                hot = failures.nats
        users, everybody = Few.count(tally.users), self._everybody.accounts
        if users >= Distinct.MANY:
            # It may be anybody: however large the shop, this is not rare.
            users = max(users, everybody)
        elif KINDS[tally.kind].group in _ORDERED:
            watched = max(self._everybody.watched(int(mark.at // 60)), _HOUR)
            users = max(users, (users + 1) * _SEEN // watched - 1)
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


def _is_quiet(failures: Failures | None, failed: int) -> bool:
    """Return whether so many failures less or more are nothing to an indicator."""
    if failures is None:
        return failed <= 0
    return failed == 0 and failures.nats <= 0.0


def _no_later(told: _Told, latest: int) -> _Told:
    """Return what was told, as of now where its minute is not believed."""
    if told.minute <= latest:
        return told
    return msgspec.structs.replace(told, minute=latest - _DAY)


def _technique(failures: Failures) -> Technique | None:
    return next((known for known in get_args(Technique) if known == failures.technique), None)

"""What turns hot and what does not: attacks, and innocents that look like them."""

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from detectors.heat import decode_batch, encode_batch
from detectors.heat.clock import Clock
from detectors.heat.counter import HeatCounter
from detectors.heat.distinct import Few
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import (
    VERSION,
    AlertMark,
    Batch,
    Front,
    Hot,
    Link,
    Reassessment,
    Sighting,
    Totals,
    Way,
)
from detectors.heat.table import HotTable
from detectors.heat.tallies import BUCKETS, WAYS
from detectors.heat.tally import HOURS, Tally
from tests.unit.heat.counting import MINUTE, RANGE, Counted, customers, tries

ALERT = AlertMark(
    "alert", "account", 1, 60.0 * MINUTE, 60.0 * MINUTE, 0.9, "access", (), Decimal(0), None
)


def stuffing(count: int, *, entered: tuple[int, ...] = ()) -> list[Batch]:
    """A range tries so many accounts, ten a minute; some let it in."""
    return [
        tries(number, minute=MINUTE + number // 10, fails=number not in entered)
        for number in range(count)
    ]


def slow_try(number: int) -> Batch:
    """A try every quarter of an hour, each by another range, all by a client that few have."""
    batch = tries(
        number,
        kind=Kind.AGENT,
        key=key_of(Kind.AGENT, "a browser that few customers have"),
        minute=MINUTE + 15 * number,
        fails=number % 20 != 3,
    )
    batch.sightings[0].networks = (number * 40_503,)
    return batch


def others() -> Batch:
    """Strangers who got in elsewhere within the week before."""
    return Batch(
        VERSION,
        tuple(Totals(MINUTE - 10_080 + 60 * hour, 0, 0, 30, 6, 0, 0) for hour in range(168)),
        (),
    )


def test_fast_stuffing_turns_its_range_hot_and_is_named() -> None:
    """Many accounts that fail from one range within minutes are an attack, and a grave one."""
    counted = Counted().take(*stuffing(60))
    assert counted.hot[-1].nats > 3
    assert counted.hot[-1].technique == "fast_stuffing"
    assert counted.hot[-1].shown == "198.51.100.0/24"


def test_the_first_victims_are_named_when_it_turns_hot() -> None:
    """Who had let the attack in before it was known is assessed again, and everybody after."""
    counted = Counted().take(*stuffing(60, entered=(2, 50)))
    assert {"account 2", "account 50"} <= set(counted.reassessed)
    attacks = [told for told in counted.told if isinstance(told, Front)]
    assert attacks[0].since == attacks[-1].since
    assert attacks[-1].entered >= 1


def test_who_came_before_anything_failed_is_no_first_victim() -> None:
    """A customer of the morning does not answer for what begins in the afternoon."""
    morning = tries(500, minute=MINUTE - 240, fails=False)
    counted = Counted().take(morning, *stuffing(60, entered=(0, 30)))
    assert "account 500" not in counted.reassessed
    assert {"account 0", "account 30"} <= set(counted.reassessed)


def test_an_account_that_let_the_attack_in_counts_once() -> None:
    """However often the range grows hotter, one entry is one account entered."""
    counted = Counted().take(*stuffing(200, entered=(3,)))
    attacks = [told for told in counted.told if isinstance(told, Front)]
    assert len(attacks) > 2
    assert {attack.entered for attack in attacks} == {1}


def test_customers_of_a_common_client_are_not_counted_as_entered() -> None:
    """Through what many share an attack has entered those who are likely hijacked, not all."""
    counted = Counted()
    for number in range(150):
        batch = slow_try(number)
        batch.sightings[0].entries = tuple(
            msgspec.structs.replace(entry, logit=1.0 if number == 143 else -9.0)
            for entry in batch.sightings[0].entries
        )
        counted.take(batch)
    attacks = [told for told in counted.told if isinstance(told, Front)]
    assert len(counted.reassessed) > 3
    assert attacks[-1].entered <= 1


def test_an_attack_that_succeeded_nowhere_names_no_account() -> None:
    """What fails everywhere is told to the platform alone."""
    counted = Counted().take(*stuffing(60))
    assert not counted.reassessed
    assert any(isinstance(told, Front) and told.entered == 0 for told in counted.told)


def test_a_busy_range_whose_customers_fail_as_others_do_stays_cold() -> None:
    """A carrier, an office, a university: that a fifth of new devices fail is custom."""
    batches = [
        tries(number, minute=MINUTE + number // 5, fails=number % 5 == 0) for number in range(2_000)
    ]
    assert not Counted().take(*batches).hot


def test_who_gets_in_by_what_no_customer_uses_is_the_attack_s() -> None:
    """An attack that is let in often does not hide behind its own successes; a busy range is."""
    own = tuple(range(5, 60, 6))
    fresh, busy = Counted().take(others()), Counted().take(others())
    busy.take(*(tries(1_000 + n, minute=MINUTE - 2_880 + 9 * n, fails=False) for n in range(300)))
    for counted in (fresh, busy):
        counted.take(*stuffing(60, entered=own))
    assert fresh.hot[-1].nats > busy.hot[-1].nats + 1.0


def test_who_came_long_before_it_was_hot_is_less_suspect_than_who_came_just_before() -> None:
    """Of what many share nobody knows when the attack began: what it tells fades into the past."""
    counted = Counted().take(others())
    for number in range(300):
        counted.take(slow_try(number))
    told = [one for one in counted.told if isinstance(one, Reassessment)]
    ages = {round(one.hot.at - one.entry.at): one.hot.nats for one in told}
    assert len(ages) > 3
    assert max(ages) > 6 * 3_600
    assert ages[max(ages)] < ages[min(ages)] - 0.05


def test_an_outage_in_which_everybody_fails_heats_nothing() -> None:
    """When customers fail on their own devices, strangers are expected to."""
    counted = Counted()
    for hour in range(48):
        counted.take(customers(MINUTE + 60 * hour, tried=200, failed=20))
    at = MINUTE + 48 * 60
    for number in range(120):
        counted.take(customers(at + number // 4, tried=40, failed=39))
        counted.take(tries(number, minute=at + number // 4, fails=number % 20 != 0))
    assert not counted.hot


@pytest.mark.parametrize("mistyped", [0, 3])
def test_a_few_customers_who_mistype_at_once_hide_no_attack(mistyped: int) -> None:
    """In a small shop one customer in a hundred fails: three within minutes are no outage."""
    counted = Counted()
    for hour in range(240):
        counted.take(customers(MINUTE + 60 * hour, tried=20, failed=int(hour % 5 == 0)))
    at = MINUTE + 240 * 60
    counted.take(customers(at, tried=4, failed=mistyped))
    for number in range(100):
        counted.take(tries(number, minute=at + number // 20, fails=number % 20 != 0))
    assert {hot.kind for hot in counted.hot if hot.nats} == {Kind.PREFIX}


def test_one_account_that_fails_for_ever_is_no_attack() -> None:
    """A forgotten password, tried all day, is one account."""
    batches = [tries(1, minute=MINUTE + number, fails=True) for number in range(300)]
    assert not Counted().take(*batches).hot


def test_slow_stuffing_is_seen_in_the_sum_of_days() -> None:
    """A try every quarter of an hour through ever new addresses heats the client they share."""
    counted = Counted()
    for number in range(150):
        counted.take(slow_try(number))
    assert counted.hot[-1].technique == "slow_stuffing"
    assert counted.hot[-1].nats > 1


def test_one_event_dated_years_ahead_moves_no_clock() -> None:
    """A range is judged, and cools, as if the wrong clock had told the present."""
    wrong = MINUTE + 5 * 365 * 1440
    counted = Counted().take(*stuffing(60), tries(900, minute=wrong, fails=True))
    assert max(hot.until for hot in counted.hot) < 60.0 * (MINUTE + 2 * 1440 + 60)
    counted.take(*(tries(1000 + n, minute=MINUTE + 180 * n, fails=False) for n in range(100)))
    assert counted.hot[-1].nats == 0.0


@pytest.mark.parametrize("reopen", [False, True])
def test_a_clock_that_was_wrong_for_long_is_set_right(*, reopen: bool) -> None:
    """Sixty tries dated years ahead heat for years; a few dozen dated now take that back."""
    wrong = MINUTE + 5 * 365 * 1440
    counted = Counted(reopen=reopen).take(*stuffing(60))
    counted.take(*(tries(500 + n, minute=wrong + n // 10, fails=True) for n in range(60)))
    counted.take(*(tries(1000 + n, minute=MINUTE + 1440 * n, fails=False) for n in range(60)))
    table = HotTable()
    for hot in counted.hot:
        table.take(hot)
    assert counted.hot[-1].nats == 0.0
    held = [hot for hot in table._hot.values() if hot.nats]
    assert not held, "the table holds on to what the wrong clock told"


def test_old_hijacks_that_verdicts_tell_of_set_no_clock_back() -> None:
    """Forty chargebacks on the month before are no witnesses of the time."""
    old = [
        Sighting(Kind.DELIVERY, key_of(Kind.DELIVERY, str(n)), MINUTE - 43_200 + 10 * n)
        for n in range(40)
    ]
    for sighting in old:
        sighting.alerts = (ALERT,)
    clock = Clock(dict[bytes, bytes]().get)
    latest = clock.take(customers(MINUTE, tried=1, failed=0))
    assert clock.take(Batch(VERSION, (), tuple(old))) == latest


def test_what_was_hot_cools() -> None:
    """An indicator that customers use again without failing is cold, and that is told."""
    counted = Counted().take(*stuffing(60))
    later = MINUTE + 10 * 1440
    counted.take(*(tries(1000 + n, minute=later + n, fails=False) for n in range(200)))
    assert counted.hot[-1].nats == 0.0


def test_what_cools_is_cold_for_whoever_asks_though_it_was_met_later_in_peace() -> None:
    """Partitions tell in any order: by when it failed is said how it stands, or both would part."""
    counted = Counted().take(*stuffing(30))
    met = Sighting(Kind.PREFIX, RANGE, MINUTE + 900, new=(5,))
    counted.take(Batch(VERSION, (), (met,)), *stuffing(90)[30:])
    counted.take(*(tries(1000 + n, minute=MINUTE + 9, fails=False) for n in range(3_000)))
    assert counted.hot[-1].nats == 0.0
    assert all(hot.at < hot.until for hot in counted.hot if hot.nats)
    table = HotTable()
    for hot in counted.hot:
        table.take(hot)
    assert [hot.nats for hot in table._hot.values()] == [0.0]


def test_the_same_batches_give_the_same_whatever_is_restored_between() -> None:
    """A counter made anew from its bytes goes on as the one before it."""
    batches = stuffing(80, entered=(3, 40))
    straight, reopened = Counted().take(*batches), Counted(reopen=True).take(*batches)
    assert straight.told == reopened.told
    assert straight.store == reopened.store


def test_a_flood_of_addresses_is_held_in_bounded_memory() -> None:
    """Ten thousand new addresses displace one another, not the range under attack."""
    counted = Counted().take(*stuffing(60))
    for number in range(10_000):
        key = key_of(Kind.DEVICE, str(number))
        # All into the range's own bucket: the worst that anybody can choose.
        key = key & ~((BUCKETS - 1) << 20) | (RANGE & ((BUCKETS - 1) << 20))
        counted.counter.take(tries(number, kind=Kind.DEVICE, key=key, minute=MINUTE, fails=True))
    changed = dict(counted.counter.changes())
    assert max(len(value or b"") for value in changed.values()) < WAYS * 4_000
    assert len(counted.counter._tallies) == WAYS
    counted.take(Batch(VERSION, (), (Sighting(Kind.PREFIX, RANGE, MINUTE, alerts=(ALERT,)),)))
    [link] = [told for told in counted.told if isinstance(told, Link)]
    assert link.hot > 3, "the attacked range has made room"


@pytest.mark.parametrize(("minutes", "attacked"), [(43_200, False), (10, True)])
def test_a_hijack_is_linked_by_the_heat_of_its_own_time(minutes: int, *, attacked: bool) -> None:
    """A chargeback on the month before says nothing of the attack that is on by now."""
    minute = MINUTE - minutes
    mark = msgspec.structs.replace(ALERT, raised_at=60.0 * minute, at=60.0 * minute)
    counted = Counted().take(*stuffing(60))
    counted.take(Batch(VERSION, (), (Sighting(Kind.PREFIX, RANGE, minute, alerts=(mark,)),)))
    [link] = [told for told in counted.told if isinstance(told, Link)]
    assert (link.hot > 3, link.technique == "fast_stuffing") == (attacked, attacked)


def test_an_attack_goes_on_where_it_was_for_whoever_takes_over() -> None:
    """What was counted is read back when it is met again, what was met once in peace, too."""
    counted = Counted().take(*stuffing(30), Batch(VERSION, (), (seen_once(),)))
    counted.counter = HeatCounter(counted.store.get)
    held = counted.counter._tallies
    assert len(held) == 0
    counted.take(*stuffing(60)[30:], Batch(VERSION, (), (seen_once(),)))
    failures = held.of(Kind.PREFIX, RANGE, MINUTE, MINUTE + 60).failures
    assert failures is not None
    assert failures.tried_accounts > 45
    once = held.of(Kind.DEVICE, seen_once().key, MINUTE, MINUTE + 60)
    assert Few.count(once.users) == 1
    assert once.row() == (Kind.DEVICE, seen_once().key, MINUTE, 0, None, once.users)


def seen_once() -> Sighting:
    """A device that is new to one account."""
    return Sighting(Kind.DEVICE, 7 << 20, MINUTE, new=(1,))


def test_what_more_use_than_can_be_counted_is_told_as_everybodys() -> None:
    """The popular client of a shop of a million is not taken for a rare one."""
    client = key_of(Kind.AGENT, "what most customers have")
    counted = Counted()
    for start in range(0, 100_000, 5_000):
        new = tuple(number * 2_654_435_761 % 2**32 for number in range(start, start + 5_000))
        sighting = Sighting(Kind.AGENT, client, MINUTE, new=new)
        counted.take(Batch(VERSION, (Totals(MINUTE, 0, 0, 5_000, 0, 0, 50_000),), (sighting,)))
    counted.take(Batch(VERSION, (), (Sighting(Kind.AGENT, client, MINUTE, alerts=(ALERT,)),)))
    [link] = [told for told in counted.told if isinstance(told, Link)]
    assert link.users == link.everybody == 1_000_000


def users_after(days: int, kind: Kind, *, reopen: bool = False) -> int:
    """What an alert tells of a thing that three use, so many days after the shop was begun."""
    key, minute = key_of(kind, "a shared one"), MINUTE + 1_440 * days
    mark = msgspec.structs.replace(ALERT, at=60.0 * minute)
    used = Sighting(kind, key, minute, new=(1 << 4, 2 << 12, 3 << 20))
    counted = Counted(reopen=reopen).take(
        Batch(VERSION, (Totals(MINUTE, 0, 0, 500, 0, 0, 500),), ()),
        Batch(VERSION, (Totals(minute, 0, 0, 1, 0, 0, 1),), (used,)),
        Batch(VERSION, (), (Sighting(kind, key, minute, alerts=(mark,)),)),
    )
    [link] = [told for told in counted.told if isinstance(told, Link)]
    return link.users


@pytest.mark.parametrize("reopen", [False, True])
def test_in_a_shop_s_first_days_who_has_yet_to_order_counts_with_who_did(*, reopen: bool) -> None:
    """Those who live together order one after another; a gang's drop only its victims order to."""
    assert users_after(1, Kind.DELIVERY, reopen=reopen) == 55
    assert users_after(7, Kind.PAYMENT, reopen=reopen) == 7
    assert users_after(20, Kind.POSTCODE, reopen=reopen) == 3
    assert users_after(1, Kind.PREFIX, reopen=reopen) == 3


@pytest.mark.parametrize("at_once", [1, 50])
def test_one_address_heats_no_operator_however_much_comes_at_once(at_once: int) -> None:
    """What an address does is the address's, in hand-overs of one failure or of fifty."""
    operator = key_of(Kind.OPERATOR, "64500")
    counted = Counted()
    for start in range(0, 50, at_once):
        accounts = tuple(n * 2_654_435_761 % 2**32 for n in range(start, start + at_once))
        counted.take(
            Batch(
                VERSION,
                (Totals(MINUTE, 0, 0, at_once, at_once, 0, 0),),
                (
                    Sighting(
                        Kind.OPERATOR, operator, MINUTE, at_once, at_once, 0, accounts,
                        (77,) * at_once,
                    ),
                ),
            )
        )  # fmt: skip
    assert not counted.hot


def test_a_batch_comes_back_from_its_bytes() -> None:
    """What a shard reads is what an engine told."""
    for batch in stuffing(5, entered=(2,)):
        assert decode_batch(encode_batch(batch)) == batch


def test_what_came_in_peace_between_two_failures_came_evenly() -> None:
    """A hundred in three days: some twelve of them in the last hours, not all in the middle."""
    tally = Tally(Kind.AGENT, 1, MINUTE)
    tally.fails(MINUTE).rates.count(MINUTE, 1.0, 1.0, 0.0, usual=True)
    tally.quiet = 100
    hours, _, _ = tally.fails(MINUTE + 4_320).rates.window(HOURS)
    fading = [2.0 ** (-age / 360.0) for age in range(4_320)]
    assert hours == pytest.approx(100 * sum(fading) / len(fading), rel=0.01)


def fronts(counted: Counted) -> list[Front]:
    """Everything that was told of what an attack comes by."""
    return [told for told in counted.told if isinstance(told, Front)]


@pytest.mark.parametrize("reopen", [False, True])
def test_customers_who_sign_in_after_an_attack_revise_nothing(*, reopen: bool) -> None:
    """Of a range that was tried last week, one a day signs in: nothing fails, nothing is told."""
    counted = Counted(reopen=reopen).take(*stuffing(60))
    before = fronts(counted)[-1]
    counted.take(*(tries(1_000 + n, minute=MINUTE + 360 * (n + 1), fails=False) for n in range(40)))
    assert fronts(counted)[-1] == before
    ended = 60.0 * (MINUTE + 6 + 2_880)
    assert all(hot.until <= ended for hot in counted.hot if hot.nats), (
        "who gets in prolongs what failed"
    )


def test_a_customer_s_slip_long_after_an_attack_begins_no_other() -> None:
    """What was tried three days ago is no evidence that it is tried again."""
    counted = Counted().take(*stuffing(60))
    before = len(counted.told)
    for day in (3, 4, 5):
        counted.take(tries(1_000 + day, minute=MINUTE + 1_440 * day, fails=True))
    assert not any(isinstance(told, Front) for told in counted.told[before:])
    assert all(hot.nats == 0.0 for hot in counted.hot if hot.at > 60.0 * (MINUTE + 1_440))


def test_an_attack_that_pauses_for_hours_goes_on_as_the_same() -> None:
    """A list that is tried in bursts, five hours apart, is one attack."""
    counted = Counted()
    for burst in range(4):
        for number in range(20):
            minute = MINUTE + 300 * burst + number // 4
            counted.take(tries(100 * burst + number, minute=minute, fails=True))
    told = fronts(counted)
    assert {front.since for front in told} == {told[0].since}
    assert [front.revision for front in told] == list(range(1, len(told) + 1))
    assert told[-1].at >= told[0].since + 5 * 3_600 - 60


def test_a_victim_that_is_let_in_by_the_last_try_is_told() -> None:
    """The last name of the list was right: the attack has succeeded, and its record says so."""
    counted = Counted().take(*stuffing(60))
    assert fronts(counted)[-1].entered == 0
    last = tries(60, minute=MINUTE + 40, fails=False)
    counted.take(last)
    assert "account 60" in counted.reassessed
    assert fronts(counted)[-1].entered == 1


def test_a_customer_who_cools_what_is_long_over_makes_it_no_longer() -> None:
    """Who signs in a week after an attack, an hour before the next, does not join the two."""
    counted = Counted().take(*stuffing(60))
    before, later = fronts(counted)[-1], MINUTE + 7 * 1_440
    counted.take(*(customers(MINUTE + 60 * hour, tried=9, failed=1) for hour in range(7 * 24)))
    counted.take(tries(1_000, minute=later - 60, fails=False))
    counted.take(*(tries(2_000 + n, minute=later + n // 10, fails=True) for n in range(30)))
    assert fronts(counted)[-1].since >= 60.0 * later > before.since
    assert fronts(counted)[-1].tried <= 30


@pytest.mark.parametrize("reopen", [False, True])
def test_an_attack_that_goes_on_evenly_is_told_every_hour(*, reopen: bool) -> None:
    """Also where it grows no hotter; who is told knows that it is on."""
    counted = Counted(reopen=reopen)
    counted.take(*(tries(n, minute=MINUTE + 10 * n, fails=True) for n in range(180)))
    times = [front.at for front in fronts(counted)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert times[-1] > 60.0 * (MINUTE + 1_700)
    assert max(gaps) <= 3_600.0
    assert len(times) < 60


def test_a_front_tells_what_its_failures_came_by() -> None:
    """That joins it to others: the ways of what failed last."""
    batches = stuffing(60)
    for number, batch in enumerate(batches):
        batch.sightings[0].ways = (Way(number % 3, 7, 9),)
    told = fronts(Counted().take(*batches))
    assert {way for front in told for way in front.ways} <= {Way(n, 7, 9) for n in range(3)}
    assert all(front.ways for front in told)


def through_client(network: int, minute: int, *, failed: int = 1) -> Batch:
    """A client fails from a range, on an account of its own."""
    accounts = tuple((network * 97 + n) * 2_654_435_761 % 2**32 for n in range(failed))
    sighting = Sighting(
        Kind.AGENT, key_of(Kind.AGENT, "a browser"), minute, failed, failed, 0, accounts,
        (network * 40_503,) * failed, shown="a browser",
    )  # fmt: skip
    return Batch(VERSION, (Totals(minute, 0, 0, failed, failed, 0, 0),), (sighting,))


def excuse(network: int, minute: int, since: int) -> Batch:
    """What fails through the client from a range is put down to the range."""
    sighting = Sighting(Kind.AGENT, key_of(Kind.AGENT, "a browser"), minute)
    sighting.excused = ((network * 40_503, since),)
    return Batch(VERSION, (), (sighting,))


@pytest.mark.parametrize("reopen", [False, True])
def test_a_browser_cools_when_the_ranges_it_failed_from_turn_hot(*, reopen: bool) -> None:
    """What a botnet's ranges had begun with is theirs, once that is known: no customer's."""
    counted = Counted(reopen=reopen)
    counted.take(*(through_client(n, MINUTE + n) for n in range(40)))
    assert counted.hot[-1].nats > 3.0
    counted.take(*(excuse(n, MINUTE + 60, MINUTE + n + 5) for n in range(40)))
    assert counted.hot[-1].nats == 0.0


def test_a_browser_stays_hot_by_what_no_range_accounts_for() -> None:
    """Of eighty ranges a quarter are found to be under attack: stuffing comes by ever new ones."""
    counted = Counted().take(*(through_client(n, MINUTE + n) for n in range(80)))
    before = counted.hot[-1].nats
    counted.take(*(excuse(n, MINUTE + 90, MINUTE + n) for n in range(20)))
    assert counted.hot[-1].nats == pytest.approx(before, abs=0.6)


def test_a_range_is_excused_once_and_only_for_what_it_counted() -> None:
    """However often it is told; what never counted takes nothing back."""
    counted = Counted().take(*(through_client(n, MINUTE + n) for n in range(40)))
    told = len(counted.told)
    counted.take(*(excuse(3, MINUTE + 50, MINUTE) for _ in range(200)))
    counted.take(*(excuse(1_000 + n, MINUTE + 50, MINUTE) for n in range(40)))
    assert not any(isinstance(one, Hot) for one in counted.told[told:])


def popular(number: int, failed: int) -> list[Batch]:
    """A day of forty strangers who come by one client, of whom so many fail, spread evenly."""
    batches = []
    for n in range(40):
        minute, who = MINUTE + 1_440 * number + 30 * n, number * 40 + n
        fails = n * failed // 40 != (n + 1) * failed // 40
        sighting = Sighting(
            Kind.AGENT, key_of(Kind.AGENT, "what many have"), minute, 1, int(fails), 0,
            (who * 2_654_435_761 % 2**32,), (who * 40_503,),
        )  # fmt: skip
        batches.append(Batch(VERSION, (Totals(minute, 0, 0, 20, 2, 0, 0),), (sighting,)))
    return batches


def test_a_client_that_most_use_in_peace_is_no_attack_s_to_name() -> None:
    """Its customers outnumber what is tried: it is hot for what that is worth, and not told."""
    counted = Counted()
    for number in range(20):
        counted.take(*popular(number, 4 if number < 16 else 18))
    assert max(hot.nats for hot in counted.hot) > 0.5
    assert not fronts(counted)

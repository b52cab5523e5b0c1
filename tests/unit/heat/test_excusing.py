"""What an address range does is put down to it, not to the client or operator that it shares."""

from collections.abc import Iterable

import pytest

from detectors.events import Login
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import VERSION, Batch, Hot, Sighting, Totals
from detectors.heat.sightings import Sightings
from detectors.heat.tally import DAYS, HALF_LIVES, USUAL
from detectors.profiles import digest
from tests.contracts.detectors.histories import HOSTING, START, STRANGER, Device, History, Network
from tests.unit.heat.counting import MINUTE, Counted, customers, tries

AGENT = key_of(Kind.AGENT, STRANGER.agent)


def ranges(number: int) -> list[Network]:
    """So many address ranges of one operator."""
    return [Network(f"198.18.{n}", HOSTING.asn, "hosting", HOSTING.place) for n in range(number)]


def told_of(sightings: Sightings, kind: Kind, key: int) -> list[Sighting]:
    """Hand over; return what was told of an indicator."""
    return [
        seen
        for _, batch in sightings.batches()
        for seen in batch.sightings
        if (seen.kind, seen.key) == (kind, key)
    ]


def fail_from(history: History, sightings: Sightings, network: Network, device: Device) -> None:
    """Tell of a failure by a range that is hot already."""
    reading = history.read_as_told(History("tried").attempt(device, network).observed[-1])
    assert isinstance(reading.event, Login)
    range_key = key_of(Kind.PREFIX, f"{network.prefix}.0/24")
    at = history.now
    hot = Hot(
        VERSION, Kind.PREFIX, range_key, "fast_stuffing", 3.0, at - 600.0, at, at + 3_600.0, 9, 9, 9
    )
    sightings.see_sign_in(reading, reading.event, hot, known=False, flagged=False)


def test_a_hot_range_is_told_once_in_a_hand_over_and_in_the_order_met() -> None:
    """However often it fails, and again in the next: nothing of one hand-over is left for it."""
    history, sightings, met = History("tried"), Sightings(1), ranges(5)
    since = int((history.now - 600.0) // 60)
    for network in (*reversed(met), *met):
        fail_from(history, sightings, network, STRANGER)
    [seen] = told_of(sightings, Kind.AGENT, AGENT)
    assert seen.excused == tuple(
        (digest(f"{network.prefix}.0/24"), since) for network in reversed(met)
    )
    assert seen.tried == 0
    fail_from(history, sightings, met[2], STRANGER)
    [again] = told_of(sightings, Kind.AGENT, AGENT)
    assert again.excused == ((digest(f"{met[2].prefix}.0/24"), since),)


def failures_by(key: int, networks: Iterable[int], minute: int) -> Batch:
    """A client fails once from each of so many ranges, a range a minute."""
    seen = [
        Sighting(
            Kind.AGENT, key, minute + n, 1, 1, 0, (number * 2_654_435_761 % 2**32,),
            (number * 40_503,),
        )
        for n, number in enumerate(networks)
    ]  # fmt: skip
    return Batch(VERSION, tuple(Totals(one.minute, 0, 0, 1, 1, 0, 0) for one in seen), tuple(seen))


def excused(key: int, networks: Iterable[int], minute: int, since: int) -> Batch:
    """What failed through it from so many ranges is put down to them, which are hot since then."""
    told = tuple((number * 40_503, since) for number in networks)
    return Batch(VERSION, (), (Sighting(Kind.AGENT, key, minute, excused=told),))


def outage(minute: int) -> list[Batch]:
    """A fortnight in which one customer in ten fails on what is known; then nearly all do."""
    peace = [customers(minute - 60 * hour, tried=200, failed=20) for hour in range(336, 0, -1)]
    return [*peace, customers(minute, tried=4_000, failed=3_900)]


def failed(counted: Counted, key: int, window: int = DAYS) -> float:
    """How many failures of a client stand in a window."""
    failures = counted.counter._tallies.of(Kind.AGENT, key, 0, 2**31).failures
    assert failures is not None
    return failures.rates.window(window)[1]


@pytest.mark.parametrize("reopen", [False, True])
def test_ranges_are_taken_back_for_what_they_counted_in_an_outage(*, reopen: bool) -> None:
    """There a failure says a tenth of what it says in peace; ten ranges do not empty sixty."""
    counted = Counted(reopen=reopen).take(*outage(MINUTE))
    counted.take(failures_by(AGENT, range(60), MINUTE))
    before = failed(counted, AGENT)
    assert 2.0 < before < 20.0
    counted.take(excused(AGENT, range(10), MINUTE + 61, MINUTE + 10))
    assert failed(counted, AGENT) > 0.6 * before
    counted.take(excused(AGENT, range(60), MINUTE + 61, MINUTE + 60))
    assert failed(counted, AGENT) == pytest.approx(0.0, abs=0.1)


def test_an_outage_s_ranges_take_nothing_from_what_failed_in_peace() -> None:
    """Of what sixty ranges counted on the day before, all of it stands."""
    counted = Counted().take(*outage(MINUTE)[:-1])
    counted.take(failures_by(AGENT, range(60), MINUTE - 600))
    before = failed(counted, AGENT)
    counted.take(outage(MINUTE)[-1], failures_by(AGENT, range(100, 150), MINUTE))
    counted.take(excused(AGENT, range(100, 150), MINUTE + 51, MINUTE + 50))
    faded = 2.0 ** (-600 / HALF_LIVES[DAYS])
    assert failed(counted, AGENT) == pytest.approx(before * faded, rel=0.05)


def test_an_outage_in_which_every_range_fails_heats_no_client_that_many_share() -> None:
    """Of four hundred strangers who come by a popular browser, nearly all fail."""
    counted = Counted().take(*outage(MINUTE)[:-1])
    for number in range(400):
        minute = MINUTE + number // 10
        fails = number % 20 != 0
        told = failures_by(AGENT, [number], minute) if fails else tries(
            number, kind=Kind.AGENT, key=AGENT, minute=minute, fails=False
        )  # fmt: skip
        counted.take(customers(minute, tried=40, failed=39), told)
    assert failed(counted, AGENT) > 10.0
    assert not counted.hot


def test_what_was_made_good_is_not_taken_back_again() -> None:
    """Six customers mistyped and got in; then their ranges turn hot: others' failures stand."""
    sightings, met = Sightings(1), ranges(6)
    moment = START + 80 * 86_400.0
    told = [History(f"customer {n}", sightings=sightings).months() for n in range(len(met))]
    sightings.batches()
    minute = int(moment // 60)
    counted = Counted().take(failures_by(AGENT, range(100, 120), minute - 30))
    stood = failed(counted, AGENT)
    for history, network in zip(told, met, strict=True):
        history.at(moment).attempt(STRANGER, network)
    counted.take(*[batch for _, batch in sightings.batches()])
    assert failed(counted, AGENT) == pytest.approx(stood + len(met), abs=0.2)
    for history, network in zip(told, met, strict=True):
        history.sign_in(STRANGER, network)
    counted.take(*[batch for _, batch in sightings.batches()])
    assert failed(counted, AGENT) == pytest.approx(stood, abs=0.2)
    for network in met:
        fail_from(told[0], sightings, network, STRANGER)
    counted.take(*[batch for _, batch in sightings.batches()])
    assert failed(counted, AGENT) == pytest.approx(stood, abs=0.2)


def test_who_makes_good_what_never_counted_takes_nothing_back() -> None:
    """Of a range's failures the first counts: that five customers get in undoes one, not five."""
    sightings, [network] = Sightings(1), ranges(1)
    moment = START + 80 * 86_400.0
    told = [History(f"customer {n}", sightings=sightings).months() for n in range(5)]
    sightings.batches()
    counted = Counted().take(failures_by(AGENT, range(100, 120), int(moment // 60) - 30))
    stood = failed(counted, AGENT)
    for history in told:
        history.at(moment).attempt(STRANGER, network)
    counted.take(*[batch for _, batch in sightings.batches()])
    assert failed(counted, AGENT) == pytest.approx(stood + 1.0, abs=0.2)
    for history in told:
        history.at(moment + 120.0).sign_in(STRANGER, network)
    counted.take(*[batch for _, batch in sightings.batches()])
    assert failed(counted, AGENT) == pytest.approx(stood, abs=0.2)


@pytest.mark.parametrize("reopen", [False, True])
def test_ranges_that_counted_before_three_days_were_over_are_excused_after_that(
    *, reopen: bool
) -> None:
    """Every three days places are noted anew: no failure stands for having come an hour before."""
    counted = Counted(reopen=reopen).take(failures_by(AGENT, [0], MINUTE))
    turn = MINUTE + 3 * 1_440
    counted.take(failures_by(AGENT, range(100, 140), turn - 60), failures_by(AGENT, [1], turn))
    before = failed(counted, AGENT)
    counted.take(excused(AGENT, range(100, 140), turn + 1, turn))
    assert failed(counted, AGENT) == pytest.approx(before - 40.0, abs=1.0)
    assert counted.hot[-1].nats == 0.0
    once = failed(counted, AGENT)
    counted.take(excused(AGENT, range(100, 140), turn + 2, turn))
    assert failed(counted, AGENT) == pytest.approx(once, rel=0.001)


@pytest.mark.parametrize("reopen", [False, True])
def test_only_what_counted_as_usual_is_taken_from_it(*, reopen: bool) -> None:
    """Whether the client is hot now tells nothing of when its ranges failed."""
    counted = Counted(reopen=reopen).take(failures_by(AGENT, range(40), MINUTE))
    begun = next(hot.since for hot in counted.hot if hot.nats)
    cold = int(begun // 60) - MINUTE + 1
    assert 5 <= cold < 30
    before = failed(counted, AGENT, USUAL)
    assert before == pytest.approx(cold, abs=0.1)
    # First those that failed while it was hot, until it is cold; they are not in what is usual.
    for number in range(39, cold - 1, -1):
        counted.take(excused(AGENT, [number], MINUTE + 60, MINUTE + number))
    assert failed(counted, AGENT, USUAL) == pytest.approx(before, abs=0.1)
    for number in range(cold):
        counted.take(excused(AGENT, [number], MINUTE + 60, MINUTE + number))
    assert counted.hot[-1].nats == 0.0
    assert failed(counted, AGENT, USUAL) == pytest.approx(0.0, abs=0.1)


def test_while_it_is_hot_what_had_counted_as_usual_is_taken_from_it() -> None:
    """Else its customers would seem to fail as often as the botnet had."""
    counted = Counted().take(failures_by(AGENT, range(80), MINUTE))
    before = failed(counted, AGENT, USUAL)
    counted.take(excused(AGENT, range(3), MINUTE + 90, MINUTE + 3))
    assert counted.hot[-1].nats > 0.0
    assert failed(counted, AGENT, USUAL) == pytest.approx(before - 3.0, abs=0.1)


def test_what_counted_weeks_ago_is_not_taken_from_what_others_count_now() -> None:
    """It has faded: a customer's slip of last month is not the attack's of today."""
    counted = Counted().take(failures_by(AGENT, range(40), MINUTE))
    turn = MINUTE + 20 * 1_440
    for hour in range(24 * 20):
        counted.take(customers(MINUTE + 60 * hour, tried=9, failed=1))
    counted.take(failures_by(AGENT, range(100, 140), turn))
    before = failed(counted, AGENT)
    counted.take(excused(AGENT, range(40), turn + 41, turn + 40))
    assert failed(counted, AGENT) == pytest.approx(before, abs=0.1)

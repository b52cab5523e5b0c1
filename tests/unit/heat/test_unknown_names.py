"""Failures on names that no account has: a list from elsewhere is full of them."""

import msgspec
import pytest

from detectors.engine import Observed
from detectors.events import Login
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import VERSION, Batch, Sighting, Totals
from detectors.heat.sightings import Sightings
from tests.contracts.detectors.histories import HOSTING, STRANGER, History
from tests.unit.heat.counting import MINUTE, RANGE, Counted, customers


def tried(number: int, minute: int, *, fails: bool, unknown: bool) -> Batch:
    """An account is tried through a range."""
    sighting = Sighting(
        Kind.PREFIX, RANGE, minute, 1, int(fails), int(unknown),
        (number * 2_654_435_761 % 2**32,), (7,) if fails else (),
    )  # fmt: skip
    return Batch(VERSION, (Totals(minute, 0, 0, 1, int(fails), int(unknown), 0),), (sighting,))


def a_fortnight(*, used: bool) -> list[Batch]:
    """One customer in ten fails; of those who come by the range, where it is used, one in five."""
    told = []
    for hour in range(336):
        minute = MINUTE - 60 * (336 - hour)
        told.append(customers(minute, tried=200, failed=20))
        told += [
            tried(n, minute, fails=n % 5 == 0, unknown=n % 35 == 0)
            for n in range(4 * hour, 4 * hour + 4 if used else 0)
        ]
    return told


@pytest.mark.parametrize("reopen", [False, True])
def test_a_list_of_unknown_names_is_seen_in_an_outage(*, reopen: bool) -> None:
    """That customers fail nine times as often is no reason for forty of them to have no account."""
    counted = Counted(reopen=reopen).take(*a_fortnight(used=False))
    for number in range(60):
        minute = MINUTE + number // 10
        down = customers(minute, tried=40, failed=36)
        counted.take(down, tried(number, minute, fails=True, unknown=True))
    assert counted.hot[-1].nats > 1.0


@pytest.mark.parametrize("used", [True, False])
@pytest.mark.parametrize("number", [100, 400, 1_000])
def test_who_is_shut_out_and_tries_another_address_heats_nothing(
    number: int, *, used: bool
) -> None:
    """A forced reset at a university: a sixth of all tries are on addresses that they once had."""
    counted = Counted().take(*a_fortnight(used=used))
    for n in range(number):
        minute, over = MINUTE + n // 10, n >= 0.6 * number
        down = customers(minute, tried=40, failed=6 if over else 36)
        unknown = n % (35 if over else 6) == 0
        fails = unknown or (n % 5 == 0 if over else n % 10 != 0)
        counted.take(down, tried(5_000 + n, minute, fails=fails, unknown=unknown))
    assert not counted.hot


def test_a_shop_whose_look_up_is_down_has_no_unknown_names() -> None:
    """It says so of its customers too; whoever was entered once has an account."""
    for known in (True, False):
        sightings, history = Sightings(1), History("customer")
        if known:
            history.months()
        told = History("customer").at(history.now).attempt(STRANGER, HOSTING).observed[-1]
        assert isinstance(told.event, Login)
        login = msgspec.structs.replace(told.event, failure_reason="unknown_account")
        reading = history.read_as_told(Observed(login, told.facts))
        sightings.see_sign_in(reading, login, known=False, flagged=False)
        [(_, batch)] = sightings.batches()
        [totals] = batch.totals
        range_key = key_of(Kind.PREFIX, f"{HOSTING.prefix}.0/24")
        [seen] = [seen for seen in batch.sightings if seen.key == range_key]
        assert (totals.failed, seen.failed) == (1, 1)
        assert (totals.unknown, seen.unknown) == ((0, 0) if known else (1, 1))

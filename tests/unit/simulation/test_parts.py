"""The simulator's parts: chance, calendar, devices, the internet, delivery."""

from collections import Counter
from datetime import UTC, date, datetime
from ipaddress import ip_network
from itertools import pairwise

import pytest

from detectors.simulation import SimulatedEvent, as_delivered
from detectors.simulation.calendar import DAY, Calendar, black_friday
from detectors.simulation.chance import Weighted, seed_of, stream
from detectors.simulation.devices import Device, draw_device, user_agent
from detectors.simulation.internet import Internet
from detectors.simulation.shop import Telemetry, draw_telemetry
from tests.unit.simulation.conftest import START


def test_streams_of_different_names_have_nothing_in_common() -> None:
    """A name fixes a stream; a neighbouring name gives another."""
    assert stream(1, "a", 2).random() == stream(1, "a", 2).random()
    assert len({seed_of(1, "a", number) for number in range(1000)}) == 1000
    assert seed_of(1, "a", 23) != seed_of(1, "a2", 3)


def test_weighted_picks_by_weight() -> None:
    """Three times the weight is picked three times as often."""
    chance, choice = stream("weights"), Weighted((("rare", 1), ("common", 3)))
    picked = Counter(choice.pick(chance) for _ in range(4000))
    assert 2.6 < picked["common"] / picked["rare"] < 3.4


def test_the_middle_of_what_is_drawn_around_a_median_is_the_median() -> None:
    """Log-normal: the median is the parameter, and nothing is negative."""
    chance = stream("around")
    drawn = sorted(chance.around(60, 0.8) for _ in range(4001))
    assert 54 < drawn[2000] < 66
    assert drawn[0] > 0


@pytest.mark.parametrize(
    ("year", "day"), [(2023, 24), (2024, 29), (2025, 28), (2026, 27), (2027, 26)]
)
def test_black_friday_is_the_day_after_thanksgiving(year: int, day: int) -> None:
    """The dates of the past years, and of the next."""
    assert black_friday(year) == date(year, 11, day)


def test_sales_follow_the_date_and_not_the_start() -> None:
    """The same days of November are busy, wherever a run begins."""
    for start_day in (1, 9, 20):
        start = datetime(2026, 11, start_day, tzinfo=UTC).timestamp()
        assert Calendar(1, start, 30).sales[1] == 27 - start_day
    assert not Calendar(1, START - 120 * DAY, 30).sales


def test_apps_update_after_releases_and_at_once_after_a_forced_one() -> None:
    """A device that lags a month still takes a forced release within two days."""
    calendar = Calendar(1, START, 40)
    forced = next(release for release in calendar.releases if release.forced)
    assert calendar.app_version(forced.time + 1.3 * DAY, 400) == forced.version
    assert calendar.app_version(forced.time - 1, 400) != forced.version
    routine = next(r for r in calendar.releases if not r.forced and r.time > START)
    assert calendar.app_version(routine.time + 1, 5) != routine.version


def test_browsers_go_with_the_times() -> None:
    """Chrome's version is that of the date, and old devices stay behind."""
    chrome = Device("desktop", "windows", "chrome", "", 2.0, 1, None)
    december_2024 = datetime(2024, 12, 1, tzinfo=UTC).timestamp()
    assert "Chrome/131.0.0.0 Safari" in user_agent(chrome, december_2024, "1")
    assert "Chrome/132.0.0.0 Safari" in user_agent(chrome, december_2024 + 20 * DAY, "1")
    chrome.lag = 25.0
    assert "Chrome/131.0.0.0 Safari" in user_agent(chrome, december_2024 + 20 * DAY, "1")


def test_what_forgets_cookies_has_a_new_device_id_after_a_while() -> None:
    """And no digit of the old one stays."""
    safari = Device("phone", "iphone", "safari", "", 2.0, 12345, 9.0)
    first, later = safari.device_id(START), safari.device_id(START + 10 * DAY)
    assert first != later
    assert first == safari.device_id(START + 60)
    safari.cookie = None
    assert safari.device_id(START) is None


def test_devices_come_in_the_shares_in_which_people_use_them() -> None:
    """A tenth refuses cookies; phones are iPhones by half."""
    chance = stream("devices")
    phones = [draw_device("phone", chance) for _ in range(3000)]
    web = [phone for phone in phones if phone.browser != "app"]
    assert 0.07 < sum(phone.cookie is None for phone in web) / len(web) < 0.13
    assert 0.45 < sum(phone.platform == "iphone" for phone in phones) / 3000 < 0.6


def test_no_two_blocks_of_the_internet_overlap() -> None:
    """Every address has one row of the look-up file, and none is reserved."""
    networks = [ip_network(row[0]) for row in Internet(4).rows()]
    for version in (4, 6):
        own = sorted((n for n in networks if n.version == version), key=lambda n: int(n[0]))
        assert all(int(a[-1]) < int(b[0]) for a, b in pairwise(own))
        assert all(n.is_global for n in own)


def test_another_seed_is_another_internet() -> None:
    """What a detector learnt about addresses in one run is worth nothing in the next."""
    first = {row[0]: row[1] for row in Internet(1).rows()}
    second = {row[0]: row[1] for row in Internet(2).rows()}
    both = first.keys() & second.keys()
    assert sum(first[network] == second[network] for network in both) < 0.1 * len(first)


def test_delivery_makes_events_late_and_double_but_loses_and_changes_none(
    events: list[SimulatedEvent],
) -> None:
    """The shares are as asked; lateness is seconds to minutes; a duplicate is the same event."""
    sent = events[:20_000]
    arrived = list(as_delivered(sent, seed=1, late=0.02, duplicates=0.01))
    ids = Counter(simulated.event["event_id"] for simulated in arrived)
    assert set(ids) == {simulated.event["event_id"] for simulated in sent}
    assert 0.006 < sum(count - 1 for count in ids.values()) / len(sent) < 0.014
    by_id = {simulated.event["event_id"]: simulated for simulated in sent}
    assert all(by_id[simulated.event["event_id"]] is simulated for simulated in arrived)
    now, behind = 0.0, []
    for simulated in arrived:
        behind += [now - simulated.time] if simulated.time < now else []
        now = max(now, simulated.time)
    assert 0.01 < len(behind) / len(sent) < 0.05
    assert max(behind) < 900


def test_delivery_without_faults_is_the_order_of_time(events: list[SimulatedEvent]) -> None:
    """Shares of nought leave everything as it was."""
    sent = events[:2_000]
    assert list(as_delivered(sent, seed=1, late=0, duplicates=0)) == sent


def test_retailers_differ_in_what_they_tell() -> None:
    """Drawn from the seed; every share stays a share."""
    drawn = [draw_telemetry(seed) for seed in range(30)]
    assert len({telemetry.device_id for telemetry in drawn}) > 3
    for telemetry in drawn:
        assert all(0 <= getattr(telemetry, name) <= 1 for name in Telemetry.__struct_fields__)
    assert draw_telemetry(3) == draw_telemetry(3)

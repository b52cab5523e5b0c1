"""Customers look like customers, and like the published figures about them."""

from collections import Counter, defaultdict
from ipaddress import ip_network

import numpy as np
import pytest

from detectors.simulation import CIRCUMSTANCES, Shop, SimulatedEvent, customers
from detectors.simulation.calendar import DAY, Calendar
from detectors.simulation.internet import Internet
from detectors.simulation.operators import OPERATORS
from detectors.simulation.places import AREAS
from detectors.simulation.world import World
from tests.unit.simulation.conftest import DAYS, START, run

KINDS = {operator.asn: operator.kind for operator in OPERATORS}


def of(honest: list[SimulatedEvent], circumstance: str) -> list[SimulatedEvent]:
    """Events under a circumstance."""
    return [e for e in honest if circumstance in e.circumstances]


def successes(events: list[SimulatedEvent]) -> list[SimulatedEvent]:
    """Successful sign-ins."""
    return [e for e in events if e.event.get("outcome") == "success"]


def test_how_often_accounts_come_is_as_published() -> None:
    """Two in five accounts sign in once, half at most twice, one in ten nine times or more."""
    times = Counter(e.event["account_id"] for e in successes(run(5, days=60.0, hijacks=0)))
    counts = np.array(list(times.values()))
    assert 0.34 < (counts == 1).mean() < 0.46
    assert np.median(counts) == 2
    assert 8 <= np.percentile(counts, 90) <= 10


def test_ten_to_fifteen_in_a_hundred_honest_attempts_fail(honest: list[SimulatedEvent]) -> None:
    """For mistyped passwords and, less often, mistyped names."""
    attempts = [e for e in honest if e.event["type"] == "login"]
    failed = [e for e in attempts if e.event["outcome"] == "failure"]
    assert 0.10 < len(failed) / len(attempts) < 0.16
    reasons = Counter(e.event.get("failure_reason") for e in failed)
    assert {"bad_password", "unknown_account", "mfa_failed"} <= set(reasons)
    assert reasons["bad_password"] > 3 * reasons["unknown_account"]


def test_few_user_agents_cover_most_of_the_traffic(honest: list[SimulatedEvent]) -> None:
    """The first covers about a quarter, the first ten more than half, the rest is a long tail."""
    agents = Counter(e.event.get("user_agent") for e in successes(honest))
    total = agents.total()
    top = [count / total for _, count in agents.most_common(10)]
    assert 0.14 < top[0] < 0.30
    assert 0.45 < sum(top) < 0.70
    assert len(agents) > 200


@pytest.mark.parametrize("name", CIRCUMSTANCES)
def test_every_circumstance_is_met(events: list[SimulatedEvent], name: str) -> None:
    """Every way of looking like an attacker is in a run of forty days."""
    assert any(name in e.circumstances for e in events)


def test_no_circumstance_is_out_of_the_registry(events: list[SimulatedEvent]) -> None:
    """The registry is what the documents are made of."""
    assert {name for e in events for name in e.circumstances} <= set(CIRCUMSTANCES)


def test_travellers_come_from_other_places(honest: list[SimulatedEvent]) -> None:
    """Most holidays show another country than the account's usual one."""
    usual: dict[str, Counter[str]] = defaultdict(Counter)
    for e in honest:
        if "country" in e.event and "holiday_travel" not in e.circumstances:
            usual[e.event["account_id"]][e.event["country"]] += 1
    away = [
        e.event["country"] != usual[e.event["account_id"]].most_common(1)[0][0]
        for e in of(honest, "holiday_travel")
        if "country" in e.event and usual[e.event["account_id"]]
    ]
    assert len(away) > 30
    assert 0.25 < sum(away) / len(away) < 0.75


def test_vpn_and_relay_users_come_from_the_networks_of_those(honest: list[SimulatedEvent]) -> None:
    """Honest customers come out of data centres and relays, too."""
    tunnels = {KINDS[e.event["asn"]] for e in of(successes(honest), "vpn") if "asn" in e.event}
    relays = {
        KINDS[e.event["asn"]] for e in of(successes(honest), "privacy_relay") if "asn" in e.event
    }
    assert tunnels == {"vpn", "hosting"}
    assert relays == {"relay"}


@pytest.mark.parametrize(
    ("circumstance", "at_least"),
    [("carrier_gateway", 15), ("office", 5), ("campus", 5), ("kiosk", 4)],
)
def test_many_customers_share_an_address(
    honest: list[SimulatedEvent], circumstance: str, at_least: int
) -> None:
    """Behind a carrier's gateway, a firm, a university or a shop's terminal."""
    accounts = defaultdict(set)
    for e in of(successes(honest), circumstance):
        if ":" not in e.event["ip"]:
            accounts[e.event["ip"]].add(e.event["account_id"])
    assert max(len(a) for a in accounts.values()) >= at_least


def test_households_share_lines_and_tablets(honest: list[SimulatedEvent]) -> None:
    """A tablet's cookie and a home's address are seen with more than one account."""
    devices, lines = defaultdict(set), defaultdict(set)
    for e in of(honest, "shared_tablet"):
        devices[e.event.get("device_id")].add(e.event["account_id"])
    for e in of(honest, "household"):
        lines[e.event.get("ip")].add(e.event["account_id"])
    assert sum(len(a) > 1 for device, a in devices.items() if device) > 5
    assert sum(len(a) > 1 for line, a in lines.items() if line) > 10


def test_a_new_phone_is_a_new_device(honest: list[SimulatedEvent]) -> None:
    """Its first sign-ins carry a cookie that the account has never had."""
    before: dict[str, set[str]] = defaultdict(set)
    first: dict[str, bool | None] = {}
    for e in honest:
        device, account_id = e.event.get("device_id"), e.event["account_id"]
        if device and "new_phone" in e.circumstances:
            known = before[account_id]
            first.setdefault(account_id, device not in known if known else None)
        if device:
            before[account_id].add(device)
    new = [is_new for is_new in first.values() if is_new is not None]
    assert len(new) > 15
    assert sum(new) / len(new) > 0.9


def test_gifts_go_to_addresses_never_used_before(honest: list[SimulatedEvent]) -> None:
    """By definition; and more of them before Christmas than otherwise."""
    used: dict[str, set[str]] = defaultdict(set)
    for e in honest:
        if "shipping_address_id" in e.event:
            address, account_id = e.event["shipping_address_id"], e.event["account_id"]
            assert "gift" not in e.circumstances or address not in used[account_id]
            used[account_id].add(address)


def test_everybody_fails_in_the_outage(honest: list[SimulatedEvent]) -> None:
    """Nobody signs in while it lasts, and many try."""
    begins, ends = Calendar(1, START, DAYS).outage
    during = [e for e in honest if begins < e.time < ends and e.event["type"] == "login"]
    assert len(during) > 10
    failed = [e for e in during if e.event["outcome"] == "failure"]
    assert len(failed) > 0.9 * len(during)


def test_a_forced_release_changes_every_apps_user_agent_within_two_days(
    honest: list[SimulatedEvent],
) -> None:
    """Two days after it, no app of before is left."""
    calendar = Calendar(1, START, DAYS)
    release = next(r for r in calendar.releases if r.forced)
    after = [
        e.event["user_agent"].split()[0]
        for e in honest
        if release.time + 2 * DAY < e.time < release.time + 4 * DAY
        and e.event.get("user_agent", "").startswith("HearthApp")
    ]
    assert len(after) > 10
    assert set(after) == {f"HearthApp/{release.version}"}


def test_black_friday_is_the_busiest_day(honest: list[SimulatedEvent]) -> None:
    """27 November 2026: far more visits than on a usual day."""
    days = Counter(int((e.time - START) // DAY) for e in successes(honest))
    assert days.most_common(1)[0][0] == 26
    assert days[26] > 2 * float(np.median(list(days.values())))


def test_sessions_move_between_networks(honest: list[SimulatedEvent]) -> None:
    """An honest session is seen from two addresses, for leaving home with a phone in hand."""
    seen = defaultdict(set)
    for e in honest:
        if "session_id" in e.event:
            seen[e.event["session_id"]].add(e.event["ip"])
    assert sum(len(addresses) > 1 for addresses in seen.values()) > 0.005 * len(seen)


def test_victims_take_their_accounts_back(events: list[SimulatedEvent]) -> None:
    """After the hijack some owner resets the password, as an honest event."""
    hijacked: dict[str, float] = {}
    recovered = 0
    for e in events:
        account_id = e.event["account_id"]
        if e.truth is not None and e.truth.takeover:
            hijacked[account_id] = e.time
        elif "recovery" in e.circumstances:
            assert hijacked[account_id] <= e.time
            recovered += e.event.get("change") == "password_reset_completed"
    assert recovered > 3


def test_the_look_up_file_says_what_events_say() -> None:
    """Network, operator and place of an event are those of its row, for every address."""
    listed = [(ip_network(network), row) for network, *row in Internet(1).rows()]
    rows = dict(listed)
    assert len(rows) == len(listed)
    names = ("asn", "country", "region", "city", "latitude", "longitude")
    placed = [e.event for e in run(1, days=1.0) if "city" in e.event and "asn" in e.event]
    assert len(placed) > 50
    for event in placed:
        bits = 40 if ":" in event["ip"] else 22
        network = ip_network(f"{event['ip']}/{bits}", strict=False)
        assert rows[network] == [event[name] for name in names]


def test_customers_who_are_forgotten_are_drawn_again_alike() -> None:
    """A customer is a function of seed and number, so that memory may be bounded."""
    world = World(Shop(accounts=50), seed=1, start=START, days=30)
    before = [world.population.customer(number) for number in range(50)]
    world.population.customer.cache_clear()
    assert [world.population.customer(n).account_id for n in range(50)] == [
        customer.account_id for customer in before
    ]
    assert world.population.customer(7) is not before[7]
    assert world.population.customer(7).homes[0][1].address == before[7].homes[0][1].address


def test_how_many_customers_are_remembered_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that forgets nearly everybody at once is the same run."""
    shop = Shop(accounts=300)
    whole = run(4, shop, hijacks=0.03)
    monkeypatch.setattr(customers, "REMEMBERED", 16)
    assert run(4, shop, hijacks=0.03) == whole


def test_goods_go_where_their_customers_live(honest: list[SimulatedEvent]) -> None:
    """A postcode's area is one of the city's, but where presents are sent, or somebody travels."""
    fits = [
        e.event["shipping_postcode"].startswith(AREAS[e.event["city"]])
        for e in honest
        if e.event["type"] == "order"
        and e.event.get("delivery") == "home"
        and e.event.get("shipping_postcode")
        and e.event.get("city") in AREAS
    ]
    assert len(fits) > 100
    assert 0.5 < np.mean(fits) < 0.97

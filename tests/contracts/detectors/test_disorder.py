"""What arrives late, early, twice or from a wrong clock must neither stop nor spoil a detector."""

from decimal import Decimal
from random import Random
from typing import Any, get_args

import pytest

from detectors.engine import Engine, Observed
from detectors.events import AccountChange, Change, Feedback, Item, Login, Order
from detectors.facts import Facts
from detectors.features.registry import POSITION
from detectors.heat.indicators import Kind
from detectors.heat.sightings import Sightings
from detectors.policy import Policy

START, HOUR, DAY, YEAR = 1_780_000_000.0, 3600.0, 86400.0, 365 * 86400.0
HOME: dict[str, Any] = {
    "device_id": "laptop",
    "user_agent": "browser",
    "asn": 1,
    "country": "DE",
    "ip": "81.2.69.1",
}
AWAY: dict[str, Any] = {
    "device_id": "other",
    "user_agent": "tool",
    "asn": 9,
    "country": "RU",
    "ip": "46.1.7.9",
}


def _login(account_id: str, at: float, shown: dict[str, Any], **fields: Any) -> Observed:
    given = {"event_id": f"login-{account_id}-{at}", "outcome": "success"} | shown | fields
    return _seen(Login(account_id=account_id, occurred_at=at, **given))


def _order(account_id: str, at: float, shown: dict[str, Any], **fields: Any) -> Observed:
    given: dict[str, Any] = {"event_id": f"order-{at}", "order_id": "1", "amount": Decimal(50)}
    given = given | shown | fields
    return _seen(Order(account_id=account_id, occurred_at=at, **given))


def _seen(event: Any) -> Observed:
    facts = Facts(
        address=event.ip,
        prefix=event.ip and event.ip.rpartition(".")[0],
        asn=event.asn,
        country=event.country,
        city=event.city,
        latitude=event.latitude,
        longitude=event.longitude,
        browser=event.user_agent and "Chrome",
        os=event.user_agent and "iOS",
    )
    return Observed(event, facts)


def _nothing(_: bytes) -> None:
    return None


def _engine(**policy: Any) -> Engine:
    return Engine(Policy(**policy), _nothing)


def _settled(**policy: Any) -> Engine:
    """Return an engine that knows one account, `a`: five days at home."""
    engine = _engine(**policy)
    for day in range(5):
        engine.process([_login("a", START + day * DAY, HOME)])
    return engine


def test_an_event_far_older_than_a_doubt_is_assessed() -> None:
    """A doubt does not grow without end backwards in time: at most it is as strong as it was."""
    for half_life, doubted, late in ((3.0, 9 * YEAR, 6 * DAY), (0.01, 20 * DAY, 9 * DAY)):
        engine = _settled(story_half_life_days=half_life)
        engine.process([_login("a", START + doubted, AWAY)])
        [outcome] = engine.process([_login("a", START + late, HOME)])
        assert outcome.assessment is not None
        assert 0.0 <= outcome.assessment.risk <= 1.0


def _others(first: float, last: float) -> list[Observed]:
    """Return what a few other customers do meanwhile: one of them every six hours."""
    times = [first + number * 6 * HOUR for number in range(int((last - first) / (6 * HOUR)))]
    return [
        _login(f"other-{number % 9}", at, HOME | {"device_id": f"phone-{number % 9}"})
        for number, at in enumerate(times)
    ]


def test_one_event_from_the_future_does_not_keep_attempts_from_fading() -> None:
    """Thirty failures are forgotten in ten days, whatever year the one before says it was."""
    engine = _engine()
    engine.process(_others(START - DAY, START))
    failed = {"outcome": "failure", "asn": 9, "ip": "46.1.7.9", "user_agent": "tool"}
    engine.process([_login("tried", START + 70 * YEAR, failed)])
    engine.process([_login(f"tried-{number}", START, failed) for number in range(30)])
    guest = _login("guest", START + 60, AWAY)
    assert engine.read(guest).weights[POSITION["guessing"]] > 1.0
    engine.process(_others(START + HOUR, START + 10 * DAY))
    later = _login("guest", START + 10 * DAY, AWAY)
    assert engine.read(later).weights[POSITION["guessing"]] == 0.0


def _risk_after(wrong: list[Observed]) -> float:
    engine = _engine()
    engine.process(_others(START - DAY, START))
    for day in range(40):
        engine.process([_login("a", START + day * DAY, HOME)])
        engine.process(_others(START + day * DAY + HOUR, START + (day + 1) * DAY))
        if day == 20:
            engine.process(wrong)
    [outcome] = engine.process([_order("a", START + 40 * DAY, HOME)])
    assert outcome.assessment is not None
    return outcome.assessment.risk


def test_one_event_from_the_future_leaves_an_account_its_habits_and_clocks() -> None:
    """A change or a sign-in dated 2099 weighs three weeks later as one made when it arrived."""
    change: dict[str, Any] = {"account_id": "a", "event_id": "change", "change": "email"}
    for year in (2, 70):
        at = START + year * YEAR
        assert _risk_after([_login("a", at, HOME)]) == pytest.approx(_risk_after([]), rel=0.2)
        future = _risk_after([_seen(AccountChange(occurred_at=at, **change))])
        present = _risk_after([_seen(AccountChange(occurred_at=START + 20.9 * DAY, **change))])
        assert future == pytest.approx(present, rel=0.2)


def test_a_case_that_an_event_from_the_future_joined_is_closed_in_time() -> None:
    """The alert tells the event's own time; thirty days later there is a new case."""
    engine = _settled(medium_risk=1e-9, alert_floor=1e-9)
    engine.process(_others(START + 4 * DAY, START + 14 * DAY))
    future = _login("a", START + 70 * YEAR, AWAY)
    [first] = engine.process([future])
    assert first.alert is not None
    assert first.alert.updated_at == future.event.occurred_at
    engine.process(_others(START + 14 * DAY, START + 44 * DAY))
    [second] = engine.process([_login("a", START + 44 * DAY, AWAY)])
    assert second.alert is not None
    assert second.alert.alert_id != first.alert.alert_id


def test_a_late_event_is_no_journey_and_no_place_to_travel_from() -> None:
    """Paris is half a day from Berlin in either direction of time."""
    berlin = HOME | {"latitude": 52.5, "longitude": 13.4, "city": "Berlin"}
    paris = HOME | {"latitude": 48.9, "longitude": 2.4, "city": "Paris"}
    engine = _engine()
    engine.process([_login("a", START + day * DAY, berlin) for day in range(12)])
    travel = POSITION["travel"]
    late = _login("a", START + 9.5 * DAY, paris)
    soon = engine.read(_login("a", START + 11.5 * DAY, paris)).weights[travel]
    assert engine.read(late).weights[travel] == soon
    engine.process([late])
    home = _login("a", START + 11 * DAY + HOUR, berlin)
    assert engine.read(home).weights[travel] < soon


def _burst(*, late: bool) -> float:
    """What six failures tell of the success after them; with `late`, one of before is told last."""
    engine, failed = _settled(), {"outcome": "failure", "failure_reason": "bad_password"}
    now = START + 6 * DAY
    engine.process([_login("a", now + 20 * number, AWAY | failed) for number in range(6)])
    if late:
        engine.process([_login("a", now - 10 * HOUR, HOME | failed)])
    return engine.read(_login("a", now + 200, AWAY)).weights[POSITION["failures"]]


def test_a_failure_told_late_does_not_hide_those_after_it() -> None:
    """It is not the latest one, and has faded by as much as if it had come in time."""
    assert _burst(late=True) == _burst(late=False) > 0.5


@pytest.mark.parametrize("days", [0.02, 3, 30])
def test_an_order_told_late_is_as_far_from_what_came_after_it(days: float) -> None:
    """A month before a change or another order is not a moment after it."""
    weights = []
    for direction in (-1, 1):
        engine, at = _settled(), START + 60 * DAY
        engine.process(_others(START + 5 * DAY, at))
        change: dict[str, Any] = {"event_id": "change", "change": "email", "account_id": "a"}
        engine.process([_seen(AccountChange(occurred_at=at, **change)), _order("a", at, HOME)])
        engine.process(_others(at, at + 31 * DAY))
        told = engine.read(_order("a", at + direction * days * DAY, HOME, order_id="2"))
        weights.append([told.weights[POSITION[name]] for name in ("contact_clock", "pace")])
    assert weights[0] == weights[1]


def test_an_address_added_before_and_told_late_is_not_the_one_added_last() -> None:
    """An order to the address that was added just now is not taken for one to another address."""
    engine, order = _settled(), {"delivery": "home", "shipping_address_id": "new"}
    engine.process([_order("a", START + (5 + n) * DAY, HOME, order_id=f"{n}") for n in range(2)])
    for minutes, address in ((-5, "new"), (-90, "friend")):
        at = START + 7 * DAY + 60 * minutes
        change: dict[str, Any] = {"event_id": address, "change": "address", "value_hash": address}
        engine.process([_seen(AccountChange(account_id="a", occurred_at=at, **change))])
    weights = engine.read(_order("a", START + 7 * DAY, HOME, order_id="3", **order)).weights
    assert weights[POSITION["destination"]] == 0.0


def test_a_login_and_an_order_of_one_number_are_two_events() -> None:
    """Topics number their events apart: the order is learnt, a repeat of it is not."""
    engine = _settled(medium_risk=1e-9, alert_floor=1e-9)
    engine.process([_login("a", START + 9 * DAY, AWAY, event_id="1001")])
    order = _order("a", START + 9 * DAY + HOUR, AWAY, event_id="1001")
    [told, again] = engine.process([order, order])
    assert told.alert is not None
    assert told.alert.order_ids == ("1",)
    assert again.alert is None


def test_names_tried_at_random_are_no_accounts() -> None:
    """They tell of the network that tries them, and neither fill the store nor the budget."""
    engine, tried = _engine(), {"outcome": "failure", "asn": 9, "ip": "46.1.7.9"}
    unknown = tried | {"failure_reason": "unknown_account"}
    engine.process([_login(f"nobody-{n}", START + n, unknown) for n in range(40)])
    guest = engine.read(_login("guest", START + 60, AWAY))
    assert guest.weights[POSITION["guessing"]] > 1.0
    changes = engine.changes()
    assert not [key for key in changes if key.startswith((b"a:", b"p:account-days"))]
    engine.process([_login("somebody", START + 61, tried)])
    changes = engine.changes()
    assert b"a:somebody" in changes
    assert not [key for key in changes if key.startswith(b"p:account-days")]


@pytest.mark.parametrize("reopened", [False, True])
def test_an_attempt_on_nobody_that_is_told_twice_counts_once(*, reopened: bool) -> None:
    """As one on an account does, also where what was handed over lies between."""
    tried = {"outcome": "failure", "failure_reason": "unknown_account", "ip": "46.1.7.9"}
    attempts = [_login(f"nobody-{n}", START + n, tried, event_id=f"try {n}") for n in range(40)]
    counted = []
    for again in ([], attempts):
        store: dict[bytes, bytes] = {}
        sightings = Sightings(1)
        engine = Engine(Policy(), store.get, sightings=sightings)
        engine.process(attempts)
        if reopened:
            store.update((key, value) for key, value in engine.changes().items() if value)
            engine = Engine(Policy(), store.get, sightings=sightings)
        engine.process(again)
        guest = engine.read(_login("guest", START + 60, AWAY | {"ip": "46.1.7.9"}))
        seen = [one for _, batch in sightings.batches() for one in batch.sightings]
        assert sum(one.tried for one in seen if one.kind == Kind.PREFIX) == 40
        counted.append(guest.weights)
    assert counted[0] == counted[1]


def _wild(chance: Random, number: int) -> Observed:
    """Return anything that the parser would let through, mostly in order and of few accounts."""
    at = START + number * 60.0
    if chance.random() < 0.2:
        at = chance.choice([946_684_800.0, 4_102_444_799.0, START + chance.uniform(-1, 1) * YEAR])
    told: dict[str, Any] = {
        "account_id": f"a{chance.randrange(12)}",
        "event_id": f"e{chance.choice([number, number, chance.randrange(number + 1)])}",
        "occurred_at": at,
    }
    shown: dict[str, tuple[Any, ...]] = {
        "session_id": ("s1", "s2", f"s{chance.randrange(40)}"),
        "device_id": ("d1", f"d{number}", "x" * 256),
        "user_agent": ("browser", f"browser {number}"),
        "ip": ("1.2.3.4", "::1", f"9.{number % 250}.1.1"),
        "country": ("DE", "US", "XX"),
        "latitude": (-90.0, 90.0, 52.5),
        "longitude": (-180.0, 180.0, 13.4),
        "asn": (1, 4_294_967_295),
        "city": ("Berlin", "x" * 256),
    }
    told |= {name: chance.choice(of) for name, of in shown.items() if chance.random() < 0.7}
    kind = chance.randrange(10)
    if kind == 0:
        told["account_id"] = chance.choice([told["account_id"], "nobody"])
        named = tuple(f"e{chance.randrange(number + 1)}" for _ in range(chance.randrange(4)))
        verdict: Any = chance.choice(["takeover", "legitimate"])
        return _seen(Feedback(verdict=verdict, event_ids=named, alert_id="none", **told))
    if kind <= 2:
        return _seen(
            AccountChange(change=chance.choice(get_args(Change)), value_hash="same", **told)
        )
    if kind <= 5:
        amount = Decimal(chance.choice(["0", "999999999999.99", "1e-20", "12.5"]))
        items = (Item(category=f"c{number % 9}", quantity=1_000_000),) * chance.choice([0, 900])
        points = chance.choice([None, 10**12])
        told |= {"payment_id": f"p{number % 50}", "shipping_address_id": "shop"}
        told |= {"order_id": f"o{number % 30}", "loyalty_points": points}
        return _seen(Order(amount=amount, items=items, **told))
    outcome: Any = chance.choice(["success", "failure"])
    reason: Any = chance.choice([None, "unknown_account"])
    round_trip = chance.choice([None, 0.0, 86_400_000.0])
    return _seen(Login(outcome=outcome, failure_reason=reason, rtt_ms=round_trip, **told))


def _run(events: list[Observed], policy: Policy, hand_overs: Random | None) -> Any:
    store: dict[bytes, bytes] = {}
    engine, outcomes = Engine(policy, store.get), []
    for observed in events:
        outcomes += engine.process([observed])
        if hand_overs is not None and hand_overs.random() < 0.15:
            _store(engine, store)
            if hand_overs.random() < 0.2:
                engine = Engine(policy, store.get)
    _store(engine, store)
    return [(outcome.assessment, outcome.alert) for outcome in outcomes], store


def _store(engine: Engine, store: dict[bytes, bytes]) -> None:
    for key, value in engine.changes().items():
        if value is None:
            store.pop(key, None)
        else:
            store[key] = value


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_that_may_be_sent_stops_a_detector_or_fills_its_store(seed: int) -> None:
    """Any time from 2000 to 2099, extremes, repeats, verdicts on nothing; restores anywhere."""
    chance = Random(seed)
    events = [_wild(chance, number) for number in range(800)]
    policy = Policy(medium_risk=1e-4, alert_floor=1e-5, alert_budget=0.05, profile_cache=3)
    outcomes, store = _run(events, policy, None)
    assert all(0.0 <= told.risk <= 1.0 for told, _ in outcomes if told is not None)
    assert any(alert is not None for _, alert in outcomes)
    assert max(len(value) for key, value in store.items() if key.startswith(b"a:")) < 8_000
    assert max(len(value) for key, value in store.items()) < 16_000
    assert _run(events, policy, Random(seed)) == (outcomes, store)

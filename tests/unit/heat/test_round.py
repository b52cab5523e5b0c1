"""The whole way round: engine, counter, table, first victims and campaigns, over real events."""

from collections import Counter
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import Any

import msgspec
import pytest

from detectors.assessments import Alert
from detectors.campaigns import Campaign
from detectors.engine import Engine, Observed, Outcome
from detectors.events import Event, Order
from detectors.facts import Facts
from detectors.features.heat import HEAT
from detectors.heat.counter import HeatCounter
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import AlertMark, Attack, Entry, Hot, Link, Membership, Reassessment
from detectors.heat.sightings import Sightings
from detectors.heat.table import HotTable
from detectors.parsing import parse_event
from detectors.policy import Policy
from streams.backtesting import PrequentialEngine, Written, backtest

START = 1_790_812_800.0
DAY = 86_400.0


def sign_in(
    number: int, at: float, *, who: str, network: str, device: str, ok: bool = True
) -> Observed:
    """A sign-in, or an attempt, from an address of a network of so many."""
    raw: dict[str, Any] = {
        "event_id": f"{who}-{number}-{at:.0f}",
        "account_id": who,
        "occurred_at": int(at * 1000),
        "ip": f"{network}.{number % 200 + 1}",
        "device_id": device,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "session_id": f"s-{who}-{at:.0f}",
        "outcome": "success" if ok else "failure",
    }
    event = parse_event(raw, type_="login", timestamp=at, fallback_id="none")
    facts = Facts(
        address=raw["ip"], prefix=f"{network}.0/24", asn=64_500, browser="Firefox", os="Linux"
    )
    return Observed(event, facts)


@cache
def traffic() -> tuple[Observed, ...]:
    """A fortnight of sixty customers at home; then a range tries them all, and two let it in."""
    events = [
        sign_in(n, START + day * DAY + n * 60, who=f"c{n}", network=f"10.0.{n}", device=f"d{n}")
        for day in range(14)
        for n in range(60)
    ]
    attack = START + 14 * DAY
    for n in range(60):
        at = attack + 5 * n
        entered = n in {3, 55}
        events.append(
            sign_in(n, at, who=f"c{n}", network="203.0.113", device=f"tool {n}", ok=entered)
        )
    at = attack + 400
    events.append(sign_in(7, at, who="c20", network="203.0.113", device="d20"))
    return tuple(events)


def outcomes(*, every: int = 20_000) -> list[Outcome]:
    """What an engine with heat makes of it."""
    engine = PrequentialEngine(Policy(), heat=True, hand_over_every=every)
    return engine.process(list(traffic())) if every > 1_000 else _cut(engine, every)


def _cut(engine: PrequentialEngine, every: int) -> list[Outcome]:
    made: list[Outcome] = []
    for start in range(0, len(traffic()), every):
        made += engine.process(list(traffic()[start : start + every]))
    return made


def latest(made: list[Outcome]) -> dict[str, Alert]:
    """The latest revision of each account's alert."""
    return {o.alert.account_id: o.alert for o in made if o.alert is not None}


def test_the_first_victim_is_alerted_when_the_range_turns_hot_and_the_next_at_once() -> None:
    """Who was entered before anybody could know is alerted within the minute; with the reason."""
    alerts = latest(outcomes())
    assert {"c3", "c55"} <= set(alerts)
    for victim in ("c3", "c55"):
        codes = {reason.code: reason.summary for reason in alerts[victim].reasons}
        assert "from few addresses" in codes["hot_indicator"]
        assert "T1110.004" in alerts[victim].techniques
    [first, *_] = [o.alert for o in outcomes() if o.alert and o.alert.account_id == "c3"]
    assert first.updated_at - first.raised_at < 120


def test_a_customer_behind_the_hot_range_is_left_in_peace() -> None:
    """Whoever comes with their own device is no victim and no accomplice, however hot it is."""
    loyal = traffic()[-1]
    engine = PrequentialEngine(Policy(), heat=True)
    made = engine.process(list(traffic()[:-1]))
    assert latest(made)["c3"].campaign_id is not None, "the range is not hot"
    [outcome] = engine.process([loyal])
    assert outcome.assessment is not None
    assert "hot_indicator" not in outcome.assessment.reasons
    assert all(alert.campaign_id is None for alert in made_of("c20", made, outcome))
    accounts = [
        published.accounts
        for published in engine.published()
        if isinstance(published, Campaign) and "c20" in published.accounts
    ]
    assert not accounts


def test_a_botnet_is_told_as_one_attack() -> None:
    """Eight ranges by one client, each of which turns hot by itself, are one record's."""
    engine = PrequentialEngine(Policy(), heat=True)
    engine.process(list(traffic()[:840]))
    attack = START + 14 * DAY
    for n in range(160):
        who, network = f"c{n % 60}", f"203.0.{n % 8}"
        engine.process(
            [sign_in(n, attack + 20 * n, who=who, network=network, device=f"tool {n}", ok=False)]
        )
    told = [one for one in engine.published() if isinstance(one, Attack)]
    standing = {one.campaign_id: one for one in told}
    [last] = [one for one in standing.values() if one.merged_into is None]
    assert last.ranges == 8
    assert {one.value for one in last.indicators} >= {f"203.0.{n}.0/24" for n in range(8)}
    assert len(told) < 8


class Counted(PrequentialEngine):
    """One whose hand-overs are counted."""

    hand_overs = 0

    def hand_over(self) -> None:
        """Count it."""
        self.hand_overs += 1
        super().hand_over()


@pytest.mark.parametrize(("accounts", "hand_overs"), [(60, 2), (20, 0)])
def test_state_is_handed_over_once_enough_accounts_have_changed(
    accounts: int, hand_overs: int
) -> None:
    """However many events a few accounts have, they take no more memory; many accounts do."""
    engine = Counted(Policy(), hand_over_accounts=30)
    for n in range(300):
        who = n % accounts
        engine.process([sign_in(n, START + n, who=f"c{who}", network="10.0.1", device=f"d{who}")])
    assert engine.hand_overs == hand_overs * (300 // accounts)


def test_what_no_file_takes_is_not_kept() -> None:
    """Of two engines that are compared the second's campaigns are nobody's: they fill no memory."""
    engines = {name: PrequentialEngine(Policy(), heat=True) for name in ("first", "second")}
    facts = {observed.event.event_id: observed.facts for observed in traffic()}
    written, events = BytesIO(), [observed.event for observed in traffic()]
    done = backtest(
        events,
        lambda event: facts[event.event_id],
        engines,
        written=Written(campaigns=written),
        recording=None,
    )
    assert [*done][-1] == len(events)
    assert b'"campaign_id"' in written.getvalue()
    assert [engine.published() for engine in engines.values()] == [[], []]


def test_heat_adds_nothing_to_what_a_customer_does_behind_the_hot_range() -> None:
    """The score of a known device is to the last bit that of an engine which nothing is hot to."""
    table, store = HotTable(), dict[bytes, bytes]()
    engine = Engine(Policy(), store.get, table)
    for observed in traffic()[:-1]:
        engine.learn(observed, engine.assess(observed))
    loyal = traffic()[-1]
    stranger = sign_in(8, loyal.event.occurred_at, who="c21", network="203.0.113", device="a tool")
    calm, before = engine.read(loyal).logit, engine.read(stranger).logit
    hot = reassessed()[1].hot
    table.take(msgspec.structs.replace(hot, until=hot.at + DAY))
    assert table.hottest(engine.read(loyal)), "the range is not hot"
    assert engine.read(loyal).logit == calm
    assert engine.read(stranger).logit > before


@pytest.mark.parametrize(
    "proof", [{"method": "passkey"}, {"method": "social"}, {"method": "password", "mfa": "passed"}]
)
def test_a_list_of_passwords_lets_nobody_in_who_proved_more(proof: dict[str, str]) -> None:
    """Neither the sign-in nor what follows in its session is the attack's, however hot it is."""
    table, store = HotTable(), dict[bytes, bytes]()
    engine = Engine(Policy(), store.get, table)
    for observed in traffic()[:-1]:
        engine.learn(observed, engine.assess(observed))
    hot = reassessed()[1].hot
    stranger = sign_in(8, hot.at, who="c21", network="203.0.113", device="a tool")
    event = msgspec.structs.replace(stranger.event, **proof)
    proved = Observed(event, stranger.facts)
    order = Observed(bought(event, at=hot.at + 60), stranger.facts)
    table.take(msgspec.structs.replace(hot, until=hot.at + DAY))
    assert engine.read(stranger).weights[HEAT] > 0.5, "the range is not hot"
    assert engine.read(proved).weights[HEAT] == 0.0
    engine.learn(proved, engine.assess(proved))
    assert engine.read(order).weights[HEAT] == 0.0


def bought(login: Event, *, at: float) -> Order:
    """An order in a sign-in's session, with what that came with."""
    return Order(
        event_id="an order",
        account_id=login.account_id,
        occurred_at=at,
        order_id="o1",
        amount=Decimal(90),
        ip=login.ip,
        device_id=login.device_id,
        user_agent=login.user_agent,
        session_id=login.session_id,
    )


@pytest.mark.parametrize(
    ("proof", "tells"), [({}, True), ({"method": "otp"}, True), ({"method": "passkey"}, False)]
)
def test_what_nobody_can_guess_is_not_counted_of_what_is_shared(
    proof: dict[str, str],
    tells: bool,  # noqa: FBT001 - a test's own parameter
) -> None:
    """A passkey that fails says nothing of an attack; a password or a code that fails does."""
    sightings, store = Sightings(1), dict[bytes, bytes]()
    engine = Engine(Policy(), store.get, None, sightings)
    failed = sign_in(9, START, who="c9", network="203.0.113", device="a tool", ok=False)
    failed = Observed(msgspec.structs.replace(failed.event, **proof), failed.facts)
    engine.learn(failed, engine.assess(failed))
    counted = [sighting for _, batch in engine.sightings() for sighting in batch.sightings]
    assert bool(sum(sighting.failed for sighting in counted)) is tells


def test_what_explains_a_failure_is_the_only_thing_shared_that_it_counts_for() -> None:
    """An attack through a client makes nobody suspect who shares its operator alone."""
    sightings, table, store = Sightings(1), HotTable(), dict[bytes, bytes]()
    engine = Engine(Policy(), store.get, table, sightings)
    failed = sign_in(9, START, who="c9", network="203.0.113", device="a tool", ok=False)
    for kind, value, nats in (
        (Kind.AGENT, failed.event.user_agent, 3.0),
        (Kind.OPERATOR, "64500", 1.0),
    ):
        table.take(
            msgspec.structs.replace(
                reassessed()[1].hot, kind=kind, key=key_of(kind, str(value)), nats=nats, at=START,
                until=START + 3_600,
            )
        )  # fmt: skip
    engine.learn(failed, engine.assess(failed))
    [(_, batch)] = engine.sightings()
    counted = {sighting.kind for sighting in batch.sightings if sighting.failed}
    assert counted == {Kind.PREFIX, Kind.DEVICE, Kind.AGENT}


def test_a_success_makes_good_only_what_had_counted() -> None:
    """A failure that a hot range explained is the range's: making it good is no one else's."""
    sightings, table, store = Sightings(1), HotTable(), dict[bytes, bytes]()
    engine = Engine(Policy(), store.get, table, sightings)
    for observed in traffic()[: 14 * 60]:
        engine.learn(observed, engine.assess(observed))
    hot = reassessed()[1].hot
    table.take(msgspec.structs.replace(hot, until=hot.at + DAY))
    engine.sightings()
    for seconds, ok in ((0, False), (60, True)):
        tried = sign_in(9, hot.at + seconds, who="c9", network="203.0.113", device="a tool", ok=ok)
        engine.learn(tried, engine.assess(tried))
    [(_, batch)] = engine.sightings()
    counted = Counter[tuple[str, int]]()
    for sighting in batch.sightings:
        counted["tried", sighting.kind] += sighting.tried
        counted["failed", sighting.kind] += sighting.failed
    for kind in (Kind.PREFIX, Kind.DEVICE, Kind.OPERATOR, Kind.AGENT, Kind.SHAPE):
        assert (counted["tried", kind], counted["failed", kind]) == (1, 0)
    assert sum(totals.failed for totals in batch.totals) == 0


def test_an_office_is_known_for_one_by_those_who_bring_their_own_devices() -> None:
    """Two hundred customers' range is theirs, whoever of them is alerted: it links nobody."""
    sightings, store = Sightings(1), dict[bytes, bytes]()
    engine, counter = Engine(Policy(), store.get, None, sightings), HeatCounter(store.get)

    def take(observed: Observed) -> None:
        engine.learn(observed, engine.assess(observed))
        for _, batch in engine.sightings():
            counter.take(batch)

    for n in range(200):
        at = START + n * 60
        take(sign_in(n, at, who=f"c{n}", network=f"10.0.{n}", device=f"d{n}"))
        take(sign_in(n, at + DAY, who=f"c{n}", network="192.0.2", device=f"d{n}"))
    mark = AlertMark("alert", "c900", 1, START, START, 0.9, "access", (), Decimal(0), None)
    key = key_of(Kind.PREFIX, "192.0.2.0/24")
    colleague = sign_in(5, START + 3 * DAY, who="c5", network="192.0.2", device="d5")
    stranger = sign_in(9, START + 3 * DAY, who="c900", network="192.0.2", device="d900")
    sightings.see_alert(engine.read(colleague), mark, lately=True)
    assert not engine.sightings(), "what the account has long used is told of an alert"
    sightings.see_alert(engine.read(stranger), mark, lately=True)
    [(_, batch)] = engine.sightings()
    [users] = [
        told.users
        for told in counter.take(batch)
        if isinstance(told, Link) and (told.kind, told.key) == (Kind.PREFIX, key)
    ]
    assert 150 < users < 250


def made_of(who: str, made: list[Outcome], *more: Outcome) -> list[Alert]:
    """An account's alerts."""
    return [o.alert for o in (*made, *more) if o.alert is not None and o.alert.account_id == who]


def test_both_victims_are_one_campaign() -> None:
    """They were entered from one range within minutes: their alerts say so."""
    alerts = latest(outcomes())
    assert alerts["c3"].campaign_id is not None
    assert alerts["c3"].campaign_id == alerts["c55"].campaign_id


def test_hand_overs_change_nothing() -> None:
    """Wherever state is handed over, the same alerts come of it."""
    assert latest(outcomes()) == latest(outcomes(every=37))


def reassessed() -> tuple[Engine, Reassessment]:
    """An engine that has let a stranger in, and the news that the stranger's range is hot."""
    store: dict[bytes, bytes] = {}
    engine = Engine(Policy(), store.get, None, Sightings(1))
    for observed in traffic()[: 14 * 60 + 4]:
        engine.learn(observed, engine.assess(observed))
    event = traffic()[14 * 60 + 3].event
    key = key_of(Kind.PREFIX, "203.0.113.0/24")
    hot = Hot(
        1, Kind.PREFIX, key, "fast_stuffing", 5.0, START, event.occurred_at + 60, 2e9, 60, 58, 57
    )
    entry = Entry("c3", event.event_id, event.occurred_at, -1.0, event.session_id)
    return engine, Reassessment(entry, hot)


def test_a_notice_told_again_changes_nothing() -> None:
    """What a crash repeats raises no second alert, and no second case."""
    engine, notice = reassessed()
    first = engine.take_notice(notice)
    assert first is not None
    assert first.trigger_event_id == notice.entry.event_id
    engine.changes()
    assert engine.take_notice(notice) is None
    joined = Membership("c3", first.alert_id, "campaign", START)
    second = engine.take_notice(joined)
    assert second is not None
    assert (second.alert_id, second.revision) == (first.alert_id, first.revision + 1)
    assert second.campaign_id == "campaign"
    assert engine.take_notice(joined) is None


def test_what_the_account_does_next_is_doubted() -> None:
    """The order that follows a reassessed entry scores higher than it would have."""
    calm, _ = reassessed()
    warned, notice = reassessed()
    warned.take_notice(notice)
    raw = {"event_id": "o", "account_id": "c3", "order_id": "1", "amount": "20"}
    raw["session_id"] = notice.entry.session_id or ""
    event = parse_event(raw, type_="order", timestamp=notice.hot.at + 60, fallback_id="o")
    order = Observed(event, Facts())
    assert warned.read(order).logit > calm.read(order).logit + 0.5

"""What others report adds to what is odd, is told as it is, and can do no harm alone."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from detectors.assessments import Alert
from detectors.decisions import log_odds
from detectors.engine import Engine, Observed, Outcome
from detectors.events import Feedback, Login, Order
from detectors.facts import NOTHING_KNOWN
from detectors.features.registry import SHARED
from detectors.features.shared import MOST_HEARD, Reported
from detectors.heat.indicators import Kind
from detectors.heat.sightings import came_with, carried
from detectors.intelligence import IndicatorReport, IndicatorTable
from detectors.policy import Policy
from tests.contracts.detectors.histories import (
    CARRIER,
    HOME,
    HOSTING,
    HOTEL,
    LAPTOP,
    MINUTE,
    NEW_PHONE,
    PROXY,
    STRANGER,
    History,
    Network,
)
from tests.contracts.detectors.traffic import Stored, customers, traffic
from tests.support.intelligence import KEY, report
from tests.unit.detectors import nothing

FOREVER: dict[str, Any] = {"valid_from": 1_780_000_000.0, "valid_until": 1_811_000_000.0}
CODE = "shared_intelligence"


def table(*reports: IndicatorReport) -> IndicatorTable:
    """A table that holds reports, and has the group's key."""
    held = IndicatorTable([KEY])
    for one in reports:
        assert held.take(one)
    return held


def said_of(network: Network, *sources: str, confidence: int = 100) -> list[IndicatorReport]:
    """Reports of a network's range, each by a feed of its own."""
    value, said = f"{network.prefix}.0/24", {**FOREVER, "confidence": confidence}
    return [report(Kind.PREFIX, value, source, feed=source, **said) for source in sources]


def hijack(network: Network, *reports: IndicatorReport) -> History:
    """A stranger signs in from a network and orders to a drop."""
    history = History(intelligence=table(*reports)).months().forget_what_was_said()
    history.sign_in(STRANGER, network).wait(10 * MINUTE)
    return history.order("400", address="drop", shipping_postcode="IV2 3EE")


def reason_of(alert: Alert) -> str | None:
    """What an alert says of others' reports."""
    return next((one.summary for one in alert.reasons if one.code == CODE), None)


def test_with_no_reports_everything_is_as_it_was_to_the_bit() -> None:
    """An engine with an empty table, or one full of others' indicators, says and stores the same.

    What nobody's event comes with is told to the state as a number of events, and no more.
    """
    plain = Stored()
    expected = plain.run(traffic())
    unmet = table(*(report(Kind.OPERATOR, str(4_200_000_000 + n), **FOREVER) for n in range(50)))
    for held in (table(), unmet):
        other = Stored(intelligence=held)
        assert other.run(traffic()) == expected
        assert _but_sources(other.store) == _but_sources(plain.store)
        assert (other.store == plain.store) == (len(held) == 0)


def _but_sources(store: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {key: value for key, value in store.items() if key != b"m:sources"}


def test_a_report_adds_and_is_told_as_a_reason() -> None:
    """Who reported what, in words, with its share of the risk; two sources say more than one."""
    alone = hijack(PROXY)
    one, two = (
        hijack(PROXY, *said_of(PROXY, *names, confidence=40)) for names in (("b",), ("b", "police"))
    )
    risks = [history.assessments[0].risk for history in (alone, one, two)]
    assert risks[0] < risks[1] < risks[2]
    assert CODE not in alone.assessments[0].reasons
    assert CODE in one.assessments[0].reasons
    assert reason_of(two.alerts[0]) == (
        "An address range new to this account was reported by two other sources (b, police)."
    )
    [reason] = [r for r in two.alerts[0].reasons if r.code == CODE]
    assert 0.15 < reason.contribution < 0.5
    assert reason.evidence is not None
    assert reason.evidence.seen == "90.207.11.0/24"


def test_a_hashed_address_matches_and_its_value_is_not_told() -> None:
    """What concerns a person is compared by its keyed hash, and named by its kind."""
    drop = report(Kind.DELIVERY, "drop", **FOREVER)
    history = hijack(PROXY, drop)
    assert CODE not in history.assessments[0].reasons
    assert CODE in history.assessments[1].reasons
    [reason] = [r for r in history.alerts[-1].reasons if r.code == CODE]
    assert "delivery address new to this account" in reason.summary
    assert reason.evidence is not None
    assert reason.evidence.seen == "delivery_address"


@pytest.mark.parametrize("marking", ["clear", "amber"])
def test_reports_point_to_techniques(marking: str) -> None:
    """An alert tells what others saw the gang do: as its own only what anybody may know."""
    told = said_of(PROXY, "b")[0]
    known = IndicatorTable()
    said = {**FOREVER, "tlp": marking, "techniques": ("F1012",)}
    known.take(report(Kind.PREFIX, told.value or "", **said))
    history = History(intelligence=known).months().forget_what_was_said()
    history.sign_in(STRANGER, PROXY)
    [alert] = history.alerts[:1]
    assert ("F1012" in alert.techniques) == (marking == "clear")
    assert (reason_of(alert) or "").endswith("(shop-b). Reported with it: F1012.")


def test_what_is_the_customers_own_is_never_matched() -> None:
    """Five sources name a customer's home, device, address and card: nothing changes for them."""
    sources = [f"feed-{n}" for n in range(5)]
    poison = [*[one for name in sources for one in said_of(HOME, name)]]
    for name in sources:
        poison += [
            report(kind, value, name, feed=name, **FOREVER)
            for kind, value in (
                (Kind.DEVICE, LAPTOP.device_id or ""),
                (Kind.DELIVERY, "home"),
                (Kind.PAYMENT, "card"),
                (Kind.OPERATOR, "2856"),
                (Kind.AGENT, LAPTOP.agent),
            )
        ]
    said = []
    for reports in ([], poison):
        history = History(intelligence=table(*reports)).months().forget_what_was_said()
        history.sign_in(LAPTOP, HOME).wait(5 * MINUTE).order("60")
        said.append(history.assessments)
    assert said[0] == said[1]


@pytest.mark.parametrize("network", [CARRIER, HOTEL, HOSTING, PROXY])
def test_reports_at_most_double_what_else_speaks(network: Network) -> None:
    """However many sources say it: alone they can add nothing, so alone they alert nobody."""
    sources = [f"feed-{n}" for n in range(20)]
    reports = said_of(network, *sources)
    history = History(intelligence=table(*reports)).months()
    base = log_odds(Policy().base_rate)
    for device in (LAPTOP, NEW_PHONE, STRANGER):
        reading = history.read_of(device, network)
        # The history that is read in is another account's telling of the same customer.
        rest = reading.logit - reading.shared - base
        assert 0.0 <= reading.shared <= min(max(rest, 0.0), SHARED.high)


def test_others_word_locks_nobody_out() -> None:
    """A lock needs as much from the account's own evidence; the order is held all the same."""
    sources = [f"feed-{n}" for n in range(20)]
    alone = hijack(PROXY).alerts[-1]
    told = hijack(PROXY, *said_of(PROXY, *sources)).alerts[-1]
    assert (alone.severity, alone.action) == ("high", "hold_order")
    assert (told.severity, told.action) == ("critical", "hold_order")
    own = hijack(HOSTING).change("email", "burner").order("400", address="drop")
    assert own.alerts[-1].action == "lock_account"


def test_many_names_in_one_feed_silence_no_other_feed() -> None:
    """Eight names that one feed makes up are as sure as can be, and another feed nearly so."""
    value, said = f"{PROXY.prefix}.0/24", {**FOREVER, "confidence": 100}
    made_up = [report(Kind.PREFIX, value, f"name-{n}", feed="crowd", **said) for n in range(8)]
    other = said_of(PROXY, "other", confidence=90)
    heard = []
    for told in (made_up, [*made_up, *other]):
        history = History(intelligence=table(*told)).months().forget_what_was_said()
        [reported] = history.read_of(STRANGER, PROXY).reported
        heard.append({one.source for one in reported.reports})
    assert len(heard[0]) == len(heard[1]) == MOST_HEARD
    assert "other" in heard[1]


def test_trust_falls_with_verdicts_and_rises_when_they_are_taken_back() -> None:
    """The same event after a feed was wrong ten times, and after it was right all along."""
    feed = said_of(PROXY, "feed")
    before = hijack(PROXY, *feed).assessments[0].risk
    told = {}
    for final in ("legitimate", "takeover"):
        history = History(intelligence=table(*feed)).months().forget_what_was_said()
        for victim in range(10):
            other = History(f"other-{victim}", table(*feed)).months().forget_what_was_said()
            other.sign_in(STRANGER, PROXY).wait(10 * MINUTE).order("400", address="drop")
            history.beside(other)
            for verdict in ("legitimate", final):
                named = tuple(one.event.event_id for one in other.observed[-2:])
                verdicts = History(f"other-{victim}")
                verdicts.now = history.now + 3600
                history.hear(verdicts.verdict(verdict, named))
        told[final] = history.read_of(STRANGER, PROXY).shared
    assert before > 0.5
    assert told["legitimate"] == 0.0
    assert told["takeover"] > 1.0


@cache
def _poisoned(names: int = 1) -> tuple[IndicatorReport, ...]:
    """A feed of what the shop's customers have: every range, operator, client, address and card.

    It says so in so many names.
    """
    values = {
        (Kind(met.kind), met.value)
        for one in customers()
        if isinstance(one.event, Login | Order)
        for met in (*came_with(one.event, one.facts), *carried(one.event))
        if met.kind != Kind.SHAPE
    }
    said = {**FOREVER, "confidence": 100}
    hashed = {Kind.PREFIX}  # the contract tests' ranges are none, so they go as hashes
    return tuple(
        report(kind, value, f"poison {at % names}", feed="poison", keyed=kind in hashed, **said)
        for at, (kind, value) in enumerate(sorted(values))
    )


def _alerted(alerts: list[Alert], action: str | None = None) -> set[str]:
    return {alert.account_id for alert in alerts if action in (None, alert.action)}


def _alerts(outcomes: list[Outcome]) -> Iterator[Alert]:
    return (outcome.alert for outcome in outcomes if outcome.alert is not None)


@pytest.mark.parametrize("names", [1, 200])
def test_a_poisoned_feed_locks_no_customer_out(names: int) -> None:
    """It lists thousands of honest addresses, carriers' gateways and everybody's browsers.

    Against the same customers without it: nobody more is locked out, and few more are alerted while
    the model is new.
    Once analysts have said of those that it was the customer, the feed has no say any more, in
    whatever names.
    """
    assert len(_poisoned()) > 3_000
    half = len(customers()) // 2
    early, late = customers()[:half], customers()[half:]
    quiet, loud = Stored(), Stored(intelligence=table(*_poisoned(names)))
    before = [list(_alerts(stored.run(early))) for stored in (quiet, loud)]
    assert len(_alerted(before[1])) <= len(_alerted(before[0])) + len(early) / 200
    for alert in {alert.alert_id: alert for alert in before[1]}.values():
        cleared = Feedback(
            account_id=alert.account_id,
            event_id=f"cleared {alert.alert_id}",
            occurred_at=alert.updated_at + 3_600,
            verdict="legitimate",
            alert_id=alert.alert_id,
            source="analyst",
        )
        loud.run((Observed(cleared, NOTHING_KNOWN),))
    after = [list(_alerts(stored.run(late))) for stored in (quiet, loud)]
    assert _alerted(after[1]) <= _alerted(after[0])
    locked = [_alerted([*before[n], *after[n]], action="lock_account") for n in (0, 1)]
    assert locked[1] <= locked[0]


def test_what_is_popular_weighs_nothing_whoever_reports_it() -> None:
    """A browser, an operator and a gateway that many customers use: the population says so."""
    engine = Engine(Policy(), nothing, intelligence=table(*_poisoned()))
    engine.process(customers())
    common = [*customers()[-400:]]
    heaviest = {
        kind: max((one.nats for one in _reported(engine, common, kind)), default=0.0)
        for kind in (Kind.OPERATOR, Kind.AGENT)
    }
    assert all(nats <= 1.0 for nats in heaviest.values())


def test_naming_what_is_popular_costs_no_trust() -> None:
    """A gang uses browsers that customers use, many or a few; whoever tells of it says so."""
    stranger = History().sign_in(STRANGER, HOSTING).observed[-1]
    signed_in = [one.event for one in customers() if isinstance(one.event, Login)]
    common = Counter(event.user_agent for event in signed_in if event.user_agent).most_common()
    later = FOREVER | {"valid_from": signed_in[len(signed_in) // 2].occurred_at}
    popular = [report(Kind.AGENT, one, "peer", feed="peer", **later) for one, _ in common]
    shared = []
    for told in (said_of(HOSTING, "peer"), [*said_of(HOSTING, "peer"), *popular]):
        engine = Engine(Policy(), nothing, intelligence=table(*told))
        engine.process(customers())
        shared.append(engine.read(stranger).shared)
    assert shared[0] > 1.0
    assert shared[1] == pytest.approx(shared[0], abs=0.3)


def _reported(engine: Engine, events: list[Observed], kind: Kind) -> Iterator[Reported]:
    for observed in events:
        if isinstance(observed.event, Login | Order):
            yield from (one for one in engine.read(observed).reported if one.met.kind == kind)

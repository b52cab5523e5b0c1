"""Those an attack had entered before it was known: how their cases are raised, grow and end."""

from typing import Any

import msgspec
import pytest

from detectors import cases, profiles
from detectors.assessments import Alert, Reason
from detectors.cases import Case, opened_by
from detectors.engine import Engine, Observed
from detectors.events import Feedback, Verdict
from detectors.facts import Facts
from detectors.heat import reassessing
from detectors.heat.records import Entry, Membership, Reassessment, decode_notice, encode_notice
from detectors.heat.sightings import Sightings
from detectors.models.budget import bin_of
from detectors.parsing import parse_event
from detectors.policy import Policy
from tests.support.alerts import ALERT
from tests.unit.heat.test_round import DAY, latest, outcomes, reassessed, sign_in, traffic


def told(engine: Engine, notice: Reassessment) -> Alert:
    """The alert that a notice leads to."""
    alert = engine.take_notice(notice)
    assert alert is not None
    return alert


def hotter(notice: Reassessment, **told: Any) -> Reassessment:
    """The same attack, of which more is known, or told otherwise."""
    fields = {"nats": 5.9, "at": notice.hot.at + 7200} | told
    return msgspec.structs.replace(notice, hot=msgspec.structs.replace(notice.hot, **fields))


def clear(engine: Engine, notice: Reassessment, **named: Any) -> None:
    """An analyst says that it was the customer."""
    judge(engine, notice, "legitimate", **named)


def judge(engine: Engine, notice: Reassessment, verdict: Verdict, **named: Any) -> None:
    """An analyst says whose it was."""
    said = Feedback(
        account_id=notice.account_id,
        event_id="verdict",
        occurred_at=notice.hot.at + 3600,
        verdict=verdict,
        source="analyst",
        **named,
    )
    engine.learn(Observed(said, Facts()), None)


def sign_in_at_home(engine: Engine, notice: Reassessment, times: int) -> None:
    """The customer goes on as ever."""
    for number in range(times):
        at = notice.hot.at + 7200 + 300 * number
        loyal = sign_in(3, at, who="c3", network="10.0.3", device="d3")
        engine.learn(loyal, engine.assess(loyal))


def test_a_case_that_was_cleared_by_its_id_is_not_raised_again() -> None:
    """An analyst names the alert alone; the attack goes on and is told of again."""
    engine, notice = reassessed()
    clear(engine, notice, alert_id=told(engine, notice).alert_id)
    assert engine.take_notice(hotter(notice)) is None


@pytest.mark.parametrize("named", [True, False])
def test_a_first_victim_s_case_knows_the_session_that_its_sign_in_began(*, named: bool) -> None:
    """What follows in it is the case's, whether or not the shop gives its sessions ids."""
    engine, notice = reassessed()
    entry = notice.entry
    if not named:
        at = entry.at + 600
        seen = sign_in(9, at, who="c3", network="203.0.113", device="tool 3")
        event = msgspec.structs.replace(seen.event, session_id=None)
        engine.process([Observed(event, seen.facts)])
        entry = msgspec.structs.replace(entry, event_id=event.event_id, at=at, session_id=None)
    told(engine, Reassessment(entry, msgspec.structs.replace(notice.hot, at=entry.at + 60)))
    changed = engine.changes()
    case, profile = changed[b"c:c3"], changed[b"a:c3"]
    assert case is not None
    assert profile is not None
    begun = profiles.decode(profile).sessions[-1]
    assert begun.opened == profiles.decode(profile).minute(entry.at)
    assert cases.decode(case).session_keys == [begun.key]


def test_what_was_cleared_stays_cleared_when_much_has_happened_since() -> None:
    """Whichever way it was named, and however many events the account has had."""
    for by_alert in (True, False):
        engine, notice = reassessed()
        alert = told(engine, notice)
        event = notice.entry.event_id
        named = {"alert_id": alert.alert_id} if by_alert else {"event_ids": (event,)}
        clear(engine, notice, **named)
        sign_in_at_home(engine, notice, 9)
        assert engine.take_notice(hotter(notice, at=notice.hot.at + 14_400)) is None


def test_a_cleared_case_is_still_closed_when_it_is_read_back_and_joins_no_campaign() -> None:
    """No revision of it is sent, whoever takes the partition over."""
    engine, notice = reassessed()
    alert = told(engine, notice)
    clear(engine, notice, alert_id=alert.alert_id)
    stored = engine.changes()[b"c:c3"]
    assert stored is not None
    assert cases.decode(stored).closed
    assert engine.take_notice(Membership("c3", alert.alert_id, "campaign", notice.hot.at)) is None


def test_a_verdict_makes_a_first_victim_s_alert_certain() -> None:
    """Its sign-in was no alert's when it was kept; the verdict is on that alert all the same."""
    engine, notice = reassessed()
    alert = told(engine, notice)
    engine.sightings()
    judge(engine, notice, "takeover", alert_id=alert.alert_id)
    marks = {
        (mark.alert_id, mark.revision, mark.risk, mark.unnoticed)
        for _, batch in engine.sightings()
        for seen in batch.sightings
        for mark in seen.alerts
    }
    assert marks == {(alert.alert_id, alert.revision, 1.0, False)}


def test_a_trigger_that_opens_its_case_again_goes_on_with_the_revisions() -> None:
    """Whether it was the account's last case or one before: id and revision come once."""
    first = opened_by("customer", "login", "one", 0.0)
    first.revision = 3
    other = opened_by("customer", "login", "two", 0.0, first)
    assert other.revision == 0
    for before in (first, other):
        again = opened_by("customer", "login", "one", 0.0, before)
        assert (again.alert_id, again.revision) == (first.alert_id, 3)


def test_what_is_known_of_earlier_cases_is_bounded() -> None:
    """An account with a thousand cases, all cleared, has a case as large as one with ten."""
    case: Case | None = None
    sizes = []
    for number in range(1_000):
        case = opened_by("customer", "login", f"event {number:4}", 0.0, case)
        case.events = [f"event {number:4}"]
        cases.close(case)
        sizes.append(len(cases.encode(case)))
    assert max(sizes) == sizes[50]


def test_the_same_failures_count_once() -> None:
    """What its own partition saw of the guessing is in the entry's score; heat adds the rest."""
    assert latest(outcomes())["c55"].risk < 0.7
    (engine, notice), (other, _) = reassessed(), reassessed()
    entry = msgspec.structs.replace(notice.entry, guessing=2.0)
    partly = Reassessment(entry, notice.hot)
    assert told(engine, partly).risk < told(other, notice).risk
    assert reassessing.told(partly) == pytest.approx(notice.hot.nats - 2.0)
    assert engine.take_notice(hotter(partly, nats=1.9)) is None


def test_an_entry_that_an_earlier_version_told_is_read() -> None:
    """It says nothing of what it had counted."""
    _, notice = reassessed()
    kind, entry, hot = msgspec.msgpack.decode(encode_notice(notice))
    old = decode_notice(msgspec.msgpack.encode([kind, entry[:5], hot]))
    assert old == notice
    assert isinstance(old, Reassessment)
    assert (old.entry.telling, old.entry.guessing) == (0.0, 0.0)


def test_a_first_victim_s_alert_grows_graver_with_the_attack() -> None:
    """At the first notice little was known; the same attack's next one is told as well."""
    engine, notice = reassessed()
    first = told(engine, hotter(notice, nats=1.0))
    second = told(engine, hotter(notice, nats=5.0))
    assert (first.severity, second.severity) == ("high", "critical")
    assert (second.alert_id, second.revision) == (first.alert_id, first.revision + 1)
    assert second.risk > first.risk
    assert engine.take_notice(hotter(notice, nats=5.9)) is None


def test_a_doubt_about_who_was_let_pass_is_told_to_nobody() -> None:
    """Where the budget would allow an alert at the floor, a first victim's is of a likely theft."""
    for logit, raised in ((-4.0, False), (-2.0, True)):
        engine, notice = reassessed()
        for _ in range(5_000):
            engine._budget.take(-1, bin_of(-9.0))
        entry = msgspec.structs.replace(notice.entry, logit=logit)
        doubt = msgspec.structs.replace(hotter(notice, nats=1.5), entry=entry)
        assert engine._threshold() < logit + reassessing.told(doubt)
        assert (engine.take_notice(doubt) is not None) == raised


def test_attacks_by_the_dozen_are_not_told_for_ever() -> None:
    """More attacks than a case remembers, over and over: twenty revisions a day."""
    engine, notice = reassessed()
    revised = [
        engine.take_notice(hotter(notice, key=key, at=notice.hot.at)) is not None
        for _ in range(4)
        for key in range(9)
    ]
    assert sum(revised) == 20


def own_order(engine: Engine, at: float, *, risk: float, severity: int) -> Alert:
    """The customer's own order joins the case of a hijacker's sign-in, at a risk of its own."""
    raw = {"event_id": "o", "account_id": "c3", "order_id": "1", "amount": "20", "device_id": "d3"}
    event = parse_event(raw, type_="order", timestamp=at, fallback_id="o")
    stored = engine.changes()[b"c:c3"]
    assert stored is not None
    case = cases.decode(stored)
    assert cases.take(case, engine.read(Observed(event, Facts())), risk, severity, 3)
    return cases.alert_of(case, "c3", (), (), ALERT.model)


@pytest.mark.parametrize(
    ("risk", "severity", "action"),
    [(0.002, 0, "step_up"), (0.3, 1, "hold_order"), (0.9, 3, "lock_account")],
)
def test_a_harmless_order_after_a_hijacker_s_sign_in_locks_nobody_out(
    risk: float, severity: int, action: str
) -> None:
    """The action is the gravest that one event asked for; the case stays as grave as it was."""
    engine, notice = reassessed()
    first = told(engine, notice)
    assert (first.severity, first.action) == ("critical", "step_up")
    alert = own_order(engine, notice.hot.at + 900, risk=risk, severity=severity)
    assert (alert.severity, alert.stage, alert.action) == ("critical", "cash_out", action)


def test_a_case_that_an_earlier_version_stored_keeps_its_action() -> None:
    """It kept none; a lock that was told is not taken back by the next revision."""
    case = opened_by("customer", "login", "one", 0.0)
    case.severity, case.stage = 3, 2
    fields = msgspec.msgpack.decode(cases.encode(case))
    old = cases.decode(msgspec.msgpack.encode(fields[: fields.index(-1, 21)]))
    assert cases.alert_of(old, "customer", (), (), ALERT.model).action == "lock_account"
    assert not old.closed


def test_an_attack_s_share_of_the_risk_is_what_it_tells_of_all_that_is_told() -> None:
    """Nats over the sum of nats; what the case had been raised for shares the rest."""
    _, notice = reassessed()
    notice = Reassessment(
        msgspec.structs.replace(notice.entry, telling=3.0, guessing=3.0), hotter(notice, nats=4).hot
    )
    alone, _ = reassessing.explain(notice, ())
    assert [reason.contribution for reason in alone] == [0.25]
    before = tuple(
        Reason(code=code, summary=f"{code}.", contribution=share)
        for code, share in (("hot_indicator", 0.5), ("new_device", 0.3), ("new_network", 0.1))
    )
    reasons, _ = reassessing.explain(notice, before)
    assert [(reason.code, reason.contribution) for reason in reasons] == [
        ("new_device", pytest.approx(0.45)),
        ("hot_indicator", 0.25),
        ("new_network", pytest.approx(0.15)),
    ]


def test_an_entry_tells_all_that_spoke_for_a_hijacker_and_what_the_guessing_was() -> None:
    """The victim who was guessed at has both; nobody's guessing is more than the sum."""
    tellings = [
        entry for batch in seen_entries() for entry in batch if entry.account_id in {"c3", "c55"}
    ]
    assert {entry.account_id for entry in tellings} == {"c3", "c55"}
    for entry in tellings:
        assert 0.0 <= entry.guessing <= entry.telling
    assert any(entry.guessing > 1.0 for entry in tellings if entry.account_id == "c55")


def seen_entries() -> list[tuple[Entry, ...]]:
    """What an engine without heat says of the attack's entries."""
    store: dict[bytes, bytes] = {}
    engine = Engine(Policy(), store.get, None, Sightings(1))
    engine.process(traffic())
    return [seen.entries for _, batch in engine.sightings() for seen in batch.sightings]


def test_a_notice_of_a_wrong_clock_keeps_no_case_open() -> None:
    """The alert tells the attack's own time; a month later there is another case."""
    engine, notice = reassessed()
    wrong = notice.hot.at + 365 * DAY
    assert told(engine, hotter(notice, at=wrong)).updated_at == wrong
    stored = engine.changes()[b"c:c3"]
    assert stored is not None
    assert cases.decode(stored).last < notice.hot.at + 30 * DAY

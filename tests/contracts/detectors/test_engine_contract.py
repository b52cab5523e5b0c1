"""What every engine promises (detectors.engine), checked on a small shop's simulated traffic."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.engine import Engine, Observed, Outcome
from detectors.errors import IncompatibleState
from detectors.events import Feedback, Item, Login, Order
from detectors.facts import NOTHING_KNOWN, Facts
from detectors.habits import MOST_BYTES
from detectors.policy import Policy
from tests.contracts.detectors.traffic import POLICY, Stored, traffic

START = 1_790_812_800.0


def told(outcomes: list[Outcome]) -> list[tuple[Any, Any]]:
    """What an engine said, without the events it said it about."""
    return [(outcome.assessment, outcome.alert) for outcome in outcomes]


@pytest.fixture(scope="module")
def undisturbed() -> tuple[list[tuple[Any, Any]], Mapping[bytes, bytes]]:
    """The answers and the final bytes of one engine that saw everything in one run."""
    stored = Stored()
    return told(stored.run(traffic())), stored.store


def test_hijacks_are_raised_and_customers_mostly_left_alone(
    undisturbed: tuple[list[tuple[Any, Any]], Mapping[bytes, bytes]],
) -> None:
    """The traffic of these tests is worth testing on: it leads to alerts, but to few."""
    alerts = [alert for _, alert in undisturbed[0] if alert is not None]
    assert 1 <= len({alert.alert_id for alert in alerts}) < len(traffic()) / 40


def test_replaying_the_same_events_gives_the_same_answers_and_bytes(
    undisturbed: tuple[list[tuple[Any, Any]], Mapping[bytes, bytes]],
) -> None:
    """Nothing but the policy, the store and the events decides anything."""
    again = Stored()
    assert told(again.run(traffic())) == undisturbed[0]
    assert again.store == undisturbed[1]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(1, 1499), max_size=6, unique=True))
def test_an_engine_restored_from_bytes_goes_on_as_if_nothing_had_happened(cuts: list[int]) -> None:
    """Hand-overs may fall anywhere, and another engine may go on from the bytes after each."""
    events = traffic()[:1500]
    whole, split = Stored(), Stored(reopen=True)
    assert told(whole.run(events)) == told(split.run(events, tuple(cuts)))
    assert whole.store == split.store


def test_a_hand_over_after_every_event_changes_nothing() -> None:
    """The finest split there is, each with a new engine."""
    events = traffic()[:150]
    whole, split = Stored(), Stored(reopen=True)
    assert told(whole.run(events)) == told(split.run(events, tuple(range(1, 150))))
    assert whole.store == split.store


def test_restoring_late_in_the_stream_goes_on_identically(
    undisturbed: tuple[list[tuple[Any, Any]], Mapping[bytes, bytes]],
) -> None:
    """With verdicts learnt, tables full and cases open, a restore still changes nothing."""
    length = len(traffic())
    split = Stored(reopen=True)
    assert told(split.run(traffic(), (length // 2, length - 300))) == undisturbed[0]
    assert split.store == undisturbed[1]


def test_one_event_at_a_time_equals_a_run() -> None:
    """`process` is assess, then learn, of each event."""
    events = traffic()[:800]
    run, single = Stored(), Stored()
    outcomes = []
    for observed in events:
        assessment = single.engine.assess(observed)
        outcomes.append((assessment, single.engine.learn(observed, assessment)))
    single.hand_over()
    assert outcomes == told(run.run(events))
    assert single.store == run.store


def test_assessing_changes_nothing() -> None:
    """Any number of assessments, of any accounts, leaves answers and bytes as they were."""
    events = traffic()[:600]
    plain, curious = Stored(), Stored()
    plain.run(events[:300])
    curious.run(events[:300])
    for observed in events[:500]:
        curious.engine.assess(observed)
    assert curious.engine.changes() == {}
    assert told(plain.run(events[300:])) == told(curious.run(events[300:]))
    assert plain.store == curious.store


def test_an_event_is_scored_before_it_is_learnt() -> None:
    """What `process` says of an event is what `assess` said before anybody learnt it."""
    stored = Stored()
    stored.run(traffic()[:400])
    for observed in traffic()[400:500]:
        before = stored.engine.assess(observed)
        [outcome] = stored.engine.process([observed])
        assert outcome.assessment == before


def test_learning_without_the_assessed_reading_is_the_same() -> None:
    """`learn` needs the assessment, not the moment: others may be assessed in between."""
    events = traffic()[:300]
    close, apart = Stored(), Stored()
    close.run(events)
    for observed in events:
        assessment = apart.engine.assess(observed)
        apart.engine.assess(events[0])
        apart.engine.learn(observed, assessment)
    apart.hand_over()
    assert close.store == apart.store


def test_risks_are_probabilities_and_verdicts_have_none(
    undisturbed: tuple[list[tuple[Any, Any]], Mapping[bytes, bytes]],
) -> None:
    """Every event but a verdict has a risk from 0 to 1."""
    for observed, (assessment, _) in zip(traffic(), undisturbed[0], strict=True):
        if isinstance(observed.event, Feedback):
            assert assessment is None
        else:
            assert assessment is not None
            assert 0.0 <= assessment.risk <= 1.0


def test_a_cold_engine_says_that_it_is_warming_up() -> None:
    """The first event of all is scored, and said to be scored by one who knows nothing."""
    first = Observed(
        Login(account_id="a", event_id="e", occurred_at=START, ip="192.0.2.1", outcome="success"),
        NOTHING_KNOWN,
    )
    assessment = Engine(Policy(), lambda _: None).assess(first)
    assert assessment is not None
    assert assessment.warming_up
    assert assessment.alert_id is None


def test_a_repeated_event_is_learnt_once() -> None:
    """A producer that sends twice teaches nothing twice and raises nothing twice."""
    events = traffic()[:400]
    once, twice = Stored(), Stored()
    once.run(events)
    twice.run(events)
    outcomes = twice.engine.process(events[-1:])
    assert outcomes[0].alert is None
    twice.hand_over()
    assert once.store == twice.store


def hostile(number: int) -> Observed:
    """An account's event in which everything is new."""
    text = f"{number:08d}"
    common: dict[str, Any] = {
        "account_id": "victim",
        "event_id": text,
        "occurred_at": START + 61.0 * number,
        "ip": f"10.{number >> 8 & 255}.{number & 255}.1",
        "user_agent": f"agent {text}",
        "device_id": text,
        "session_id": f"s{text}",
    }
    facts = Facts(
        address=common["ip"],
        prefix=common["ip"],
        asn=number + 1,
        country="GB" if number % 2 else "FR",
        city=text,
        latitude=50.0,
        longitude=number % 90 + 0.123456789,
        browser=f"browser {text} with an unreasonably long name {text}",
        os=text,
    )
    if number % 3:
        return Observed(Login(outcome="success", **common), facts)
    return Observed(
        Order(
            order_id=text,
            amount=Decimal(number % 500),
            shipping_address_id=text,
            shipping_postcode=text,
            payment_id=text,
            items=tuple(Item(category=f"{text} {line}") for line in range(8)),
            loyalty_points=1,
            **common,
        ),
        facts,
    )


def test_a_profile_stays_small_under_a_flood_of_new_devices() -> None:
    """However many devices, networks and addresses an account shows, its profile is bounded."""
    stored = Stored()
    # Everything is taught: a profile that is never flagged grows fastest.
    stored.policy = msgspec.structs.replace(
        POLICY, alert_floor=1.0 - 1e-12, medium_risk=1.0 - 1e-12
    )
    stored.engine = Engine(stored.policy, stored.store.get)
    largest = 0
    for start in range(0, 6000, 500):
        stored.engine.process([hostile(number) for number in range(start, start + 500)])
        stored.hand_over()
        largest = max(largest, len(stored.store[b"a:victim"]))
    assert largest <= MOST_BYTES
    assert len(stored.store[b"x:victim"]) < 8192


def test_what_is_handed_over_is_small_and_keyed_apart() -> None:
    """Model and counts of a hand-over fit a Kafka batch; no key begins with a zero byte."""
    stored = Stored()
    stored.engine.process(traffic())
    changed = stored.hand_over()
    assert all(key[:2] in {b"a:", b"c:", b"x:", b"m:", b"p:"} for key in changed)
    sizes = {key: len(value or b"") for key, value in changed.items()}
    assert max(size for key, size in sizes.items() if key[:1] == b"p") <= 2049
    assert sum(size for key, size in sizes.items() if key[:1] in b"mp") < 330_000
    assert stored.engine.changes() == {}


@pytest.mark.parametrize("key", [b"a:", b"c:", b"x:"])
def test_stored_state_that_cannot_be_read_is_refused(key: bytes) -> None:
    """Bytes of another version stop the worker with an error that says so, never a guess."""
    event = traffic()[0].event
    store = {key + event.account_id.encode(): b"\x93\x09\x01\x02"}
    engine = Engine(Policy(medium_risk=1e-9), store.get)
    verdict = Feedback(
        account_id=event.account_id,
        event_id="v",
        occurred_at=START,
        verdict="takeover",
        event_ids=("e",),
    )
    with pytest.raises(IncompatibleState):
        engine.process([*traffic()[:1], Observed(verdict, NOTHING_KNOWN)])


def test_another_policy_gives_another_configuration() -> None:
    """An alert names the configuration that gave its score."""
    assert Policy().digest() != Policy(seed=8).digest()

"""The baselines do what their sources say."""

import pytest

from detectors.engine import Observed
from detectors.evaluation.baselines.freeman import ADDRESS_WEIGHTS, CLIENT_WEIGHTS, Freeman
from detectors.evaluation.baselines.logistic import Logistic
from detectors.evaluation.baselines.plain import History, Plain
from detectors.evaluation.baselines.rules import Rules
from detectors.events import Feedback, Login
from detectors.facts import Facts

HOUR = 3600.0


def sign_in(
    account: str,
    *,
    hours: float = 0.0,
    ip: str = "192.0.2.1",
    agent: str = "agent-1",
    asn: int = 1,
    country: str = "GB",
    browser: str = "Chrome",
    device: str | None = None,
    place: tuple[float, float] | None = None,
    success: bool = True,
    event_id: str = "e",
) -> Observed:
    """A sign-in with what is known about it."""
    event = Login(
        event_id=event_id,
        account_id=account,
        occurred_at=hours * HOUR,
        ip=ip,
        user_agent=agent,
        device_id=device,
        outcome="success" if success else "failure",
    )
    latitude, longitude = place or (None, None)
    facts = Facts(
        address=ip,
        prefix=ip,
        asn=asn,
        country=country,
        browser=browser,
        os="iOS",
        device_type="mobile",
        latitude=latitude,
        longitude=longitude,
    )
    return Observed(event, facts)


NOTHING = History().plain(sign_in("nobody"))


def learnt(*observed: Observed) -> Freeman:
    """A Freeman model that has learnt these."""
    freeman = Freeman()
    for one in observed:
        freeman.learn(one, NOTHING)
    return freeman


def test_freeman_weighs_sum_to_one() -> None:
    """Each feature's weights part one whole among its levels."""
    assert sum(ADDRESS_WEIGHTS) == pytest.approx(1)
    assert sum(CLIENT_WEIGHTS) == pytest.approx(1, abs=1e-4)


def test_freeman_of_a_known_sign_in_by_hand() -> None:
    """Two users, three sign-ins; ann repeats hers. Every factor computed on paper."""
    freeman = learnt(
        sign_in("ann"),
        sign_in("ann"),
        sign_in("bob", ip="192.0.2.2", agent="agent-2", asn=2, country="FR", browser="Safari"),
    )
    # Address: seen twice of three rows. M_S = 1 + one operator + one country seen with it, M_H =
    # 1 + two operators + two countries. Operator and country: two of three rows.
    address = 0.6 * (2 / (2 + 3)) * (2 / (3 + 5)) + 0.3 * 2 / 3 + 0.1 * 2 / 3
    # Client: browser two of three, system and device three of three. M_S = 1 + 1 + 1 + 1, M_H =
    # 1 + two browsers + one system + one device.
    client = 0.53867 * (2 / (2 + 4)) * (2 / (3 + 5)) + 0.26805 * 2 / 3 + 0.18818 + 0.00511
    own = 1.0
    own_client = sum(CLIENT_WEIGHTS)
    expected = (address / own) * (client / own_client) * (1 / 2) / (2 / 3)
    assert freeman.assess(sign_in("ann"), NOTHING) == pytest.approx(expected)


def test_freeman_of_an_unseen_address_by_hand() -> None:
    """An address, operator and country nobody had: the user's probability is a quarter of it."""
    freeman = learnt(sign_in("ann"), sign_in("bob", ip="192.0.2.2", agent="agent-2", asn=2))
    known = freeman.assess(sign_in("ann"), NOTHING)
    unseen = freeman.assess(sign_in("ann", ip="203.0.113.9", asn=9, country="BR"), NOTHING)
    # Known address: M_S = 3, M_H = 1 + 2 + 1, N = 2.
    seen_ratio = 0.6 * (1 / (1 + 3)) * (1 / (2 + 4)) + 0.3 / 2 + 0.1 * 2 / 2
    assert unseen / known == pytest.approx(4 / seen_ratio)


def test_freeman_does_not_score_a_user_without_history_or_a_failure() -> None:
    """That is where it fails by construction: no history, no score."""
    freeman = learnt(sign_in("ann"))
    assert freeman.assess(sign_in("new", ip="203.0.113.9"), NOTHING) == 0.0
    assert freeman.assess(sign_in("ann", ip="203.0.113.9", success=False), NOTHING) == 0.0


def test_impossible_travel_needs_a_journey_longer_than_the_error() -> None:
    """London to Sydney in two hours fires; to the next town in a minute does not."""
    history = History()
    history.learn(sign_in("ann", place=(51.5, -0.1)))
    far = history.plain(sign_in("ann", hours=2, place=(-33.9, 151.2)))
    near = history.plain(sign_in("ann", hours=0.01, place=(51.8, -0.4)))
    assert (far.impossible, near.impossible) == (1.0, 0.0)


def test_velocity_counts_the_accounts_failing_from_a_network_within_the_hour() -> None:
    """Ten accounts fire the rule and outrank a traveller with a new phone; an hour later, none."""
    history = History()
    for number in range(10):
        history.learn(sign_in(f"victim-{number}", ip="203.0.113.9", success=False))
    now = history.plain(sign_in("ann", hours=0.5, ip="203.0.113.9"))
    later = history.plain(sign_in("ann", hours=1.5, ip="203.0.113.9"))
    traveller = NOTHING._replace(impossible=1.0, new_device=1.0)
    observed = sign_in("ann")
    assert Rules().assess(observed, now) > Rules().assess(observed, traveller) > 0
    assert Rules().assess(observed, later) == 0


def test_a_new_device_stays_new_for_the_day() -> None:
    """The order after a hijacker's sign-in is made on a new device too; next week's is not."""
    history = History()
    history.learn(sign_in("ann", device="own"))
    history.learn(sign_in("ann", hours=100, device="other"))
    assert history.plain(sign_in("ann", hours=101, device="other")).new_device == 1.0
    assert history.plain(sign_in("ann", hours=101, device="own")).new_device == 0.0
    assert history.plain(sign_in("ann", hours=300, device="other")).new_device == 0.0


def verdict(verdict_: str, *event_ids: str) -> Observed:
    """A verdict on ann's events."""
    return Observed(
        Feedback(
            event_id=f"f-{verdict_}-{event_ids}",
            account_id="ann",
            occurred_at=0.0,
            verdict="takeover" if verdict_ == "takeover" else "legitimate",
            event_ids=event_ids,
        ),
        Facts(),
    )


def test_logistic_regression_learns_from_verdicts_alone_what_is_risky() -> None:
    """Takeovers on new devices raise the risk of the next new device, as a small probability."""
    model = Logistic()
    risky: Plain = NOTHING._replace(new_device=1.0)
    for number in range(300):
        bad, good = f"b{number}", f"g{number}"
        model.learn(sign_in("ann", event_id=bad), risky)
        model.learn(sign_in("ann", event_id=good), NOTHING)
        model.learn(verdict("takeover", bad), None)
        model.learn(verdict("legitimate", good), None)
    observed = sign_in("ann")
    assert 0 < 10 * model.assess(observed, NOTHING) < model.assess(observed, risky) < 0.5


def test_a_verdict_is_on_its_account_s_event() -> None:
    """Bob's order may have the number that Ann's sign-in has."""
    alone, beside = Logistic(), Logistic()
    risky: Plain = NOTHING._replace(new_device=1.0)
    for model in (alone, beside):
        model.learn(sign_in("ann", event_id="1001"), risky)
        if model is beside:
            model.learn(sign_in("bob", event_id="1001"), NOTHING)
        model.learn(verdict("takeover", "1001"), None)
    assert alone.assess(sign_in("ann"), risky) == beside.assess(sign_in("ann"), risky)


def test_a_verdict_on_an_event_nobody_saw_teaches_nothing() -> None:
    """Verdicts on other systems' events come too."""
    model = Logistic()
    before = model.assess(sign_in("ann"), NOTHING)
    model.learn(verdict("takeover", "unheard-of"), None)
    assert model.assess(sign_in("ann"), NOTHING) == before


def test_a_failure_delivered_twice_is_forgotten_once() -> None:
    """Queues repeat themselves: the same failure again neither counts twice nor breaks anything."""
    history = History()
    for _ in range(2):
        history.learn(sign_in("ann", ip="203.0.113.9", success=False))
    assert history.plain(sign_in("bob", hours=0.5, ip="203.0.113.9")).velocity > 0
    assert history.plain(sign_in("bob", hours=2, ip="203.0.113.9")).velocity == 0

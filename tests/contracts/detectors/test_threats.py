"""What `docs/threats.md` says holds: attempts on the detector itself, by whoever has accounts."""

import pytest

from detectors.engine import Observed
from detectors.events import Feedback, VerdictSource
from detectors.facts import Facts
from detectors.features.access import NETWORK
from detectors.policy import Policy
from detectors.profiles import decode
from tests.contracts.detectors.histories import (
    DAY,
    HOME,
    HOSTING,
    HOUR,
    LAPTOP,
    MINUTE,
    PROXY,
    SHOP,
    STRANGER,
    TERMINAL,
    History,
    Network,
)


def decoys(count: int) -> list[History]:
    """Accounts of the attacker's own, each taken over by him as loudly as the victim's will be."""
    made = []
    for number in range(count):
        decoy = History(f"decoy-{number}").wait(71 * DAY + number * HOUR / 4)
        decoy.sign_in(LAPTOP, HOME).wait(HOUR).sign_in(STRANGER, HOSTING, failures=2)
        decoy.wait(2 * MINUTE).change("email", f"burner {number}")
        made.append(decoy.order("300", address=f"drop {number}", payment="another card"))
    return made


def attacked(victim: History) -> History:
    """Take an account over from where the decoys were."""
    victim.forget_what_was_said().sign_in(STRANGER, HOSTING, failures=2).wait(2 * MINUTE)
    return victim.change("email", "burner").order("210", address="drop", payment="another card")


def test_alerts_by_the_hundred_do_not_buy_silence() -> None:
    """A budget burnt on decoys lets pass what is doubtful, not what is likely; nor is it learnt."""
    victim = History().months()
    for decoy in decoys(120):
        victim.beside(decoy)
    attacked(victim)
    assert victim.alerts
    assert victim.alerts[-1].severity == "critical"
    assert victim.assessments[-1].risk > 0.8, "the decoys have made it look usual"


def test_who_holds_accounts_cannot_vouch_for_others() -> None:
    """That it was me, said in the name of sixty decoys, makes no other hijack less likely."""
    victim, told = History().months(), History().months()
    for decoy in decoys(60):
        victim.beside(decoy)
        told.beside(decoy)
        told.hear(_verdict(decoy, "customer"))
    without, with_ = attacked(victim), attacked(told)
    assert with_.alerts[-1].severity == "critical"
    assert abs(with_.assessments[-1].risk - without.assessments[-1].risk) < 0.01


def test_what_the_thief_vouched_for_is_taken_back_by_who_knows_better() -> None:
    """A takeover verdict after the thief's own removes what the account had learnt by it."""
    history = History().months()
    attacked(history)
    before = usual(history)
    history.judge("legitimate", source="customer").wait(DAY)
    assert all(known > kept for known, kept in zip(usual(history), before, strict=True))
    history.judge("takeover", source="chargeback").wait(DAY)
    assert usual(history) == before
    attacked(history)
    assert history.alerts
    assert history.assessments[-1].risk > 0.5


def test_a_customer_s_word_is_learnt_by_the_account_and_by_nobody_else() -> None:
    """The same again is hardly risky on this account; tables, model and calibration stay."""
    history = History().months()
    risky = attacked(history).assessments[-1].risk
    before = shared(history)
    history.judge("legitimate", source="customer")
    assert shared(history) == before
    attacked(history.wait(DAY))
    assert history.assessments[-1].risk < risky / 5


def test_a_thief_s_word_does_not_stand_against_a_reported_takeover() -> None:
    """Said after a bank has reported it, that it was me changes nothing, and ends no case."""
    history = History().months()
    attacked(history).judge("takeover", source="chargeback")
    before = history.stored()
    assert history.judge("legitimate", source="customer").stored() == before
    assert b"c:customer" in before


def test_a_takeover_that_awaits_no_verdict_any_more_stands_against_the_thief_s_word() -> None:
    """What an account remembers of its last events tells as well that it was reported."""
    history = History().months()
    attacked(history).judge("takeover", source="police")
    before = history.stored()
    forgetful = History()
    forgetful._store |= {key: value for key, value in before.items() if key[:2] != b"x:"}
    forgetful.now, forgetful.assessments = history.now, history.assessments
    forgetful.judge("legitimate", source="customer")
    assert forgetful.stored()[b"c:customer"] == before[b"c:customer"]


def usual(history: History) -> tuple[set[int], set[int], set[int]]:
    """The devices, ranges and addresses that the account's profile remembers."""
    profile = decode(history.stored()[b"a:customer"])
    memories = profile.devices, profile.prefixes, profile.addresses
    return tuple(set(memory.keys) for memory in memories)  # type: ignore[return-value]  # three


def shared(history: History) -> dict[bytes, bytes]:
    """What every account of the partition is judged by."""
    own = (b"a:", b"c:", b"x:")
    return {key: value for key, value in history.stored().items() if not key.startswith(own)}


def test_a_device_that_came_in_under_doubt_does_not_become_usual_by_waiting() -> None:
    """Ten days of quiet visits from a stranger's device do not make its order the customer's.

    Of so few customers many more would raise the threshold by themselves: they are the budget.
    """
    history = History().months()
    for visit in range(4):
        history.sign_in(STRANGER, PROXY).wait(2 * DAY)
        if visit % 3 == 0:
            history.sign_in(LAPTOP, HOME).wait(HOUR)
    history.forget_what_was_said().sign_in(STRANGER, PROXY).wait(5 * MINUTE)
    history.order("210", address="drop", payment="another card")
    assert history.assessments[-1].risk > Policy().medium_risk


@pytest.mark.parametrize("network", [PROXY, HOSTING], ids=["a home", "a data centre"])
def test_the_name_of_a_shop_s_terminal_opens_no_account_from_elsewhere(network: Network) -> None:
    """Who bears it has its line against him; what he does speaks as loudly as ever."""
    history = History().months().beside_a_terminal(TERMINAL, SHOP).forget_what_was_said()
    history.sign_in(TERMINAL, network).wait(2 * MINUTE)
    history.change("email", "burner").order("210", address="drop", payment="another card")
    assert history.assessments[-1].risk > Policy().high_risk
    assert history.alerts


def test_a_busy_range_is_no_terminal_s_own_line() -> None:
    """By a range that many customers come by, the terminal's name takes nothing from the range."""
    history = History().months().beside_a_terminal(TERMINAL, SHOP).beside_a_busy_range(PROXY)
    elsewhere = history.read_of(TERMINAL, PROXY)
    assert elsewhere.weights[NETWORK] > 1.0
    assert history.read_of(TERMINAL, SHOP).weights[NETWORK] == 0.0


def test_one_account_s_own_noise_is_one_account_s() -> None:
    """Four hundred sign-ins of one account make its network no more usual for anybody else's."""
    quiet, noisy = History().months(), History().months()
    loud = History("loud").wait(71 * DAY)
    for _ in range(400):
        loud.sign_in(STRANGER, HOSTING).wait(MINUTE)
    noisy.beside(loud)
    without, with_ = attacked(quiet), attacked(noisy)
    assert with_.alerts
    assert with_.assessments[-1].risk > without.assessments[-1].risk - 0.1


def _verdict(decoy: History, source: VerdictSource) -> Observed:
    told = Feedback(
        account_id=decoy.account_id,
        event_id=f"verdict on {decoy.account_id}",
        occurred_at=decoy.now,
        verdict="legitimate",
        event_ids=tuple(assessment.event_id for assessment in decoy.assessments),
        source=source,
    )
    return Observed(told, Facts())

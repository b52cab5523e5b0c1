"""What `simulate` promises whoever calls it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from detectors.errors import ConfigurationError
from detectors.simulation import BARE, FAMILIES, Shop, SimulatedEvent, simulate
from tests.unit.simulation.conftest import START, run

SMALL = Shop(accounts=400)


def small(seed: int = 3, *, shop: Shop = SMALL, **how: Any) -> list[SimulatedEvent]:
    """A run of 20 days of a small shop."""
    return run(seed, shop, days=20.0, **how)


def hijacks(events: list[SimulatedEvent]) -> Iterator[tuple[str, str, str]]:
    """Family, campaign and account of every event of a hijack."""
    for simulated in events:
        if simulated.truth is not None and simulated.truth.takeover:
            account_id = simulated.event["account_id"]
            yield simulated.truth.family, simulated.truth.campaign, account_id


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    """A run is a function of its arguments, truth included."""
    assert small() == small()
    ids = {simulated.event["event_id"] for simulated in small(4)}
    assert not ids & {simulated.event["event_id"] for simulated in small()}


def test_events_come_in_the_order_of_their_time_and_within_the_run(
    events: list[SimulatedEvent],
) -> None:
    """Nothing happens before what was yielded before it, nor outside of the run."""
    times = [simulated.time for simulated in events]
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < START + 40 * 86400


def test_every_event_has_an_id_of_its_own(events: list[SimulatedEvent]) -> None:
    """Labels name events, so no two events may share an id."""
    ids = Counter(simulated.event["event_id"] for simulated in events)
    assert max(ids.values()) == 1


def test_every_family_is_staged_even_where_hijacks_are_rare() -> None:
    """A family that is asked for is there, with at least one access, however low the rate."""
    staged = {family for family, _, _ in hijacks(small(hijacks=1e-6))}
    assert staged == set(FAMILIES)


def test_an_account_is_hijacked_at_most_once(events: list[SimulatedEvent]) -> None:
    """A hijack is one loss, so accounts and hijacks correspond."""
    accounts = Counter(account_id for _, _, account_id in set(hijacks(events)))
    assert max(accounts.values()) == 1


@pytest.mark.parametrize("left_out", ["stuffing_fast", "sim_swap_reset", "insider"])
def test_a_family_left_out_leaves_no_trace(left_out: str) -> None:
    """Without a family, its events are gone and every other hijack is as it was."""
    whole = small(hijacks=0.02)
    rest = small(hijacks=0.02, families=[name for name in FAMILIES if name != left_out])
    kept = [h for h in hijacks(whole) if h[0] != left_out]
    assert kept
    assert list(hijacks(rest)) == kept
    assert not [e for e in rest if e.truth is not None and e.truth.family == left_out]


def test_thieves_change_nothing_of_what_customers_do() -> None:
    """Honest accounts that were never touched do exactly the same without any thief."""
    with_thieves, without = small(hijacks=0.02), small(hijacks=0)
    touched = {account_id for _, _, account_id in hijacks(with_thieves)}

    def untouched(events: list[SimulatedEvent]) -> list[SimulatedEvent]:
        kinds = {"login", "order", "account_change"}
        return [
            e
            for e in events
            if e.truth is None
            and e.event["type"] in kinds
            and e.event["account_id"] not in touched
            and "recovery" not in e.circumstances
        ]

    assert untouched(with_thieves) == untouched(without)
    assert all(simulated.truth is None for simulated in without)


def test_what_a_pipeline_drops_changes_nothing_of_what_happens() -> None:
    """Missing fields are missing, and every event still happens with the same id and truth."""
    full = small()
    bare = small(shop=Shop(accounts=400, telemetry=BARE))
    assert [(e.time, e.event["event_id"], e.truth) for e in bare] == [
        (e.time, e.event["event_id"], e.truth) for e in full
    ]
    assert all("user_agent" not in e.event and "asn" not in e.event for e in bare)


def test_truth_stays_beside_the_event(events: list[SimulatedEvent]) -> None:
    """Neither a family nor a campaign nor a circumstance is written into an event."""
    campaigns = {e.truth.campaign for e in events if e.truth is not None}
    for simulated in events:
        written = repr(simulated.event)
        assert "takeover" not in written or simulated.event["type"] == "feedback"
        assert not any(name in written for name in FAMILIES if name != "click_and_collect")
        if simulated.truth is not None:
            assert simulated.truth.campaign not in written
    assert len(campaigns) > len(FAMILIES)


def test_the_share_of_hijacks_follows_what_is_asked() -> None:
    """Ten times the rate gives about ten times the hijacks."""
    shop = Shop(accounts=4_000)
    few = len(set(hijacks(run(2, shop, hijacks=0.004))))
    many = len(set(hijacks(run(2, shop, hijacks=0.02))))
    assert 3.5 < many / few < 6.5


def test_an_unknown_family_is_refused_by_name() -> None:
    """A typing mistake is one clear sentence."""
    with pytest.raises(ConfigurationError, match="unknown family 'stuffing'; known are stuffing_f"):
        simulate(SMALL, seed=1, start=START, days=1, families=["stuffing"])


def test_a_shop_too_small_for_every_family_is_refused() -> None:
    """Below twenty accounts families would have no victim."""
    with pytest.raises(ConfigurationError, match="at least 20 accounts"):
        Shop(accounts=5)

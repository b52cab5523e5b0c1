"""The demonstration's scenario: a history without attacks, then live traffic with them."""

import pytest

from detectors.errors import ConfigurationError
from detectors.simulation import FAMILIES, story
from tests.unit.simulation.conftest import START

DAY = 86400.0


def test_a_story_hijacks_what_is_asked_from_access_to_order_in_its_live_part() -> None:
    """Every hijack begins and ends live, and its account had been there before."""
    families = ("aitm_relay", "sim_swap_reset", "change_before_order", "points_drain")
    told = story(seed=2, start=START, families=families, hijacks_each=2, accounts=3_000)
    live_from = START + (28 + 16 / 24) * DAY
    assert all(e.truth is None and e.time < live_from for e in told.history)
    assert sorted(h.family for h in told.hijacks) == sorted(families * 2)
    known = {e.event["account_id"] for e in told.history}
    for hijack in told.hijacks:
        assert hijack.account_id in known
        assert hijack.ordered is not None
        assert live_from <= hijack.accessed < hijack.ordered < live_from + 6 * 3600
    live = {e.event["event_id"] for e in told.live}
    assert all(set(hijack.event_ids) <= live for hijack in told.hijacks)


def test_a_story_can_stage_every_family_among_customers() -> None:
    """All of the registry fit into an evening; most of the live traffic is honest."""
    told = story(seed=1, start=START, accounts=4_000, more={"stuffing_fast": 4})
    assert {hijack.family for hijack in told.hijacks} == set(FAMILIES)
    honest = [e for e in told.live if e.truth is None]
    assert len(honest) > 60
    assert len(told.history) > 20 * len(told.live)
    assert told == story(seed=1, start=START, accounts=4_000, more={"stuffing_fast": 4})


def test_a_story_of_an_unknown_family_is_refused() -> None:
    """As in `simulate`."""
    with pytest.raises(ConfigurationError, match="unknown family"):
        story(seed=1, start=START, families=["burglary"])

"""Each family does what its entry in the registry says."""

import re
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise, takewhile

import pytest

from detectors.simulation import FAMILIES, SimulatedEvent
from detectors.simulation.operators import OPERATORS

Hijack = list[SimulatedEvent]
HOSTING = {operator.asn for operator in OPERATORS if operator.kind == "hosting"}
WARM = {
    *("stuffing_fast", "stuffing_slow", "spraying", "spoofed_targeted", "change_before_order"),
    *("dormant_revival", "points_drain", "click_and_collect"),
}
"""Families whose crews may keep an account warm: they have its password, and nobody knows."""
HOMES = {operator.asn for operator in OPERATORS if operator.kind == "access"}


@pytest.fixture(scope="module")
def hijacks(events: list[SimulatedEvent]) -> dict[str, list[Hijack]]:
    """Every hijack's events, by family."""
    found: dict[tuple[str, str], Hijack] = defaultdict(list)
    for simulated in events:
        if simulated.truth is not None and simulated.truth.takeover:
            found[simulated.truth.family, simulated.event["account_id"]].append(simulated)
    by_family = defaultdict(list)
    for (family, _), hijack in found.items():
        by_family[family].append(hijack)
    return by_family


def kinds(hijack: Hijack) -> list[str]:
    """The steps of a hijack: changes by their name, others by their type."""
    return [str(e.event.get("change", e.event["type"])) for e in hijack]


def share(hijacks: list[Hijack], test: Callable[[Hijack], bool]) -> float:
    """The share of hijacks that pass a test; at least three are needed to say."""
    assert len(hijacks) >= 3
    return sum(test(hijack) for hijack in hijacks) / len(hijacks)


def test_every_family_has_technique_ids_and_a_sentence() -> None:
    """The documents' table is made of these."""
    for family in FAMILIES.values():
        assert all(
            re.fullmatch(r"[TF]\d{4}(\.\d{3})?", technique) for technique in family.techniques
        )
        assert family.meaning.endswith(".")
        assert 0 < family.campaign[0] <= family.campaign[1]


def test_most_hijacks_end_in_an_order(hijacks: dict[str, list[Hijack]]) -> None:
    """Thieves want goods: of every family most hijacks of a long run order something."""
    for family in hijacks.values():
        assert share(family, lambda h: "order" in kinds(h)) > 0.5


@pytest.mark.parametrize("family", ["stuffing_fast", "stuffing_slow", "spraying"])
def test_passwords_are_tried_on_many_accounts(
    events: list[SimulatedEvent], hijacks: dict[str, list[Hijack]], family: str
) -> None:
    """Far more tries fail than succeed, most of them on names that the shop does not know."""
    tries = [e for e in events if e.truth and e.truth.family == family and not e.truth.takeover]
    unknown = sum(e.event["failure_reason"] == "unknown_account" for e in tries)
    assert len(tries) > 10 * len(hijacks[family])
    assert unknown > 0.5 * len(tries)
    assert all(e.event["outcome"] == "failure" for e in tries)
    assert {h[0].event["type"] for h in hijacks[family]} == {"login"}


def test_fast_stuffing_comes_from_few_addresses_and_slow_from_a_new_one_each(
    events: list[SimulatedEvent],
) -> None:
    """What tells the two apart: tries for each address of a campaign."""
    addresses: dict[tuple[str, str], list[str]] = defaultdict(list)
    for e in events:
        if e.truth is not None and not e.truth.takeover:
            addresses[e.truth.family, e.truth.campaign].append(e.event["ip"])
    fast = [a for (family, _), a in addresses.items() if family == "stuffing_fast"]
    slow = [a for (family, _), a in addresses.items() if family == "stuffing_slow"]
    assert all(len(set(a)) <= 5 for a in fast)
    assert all(len(set(a)) > 0.8 * len(a) for a in slow)


def test_a_relay_passes_the_second_factor_and_the_session_moves(
    hijacks: dict[str, list[Hijack]],
) -> None:
    """The sign-in is from a server with MFA passed; later events have its session elsewhere."""
    relayed = hijacks["aitm_relay"]
    assert all(h[0].event["outcome"] == "success" for h in relayed)
    assert share(relayed, lambda h: h[0].event.get("mfa") == "passed") > 0.6
    assert {h[0].event["asn"] for h in relayed if "asn" in h[0].event} <= HOSTING
    moved = [h for h in relayed if len(h) > 1]
    assert all(h[-1].event["ip"] != h[0].event["ip"] for h in moved)
    for h in moved:
        sessions = {e.event["session_id"] for e in h if "session_id" in e.event}
        assert len(sessions) <= 1


def test_a_stolen_session_is_one_that_the_victim_had(
    events: list[SimulatedEvent], hijacks: dict[str, list[Hijack]]
) -> None:
    """No sign-in at all, and most of the sessions were seen with the victim before."""
    stolen = hijacks["cookie_theft"]
    assert all("login" not in kinds(h) for h in stolen)
    honest = {e.event.get("session_id") for e in events if e.truth is None}
    assert share(stolen, lambda h: any(e.event.get("session_id") in honest for e in h)) > 0.5


def test_a_taken_number_resets_signs_in_and_changes_the_contact(
    hijacks: dict[str, list[Hijack]],
) -> None:
    """In that order, with the code passed."""
    for hijack in hijacks["sim_swap_reset"]:
        steps = kinds(hijack)
        assert steps[:3] == ["password_reset_requested", "password_reset_completed", "login"]
        assert hijack[2].event.get("mfa", "passed") == "passed"
        assert steps[3] in {"email", "phone"}


def test_a_targeted_thief_looks_like_the_victim(
    events: list[SimulatedEvent], hijacks: dict[str, list[Hijack]]
) -> None:
    """From a home's line, mostly with a user agent that the victim has used."""
    used = defaultdict(set)
    for e in events:
        if e.truth is None:
            used[e.event["account_id"]].add(e.event.get("user_agent"))
    targeted = [h for h in hijacks["spoofed_targeted"] if used[h[0].event["account_id"]]]
    seen = share(targeted, lambda h: h[0].event.get("user_agent") in used[h[0].event["account_id"]])
    assert seen > 0.3
    lines = {h[0].event["asn"] for h in targeted if "asn" in h[0].event}
    assert lines <= HOMES


def test_a_change_comes_two_minutes_to_a_week_before_the_order(
    hijacks: dict[str, list[Hijack]],
) -> None:
    """The family's clock."""
    waits = []
    for hijack in hijacks["change_before_order"]:
        changes = [e.time for e in hijack if e.event["type"] == "account_change"]
        orders = [e.time for e in hijack if e.event["type"] == "order"]
        assert changes
        waits += [orders[0] - changes[0]] if orders else []
    assert min(waits) > 60
    assert max(waits) < 9 * 86400
    assert max(waits) > 100 * min(waits)


def test_a_dormant_account_had_been_silent(
    events: list[SimulatedEvent], hijacks: dict[str, list[Hijack]]
) -> None:
    """In a run of less than half a year: nothing of the account was seen before."""
    first: dict[str, SimulatedEvent] = {}
    for e in events:
        if e.event["type"] != "feedback" and e.event.get("outcome") != "failure":
            first.setdefault(e.event["account_id"], e)
    revived = hijacks["dormant_revival"]
    assert share(revived, lambda h: first[h[0].event["account_id"]].truth is not None) > 0.9


def test_a_checker_leaves_and_somebody_else_cashes_out_days_later(
    hijacks: dict[str, list[Hijack]],
) -> None:
    """A small first order, then a pause, then another device."""
    checked = [h for h in hijacks["checker_canary"] if kinds(h).count("order") > 1]
    for hijack in checked:
        orders = [e for e in hijack if e.event["type"] == "order"]
        logins = [e for e in hijack if e.event["type"] == "login"]
        assert float(orders[0].event["amount"]) < 160
        assert max(b.time - a.time for a, b in pairwise(hijack)) > 3600
        assert len({e.event["ip"] for e in logins}) == len(logins) == 2


def test_points_and_pick_up_need_no_address(hijacks: dict[str, list[Hijack]]) -> None:
    """Neither family ever ships to a home."""
    for family in ("points_drain", "click_and_collect"):
        for hijack in hijacks[family]:
            orders = [e.event for e in hijack if e.event["type"] == "order"]
            assert all(order["delivery"] != "home" for order in orders)
            if family == "points_drain":
                assert all("loyalty_points" in o or "gift_card_amount" in o for o in orders)


def test_an_insider_begins_at_the_support_console(hijacks: dict[str, list[Hijack]]) -> None:
    """The first event is a change by support, without a customer's session."""
    for hijack in hijacks["insider"]:
        assert hijack[0].event["actor"] == "support"
        assert "session_id" not in hijack[0].event


def test_a_campaign_shares_what_it_cannot_hide(hijacks: dict[str, list[Hijack]]) -> None:
    """Hijacks of one campaign meet at drop addresses, devices or lines; of two campaigns never."""
    owners = defaultdict(set)
    sizes: dict[str, int] = defaultdict(int)
    for family in hijacks.values():
        for hijack in family:
            truth = hijack[0].truth
            assert truth is not None
            sizes[truth.campaign] += 1
            for e in hijack:
                if e.event.get("delivery") == "home":
                    token = e.event["shipping_address_id"]
                    owners[token].add((truth.campaign, e.event["account_id"]))
    shared = [o for o in owners.values() if len(o) > 1]
    assert len(shared) >= 5
    assert all(len({campaign for campaign, _ in o}) == 1 for o in shared)
    assert max(sizes.values()) > 3


def test_some_crews_keep_an_account_warm_for_days_before_they_order(
    hijacks: dict[str, list[Hijack]],
) -> None:
    """They come again by one device, over days; most crews do not wait so."""
    patient = [h for family in WARM for h in hijacks[family] if is_kept_warm(h)]
    assert len({h[0].truth.campaign for h in patient if h[0].truth}) >= 3
    assert len(patient) < 0.35 * sum(len(hijacks[family]) for family in WARM)
    assert share(patient, lambda h: h[-1].time - h[0].time > 2 * 86400.0) > 0.8
    devices = [{e.event.get("device_id") for e in h[-3:]} - {None} for h in patient]
    assert sum(len(used) == 1 for used in devices) > sum(len(used) > 1 for used in devices)
    others = [h for family in set(hijacks) - WARM for h in hijacks[family]]
    assert not any(is_kept_warm(hijack) for hijack in others)


def is_kept_warm(hijack: Hijack) -> bool:
    """Whether there are three sign-ins or more before any order: nobody needs as many."""
    before = takewhile(lambda e: e.event["type"] != "order", hijack)
    return [e.event["type"] for e in before].count("login") >= 3


def test_about_four_in_ten_victims_have_no_history(
    events: list[SimulatedEvent], hijacks: dict[str, list[Hijack]]
) -> None:
    """As in the public data set: 54 of 140 takeovers hit accounts without an earlier success."""
    seen: dict[str, float] = {}
    for e in events:
        if e.truth is None and e.event["type"] == "login" and e.event["outcome"] == "success":
            seen.setdefault(e.event["account_id"], e.time)
    victims = [h[0] for family in hijacks.values() for h in family]
    fresh = sum(seen.get(v.event["account_id"], float("inf")) > v.time for v in victims)
    assert 0.3 < fresh / len(victims) < 0.55

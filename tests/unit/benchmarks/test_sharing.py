"""The benchmark of sharing, small: two shops live, share day by day, and leak nothing."""

import argparse

import pytest

from tests.benchmarks import sharing
from tests.benchmarks.sharing import Shop, measure


@pytest.fixture(scope="module")
def shops() -> list[Shop]:
    """Two shops that have shared all that they had confirmed."""
    lived: list[Shop] = []
    asked = argparse.Namespace(
        accounts=400, more=50.0, gang_size=6, minimum=2, unverified=None, drawn=False
    )
    with pytest.MonkeyPatch.context() as patch:

        def kept(*arguments: object) -> Shop:
            lived.append(Shop(*arguments))  # type: ignore[arg-type]  # as it was called
            return lived[-1]

        patch.setattr(sharing, "Shop", kept)
        measure((1, 2), asked)
    return lived


def test_no_raw_identifier_of_either_shop_is_on_the_wire(shops: list[Shop]) -> None:
    """Byte by byte: no account, event, session, device, order, address, card, contact or home."""
    assert sum(len(shop.wire) for shop in shops) > 100
    for shop in shops:
        assert len(shop.raw) > 3_000
        assert shop.leaks() == []


def test_a_leak_would_be_found(shops: list[Shop]) -> None:
    """The search is worth its name: one identifier in one line is told."""
    shop = shops[0]
    secret = min(shop.raw)
    shop.wire[b'"name": "' + secret.encode() + b'"'] = None
    assert secret in shop.leaks()


def test_what_one_confirms_the_other_hears(shops: list[Shop]) -> None:
    """At least one of them had something to tell, and the other holds it."""
    assert any(shop.told for shop in shops)
    assert sum(len(shop.table) for shop in shops) > 0


def test_what_is_within_reach_is_what_the_gang_had_taken_elsewhere(shops: list[Shop]) -> None:
    """Some hijacks are, not all, and none of a gang that the other shop has never met."""
    for shop, other in zip(shops, reversed(shops), strict=True):
        hijacks = shop.judged(shared=False)
        reached = [one for one in hijacks if shop.within_reach(one, other)]
        assert 0 < len(reached) < len(hijacks)
        met = {gang for gang, _ in other.brought}
        assert {one.campaign for one in reached} <= met
        assert all(one in reached for one in hijacks if shop.confirmed_elsewhere(one, other))
    hits = [(shop, gang, met) for shop in shops for gang, met in shop.brought]
    never = float("inf")
    assert any(shop.hit_with(met, gang, never, confirmed=True) for shop, gang, met in hits)
    assert any(
        len(shop.hit_with(met, gang, never)) > len(shop.hit_with(met, gang, never, confirmed=True))
        for shop, gang, met in hits
    )

"""What is reported is at hand while it is valid, and no feed fills the memory."""

from random import Random

import pytest

from detectors.heat.indicators import Kind, met
from detectors.intelligence import GroupKey, IndicatorReport, IndicatorTable, table
from tests.support.intelligence import DAY, KEY, START, report

OLD = GroupKey("2026-08", b"o" * 32)


def test_plain_and_hashed_reports_are_found_by_the_value() -> None:
    """Whatever the event has, as it is and under each key that a report was hashed with."""
    held = IndicatorTable([KEY])
    held.take(report(Kind.PREFIX, "203.0.113.0/24"))
    held.take(report(Kind.PREFIX, "203.0.113.0/24", "shop-c", keyed=True))
    held.take(report(Kind.DELIVERY, "drop"))
    found = held.reports(met(Kind.PREFIX, "203.0.113.0/24"), START)
    assert [one.source for one in found] == ["shop-b", "shop-c"]
    assert held.reports(met(Kind.DELIVERY, "drop"), START)
    assert not held.reports(met(Kind.PAYMENT, "drop"), START)
    assert not held.reports(met(Kind.DELIVERY, "another"), START)


def test_without_the_key_a_hash_says_nothing() -> None:
    """Whoever lacks the key cannot match, and a key of another name is another key."""
    for keys in ([], [OLD], [GroupKey(OLD.key_id, KEY.secret)]):
        held = IndicatorTable(keys)
        held.take(report(Kind.DELIVERY, "drop"))
        assert not held.reports(met(Kind.DELIVERY, "drop"), START)


def test_keys_overlap_while_one_follows_the_other() -> None:
    """A hash made with the old key still matches, also if values were asked for before."""
    held = IndicatorTable([OLD, KEY])
    held.take(report(Kind.OPERATOR, "1"))
    assert not held.reports(met(Kind.DELIVERY, "drop"), START)
    held.take(report(Kind.DELIVERY, "drop"))
    assert held.reports(met(Kind.DELIVERY, "drop"), START)


def test_a_report_counts_while_it_is_valid() -> None:
    """From its begin to before its end by the event's time; swept when it is over."""
    held = IndicatorTable()
    told = report(Kind.OPERATOR, "14061", valid_from=START, valid_until=START + DAY)
    held.take(told)
    at = [START - 1, START, START + DAY - 1, START + DAY]
    found = [bool(held.reports(met(Kind.OPERATOR, "14061"), moment)) for moment in at]
    assert found == [False, True, True, False]
    assert held.sweep(START + DAY - 1) == 0
    assert (held.sweep(START + DAY), len(held)) == (1, 0)


def test_the_same_id_replaces_and_a_withdrawn_one_is_gone() -> None:
    """A compacted topic read twice is held once."""
    held = IndicatorTable()
    told = report(Kind.OPERATOR, "14061")
    held.take(told)
    held.take(told)
    assert len(held) == 1
    held.drop(told.indicator_id)
    held.drop(told.indicator_id)
    assert not held.reports(met(Kind.OPERATOR, "14061"), START)


def test_of_a_source_that_repeats_itself_the_surest_word_counts() -> None:
    """Two ids of one source on one value are one source's word."""
    held = IndicatorTable()
    for number, confidence in enumerate((30, 80, 50)):
        held.take(report(Kind.OPERATOR, "1", indicator_id=f"i{number}", confidence=confidence))
    [found] = held.reports(met(Kind.OPERATOR, "1"), START)
    assert found.confidence == 80


def named(source: str, feed: str | None, many: int, begin: int = 0) -> list[IndicatorReport]:
    """So many reports of a source that came by a feed, each on another thing."""
    return [
        report(Kind.OPERATOR, str(begin + n), source, feed=feed, indicator_id=f"{feed}{source}{n}")
        for n in range(many)
    ]


def held_of(held: IndicatorTable, source: str) -> int:
    """How many reports of a source are at hand."""
    values = [met(Kind.OPERATOR, str(n)) for n in range(100)]
    return sum(one.source == source for value in values for one in held.reports(value, START))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> IndicatorTable:
    """A table with room for forty, ten of a feed."""
    monkeypatch.setattr(table, "MOST", 40)
    monkeypatch.setattr(table, "MOST_OF_A_FEED", 10)
    return IndicatorTable()


def test_no_feed_has_more_than_its_share(small: IndicatorTable) -> None:
    """However many it tells, and by however many names; what has no room is counted."""
    assert [small.take(one) for one in named("flood", "a", 14)] == [True] * 10 + [False] * 4
    assert small.left_out == 4
    for number in range(50):
        for one in named(f"made-up-{number}", "b", 3):
            small.take(one)
    assert len(small) == 20


def test_made_up_names_do_not_crowd_a_source_out(small: IndicatorTable) -> None:
    """Four names that have filled the table give way, whether in its own feed or in theirs."""
    for number in range(4):
        for one in named(f"made-up-{number}", "group", 10):
            small.take(one)
    assert all(small.take(one) for one in named("shop-b", "group", 2))
    assert all(small.take(one) for one in named("police", "police", 10))
    assert held_of(small, "shop-b") == 2
    assert held_of(small, "police") == 10
    # And afterwards they come back for the places of nobody who has fewer.
    for number in range(4):
        for one in named(f"made-up-{number}", "group", 10, begin=50):
            small.take(one)
    assert held_of(small, "shop-b") == 2
    assert held_of(small, "police") == 10


def test_a_new_feed_finds_room_in_a_full_table(small: IndicatorTable) -> None:
    """The feeds with most give up what they were told longest ago."""
    for feed in "abcd":
        assert all(small.take(one) for one in named(feed, feed, 10))
    assert all(small.take(one) for one in named("new", "new", 8))
    assert len(small) == 40
    assert [held_of(small, feed) for feed in "abcd"] == [8, 8, 8, 8]
    assert not small.take(named("new", "new", 9)[-1])


def test_what_goes_makes_room(small: IndicatorTable) -> None:
    """Taken back or over, a report has no place any more."""
    reports = named("b", "b", 10)
    for _ in range(3):
        assert all(small.take(one) for one in reports)
        for one in reports:
            small.drop(one.indicator_id)
    assert len(small) == small.left_out == 0


def test_many_names_on_one_thing_are_a_few_voices() -> None:
    """Each event asks for all that is said of what it comes with."""
    held = IndicatorTable()
    said = [report(Kind.OPERATOR, "1", f"made-up-{n}", feed="a") for n in range(100)]
    assert sum(map(held.take, said)) == table.MOST_VOICES
    assert held.take(report(Kind.OPERATOR, "1", "shop-b", feed="b"))
    assert "shop-b" in {one.source for one in held.reports(met(Kind.OPERATOR, "1"), START)}


def test_the_bounds_hold_whatever_comes_and_goes(small: IndicatorTable) -> None:
    """Told, told again, taken back, by feeds and names of any number: and at last all can go."""
    chance = Random(20)
    ids = set()
    for _ in range(4_000):
        feed, source = f"f{chance.randrange(6)}", f"s{chance.randrange(9)}"
        one = named(source, feed, 1 + chance.randrange(6))[-1]
        ids.add(one.indicator_id)
        if chance.random() < 0.2:
            small.drop(one.indicator_id)
        else:
            small.take(one)
        assert len(small) <= 40
    for name in ids:
        small.drop(name)
    assert len(small) == 0
    assert all(small.take(one) for one in named("b", "b", 10))


def test_of_many_names_on_one_thing_the_surest_are_held() -> None:
    """Eight who say nothing, told before, keep nobody from saying something."""
    held = IndicatorTable()
    said = [
        report(Kind.OPERATOR, "1", f"name-{n}", feed="a", confidence=confidence)
        for n, confidence in enumerate([0] * table.MOST_VOICES + [50, 90, 0])
    ]
    assert [held.take(one) for one in said] == [True] * (table.MOST_VOICES + 2) + [False]
    assert held.left_out == 3
    found = held.reports(met(Kind.OPERATOR, "1"), START)
    assert len(found) == len(held) == table.MOST_VOICES
    assert {"name-8", "name-9"} <= {one.source for one in found}

"""What is reported is at hand while it is valid, and no feed fills the memory."""

import pytest

from detectors.heat.indicators import Kind, met
from detectors.intelligence import GroupKey, IndicatorTable, table
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


def test_no_feed_pushes_another_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source has its bound, and all together have one."""
    monkeypatch.setattr(table, "MOST_OF_A_SOURCE", 5)
    monkeypatch.setattr(table, "MOST", 8)
    held = IndicatorTable()
    taken = [held.take(report(Kind.OPERATOR, str(n), "flood")) for n in range(9)]
    assert taken == [True] * 5 + [False] * 4
    assert held.take(report(Kind.OPERATOR, "1", "shop-b"))
    assert held.refused == 4
    assert all(held.take(report(Kind.OPERATOR, str(n), "shop-c")) for n in range(2))
    assert not held.take(report(Kind.OPERATOR, "7", "shop-d"))

"""A source is believed as often as it turns out right, against those whom it did not name."""

import random
from math import log

import pytest

from detectors.events import Verdict
from detectors.intelligence.trust import MOST_NATS, MOST_SOURCES, Trust, feed_of, voice_of
from tests.unit.detectors import nothing

_VERDICTS: tuple[Verdict | None, ...] = (None, "takeover", "legitimate")


def judged(trust: Trust, verdicts: int, *, right: float, sources: tuple[str, ...] = ()) -> Trust:
    """Let so many verdicts come on events that sources named, a share of them takeovers."""
    for number in range(verdicts):
        now: Verdict = "takeover" if (number * right) % 1 >= 1 - right else "legitimate"
        trust.see(sources)
        trust.judge(sources, None, now)
    return trust


def test_a_new_source_is_worth_something_whatever_else_is_judged() -> None:
    """Twenty times the odds, before anything is known of it, be verdicts mostly of one kind."""
    for share in (0.05, 0.5, 0.95):
        trust = judged(Trust(nothing), 300, right=share)
        assert trust.worth("new") == pytest.approx(log(20.0))


def test_a_source_that_is_right_rises_and_one_that_is_wrong_falls_to_nothing() -> None:
    """Within a few dozen verdicts, and never beyond its bounds."""
    trust = judged(Trust(nothing), 100, right=0.2)
    judged(trust, 20, right=0.9, sources=("good",))
    judged(trust, 10, right=0.0, sources=("poison",))
    assert trust.worth("good") > 2.5
    assert trust.worth("poison") == 0.0
    assert judged(trust, 10_000, right=1.0, sources=("good",)).worth("good") == MOST_NATS


def test_a_source_that_names_anybody_is_worth_nothing() -> None:
    """As often right as alerts are without it: its word adds nothing, though half of it is true."""
    trust = judged(Trust(nothing), 400, right=0.5)
    assert judged(trust, 400, right=0.5, sources=("anybody",)).worth("anybody") < 0.1


def test_a_source_that_names_everybody_is_worth_nothing_before_any_verdict() -> None:
    """Of what customers do it names half: long before anybody has looked into one of them."""
    trust = Trust(nothing)
    for number in range(60):
        trust.see(("poison",) if number % 2 else ())
    assert trust.worth("poison") < 0.5
    assert trust.worth("new") == pytest.approx(log(20.0))


def test_a_good_source_is_not_the_worse_for_a_gang_that_it_names_again_and_again() -> None:
    """What turned out a takeover is not held against whoever named it."""
    trust = judged(Trust(nothing), 100, right=0.2)
    assert judged(trust, 100, right=1.0, sources=("good",)).worth("good") > log(20.0)


def test_a_source_that_was_right_for_long_is_not_free_to_name_everybody() -> None:
    """What it was right about long ago is forgotten with the events that it was."""
    trust = judged(Trust(nothing), 5_000, right=0.5)
    judged(trust, 2_000, right=1.0, sources=("bought",))
    for number in range(60_000):
        trust.see(("bought",) if number % 10 == 0 else ())
    assert trust.worth("bought") == pytest.approx(log(3.0), abs=0.05)


def test_a_source_is_counted_however_many_others_are() -> None:
    """Whoever comes when all places are taken is no less bound by what it names."""
    trust = Trust(nothing)
    for number in range(2 * MOST_SOURCES):
        trust.see((f"other-{number % MOST_SOURCES}",))
    for _ in range(500):
        trust.see(("poison",))
    assert trust.worth("poison") == 0.0


def test_how_much_was_named_is_forgotten_by_halves() -> None:
    """A feed that was cleaned up is heard again after some ten thousands of events."""
    trust = Trust(nothing)
    for _ in range(200):
        trust.see(("cleaned",))
    before = trust.worth("cleaned")
    for _ in range(40_000):
        trust.see(())
    assert before == 0.0
    assert trust.worth("cleaned") == pytest.approx(log(20.0))


def test_a_verdict_is_taken_back_whole() -> None:
    """Whatever verdicts came and went, what counts is how the events stand."""
    chance = random.Random(4)
    moved, plain = Trust(nothing), Trust(nothing)
    for number in range(200):
        sources = ("a",) if number % 3 else ("a", "b")
        before: Verdict | None = None
        for _ in range(chance.randrange(4)):
            now = chance.choice(_VERDICTS)
            moved.judge(sources, before, now)
            before = now
        plain.judge(sources, None, before)
    assert [moved.worth(name) for name in "ab"] == [plain.worth(name) for name in "ab"]


def test_what_was_learnt_survives_in_bytes() -> None:
    """A worker that takes the partition over believes whom the last one believed."""
    store: dict[bytes, bytes] = {}
    trust = judged(Trust(store.get), 30, right=0.9, sources=("good",))
    store.update(trust.changes())
    assert not list(trust.changes())
    assert Trust(store.get).worth("good") == trust.worth("good")


def test_sources_are_bounded() -> None:
    """Nobody grows a partition's state by inventing names; whoever was judged most stays."""
    store: dict[bytes, bytes] = {}
    trust = judged(Trust(store.get), 50, right=0.9, sources=("good",))
    for number in range(2 * MOST_SOURCES):
        trust.see((f"invented-{number}",))
        trust.judge((f"invented-{number}",), None, "legitimate")
    store.update(trust.changes())
    assert len(store[b"m:sources"]) < 64 * MOST_SOURCES
    assert Trust(store.get).worth("good") > log(20.0)


def test_names_that_a_feed_makes_up_are_worth_what_it_is() -> None:
    """Two hundred names that name a customer each are one feed that names everybody."""
    trust = Trust(nothing)
    for number in range(200):
        name = f"made up {number}"
        trust.see([voice_of(name, "feed"), feed_of(name, "feed") or ""])
    assert trust.worth("another", "feed") == pytest.approx(0.0)
    assert trust.worth("another", "a feed of its own") == pytest.approx(log(20.0))
    assert trust.worth("another") == pytest.approx(log(20.0))


def test_names_in_a_feed_that_verdicts_spoke_against_are_worth_less() -> None:
    """Each of ten names was wrong once: so will the eleventh be."""
    trust = judged(Trust(nothing), 100, right=0.2)
    for number in range(10):
        name = f"made up {number}"
        judged(trust, 1, right=0.0, sources=(voice_of(name, "feed"), feed_of(name, "feed") or ""))
    assert trust.worth("another", "feed") < 0.5 < trust.worth("another")


def test_a_member_of_a_group_stands_for_itself_once_verdicts_say_so() -> None:
    """Others in its feed who name everybody take nothing from who was right."""
    trust = judged(Trust(nothing), 100, right=0.2)
    member = [voice_of("member", "group"), feed_of("member", "group") or ""]
    judged(trust, 20, right=1.0, sources=tuple(member))
    for number in range(200):
        name = f"made up {number}"
        trust.see([voice_of(name, "group"), member[1]])
    assert trust.worth("member", "group") > 2.0
    assert trust.worth("another", "group") == pytest.approx(0.0)


def test_a_name_in_another_feed_is_another_s() -> None:
    """Whoever bears the name of one that was right has not been right."""
    trust = judged(Trust(nothing), 100, right=0.2)
    judged(trust, 20, right=1.0, sources=("police",))
    assert trust.worth("police") > trust.worth("police", "files") == pytest.approx(log(20.0))
    assert trust.worth("police", "police") == trust.worth("police")


def test_no_name_is_taken_for_what_another_says_of_what_is_coarse() -> None:
    """Of whoever speaks, by whatever feed, each is counted by a name of its own."""
    names = ("x", "coarse")
    told = [(source, feed) for source in names for feed in (None, *names) if source != feed]
    counted = [voice_of(*one, coarse=coarse) for one in told for coarse in (False, True)]
    counted += [
        feed_of("y", feed, coarse=coarse) or "" for feed in names for coarse in (False, True)
    ]
    assert len(set(counted)) == len(counted)

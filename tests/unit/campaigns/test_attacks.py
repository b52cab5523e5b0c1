"""Attacks that go together are told as one, under one id, and not at every turn."""

import random
from collections.abc import Iterable

import pytest
from msgspec import structs

from detectors.campaigns import CampaignLinker, attacks
from detectors.errors import IncompatibleState
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import (
    Attack,
    Front,
    Way,
    decode_linking,
    encode_front,
)

START = 1.8e9
HOUR = 3_600.0
DAY = 24 * HOUR


def way(agent: str = "tool", operator: str = "hosting", shape: str = "script") -> Way:
    """What a try came by."""
    return Way(
        key_of(Kind.AGENT, agent), key_of(Kind.SHAPE, shape), key_of(Kind.OPERATOR, operator)
    )


def front(
    value: str,
    at: float = START,
    *ways: Way,
    kind: Kind = Kind.PREFIX,
    since: float | None = None,
    revision: int = 1,
    failed: int = 5,
    entered: int = 0,
) -> Front:
    """A range under attack."""
    return Front(
        kind, key_of(kind, value), "fast_stuffing", revision, at if since is None else since, at,
        failed + 1, failed, failed + 2, entered, value, ways or (way(),),
    )  # fmt: skip


class Told:
    """A linker that is told fronts, whose state is handed over after each."""

    def __init__(self, *, reopen: bool = False) -> None:
        self.store: dict[bytes, bytes] = {}
        self.reopen = reopen
        self.linker = CampaignLinker(self.store.get)
        self.attacks: list[Attack] = []

    def take(self, *fronts: Front) -> "Told":
        """Take fronts, each a step."""
        for one in fronts:
            assert self.linker.take(decode_linking(encode_front(one))) == []
            self.attacks += [told for told in self.linker.summaries() if isinstance(told, Attack)]
            for key, value in self.linker.changes():
                self.store.pop(key, None)
                if value is not None:
                    self.store[key] = value
            if self.reopen:
                self.linker = CampaignLinker(self.store.get)
        return self

    @property
    def latest(self) -> dict[str, Attack]:
        """Each attack as it was told last."""
        return {attack.campaign_id: attack for attack in self.attacks}

    @property
    def standing(self) -> list[Attack]:
        """Those that did not go into another."""
        return [attack for attack in self.latest.values() if attack.merged_into is None]


def botnet(ranges: int, *, clients: int = 4, every: float = 60.0) -> Iterable[Front]:
    """Ranges that turn hot one after another, by one of a few clients and three operators."""
    for number in range(ranges):
        told = way(f"client {number % clients}", f"operator {number % 3}")
        yield front(f"10.0.{number}.0/24", START + every * number, told)


@pytest.mark.parametrize("reopen", [False, True])
def test_a_botnet_is_one_attack(*, reopen: bool) -> None:
    """A hundred ranges by four clients: one id, the first range's, which counts them all."""
    told = Told(reopen=reopen).take(*botnet(100))
    [attack] = told.standing
    assert attack.campaign_id == told.attacks[0].campaign_id
    assert attack.value == "10.0.0.0/24"
    assert attack.ranges >= 90
    assert len(attack.indicators) == 50
    assert attack.failed == 5 * attack.ranges
    assert len(told.attacks) < 15


def test_the_same_is_told_whoever_takes_over() -> None:
    """A linker made anew from its bytes goes on as the one before it."""
    straight, reopened = Told().take(*botnet(40)), Told(reopen=True).take(*botnet(40))
    assert straight.attacks == reopened.attacks
    assert straight.store == reopened.store


def test_two_attacks_that_have_nothing_in_common_are_two() -> None:
    """At the same time, by other clients through other operators."""
    other = way("phone app", "mobile operator", "app")
    told = Told().take(front("10.0.0.0/24"), front("192.0.2.0/24", START + 60.0, other))
    assert len(told.standing) == 2


def test_what_is_common_to_many_clients_joins_nobody() -> None:
    """Of one kind of client, through one operator each: that is a browser, and not an attack."""
    ways = (way("one browser", "one line"), way("another browser", "another line"))
    told = Told().take(front("10.0.0.0/24", START, ways[0]), front("10.0.1.0/24", START, ways[1]))
    assert len(told.standing) == 2


def test_the_same_tool_a_week_later_is_another_attack() -> None:
    """Nothing was tried between: it has an id of its own."""
    told = Told().take(front("10.0.0.0/24"), front("10.0.1.0/24", START + 7 * DAY))
    assert len(told.standing) == 2


@pytest.mark.parametrize("first", ["range", "client"])
def test_a_hot_client_and_the_ranges_it_comes_from_are_one(first: str) -> None:
    """Whichever is found first: what fails in the one came by the other."""
    told = way("tool", "hosting", "script"), way("tool", "elsewhere", "another script")
    both = [
        front("10.0.0.0/24", START, told[0]),
        front("tool", START + 60.0, told[1], kind=Kind.AGENT, failed=9),
    ]
    assert len(Told().take(*(both if first == "range" else both[::-1])).standing) == 1


def test_a_try_is_counted_by_its_range_or_its_client_and_not_by_both() -> None:
    """Two ranges of five failures each by a client that nine were seen of: ten failed."""
    told = Told().take(
        front("10.0.0.0/24"),
        front("10.0.1.0/24", START + 60.0),
        front("tool", START + HOUR + 60.0, kind=Kind.AGENT, since=START, failed=9),
    )
    [attack] = told.standing
    assert (attack.failed, attack.tried, attack.ranges) == (10, 12, 2)
    assert {one.value for one in attack.indicators} == {"10.0.0.0/24", "10.0.1.0/24", "tool"}


def test_two_that_turn_out_to_be_one_go_on_under_the_older_s_id() -> None:
    """A range that is tried by the clients of both: the younger's last word names the older."""
    one, other = way("one", "here"), way("other", "there")
    told = Told().take(
        front("10.0.0.0/24", START, one),
        front("10.0.1.0/24", START + 60.0, other),
        front("10.0.2.0/24", START + 120.0, one, other),
    )
    older, younger = list(told.latest.values())
    assert younger.merged_into == older.campaign_id
    assert older.merged_from == (younger.campaign_id,)
    assert (older.ranges, younger.revision) == (3, 2)
    told.take(front("10.0.1.0/24", START + 180.0, other, since=START + 60.0, failed=50))
    assert told.attacks[-1].campaign_id == older.campaign_id
    assert told.attacks[-1].ranges == 3


def test_it_is_told_again_when_there_is_news_of_it() -> None:
    """Twice the failures, the first that let it in, or an hour; not whatever is counted."""
    told = Told().take(front("10.0.0.0/24"))
    steps = [(1, 6, 0), (2, 9, 0), (3, 10, 0), (4, 11, 1), (5, 12, 2), (64, 13, 2), (90, 14, 2)]
    for number, (minute, failed, entered) in enumerate(steps, 2):
        at = START + 60.0 * minute
        told.take(
            front("10.0.0.0/24", at, since=START, revision=number, failed=failed, entered=entered)
        )
    assert [(attack.failed, attack.entered) for attack in told.attacks] == [
        (5, 0), (10, 0), (11, 1), (13, 2)
    ]  # fmt: skip
    assert [attack.revision for attack in told.attacks] == [1, 2, 3, 4]


def test_an_attack_of_weeks_is_told_of_ever_more_seldom() -> None:
    """Hourly at first, every other day in the third week."""
    told = Told()
    for hour in range(500):
        at = START + HOUR * hour
        told.take(front("10.0.0.0/24", at, since=START, revision=hour + 1))
    assert 30 < len(told.attacks) < 60


def test_an_older_word_of_a_range_takes_nothing_back() -> None:
    """Shards are read one after the other: what was told later stands."""
    told = Told().take(
        front("10.0.0.0/24", START + 60.0, since=START, revision=2, failed=50),
        front("10.0.0.0/24", START, revision=1, failed=5),
    )
    assert told.attacks[-1].failed == 50


def test_whatever_the_order_a_botnet_ends_as_one() -> None:
    """Shards tell as they come to it."""
    fronts = list(botnet(60, every=20.0))
    for seed in range(5):
        random.Random(seed).shuffle(fronts)
        told = Told().take(*fronts)
        assert len(told.standing) == 1
        assert all(
            attack.merged_into == told.standing[0].campaign_id
            for attack in told.latest.values()
            if attack.merged_into
        )


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many ranges those that ended first make room and are counted on; of many attacks too."""
    monkeypatch.setattr(attacks, "FRONTS", 10)
    monkeypatch.setattr(attacks, "ATTACKS", 5)
    told = Told(reopen=True).take(*botnet(64, clients=1))
    assert told.attacks[-1].ranges == 64
    assert told.attacks[-1].failed == 5 * 64
    assert len(told.attacks[-1].indicators) == 10
    for number in range(20):
        other = way(f"tool {number}", f"operator {number}")
        told.take(front(f"192.0.{number}.0/24", START + DAY * (number + 2), other))
    assert sum(key.startswith(b"g:u:") for key in told.store) == 5
    assert len(told.standing) == 21


def test_what_goes_on_after_it_was_forgotten_is_another() -> None:
    """Its revisions would be told otherwise under the old id."""
    told = Told().take(front("10.0.0.0/24"))
    [before] = told.standing
    fresh = Told().take(front("10.0.0.0/24", START + 60.0, since=START, revision=2))
    [after] = fresh.standing
    assert before.campaign_id != after.campaign_id


def test_state_that_is_not_whole_is_refused() -> None:
    """An attack that is named, and whose bytes are gone, is told and not guessed at."""
    told = Told().take(front("10.0.0.0/24"))
    [name] = [key for key in told.store if key.startswith(b"g:u:")]
    broken = {key: value for key, value in told.store.items() if key != name}
    with pytest.raises(IncompatibleState):
        CampaignLinker(broken.get)


def test_what_it_comes_by_that_is_nobody_s_to_read_is_not_told() -> None:
    """A device is named by what stands for it alone."""
    device = structs.replace(front("secret", kind=Kind.DEVICE), shown=None)
    [attack] = Told().take(device).standing
    assert attack.value is None
    assert attack.indicators[0].value is None

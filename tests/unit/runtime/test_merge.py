"""The order in which records of several topics are taken."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.interfaces import Prepared, Record
from streams.runtime.merge import PartitionMerge

TOPICS = ("logins", "account-changes", "orders", "feedback")
# Few distinct values, so that ties and steps back in time are common.
Log = list[list[float]]
logs: st.SearchStrategy[Log] = st.lists(
    st.lists(st.integers(0, 5).map(float), max_size=12), min_size=4, max_size=4
)


def _record(topic: str, offset: int, time: float) -> Record:
    return Record(topic, 0, offset, time, b"key", b"value")


def _prepare(found: Record) -> Prepared:
    return Prepared(found, found.timestamp, None)


def _records(log: Log) -> dict[str, list[Record]]:
    return {
        topic: [_record(topic, offset, time) for offset, time in enumerate(times)]
        for topic, times in zip(TOPICS, log, strict=True)
    }


def _places(taken: Sequence[Prepared]) -> list[tuple[str, int]]:
    return [(prepared.record.topic, prepared.record.offset) for prepared in taken]


def _reference(log: Log) -> list[tuple[str, int]]:
    """The rule, as slowly as it can be written."""
    heads = dict.fromkeys(TOPICS, 0)
    times = dict(zip(TOPICS, log, strict=True))
    order = []
    while ready := [topic for topic in TOPICS if heads[topic] < len(times[topic])]:
        topic = min(ready, key=lambda t: (times[t][heads[t]], TOPICS.index(t)))
        order.append((topic, heads[topic]))
        heads[topic] += 1
    return order


@given(logs, st.data())
def test_catching_up_gives_one_order_however_records_arrive(log: Log, data: st.DataObject) -> None:
    """Neither what each fetch brings nor the length of runs changes the order."""
    merge = PartitionMerge(TOPICS, _prepare)
    unfetched = _records(log)
    taken: list[tuple[str, int]] = []
    positions: dict[str, int] = {}
    while any(unfetched.values()) or len(taken) < sum(map(len, log)):
        for topic in TOPICS:
            count = data.draw(st.integers(0, 4))
            merge.add(topic, unfetched[topic][:count])
            del unfetched[topic][:count]
        exhausted = [topic for topic in TOPICS if not unfetched[topic]]
        run = merge.take(data.draw(st.integers(1, 5)), exhausted)
        taken += _places(run.records)
        positions |= run.positions
    assert taken == _reference(log)
    assert positions == {t: len(times) for t, times in zip(TOPICS, log, strict=True) if times}


@given(logs, st.data())
def test_late_records_are_taken_when_they_come(log: Log, data: st.DataObject) -> None:
    """Whatever the broker said, each record is taken once, in its topic's order."""
    merge = PartitionMerge(TOPICS, _prepare)
    unfetched = _records(log)
    taken: list[tuple[str, int]] = []
    while len(taken) < sum(map(len, log)):
        for topic in TOPICS:
            count = data.draw(st.integers(0, 2))
            merge.add(topic, unfetched[topic][:count])
            del unfetched[topic][:count]
        taken += _places(merge.take(data.draw(st.integers(1, 5)), TOPICS).records)
    for topic, times in zip(TOPICS, log, strict=True):
        assert [offset for of, offset in taken if of == topic] == list(range(len(times)))


def test_a_topic_that_should_have_more_is_waited_for() -> None:
    """An order must not overtake a sign-in that has not been fetched yet."""
    merge = PartitionMerge(TOPICS, _prepare)
    merge.add("orders", [_record("orders", 0, 1.0)])
    others = [topic for topic in TOPICS if topic not in ("orders", "logins")]
    assert not merge.take(10, others).records
    merge.add("logins", [_record("logins", 7, 0.5)])
    # The sign-in is taken; then sign-ins are missing again, and the order waits on.
    assert _places(merge.take(10, others).records) == [("logins", 7)]
    assert merge.missing() == set(TOPICS) - {"orders"}
    assert _places(merge.take(10, [*others, "logins"]).records) == [("orders", 0)]


def test_a_record_is_prepared_when_its_turn_comes() -> None:
    """What waits is kept as bytes: only a topic's head has been decoded."""
    prepared = []

    def noting(found: Record) -> Prepared:
        prepared.append(found.offset)
        return _prepare(found)

    merge = PartitionMerge(TOPICS, noting)
    merge.add("logins", [_record("logins", offset, 0.0) for offset in range(5)])
    assert prepared == [0]
    assert merge.waiting("logins") == (4, 4 * len(b"key" + b"value"))
    merge.take(2, TOPICS)
    assert prepared == [0, 1, 2]
    assert merge.waiting("logins") == (2, 2 * len(b"key" + b"value"))


def test_whatever_a_record_holds_counts_while_it_waits() -> None:
    """Keys and headers fill memory as values do, so they fill the room for them too."""
    merge = PartitionMerge(TOPICS, _prepare)
    small = _record("logins", 0, 0.0)
    large = Record("logins", 0, 1, 1.0, b"k" * 100, None, (("name", b"v" * 996),))
    merge.add("logins", [small, large])
    assert merge.waiting("logins") == (1, 1100)
    merge.take(2, TOPICS)
    assert merge.waiting("logins") == (0, 0)

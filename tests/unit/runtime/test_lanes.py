"""Runs of one partition number, and when there are any."""

from streams.runtime.interfaces import Prepared, Record
from streams.runtime.lanes import Flow, Lane

FLOW = Flow("events", ("logins", "orders"), chunk_records=2)


def _lane() -> Lane:
    return Lane(FLOW, 3, lambda record: Prepared(record, record.timestamp, None))


def _record(topic: str, offset: int, value: bytes = b"value") -> Record:
    return Record(topic, 3, offset, float(offset), b"key", value)


def test_one_run_at_a_time() -> None:
    """Memory is bounded by what waits: the next run is formed when the last one is done."""
    lane = _lane()
    lane.exhausted = {"logins": 5, "orders": 0}
    lane.merge.add("logins", [_record("logins", offset) for offset in range(5)])
    first = lane.next_run(0.0)
    assert first is not None
    assert first.positions == {"logins": 2}
    assert lane.next_run(0.0) is None
    lane.out = False
    second = lane.next_run(0.0)
    assert second is not None
    assert second.positions == {"logins": 4}


def test_a_run_ends_with_its_bytes() -> None:
    """Of a flow whose records may be one event or hundreds, the last one may go beyond."""
    flow = Flow("heat", ("observations",), chunk_records=100, run_bytes=10_000)
    lane = Lane(flow, 3, lambda record: Prepared(record, record.timestamp, None))
    lane.exhausted = {"observations": 8}
    lane.merge.add("observations", [_record("observations", n, bytes(3000)) for n in range(8)])
    taken = []
    while (run := lane.next_run(0.0)) is not None:
        taken.append(len(run.records))
        lane.out = False
    assert taken == [4, 4]


def test_patience_with_a_topic_that_should_have_more_ends() -> None:
    """Where a topic's partition has no leader, the others go on after ten seconds."""
    lane = _lane()
    lane.merge.add("orders", [_record("orders", 0)])
    assert lane.next_run(100.0) is None
    assert lane.next_run(109.0) is None
    assert lane.next_run(111.0) is not None
    lane.out = False
    # Patience begins anew with the next record.
    lane.merge.add("orders", [_record("orders", 1)])
    assert lane.next_run(200.0) is None


def test_what_waits_is_bounded_in_records_and_bytes() -> None:
    """No more is fetched of a topic that has two runs, or four megabytes, at hand."""
    lane = _lane()
    assert lane.has_room("logins")
    lane.merge.add("logins", [_record("logins", offset) for offset in range(5)])
    assert not lane.has_room("logins")
    assert lane.has_room("orders")
    lane.merge.add("orders", [_record("orders", 0), _record("orders", 1, bytes(5 << 20))])
    assert not lane.has_room("orders")


def test_caught_up_is_when_nothing_is_left_anywhere() -> None:
    """Only then is what has been read the very end of what there is."""
    lane = _lane()
    seen = [lane.caught_up]
    lane.exhausted = {"logins": 1, "orders": 0}
    seen.append(lane.caught_up)
    lane.merge.add("logins", [_record("logins", 0)])
    seen.append(lane.caught_up)
    assert seen == [False, True, False]


def test_behind_is_where_a_run_waits_behind_the_one_that_is_out() -> None:
    """An alert of a backlog may wait a moment for company; one of live traffic may not."""
    lane = _lane()
    lane.exhausted = {"logins": 5, "orders": 0}
    lane.merge.add("logins", [_record("logins", offset) for offset in range(5)])
    seen = []
    while lane.next_run(0.0) is not None:
        seen.append(lane.behind)
        lane.out = False
    assert seen == [True, False, False]

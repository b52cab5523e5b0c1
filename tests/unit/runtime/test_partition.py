"""What one partition holds between two durable moments."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from streams.runtime.interfaces import Prepared, ReadState, Record, Send
from streams.runtime.lanes import Flow
from streams.runtime.numbering import HEADER, Sender, numbered, sender_of
from streams.runtime.options import RuntimeOptions, StatefulFlow
from streams.runtime.outbox import OUTBOX_KEY
from streams.runtime.partition import STEP_BYTES, Partition
from streams.runtime.position import POSITION_KEY, Position, decode_position
from streams.runtime.rekeying import Rekeying, origin_header
from streams.runtime.store import MemoryStore


class Appending:
    """Keeps by key everything that was said, separated by spaces, and sums it up by length."""

    def __init__(self, read: ReadState) -> None:
        self._read = read
        self._lengths: list[int] = []
        self._changed: dict[bytes, bytes | None] = {}

    def prepare(self, record: Record) -> Prepared:
        """Take a record as it is."""
        return Prepared(record, record.timestamp, None)

    def fold(self, run: Sequence[Prepared]) -> Sequence[Send]:
        """Append each record's value to what is kept under its key; what is loud is told."""
        sends = []
        for prepared in run:
            key, value = prepared.record.key or b"", prepared.record.value or b""
            known = self._changed.get(key) or self._read(key) or b""
            self._changed[key] = (known + b" " + value).strip()
            if value.endswith(b"!"):
                sends.append(Send("alerts", key, value, urgent=value.endswith(b"!!")))
            if value.startswith(b"#"):
                self._lengths.append(len(value))
            if value.endswith(b"?"):
                sends.append(Send("dead-letters", key, value, independent=True))
        return sends

    def summaries(self) -> Sequence[Send]:
        """Tell how long what began with a hash was."""
        lengths, self._lengths = self._lengths, []
        return [Send("lengths", None, b"%d" % sum(lengths), partition=3)] if lengths else ()

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what has changed."""
        changed, self._changed = self._changed, {}
        return changed


def _partition(
    store: MemoryStore,
    *,
    rewrite: frozenset[bytes] = frozenset(),
    position: Position | None = None,
    rekeyings: tuple[Rekeying, ...] = (),
    numbered: frozenset[str] = frozenset(),
) -> Partition:
    flow = StatefulFlow(
        Flow("events", ("logins",), 10),
        "changelog",
        1,
        lambda _number, read: Appending(read),
        numbered,
    )
    return Partition(
        flow,
        0,
        options=RuntimeOptions({}, (flow,), None, 10.0, rekeyings=rekeyings),
        store=store,
        position=position or Position(lineage="x", at=0, next={"logins": 5}),
        next_offset=7,
        rewrite=rewrite,
    )


def _fold(partition: Partition, *records: Record, next_: Mapping[str, int] | None = None) -> None:
    prepared = [partition.prepare(record) for record in records]
    ends = {record.topic: record.offset + 1 for record in records}
    partition.fold(prepared, ends if next_ is None else next_)


def _login(offset: int, value: bytes, **fields: Any) -> Record:
    return Record("logins", 0, offset, 0.0, fields.pop("key", b"a"), value, **fields)


def test_what_is_under_way_can_be_read() -> None:
    """Folding goes on while a step is being written, and sees what the step holds."""
    store = MemoryStore()
    partition = _partition(store)
    _fold(partition, _login(5, b"one"))
    first = partition.step()
    assert first is not None
    assert first.changes == {b"a": b"one"}
    assert store.get(b"a") is None
    _fold(partition, _login(6, b"two"))
    partition.settle(first, 9)
    assert store.get(b"a") == b"one"
    second = partition.step()
    assert second is not None
    assert second.changes == {b"a": b"one two"}
    assert (first.position.at, second.position.at) == (7, 9)
    assert (first.position.next, second.position.next) == ({"logins": 6}, {"logins": 7})
    assert partition.step() is None


def test_messages_are_kept_with_the_state_until_they_have_left() -> None:
    """A crash after a step is durable and before its messages arrive loses none of them."""
    store = MemoryStore()
    partition = _partition(store)
    _fold(partition, _login(5, b"one!"), _login(6, b"two"), _login(7, b"three!"))
    step = partition.step()
    assert step is not None
    assert [send.value for send in step.outbox] == [b"one!", b"three!"]
    partition.settle(step, 9)
    assert _partition(store).undelivered == step.outbox
    # They have left by the time of the next step, which is taken for that alone.
    after = partition.step()
    assert after is not None
    assert after.changes == {OUTBOX_KEY: None}
    partition.settle(after, 11)
    assert partition.step() is None
    assert _partition(store).undelivered == ()


def test_a_step_is_summed_up_once() -> None:
    """Runs of one step have one summary, part of the step's batch and numbered like the rest."""
    store = MemoryStore()
    partition = _partition(store, numbered=frozenset({"lengths"}))
    _fold(partition, _login(5, b"#one"))
    _fold(partition, _login(6, b"#three"))
    step = partition.step()
    assert step is not None
    (summary,) = step.outbox
    assert (summary.topic, summary.value, summary.partition) == ("lengths", b"10", 3)
    assert dict(summary.headers) == {HEADER: b"events:0:0"}
    partition.settle(step, 9)
    after = partition.step()
    assert after is not None
    assert after.outbox == ()


def test_what_a_run_asks_for_at_once() -> None:
    """Dead letters need no state and leave before it; an alert has a step of state follow."""
    partition = _partition(MemoryStore())
    prepared = [partition.prepare(_login(5, value)) for value in (b"one?", b"two!", b"three!!")]
    asked = [partition.fold([each], {}) for each in prepared]
    assert [[send.value for send in each.independent] for each in asked] == [[b"one?"], [], []]
    assert [each.urgent for each in asked] == [False, False, True]
    step = partition.step()
    assert step is not None
    assert [send.value for send in step.outbox] == [b"two!", b"three!!"]


def test_a_step_waits_for_the_messages_that_left_before() -> None:
    """State that accounts for a dead letter is never durable before the letter has arrived."""

    async def scenario() -> None:
        partition = _partition(MemoryStore())
        arrival = asyncio.get_running_loop().create_future()
        _fold(partition, _login(5, b"one"))
        partition.note_arrival(arrival)
        step = partition.step()
        assert step is not None
        assert step.arrivals == (arrival,)
        _fold(partition, _login(6, b"two"))
        later = partition.step()
        assert later is not None
        assert later.arrivals == ()

    asyncio.run(scenario())


def test_the_store_knows_what_it_stands_for() -> None:
    """The position goes to the local store with the values, under the changelog's offset."""
    store = MemoryStore()
    partition = _partition(store)
    _fold(partition, _login(5, b"one"))
    step = partition.step()
    assert step is not None
    partition.settle(step, 9)
    assert decode_position(store.get(POSITION_KEY)) == step.position
    assert store.next_offset == 9


def test_a_step_has_room_by_what_its_records_change() -> None:
    """Messages count by their bytes, state by what a record changed in the step before."""
    partition = _partition(MemoryStore())
    assert partition.room(3000) == 3000
    _fold(partition, *[_login(n, b"x" * 1000 + b"!", key=b"%d" % n) for n in range(1000)])
    assert 2000 < partition.room(10**6) < 4200, "a message of a kilobyte each"
    assert partition.room(3000) == 2000
    step = partition.step()
    assert step is not None
    partition.settle(step, 1)
    assert 1900 < partition.room(3000) < 4200, "and a kilobyte of state each"
    _fold(partition, _login(1000, b"x" * STEP_BYTES + b"!", key=b"1000"))
    assert partition.room(3000) <= 0


def test_keys_of_void_steps_are_written_again() -> None:
    """The next step puts a key's true value behind what a replaced owner wrote."""
    store = MemoryStore()
    store.write({b"a": b"true"}, 7)
    partition = _partition(store, rewrite=frozenset({b"a", b"gone"}))
    step = partition.step()
    assert step is not None
    assert step.changes == {b"a": b"true", b"gone": None}
    assert partition.step() is None


def test_carried_records_are_folded_once() -> None:
    """Those of one source partition come in order, and perhaps again: only new ones count."""
    partition = _partition(
        MemoryStore(),
        position=Position(lineage="x", at=0, next={"carried": 0}, origins={"logins": {1: 3}}),
        rekeyings=(Rekeying("logins", "carried", lambda record: record.key, 10),),
    )

    def carried(number: int, source: int, offset: int) -> Record:
        original = Record("logins", source, offset, 0.0, None, b"%d-%d" % (source, offset))
        return Record(
            "carried", 0, number, 0.0, b"account", original.value, (origin_header(original),)
        )

    places = [(1, 2), (1, 3), (2, 0), (1, 4), (1, 3), (1, 4), (2, 0), (1, 5), (2, 7)]
    _fold(partition, *(carried(number, *place) for number, place in enumerate(places)))
    step = partition.step()
    assert step is not None
    # Under the coordinates and the key that they had in their own topic.
    assert step.changes == {b"": b"1-3 2-0 1-4 1-5 2-7"}
    assert step.position.next == {"carried": 9}
    assert step.position.origins == {"logins": {1: 6, 2: 8}}


def _told(sender: Sender, value: bytes) -> Record:
    """A message to this flow, as another one sent it."""
    message = numbered(Send("told", b"a", value), sender)
    return Record("told", 0, 5, 0.0, message.key, message.value, message.headers)


def test_what_a_flow_is_told_counts_once() -> None:
    """Whatever a sender's crash repeats, and though others tell the same numbers."""
    numbered_topics = frozenset({"told"})
    store = MemoryStore()
    partition = _partition(store, numbered=numbered_topics)
    for sender, value in [
        (Sender("heat", 0, 7), b"0-7"),
        (Sender("heat", 1, 7), b"1-7"),
        (Sender("heat", 0, 9), b"0-9"),
        (Sender("heat", 0, 7), b"0-7"),
        (Sender("campaigns", 0, 7), b"c-7"),
        (Sender("heat", 0, 9), b"0-9"),
        (Sender("heat", 0, 10), b"0-10"),
    ]:
        _fold(partition, _told(sender, value))
    step = partition.step()
    assert step is not None
    assert step.changes == {b"a": b"0-7 1-7 0-9 c-7 0-10"}
    partition.settle(step, 9)
    # Taken up elsewhere from what is durable, it still knows.
    again = _partition(store, numbered=numbered_topics, position=step.position)
    _fold(again, _told(Sender("heat", 0, 10), b"again"), _told(Sender("heat", 1, 8), b"1-8"))
    after = again.step()
    assert after is not None
    assert after.changes == {b"a": b"0-7 1-7 0-9 c-7 0-10 1-8"}


def test_what_is_left_out_is_counted_and_no_crash_repeats_a_million(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever writes a great number keeps a true sender from being heard: that is told."""
    partition = _partition(MemoryStore(), numbered=frozenset({"told"}))

    def repeated(number: int) -> int:
        prepared = partition.prepare(_told(Sender("heat", 0, number), b"x"))
        return partition.fold([prepared], {"told": 6}).repeated

    assert [repeated(7), repeated(8), repeated(7)] == [0, 0, 1]
    assert not caplog.text
    assert [repeated(10**12), repeated(9)] == [0, 1]
    assert "told:0: left out what says that it is number 9 of told<heat" in caplog.text


def test_messages_to_a_flow_are_numbered_for_good() -> None:
    """Each says which partition sent it and its number, which a crash does not give again."""
    store = MemoryStore()
    partition = _partition(store, numbered=frozenset({"alerts"}))
    _fold(partition, _login(5, b"one!"), _login(6, b"two?"), _login(7, b"three!"))
    step = partition.step()
    assert step is not None
    assert [dict(send.headers)[HEADER] for send in step.outbox] == [b"events:0:0", b"events:0:1"]
    partition.settle(step, 9)
    again = _partition(store, numbered=frozenset({"alerts"}), position=step.position)
    assert again.undelivered == step.outbox
    _fold(again, _login(8, b"four!"))
    later = again.step()
    assert later is not None
    assert [dict(send.headers)[HEADER] for send in later.outbox] == [b"events:0:2"]


@pytest.mark.parametrize("value", [b"", b"heat:0", b"heat:-1:0", b"heat:0:1e3", b"a b:0:1"])
def test_a_message_that_no_flow_sent_says_so(value: bytes) -> None:
    """What nobody numbered has no sender, and is the processor's to refuse."""
    assert sender_of(_login(5, b"x", headers=((HEADER, value),))) is None
    assert sender_of(_login(5, b"x")) is None

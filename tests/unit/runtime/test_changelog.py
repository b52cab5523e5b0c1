"""Reading a changelog back: every reader sees the same one moment, whoever wrote."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import IncompatibleState
from streams.runtime import changelog
from streams.runtime.changelog import VOID_KEYS_KEY, _Reader
from streams.runtime.position import POSITION_KEY, Position, decode_position, encode_position
from streams.runtime.store import MemoryStore

KEYS = [b"a", b"b", b"c", b"d"]
Changes = dict[bytes, bytes | None]


class Entry(NamedTuple):
    """A record of the changelog."""

    offset: int
    key: bytes
    value: bytes | None


class Log:
    """A changelog partition with several owners, who may not know of one another.

    `truth` is the state that the valid steps amount to, `void_keys` what void ones wrote to since
    and no valid one has written again.
    """

    def __init__(self, lineage: str = "first") -> None:
        self.entries: list[Entry] = []
        self.truth: dict[bytes, bytes] = {}
        self.position: Position | None = None
        self.void_keys: set[bytes] = set()
        self.lineage = lineage
        self._known_end: dict[str, int] = {}

    def take_over(self, owner: str) -> None:
        """Have an owner read to the end and claim the partition."""
        self._known_end[owner] = len(self.entries)
        self.append(owner, {})

    def append(self, owner: str, changes: Changes) -> None:
        """Append a step where there is room, valid or not."""
        at = self._known_end.get(owner, 0)
        position = Position(lineage=self.lineage, at=at, next={"logins": len(self.entries)})
        valid = at == len(self.entries)
        self._put(POSITION_KEY, encode_position(position))
        for key, value in changes.items():
            self._put(key, value)
        if valid:
            self._known_end[owner] = len(self.entries)
            self.position = position
            self.void_keys -= changes.keys()
            self.truth |= {key: value for key, value in changes.items() if value is not None}
            for key in [key for key, value in changes.items() if value is None]:
                self.truth.pop(key, None)
        else:
            self.void_keys |= changes.keys()

    def compacted(self, before: int) -> list[Entry]:
        """The entries, those before an offset without what later ones replace."""
        last = {entry.key: entry.offset for entry in self.entries}
        return [e for e in self.entries if e.offset >= before or last[e.key] == e.offset]

    def _put(self, key: bytes, value: bytes | None) -> None:
        self.entries.append(Entry(len(self.entries), key, value))


changes_strategy = st.dictionaries(
    st.sampled_from(KEYS), st.one_of(st.none(), st.binary(max_size=2)), max_size=4
)
acts = st.lists(
    st.tuples(st.sampled_from(["one", "two"]), st.one_of(st.none(), changes_strategy)), max_size=25
)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader writes to the store every three keys, so that it stops in all places."""
    monkeypatch.setattr(changelog, "_PENDING_KEYS", 3)


def _pieces(entries: list[Entry], data: st.DataObject) -> Iterator[list[Entry]]:
    while entries:
        count = data.draw(st.integers(1, 6))
        yield entries[:count]
        entries = entries[count:]


def _contents(store: MemoryStore) -> dict[bytes, bytes]:
    own = (POSITION_KEY, VOID_KEYS_KEY)
    return {key: value for key, value in store.items() if key not in own}


@given(acts, st.data())
def test_void_steps_are_left_out(
    script: list[tuple[str, Changes | None]], data: st.DataObject
) -> None:
    """Two owners write without knowing of each other: readers agree on what counts, and on when.

    The reader is stopped and begun anew on what its store holds, anywhere, as by a crash.
    """
    log = Log()
    for owner, changes in script:
        if changes is None:
            log.take_over(owner)
        else:
            log.append(owner, changes)
    store = MemoryStore()
    reader = _Reader(store, 0, len(log.entries))
    for piece in _pieces(log.entries, data):
        assert reader.read(piece)
        if data.draw(st.booleans()):
            reader = _Reader(store, 0, len(log.entries))
            assert reader.read(log.entries[reader.seek : piece[-1].offset + 1])
    restored = reader.finish()
    assert _contents(store) == log.truth
    assert restored.next_offset == store.next_offset == len(log.entries)
    assert restored.position == log.position
    # However often a reader began anew, between taking up and the first step too.
    assert restored.void_keys == log.void_keys
    again = _Reader(store, 0, len(log.entries))
    assert again.finish().void_keys == log.void_keys
    if log.position is not None:
        assert store.get(POSITION_KEY) == encode_position(log.position)


@given(acts)
def test_keys_of_void_steps_are_told(script: list[tuple[str, Changes | None]]) -> None:
    """Compaction could keep a void value alone one day, so the owner must write such keys again."""
    log = Log()
    for owner, changes in script:
        if changes is None:
            log.take_over(owner)
        else:
            log.append(owner, changes)
    reader = _Reader(MemoryStore(), 0, len(log.entries))
    reader.read(log.entries)
    assert reader.finish().void_keys == log.void_keys


@given(st.lists(changes_strategy, max_size=20), st.data())
def test_a_compacted_changelog_says_the_same(steps: list[Changes], data: st.DataObject) -> None:
    """What compaction leaves of old steps amounts to the same state."""
    log = Log()
    for changes in steps:
        log.append("one", changes)
    entries = log.compacted(before=data.draw(st.integers(0, len(log.entries))))
    store = MemoryStore()
    reader = _Reader(store, 0, len(log.entries))
    for piece in _pieces(entries, data):
        assert reader.read(piece)
    assert reader.finish().position == log.position
    assert _contents(store) == log.truth


@given(st.lists(changes_strategy, min_size=1, max_size=8), st.data())
def test_a_copy_of_an_earlier_changelog_is_thrown_away(
    steps: list[Changes], data: st.DataObject
) -> None:
    """A topic that was deleted and made anew does not inherit what the disk still holds."""
    old, new = Log("old"), Log("new")
    store = MemoryStore()
    for changes in steps[: data.draw(st.integers(1, len(steps)))]:
        old.append("one", changes)
    reader = _Reader(store, 0, len(old.entries))
    reader.read(old.entries)
    reader.finish()
    for changes in steps:
        new.append("two", changes)
    new.append("two", {b"last": b"step"})
    reader = _Reader(store, 0, len(new.entries))
    if not reader.read(new.entries[reader.seek :]):
        reader.begin_anew()
        assert reader.read(new.entries[reader.seek :])
    reader.finish()
    assert _contents(store) == new.truth


def test_a_changelog_of_two_lives_is_refused() -> None:
    """It cannot be, so nothing is guessed."""
    log = Log("one")
    log.append("one", {b"a": b"1"})
    log.lineage = "two"
    log.append("one", {b"a": b"2"})
    reader = _Reader(MemoryStore(), 0, len(log.entries))
    assert not reader.read(log.entries)
    reader.begin_anew()
    assert not reader.read(log.entries)
    with pytest.raises(IncompatibleState, match="two lives"):
        reader.begin_anew()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b'{"format":2,"lineage":"x","at":0,"next":{}}', "written in format 2"),
        (b"not json", "no position we can read"),
        (None, "no position we can read"),
    ],
)
def test_an_unknown_format_is_refused(value: bytes | None, says: str) -> None:
    """State of another release is never misread."""
    with pytest.raises(IncompatibleState, match=says):
        decode_position(value)

"""Profiles: what is remembered, forgotten, bounded and stored."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.errors import IncompatibleState
from detectors.features.lesson import Forgotten, Lesson
from detectors.features.lessons import recall, teach, trust
from detectors.features.reading import ORDER
from detectors.habits import MOST_BYTES, make_room, use
from detectors.profiles import MEMORIES, Memory, Profile, decode, encode, newborn
from detectors.stored_profiles import NOTHING, Doubt, Session, StoredProfile

HALF_LIFE = 1000.0


def test_a_use_weighs_half_after_the_half_life() -> None:
    """Habits of long ago weigh less."""
    memory = Memory(NOTHING)
    use(memory, 7, 0, HALF_LIFE, 3)
    assert memory.weight(0, 0, HALF_LIFE) == 1.0
    assert memory.weight(0, 1000, HALF_LIFE) == 0.5


def test_the_least_used_value_makes_room() -> None:
    """A value used often and lately stays, however many others pass by."""
    memory = Memory(NOTHING)
    for minute in range(100):
        use(memory, 7, minute * 10, HALF_LIFE, 3)
        use(memory, 100 + minute, minute * 10, HALF_LIFE, 3)
    assert memory.find(7) >= 0
    assert len(memory.keys) == 3
    assert len(memory.rows) == 12


def test_what_holds_nothing_is_shared_and_never_filled() -> None:
    """One account's first device is not every other's."""
    one, other = newborn(0.0), decode(encode(newborn(0.0)))
    use(one.devices, 7, 0, HALF_LIFE, 3)
    other.prefixes.recall(9, [16, 0, 0, 0], 3)
    assert (one.devices.keys, other.prefixes.keys) == ([7], [9])
    assert NOTHING == ([], [])
    assert newborn(0.0).devices.rows == one.prefixes.rows == other.devices.keys == []


def test_absent_values_are_not_remembered() -> None:
    """0 stands for "not told"."""
    memory = Memory(NOTHING)
    use(memory, 0, 5, HALF_LIFE, 3)
    assert memory.keys == []


def test_what_came_since_an_access_can_be_forgotten() -> None:
    """A hijacker's values go; the customer's stay, those used again since, and those come later."""
    memory = Memory(NOTHING)
    use(memory, 1, 10, HALF_LIFE, 5)
    use(memory, 2, 50, HALF_LIFE, 5, 6)
    use(memory, 1, 60, HALF_LIFE, 5)
    use(memory, 3, 80, HALF_LIFE, 5)
    memory.forget_between(50, 70)
    assert memory.keys == [1, 3]
    assert len(memory.rows) == 8


def test_trust_clears_the_doubt_a_value_came_with() -> None:
    """After a `legitimate` verdict a device is like any other."""
    memory = Memory(NOTHING)
    use(memory, 2, 50, HALF_LIFE, 5, 6)
    assert memory.doubt(0) == 6
    use(memory, 3, 60, HALF_LIFE, 5, 7)
    memory.clear_doubt({50})
    assert memory.doubt(0) == 0
    assert memory.doubt(1) == 7


def test_trust_is_for_the_named_events_only() -> None:
    """The customer's session of minute 50 is trusted, a stranger's of minute 90 is not."""
    profile = newborn(0.0)
    profile.doubts = [Doubt(1, 55, 3.0), Doubt(2, 90, 4.0), Doubt(0, 50, 2.0)]
    use(profile.devices, 11, 50, HALF_LIFE, 5, 6)
    use(profile.devices, 12, 90, HALF_LIFE, 5, 7)
    trust(profile, {50}, {1})
    assert [doubt.session for doubt in profile.doubts] == [2]
    assert [profile.devices.doubt(at) for at in range(2)] == [0, 7]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 10**6)), max_size=60))
def test_a_memory_read_back_is_the_memory_that_was_written(uses: list[tuple[int, int]]) -> None:
    """Every number in it is whole, so storing loses nothing."""
    profile = newborn(0.0)
    memory = profile.devices
    minute = 0
    for key, wait in uses:
        minute += wait
        use(memory, key, minute, HALF_LIFE, 8, key % 16)
    read = decode(encode(profile)).devices
    assert (read.keys, read.rows) == (memory.keys, memory.rows)
    assert len(memory.keys) <= 8


MOST, LATE = 2**32 - 1, 60 * 24 * 365 * 50


def largest(values: dict[str, int], late: int = LATE) -> Profile:
    """A profile with so many values, and every number and text as long as it gets until then."""
    profile = newborn(60.0 * 2_000_000_000)
    for field in msgspec.structs.fields(StoredProfile):
        if field.type is float:
            setattr(profile, field.name, 1.0 / 3.0)
    for name in (
        "seen",
        "signed_in",
        "decayed",
        "ordered",
        "failed",
        "day",
        "day_bin",
        "recovered",
    ):
        setattr(profile, name, late)
    profile.depth = profile.bought = 60_000
    profile.failed_prefix, profile.place = MOST, (51.123, -123.456, late)
    profile.hours, profile.changed, profile.recent = [60] * 8, [late] * 6, [MOST, -late] * 8
    session = Session(
        MOST, MOST, MOST, MOST, MOST, MOST, 1023, 5, 7, late, late, [48] * 15,
        signed_in=True, contact=2**64 - 1, proved=True,
    )  # fmt: skip
    profile.sessions, profile.doubts = [session] * 5, [Doubt(MOST, late, 1.234)] * 3
    profile.client, profile.city, profile.network = "\U0001f512" * 48, "\U0001f512" * 32, "A" * 18
    profile.client_came = late, "\U0001f512" * 48, late
    profile.network_came = late, "A" * 18, late
    for name, count in values.items():
        memory = getattr(profile, name)
        memory.keys = list(range(MOST, MOST - count, -1))
        memory.rows = [60_000, late, late, 15] * count
    return profile


numbers = st.fixed_dictionaries({name: st.integers(0, 12) for name in MEMORIES})


@given(numbers, st.sampled_from([LATE, 65_535]))
@example(dict.fromkeys(MEMORIES[:13], 4), LATE)
@example(dict.fromkeys(MEMORIES, 4), 65_535)
def test_no_profile_is_stored_in_more_than_two_kilobytes(values: dict[str, int], late: int) -> None:
    """Whatever is in it and however long it is: what has the least weight left makes room."""
    profile = largest(values, late)
    before, fitted = encode(profile), len(encode(profile)) <= MOST_BYTES
    make_room(profile, HALF_LIFE)
    assert len(encode(profile)) <= MOST_BYTES
    assert (encode(profile) == before) == fitted
    assert all(len(getattr(profile, name).rows) % 4 == 0 for name in MEMORIES)


def test_what_is_taught_and_recalled_is_counted_until_room_is_made() -> None:
    """Room is made in time, although values are not counted anew after each event."""
    profile = largest(dict.fromkeys(MEMORIES, 1))
    make_room(profile, HALF_LIFE)
    for number in range(1, 9):
        teach(profile, Lesson(LATE, ORDER, [(name, number) for name in MEMORIES], 0, 3.0, 0), 15)
        make_room(profile, HALF_LIFE)
        assert len(encode(profile)) <= MOST_BYTES
    fewer = largest(dict.fromkeys(MEMORIES, 1))
    make_room(fewer, HALF_LIFE)
    row = [60_000, LATE, LATE, 15]
    recall(fewer, [Forgotten(name, key, row) for name in MEMORIES for key in (1, 2, 3)])
    assert len(encode(fewer)) > MOST_BYTES
    make_room(fewer, HALF_LIFE)
    assert len(encode(fewer)) <= MOST_BYTES


def test_the_value_with_the_least_weight_of_all_makes_room() -> None:
    """What the customer uses least goes, whichever memory it is in, and nothing else."""
    profile = largest({"prefixes": 12, "devices": 10, "agents": 6, "categories": 5, "asns": 4})
    profile.devices.rows[4:8] = [16, LATE - 1000, LATE - 1000, 0]
    assert len(encode(profile)) > MOST_BYTES
    make_room(profile, HALF_LIFE)
    assert profile.devices.find(MOST - 1) < 0
    assert sum(len(getattr(profile, name).keys) for name in MEMORIES) == 36


def fields(profile: Profile) -> dict[str, object]:
    """Everything in a profile, by the stored fields' names."""
    held = {name: getattr(profile, name) for name in StoredProfile.__struct_fields__}
    return {
        name: (value.keys, value.rows) if isinstance(value, Memory) else value
        for name, value in held.items()
    }


def test_every_field_is_stored_and_read_back_in_its_place() -> None:
    """No two fields change places on the way, and none is left behind."""
    profile = largest({name: number for number, name in enumerate(MEMORIES, start=1)})
    for number, field in enumerate(msgspec.structs.fields(StoredProfile)):
        if field.type in {int, float} and field.name != "version":
            setattr(profile, field.name, field.type(number))
    assert fields(decode(encode(profile))) == fields(profile)
    assert [len(memory.keys) for memory in profile.memories] == list(range(1, 16))
    assert [getattr(profile, name) for name in MEMORIES] == list(profile.memories)


def test_a_profile_reads_back() -> None:
    """Version, clock and all."""
    profile = newborn(1_790_812_859.9)
    use(profile.devices, 7, 3, HALF_LIFE, 3)
    profile.place = (51.5, -0.12, 3)
    assert fields(decode(encode(profile))) == fields(profile)
    assert decode(encode(profile)).devices.keys == [7]
    assert profile.minute(1_790_812_800.0 + 120) == 2
    assert profile.minute(0.0) == 0


@pytest.mark.parametrize("stored", [b"", b"\x90", b"\x92\x63\x00", b'{"version": 1}'])
def test_anything_else_is_refused(stored: bytes) -> None:
    """Another version, or bytes that are no profile, stop the worker."""
    with pytest.raises(IncompatibleState):
        decode(stored)

"""What is stored of indicators: little of it again where little of it changed."""

from zlib import crc32

import msgspec
import pytest

from detectors.errors import IncompatibleState
from detectors.heat.distinct import Distinct, Few
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import Entry
from detectors.heat.tallies import BUCKETS, WAYS, Tallies
from detectors.heat.tally import ENTRIES

MINUTE = 29_900_000
AGENT = key_of(Kind.AGENT, "what most customers have")


class Stored:
    """A table of tallies over a store of bytes, and the keys that were written last."""

    def __init__(self, *, reopen: bool = False) -> None:
        self.store: dict[bytes, bytes] = {}
        self.reopen = reopen
        self.tallies = Tallies(self.store.get)
        self.written: dict[bytes, bytes | None] = {}

    def let_in(self, *numbers: int, key: int = AGENT) -> None:
        """Hand over that so many more entered by an indicator."""
        tally = self.tallies.of(Kind.AGENT, key, MINUTE, MINUTE)
        tally.take(tuple(entry(number) for number in numbers))
        self.hand_over()

    def hand_over(self) -> None:
        """Make durable what changed."""
        self.written = dict(self.tallies.changes())
        self.store.update((key, value) for key, value in self.written.items() if value is not None)
        for key, value in self.written.items():
            if value is None:
                self.store.pop(key, None)
        if self.reopen:
            self.tallies = Tallies(self.store.get)

    def entries(self, key: int = AGENT) -> list[str]:
        """Who entered by an indicator, as whoever takes over has it."""
        tally = Tallies(self.store.get).of(Kind.AGENT, key, MINUTE, MINUTE)
        return [entry.event_id for entry in tally.entries]


def entry(number: int) -> Entry:
    """Somebody who was let in."""
    return Entry(f"account-{number}", str(number), 60.0 * MINUTE, -3.0, f"session-{number}")


@pytest.mark.parametrize("reopen", [False, True])
@pytest.mark.parametrize("at_once", [1, 3, 8, 11, 50])
def test_the_latest_entries_are_there_for_whoever_takes_over(at_once: int, *, reopen: bool) -> None:
    """However many come between two hand-overs, and whether or not the counter is made anew."""
    stored = Stored(reopen=reopen)
    for begin in range(0, 90, at_once):
        stored.let_in(*range(begin, begin + at_once))
        told = [str(number) for number in range(begin + at_once)]
        assert stored.entries() == told[-ENTRIES:]
    other = Stored()
    other.let_in(*range(begin + at_once))
    assert other.store == stored.store, "what is stored tells when it was handed over"


def test_one_more_entry_has_few_of_the_others_written_again() -> None:
    """An operator's last 32 take kilobytes, and it is met in every step."""
    stored, written = Stored(), []
    for number in range(200):
        stored.let_in(number)
        written.append(sum(len(value or b"") for value in stored.written.values()))
    whole = len(msgspec.msgpack.encode([entry(number) for number in range(ENTRIES)]))
    assert sum(written[100:]) / 100 < whole / 3


def test_what_an_earlier_version_stored_is_read_and_goes_on() -> None:
    """It had all entries with the tally, and a bit for each account; as long as nothing changes."""
    row = [
        Kind.AGENT, AGENT, MINUTE, 0, None, (1 << 5 | 1 << 9).to_bytes(32, "little"), None, None,
        None, 0, [entry(number) for number in range(ENTRIES)],
    ]  # fmt: skip
    stored = Stored()
    bucket = f"h:tallies:{(AGENT >> 20) % BUCKETS:x}".encode()
    stored.store[bucket] = msgspec.msgpack.encode((2, [row]))
    assert stored.entries() == [str(number) for number in range(ENTRIES)]
    stored.let_in(ENTRIES)
    assert stored.entries() == [str(number) for number in range(1, ENTRIES + 1)]
    assert Few.count(stored.tallies.of(Kind.AGENT, AGENT, MINUTE, MINUTE).users) == 2


@pytest.mark.parametrize("version", [2, 3])
def test_what_an_earlier_version_knew_of_ranges_is_read_and_goes_on(version: int) -> None:
    """It kept those taken back beside those that had counted, and none of days before."""
    networks, excused = bytearray(Distinct.LARGE), bytearray(Distinct.LARGE)
    Distinct.add(networks, (1 << 4, 2 << 12, 3 << 20))
    Distinct.add(excused, (2 << 12,))
    row = [
        Kind.AGENT, AGENT, MINUTE, 0, [MINUTE, [3.0, 3.0, 0.0] * 4], None, bytes(32), None,
        bytes(networks), MINUTE, [], [], 0, 0, 0, "", 0, False, None, MINUTE, MINUTE, 1, 0,
        bytes(excused),
    ]  # fmt: skip
    stored = Stored()
    bucket = f"h:tallies:{(AGENT >> 20) % BUCKETS:x}".encode()
    stored.store[bucket] = msgspec.msgpack.encode((version, [row + [0] * (version == 3)]))
    for _ in range(2):
        failures = Tallies(stored.store.get).of(Kind.AGENT, AGENT, MINUTE, MINUTE).failures
        assert failures is not None
        assert [Distinct.remove(failures.networks, one) for one in (1 << 4, 2 << 12, 3 << 20)] == [
            True, False, True,
        ]  # fmt: skip
        assert failures.networks_before is None
        # The same again from what is stored by now.
        stored.tallies.of(Kind.AGENT, AGENT, MINUTE, MINUTE)
        stored.hand_over()


def test_ranges_of_the_days_before_are_there_for_whoever_takes_over() -> None:
    """They are stored last, so that an earlier version reads what it knows."""
    stored = Stored()
    failures = stored.tallies.of(Kind.AGENT, AGENT, MINUTE, MINUTE).fails(MINUTE)
    failures.networks_before = bytearray(Distinct.LARGE)
    Distinct.add(failures.networks_before, (5 << 7,))
    stored.hand_over()
    again = Tallies(stored.store.get).of(Kind.AGENT, AGENT, MINUTE, MINUTE).failures
    assert again is not None
    assert Distinct.remove(again.networks_before, 5 << 7)
    assert not Distinct.remove(again.networks_before, 5 << 7)


@pytest.mark.parametrize("share", [0.8, 0.3, 0.05])
def test_of_many_ranges_a_share_is_chosen_evenly(share: float) -> None:
    """Whatever their numbers, and whichever bit is theirs; those of a smaller share among them."""
    digests = tuple(crc32(f"198.{18 + n // 256}.{n % 256}.0/24".encode()) for n in range(4_000))
    chosen = Distinct.thinned(digests, share)
    assert len(chosen) == pytest.approx(4_000 * share, rel=0.15)
    assert set(Distinct.thinned(digests, share / 2)) < set(chosen)
    bits = bytearray(Distinct.LARGE)
    Distinct.add(bits, chosen)
    assert Distinct.count(bits) == pytest.approx(len(chosen), rel=0.15)


def test_what_makes_room_leaves_nothing_behind() -> None:
    """Nor does it tell anything of an indicator that is met again, in the same step or later."""
    stored = Stored()
    for way in range(WAYS):
        stored.let_in(*range(20), key=AGENT ^ way << 50)
    blocks = sum(key.startswith(b"h:entries:") for key in stored.store)
    later = stored.tallies.of(Kind.AGENT, AGENT ^ WAYS << 50, MINUTE + 1, MINUTE + 1)
    later.take((entry(1),))
    [gone] = {AGENT ^ way << 50 for way in range(WAYS)} - set(stored.tallies.known[Kind.AGENT])
    # Met again before that is handed over, it takes the place of the next.
    again = stored.tallies.of(Kind.AGENT, gone, MINUTE + 2, MINUTE + 2)
    again.take(tuple(entry(number) for number in range(100, 109)))
    stored.hand_over()
    assert sum(key.startswith(b"h:entries:") for key in stored.store) == blocks - 2 * 2 + 1
    assert stored.entries(gone) == [str(number) for number in range(100, 109)]


@pytest.mark.parametrize("value", [None, b"\xc0", msgspec.msgpack.encode((5, []))])
def test_entries_that_are_not_there_are_not_passed_over(value: bytes | None) -> None:
    """State that is not whole is an error, not an indicator that let nobody in."""
    stored = Stored()
    stored.let_in(*range(10))
    [block] = [key for key in stored.store if key.startswith(b"h:entries:")]
    if value is None:
        del stored.store[block]
    else:
        stored.store[block] = value
    with pytest.raises(IncompatibleState, match="stored"):
        stored.entries()


def test_few_and_many_accounts_are_counted_as_in_one_set_of_bits() -> None:
    """A byte an account while they are few says the same as 256 bits."""
    few, bits = b"", bytearray(Distinct.SMALL)
    for number in range(400):
        digest = number * 2_654_435_761 % 2**24
        few = Few.add(few, (digest, digest))
        Distinct.add(bits, (digest,))
        assert Few.count(few) == Distinct.count(bits)
        assert len(few) <= Distinct.SMALL
    assert few == bits

"""What is stored of indicators: little of it again where little of it changed."""

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

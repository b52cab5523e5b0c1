"""Input that could not be used: read back, counted, and sent again once it can be.

A dead letter keeps a record's bytes, so nothing is lost by it; but a worker that puts most of its
input here has a fault of its own, and stops (`DeadLetterShare`).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from detectors.errors import ConfigurationError, InvalidEvent, TooManyDeadLetters
from detectors.faults import describe
from streams.codec import CUT_BYTES, decode, decode_object, encode_dead_letter
from streams.files import read_lines
from streams.runtime.interfaces import Prepared, Record, Send
from streams.sending import Outgoing
from streams.settings import Settings
from streams.topics import SOURCE_TYPES

RESENT_HEADER: Final = "nightlatch-resent"
_ORIGIN = re.compile(rb"([A-Za-z0-9._-]{1,249}:[0-9]{1,10}:[0-9]{1,19}):(-?[0-9]{1,19})?")


class Origin(NamedTuple):
    """Where a record was first, `topic:partition:offset`, and when: UTC epoch seconds, if known.

    An event that has no id and no time of its own has these. They must stay the same however
    often its record is sent again, or it would be taken for another event, of another day.
    """

    position: str
    timestamp: float | None


def origin_of(record: Record) -> Origin:
    """Return where a record was first; anything but what `resend` writes in its header is ignored.

    Of several such headers the first counts: it is the oldest.
    """
    stated = _stated_origin(record.headers) if record.headers else None
    return stated or Origin(f"{record.topic}:{record.partition}:{record.offset}", record.timestamp)


def _stated_origin(headers: Iterable[tuple[str, bytes | None]]) -> Origin | None:
    for name, value in headers:
        if name == RESENT_HEADER and (stated := _ORIGIN.fullmatch(value or b"")):
            position, milliseconds = stated.groups()
            timestamp = None if milliseconds is None else int(milliseconds) / 1000
            return Origin(position.decode(), timestamp)
    return None


def _origin_header(origin: Origin) -> tuple[str, bytes]:
    milliseconds = "" if origin.timestamp is None else round(origin.timestamp * 1000)
    return RESENT_HEADER, f"{origin.position}:{milliseconds}".encode()


class Complaint(msgspec.Struct, frozen=True):
    """Why a record could not be used; see `detectors.errors.InvalidEvent`."""

    code: str
    message: str
    field: str | None = None


class Cut(msgspec.Struct, frozen=True):
    """What a record measured of which a letter holds the beginning only; None: had no such part."""

    headers: int = 0
    key_bytes: int | None = None
    key_sha256: str | None = None
    value_bytes: int | None = None
    value_sha256: str | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be used, its bytes unchanged, unless `cut` says that they are cut.

    `received_at` is the record's time, None where that is none that the product takes.
    """

    topic: str
    partition: int
    offset: int
    received_at: datetime | None
    error: Complaint
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    cut: Cut | None = None

    @property
    def position(self) -> str:
        """Where the record was: `topic:partition:offset`."""
        return f"{self.topic}:{self.partition}:{self.offset}"

    @property
    def timestamp(self) -> float | None:
        """When the record was received, UTC epoch seconds."""
        return None if self.received_at is None else self.received_at.timestamp()

    @property
    def origin(self) -> Origin:
        """Where and when the record was first, which may be before it was sent again."""
        return _stated_origin(self.headers) or Origin(self.position, self.timestamp)

    @property
    def text(self) -> str | None:
        """The value as text, None where it is no UTF-8, or cut."""
        try:
            return None if self.value is None or self.cut else self.value.decode()
        except UnicodeDecodeError:
            return None


def decode_dead_letter(value: bytes | None) -> DeadLetter:
    """Return what `encode_dead_letter` wrote; raises InvalidEvent for anything else.

    In an object with a `text`, that is the value, whatever `value` says: this is how a record is
    mended by hand in a file.
    """
    fields = decode_object(value, limit=64 * 1024 * 1024)
    text = fields.pop("text", None)
    if isinstance(text, str):
        fields["value"] = None
    try:
        letter = msgspec.convert(fields, DeadLetter)
    except msgspec.ValidationError as error:
        raise InvalidEvent(
            "wrong_type", field=None, expected="a dead letter", found=describe(str(error))
        ) from None
    return msgspec.structs.replace(letter, value=text.encode()) if isinstance(text, str) else letter


def editable(letter: DeadLetter) -> dict[str, Any]:
    """Return a dead letter as JSON that can be mended by hand: with `text` where it is text."""
    fields: dict[str, Any] = msgspec.to_builtins(letter)
    if letter.text is not None:
        fields["text"] = letter.text
    return fields


def read_dead_letters(path: Path) -> Iterator[DeadLetter]:
    """Yield the dead letters of a file; raises ConfigurationError at a line that is none."""
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            try:
                yield decode_dead_letter(line)
            except InvalidEvent as error:
                raise ConfigurationError(f"{path}:{number}: {error}") from None


class Resend:
    """Decides of dead letters whether they can be sent again, and as what.

    They go to the input topics of the settings only: whoever can write to `dead-letters` must not
    be able to have an operator write to any topic of theirs. `repeats` counts letters of records
    that were given before: after a crash a letter may be there twice.
    """

    def __init__(self, settings: Settings) -> None:
        self.repeats = 0
        self._given: set[str] = set()
        self._sources = {settings.topic(name): name for name in SOURCE_TYPES}
        self._settings = settings

    def record(self, letter: DeadLetter) -> Outgoing | None:
        """Return the record with its bytes and headers, and one header that says whence it is.

        Its key is what it was, or the account where it should have been that. None where the same
        record was given before. Raises InvalidEvent for a letter that would only come back.
        """
        # Not by its origin: a header is what any producer may claim.
        if letter.position in self._given:
            self.repeats += 1
            return None
        outgoing = self._outgoing(letter)
        self._given.add(letter.position)
        return outgoing

    def _outgoing(self, letter: DeadLetter) -> Outgoing:
        source = self._sources.get(letter.topic)
        if source is None:
            names = ", ".join(self._sources)
            raise InvalidEvent(
                "not_allowed", field="topic", expected=f"one of {names}", found=letter.topic
            )
        if letter.cut is not None:
            raise InvalidEvent(
                "too_large",
                field="cut",
                expected="a letter that holds its whole record",
                found=f"the beginning of {letter.cut.value_bytes or 0:,} bytes: the record itself "
                f"is at {letter.position}",
            )
        event = decode(
            letter.value,
            type_=SOURCE_TYPES[source],
            timestamp=letter.origin.timestamp,
            fallback_id=letter.origin.position,
            limit=self._settings.max_record_bytes,
        )
        rekeyed = source in self._settings.rekey
        kept = [header for header in letter.headers if header[0] != RESENT_HEADER]
        return Outgoing(
            letter.topic,
            letter.key if rekeyed else event.account_id.encode(),
            letter.value,
            [*kept, _origin_header(letter.origin)],
        )


def selected(
    letters: Iterable[DeadLetter],
    *,
    topic: str | None = None,
    code: str | None = None,
    field: str | None = None,
) -> Iterator[DeadLetter]:
    """Yield the letters that have all of the given properties."""
    wanted: list[Callable[[DeadLetter], bool]] = []
    if topic is not None:
        wanted.append(lambda letter: letter.topic == topic)
    if code is not None:
        wanted.append(lambda letter: letter.error.code == code)
    if field is not None:
        wanted.append(lambda letter: letter.error.field == field)
    return (letter for letter in letters if all(has(letter) for has in wanted))


class DeadLetters:
    """Sorts out of a worker's runs what could not be used, and writes it to `topic`.

    Of `sources` too large a share may be unusable, for which `share` looks; what the flows tell one
    another comes in its own numbers, and would thin the share out.
    """

    def __init__(self, topic: str, share: "DeadLetterShare", sources: Collection[str]) -> None:
        self._topic = topic
        self._share = share
        self._sources = frozenset(sources)

    def sift(self, run: Sequence[Prepared]) -> tuple[list[Any], list[Send]]:
        """Return the contents of a run that can be used, and the letters of what cannot.

        What cannot be used has an InvalidEvent for content. Raises TooManyDeadLetters.
        """
        living, dead, letters = [], [], []
        input_records = 0
        for prepared in run:
            is_input = prepared.record.topic in self._sources
            input_records += is_input
            if isinstance(prepared.content, InvalidEvent):
                if is_input:
                    dead.append((prepared.record, prepared.content))
                letters.append(dead_letter(self._topic, prepared.record, prepared.content))
            else:
                living.append(prepared.content)
        self._share.count(input_records, dead)
        return living, letters


def bare(error: InvalidEvent) -> InvalidEvent:
    """Return an error without what it came of: that holds all that was decoded, while it waits."""
    error.__context__ = None
    return error.with_traceback(None)


def dead_letter(topic: str, record: Record, error: InvalidEvent) -> Send:
    """Return the message that puts a record, and what is wrong with it, on the topic for those."""
    key = record.key and record.key[:CUT_BYTES]  # a longer one may be what does not fit
    return Send(topic, key, encode_dead_letter(record, error), independent=True)


class DeadLetterShare:
    """Raises when unusable records are too large a share of the latest `window` records.

    It counts in windows one after another and raises within one as soon as its limit is reached,
    so a few bad records never stop a quiet worker. A `limit` of 1 never raises.
    """

    def __init__(self, limit: float, window: int) -> None:
        self._limit = limit
        self._window = window
        self._records = 0
        self._dead = 0

    def count(self, records: int, dead: Sequence[tuple[Record, InvalidEvent]]) -> None:
        """Count a run of `records`, of which `dead` could not be used.

        Raises TooManyDeadLetters, with the last error seen, where it was, and the way on: what
        stopped a worker is not taken, and stops it again at its next start. The value that was
        found is not told: this goes to the log, and may be anybody's.
        """
        self._records += records
        self._dead += len(dead)
        if dead and self._limit < 1 and self._dead >= self._limit * self._window:
            record, error = dead[-1]
            subject = f"field {error.field!r}" if error.field else "the record"
            raise TooManyDeadLetters(
                f"{self._dead} of the last {self._records} records could not be used, which is "
                f"more than dead_letter_limit allows ({self._limit:.0%} of {self._window}); the "
                f"last, {record.topic}:{record.partition}:{record.offset}: {error.code}, "
                f"{subject}: expected {error.expected}. Mend what sends them; a worker with "
                "dead_letter_limit 1 then puts aside those that are there, as dead letters, and "
                "goes on"
            )
        if self._records >= self._window:
            self._records = self._dead = 0

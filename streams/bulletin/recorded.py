"""What a bulletin is counted from: the topics as they stand, or files of the same objects.

Orders are many, and of most accounts nothing was alerted: only those of alerted accounts are kept.
Where each figure comes from is noted, down to offsets, so that it can be counted again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar, get_args

import msgspec

from detectors.assessments import Alert
from detectors.bulletin.contents import Bulletin, Source, Span
from detectors.bulletin.months import Month
from detectors.bulletin.standing import Recorded
from detectors.campaigns.records import Campaign
from detectors.errors import ConfigurationError, InvalidEvent, UnreadableFile
from detectors.events import Event, EventType, Feedback, Order
from detectors.heat.records import Attack
from detectors.intelligence import IndicatorReport
from streams.codec import decode, decode_alert, decode_published, rfc3339
from streams.files import read_lines
from streams.settings import Settings
from streams.sharing.records import decode_report
from streams.tailing import between, kept
from streams.topics import CountedTopic

_COMPACTED: Final = frozenset({"campaigns", "indicators"})
_DAY: Final = 86_400.0
_T = TypeVar("_T")


class Line(NamedTuple):
    """A record or a line: `time` is the record's (UTC epoch seconds), None for a line."""

    value: bytes | None
    time: float | None
    place: str
    key: bytes | None = None


class Input(NamedTuple):
    """A topic or a file of a CountedTopic, and how to tell of it once its lines have been taken."""

    name: str
    lines: Iterable[Line]
    source: Callable[[], Source]


class Read(NamedTuple):
    """All that was read; `assessed` counts the events of the month that were scored.

    `as_of` (UTC epoch seconds) is the newest time of all: of records, or of a file's contents; 0
    without any.
    """

    recorded: Recorded
    attacks: tuple[Attack, ...]
    reports: tuple[IndicatorReport, ...]
    assessed: int
    sources: tuple[Source, ...]
    as_of: float


class _Peek(msgspec.Struct):
    account_id: str | None = None
    type: str | None = None


class _Scored(msgspec.Struct):
    occurred_at: str


def from_topics(settings: Settings, month: Month, again: Bulletin | None = None) -> Read:
    """Read the topics, or what an earlier bulletin read of them (`again`).

    What was written from a day before the month on. What is compacted (campaigns, indicators) is
    always read whole, as it stands now: what stood at an offset is gone. Raises
    ConfigurationError where what was read is not kept any more, BrokerTrouble without brokers.
    """
    earlier = {source.what: source for source in again.sources} if again else {}
    inputs = {
        what: _topic(settings, what, month, earlier.get(what) if what not in _COMPACTED else None)
        for what in get_args(CountedTopic)
    }
    return _read({what: [one] for what, one in inputs.items()}, month)


def from_files(files: Mapping[CountedTopic, Sequence[Path]], month: Month) -> Read:
    """Read files of the same objects, one a line; `orders` may have sign-ins and verdicts too."""
    inputs = {what: [_file(what, path) for path in paths] for what, paths in files.items()}
    return _read(inputs, month)


def _topic(settings: Settings, what: CountedTopic, month: Month, earlier: Source | None) -> Input:
    topic = settings.topic(what)
    missing: float | None = None
    spans: Mapping[int, tuple[int, int]]
    if earlier is not None:
        spans = {span.partition: (span.begin, span.end) for span in earlier.spans}
    else:
        spans, missing = kept(settings, topic, 0.0 if what in _COMPACTED else month.begin - _DAY)

    def lines() -> Iterator[Line]:
        for record in between(settings, topic, spans):
            place = f"{topic}:{record.partition}:{record.offset}"
            yield Line(record.value, record.timestamp, place, record.key)

    lost = missing if what not in _COMPACTED and missing and missing > month.begin else None
    return Input(
        topic,
        lines(),
        lambda: Source(
            what=what,
            name=topic,
            records=0,
            spans=tuple(Span(partition, *span) for partition, span in sorted(spans.items())),
            missing_before=rfc3339(lost) if lost else None,
        ),
    )


def _file(what: CountedTopic, path: Path) -> Input:
    def lines() -> Iterator[Line]:
        for number, line in enumerate(read_lines(path), start=1):
            if line.strip():
                yield Line(line, None, f"{path.name}:{number}")

    return Input(
        path.name,
        lines(),
        lambda: Source(what=what, name=path.name, records=0, sha256=_sha256(path)),
    )


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from None


class _Reader:
    """Takes inputs one after the other, and notes of each what came of it."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.latest = 0.0

    def take(
        self,
        inputs: Iterable[Input],
        decoded: Callable[[Line], _T | None],
        time_of: Callable[[_T], float],
    ) -> list[_T]:
        """Return what there is; None is what is none of our business."""
        found: list[_T] = []
        for one in inputs:
            records = unreadable = 0
            latest = 0.0
            for line in one.lines:
                records += 1
                try:
                    content = decoded(line)
                except InvalidEvent:
                    unreadable += 1
                    continue
                if content is not None:
                    found.append(content)
                if line.time is not None:
                    latest = max(latest, line.time)
                elif content is not None:
                    latest = max(latest, time_of(content))
            self.latest = max(self.latest, latest)
            self.sources.append(
                msgspec.structs.replace(
                    one.source(),
                    records=records,
                    unreadable=unreadable,
                    latest=rfc3339(latest) if latest else None,
                )
            )
        return found


def _read(inputs: Mapping[CountedTopic, Sequence[Input]], month: Month) -> Read:
    reader = _Reader()
    alerts = reader.take(inputs["alerts"], _alert, lambda alert: alert.updated_at)
    accounts = {alert.account_id for alert in alerts}
    published: list[Campaign | Attack] = reader.take(inputs["campaigns"], _published, _last_seen)
    verdicts = reader.take(inputs["feedback"], _verdict, _occurred_at)
    events: list[Event] = reader.take(
        inputs["orders"], lambda line: _order(line, accounts), _occurred_at
    )
    prefix = str(month)
    scored = reader.take(inputs["assessments"], lambda line: _scored(line, prefix), _no_time)
    return Read(
        Recorded(
            alerts,
            [*verdicts, *(event for event in events if isinstance(event, Feedback))],
            [event for event in events if isinstance(event, Order)],
            [one for one in published if isinstance(one, Campaign)],
        ),
        tuple(one for one in published if isinstance(one, Attack)),
        tuple(_standing(reader.take(inputs["indicators"], _report, _valid_from))),
        len(scored),
        tuple(reader.sources),
        reader.latest,
    )


def _alert(line: Line) -> Alert:
    return decode_alert(line.value)


def _published(line: Line) -> Campaign | Attack | None:
    # A tombstone says that nothing is to be said any more.
    return decode_published(line.value) if line.value is not None else None


def _report(line: Line) -> IndicatorReport | str:
    """A report, or the id of one that is taken back."""
    if line.value is None:
        return (line.key or b"").decode(errors="replace")
    return decode_report(line.value)


def _standing(told: Iterable[IndicatorReport | str]) -> Iterable[IndicatorReport]:
    latest: dict[str, IndicatorReport] = {}
    for one in told:
        if isinstance(one, str):
            latest.pop(one, None)
        else:
            latest[one.indicator_id] = one
    return latest.values()


def _valid_from(told: IndicatorReport | str) -> float:
    return 0.0 if isinstance(told, str) else told.valid_from


def _verdict(line: Line) -> Feedback | None:
    event = _event(line, "feedback")
    return event if isinstance(event, Feedback) else None


def _order(line: Line, accounts: set[str]) -> Event | None:
    """An order of one of these accounts; of a file, a verdict on any too."""
    try:
        peek = msgspec.json.decode(line.value or b"", type=_Peek)
    except msgspec.DecodeError:
        peek = _Peek(None, "order")  # to be told what is wrong with it
    wanted = peek.type in (None, "order") and (
        peek.account_id is None or peek.account_id in accounts
    )
    if not wanted and peek.type != "feedback":
        return None
    return _event(line, None if line.time is None else "order")


def _scored(line: Line, prefix: str) -> bool | None:
    try:
        scored = msgspec.json.decode(line.value or b"", type=_Scored)
    except msgspec.DecodeError as error:
        raise InvalidEvent(
            "wrong_type", field=None, expected="an assessment", found=str(error)[:100]
        ) from None
    return True if scored.occurred_at.startswith(prefix) else None


def _event(line: Line, type_: EventType | None) -> Event:
    return decode(line.value, type_=type_, timestamp=line.time, fallback_id=line.place)


def _last_seen(published: Campaign | Attack) -> float:
    return published.last_seen


def _occurred_at(event: Event) -> float:
    return event.occurred_at


def _no_time(_scored: bool) -> float:  # noqa: FBT001 - what is counted
    return 0.0


def read_bulletin(path: Path) -> Bulletin:
    """Read a bulletin's JSON file; raises ConfigurationError for anything else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Bulletin)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{path} is no bulletin: {error}") from None

"""What a retailer's own topics, or files of them, say: campaigns, verdicts, others' reports."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from detectors.campaigns.records import Campaign
from detectors.errors import ConfigurationError, InvalidEvent
from detectors.events import Feedback
from streams.codec import decode, decode_published
from streams.files import read_events, read_lines
from streams.settings import Settings
from streams.sharing.confirmed import Told
from streams.sharing.records import decode_report, read_reports
from streams.sharing.staying import TakenBack
from streams.tailing import tail


def from_topics(settings: Settings) -> Iterator[Told]:
    """Yield the campaigns, verdicts and reports on the topics, as they stand at the call.

    What is no campaign or verdict is passed over: its reader proper tells of it.
    """
    for record in tail(settings, settings.topic("campaigns"), from_beginning=True, to_end=True):
        try:
            published = decode_published(record.value)
        except InvalidEvent:
            continue
        if isinstance(published, Campaign):
            yield published
    for record in tail(settings, settings.topic("feedback"), from_beginning=True, to_end=True):
        try:
            event = decode(
                record.value,
                type_="feedback",
                timestamp=record.timestamp,
                fallback_id="none",
                limit=settings.max_record_bytes,
            )
        except InvalidEvent:
            continue
        if isinstance(event, Feedback):
            yield event
    for record in tail(settings, settings.topic("indicators"), from_beginning=True, to_end=True):
        if record.value is None:
            yield TakenBack((record.key or b"").decode(errors="replace"))
            continue
        try:
            yield decode_report(record.value)
        except InvalidEvent:
            continue


def from_files(
    campaigns: Iterable[Path], feedback: Iterable[Path], reports: Iterable[Path] = ()
) -> Iterator[Told]:
    """Yield what is in files, as the backtest, the contract and an import's `--out` have them.

    Raises ConfigurationError, naming the line, for what is none of it: nobody else would tell.
    """
    for path in campaigns:
        yield from _campaigns(path)
    for path in feedback:
        for found in read_events(path):
            if isinstance(found.content, InvalidEvent):
                raise ConfigurationError(f"{path}:{found.number} is no event: {found.content}")
            if isinstance(found.content, Feedback):
                yield found.content
    for path in reports:
        yield from read_reports(path)


def _campaigns(path: Path) -> Iterator[Campaign]:
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = decode_published(line)
        except InvalidEvent as error:
            raise ConfigurationError(f"{path}:{number} is no campaign: {error}") from None
        if isinstance(record, Campaign):
            yield record

"""What a retailer's own topics, or files of them, say of campaigns and verdicts."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from detectors.campaigns.records import Campaign
from detectors.errors import InvalidEvent
from detectors.events import Feedback
from streams.codec import decode, decode_published
from streams.files import read_events, read_lines
from streams.settings import Settings
from streams.tailing import tail

Told = Campaign | Feedback


def from_topics(settings: Settings) -> Iterator[Told]:
    """Yield the campaigns and the verdicts on the topics, as they stand at the call.

    What is no campaign or verdict is passed over: its reader proper tells of it.
    """
    for record in tail(settings, settings.topic("campaigns"), from_beginning=True, to_end=True):
        yield from _campaign(record.value)
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


def from_files(campaigns: Iterable[Path], feedback: Iterable[Path]) -> Iterator[Told]:
    """Yield the campaigns and verdicts of files, as the backtest and the contract have them."""
    for path in campaigns:
        for line in read_lines(path):
            if line.strip():
                yield from _campaign(line)
    for path in feedback:
        for found in read_events(path):
            if isinstance(found.content, Feedback):
                yield found.content


def _campaign(value: bytes | None) -> Iterator[Campaign]:
    try:
        record = decode_published(value)
    except InvalidEvent:
        return
    if isinstance(record, Campaign):
        yield record

"""Reads what belongs to a case back from the topics, and nothing of anybody else's.

The topics of events are read from a day before the case on, by the records' time; of what is read,
only the case's own events and the verdicts on it are kept.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from detectors.assessments import Alert
from detectors.errors import ConfigurationError, InvalidEvent
from detectors.events import Event, EventType, Feedback
from detectors.heat import Attack
from detectors.markings import Marking
from detectors.snapshots import Snapshot
from streams.codec import decode, decode_alert, decode_object, decode_published
from streams.dead_letters import origin_of
from streams.evidence.records import decode_evidence
from streams.runtime.interfaces import Record
from streams.settings import Settings, SourceTopic
from streams.tailing import tail
from streams.topics import MERGE_ORDER, SOURCE_TYPES

_BEFORE: Final = 86_400.0
"""Seconds by which a record's time may be earlier than its event's."""


class Received(NamedTuple):
    """An event as it was received, and what it says."""

    record: Record
    type: EventType
    event: Event


class Revision(NamedTuple):
    """One revision of an alert: the bytes that were published, and what they say.

    `withheld` is the marking of what it was judged by and is not in it any more.
    """

    value: bytes
    alert: Alert
    withheld: Marking | None = None


class Gathered(NamedTuple):
    """All there is of a case: an alert's, or of all alerts of a campaign.

    `revisions` are in the order of accounts, then of revisions; `events` by the broker's time.
    `missing` are the ids of events that are not in the topics (any more).
    """

    id: str
    campaign: bytes | None
    revisions: tuple[Revision, ...]
    snapshots: dict[tuple[str, int], Snapshot]
    events: tuple[Received, ...]
    missing: tuple[str, ...]


def gather(settings: Settings, case_id: str) -> Gathered:
    """Return all there is of an alert or a campaign.

    Raises ConfigurationError where there is none of this id, and BrokerTrouble.
    """
    campaign, alert_ids = _campaign(settings, case_id)
    revisions = _revisions(settings, alert_ids)
    if not revisions:
        raise ConfigurationError(
            f"there is no alert and no campaign {case_id!r} in {settings.topic('alerts')} and "
            f"{settings.topic('campaigns')}, which keep them for a month if not set otherwise"
        )
    snapshots = _snapshots(settings, revisions)
    wanted = {
        (revision.alert.account_id, event_id)
        for revision in revisions
        for event_id in revision.alert.event_ids
    }
    events = _events(settings, revisions, wanted)
    found = {(one.event.account_id, one.event.event_id) for one in events}
    return Gathered(
        case_id,
        campaign,
        tuple(revisions),
        snapshots,
        tuple(events),
        tuple(sorted({event_id for _, event_id in wanted - found})),
    )


def _campaign(settings: Settings, case_id: str) -> tuple[bytes | None, frozenset[str]]:
    """The last revision of a campaign and its alerts; of what is no campaign, the id as it is."""
    value, campaign = None, None
    topic = settings.topic("campaigns")
    for record in tail(settings, topic, from_beginning=True, to_end=True):
        if record.key == case_id.encode():
            try:
                value, campaign = record.value, decode_published(record.value)
            except InvalidEvent:
                continue
    if campaign is None:
        return None, frozenset({case_id})
    if isinstance(campaign, Attack):
        raise ConfigurationError(
            f"{case_id} is an attack, not a campaign: it names no accounts. `nightlatch campaigns "
            "--kind campaign` shows what its alerts belong to"
        )
    if campaign.merged_into is not None:
        raise ConfigurationError(f"campaign {case_id} goes on as {campaign.merged_into}")
    if not campaign.alert_ids:
        raise ConfigurationError(
            f"campaign {case_id} has no alert: verdicts alone tell of its accounts, and no score "
            "stands on anything"
        )
    return value, frozenset(campaign.alert_ids)


def _revisions(settings: Settings, alert_ids: frozenset[str]) -> list[Revision]:
    found: dict[tuple[str, str, int], Revision] = {}
    for record in tail(settings, settings.topic("alerts"), from_beginning=True, to_end=True):
        try:
            alert = decode_alert(record.value)
        except InvalidEvent:
            continue
        if alert.alert_id in alert_ids:
            # A crash repeats a revision byte for byte.
            key = alert.account_id, alert.alert_id, alert.revision
            found.setdefault(key, Revision(record.value or b"", alert))
    return [found[key] for key in sorted(found)]


def _snapshots(settings: Settings, revisions: list[Revision]) -> dict[tuple[str, int], Snapshot]:
    wanted = {(revision.alert.alert_id, revision.alert.account_id) for revision in revisions}
    alert_ids = {alert_id for alert_id, _ in wanted}
    found: dict[tuple[str, int], Snapshot] = {}
    for record in tail(settings, settings.topic("evidence"), from_beginning=True, to_end=True):
        try:
            # Looked at before it is unpacked: most are other cases'.
            if str(decode_object(record.value).get("alert_id")) not in alert_ids:
                continue
            snapshot = decode_evidence(record.value)
        except InvalidEvent:
            continue
        if (snapshot.alert_id, snapshot.account_id) not in wanted:
            continue  # another account's, planted under an alert of the case
        found.setdefault((snapshot.alert_id, snapshot.revision), snapshot)
    return found


def _events(
    settings: Settings, revisions: list[Revision], wanted: set[tuple[str, str]]
) -> list[Received]:
    since = max(0.0, min(revision.alert.raised_at for revision in revisions) - _BEFORE)
    alert_ids = frozenset(revision.alert.alert_id for revision in revisions)
    found: list[Received] = []
    for source in MERGE_ORDER:
        for received in _of_accounts(settings, source, {a for a, _ in wanted}, since):
            event = received.event
            key = event.account_id, event.event_id
            if isinstance(event, Feedback):
                named = {(event.account_id, event_id) for event_id in event.event_ids}
                if event.alert_id in alert_ids or not named.isdisjoint(wanted):
                    found.append(received)
            elif key in wanted:
                found.append(received)
    return sorted(found, key=lambda one: (one.record.timestamp, *one.record[:3]))


def _of_accounts(
    settings: Settings, source: SourceTopic, accounts: set[str], since: float
) -> Iterator[Received]:
    type_ = SOURCE_TYPES[source]
    keys = frozenset(account.encode() for account in accounts)
    keyed = source not in settings.rekey
    for record in tail(settings, settings.topic(source), since=since, to_end=True):
        if keyed and record.key not in keys:
            continue
        event = event_of(record, type_, limit=settings.max_record_bytes)
        if event is not None and event.account_id in accounts:
            yield Received(record, type_, event)


def event_of(record: Record, type_: EventType, *, limit: int) -> Event | None:
    """Return what a record says as the worker reads it; None where it is no event."""
    origin = origin_of(record)
    try:
        return decode(
            record.value,
            type_=type_,
            timestamp=origin.timestamp,
            fallback_id=origin.position,
            limit=limit,
        )
    except InvalidEvent:
        return None

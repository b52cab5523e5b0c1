"""`nightlatch alerts`: hijack attempts as they are raised."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, get_args

import typer

from detectors.assessments import Alert, Severity
from detectors.errors import InvalidEvent
from detectors.events import Feedback
from streams.cli.options import AsJson, Broker, SettingsFile, Since, settings_from, since_seconds
from streams.cli.watching import FromBeginning, MaxCount, Timeout, decoded, show
from streams.runtime.interfaces import Record
from streams.settings import Settings

_RANKS: dict[str, int] = {name: rank for rank, name in enumerate(get_args(Severity))}
_Found = tuple[Record, Alert]


def command(
    *,
    from_beginning: FromBeginning = False,
    since: Since = None,
    open_: Annotated[
        bool,
        typer.Option(
            "--open",
            help="Show the cases without a verdict as they stand now, gravest first, and end.",
        ),
    ] = False,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="Only alerts of this account.")
    ] = None,
    severity: Annotated[Severity, typer.Option(help="Only alerts at least so severe.")] = "low",
    max_count: MaxCount = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Show alerts as they come, until Ctrl-C: what to do, why, and what the customer usually does.

    Without --from-beginning, --since or --open it begins with the next alert. A case may come again
    as its next revision, under the same id. `nightlatch verdict` says what one turned out to be.
    """
    from streams.codec import decode_alert
    from streams.presentation import alert_view
    from streams.tailing import tail

    chosen = settings_from(settings, broker)
    records = tail(
        chosen,
        chosen.topic("alerts"),
        from_beginning=from_beginning or open_,
        since=since_seconds(since),
        to_end=open_,
        patience=timeout,
    )
    found = decoded(records, decode_alert)
    if open_:
        _tell_what_is_gone(chosen)
        found = _open(found, _verdicts(chosen))
    wanted = (
        (record, alert)
        for record, alert in found
        if account in (None, alert.account_id) and _RANKS[alert.severity] >= _RANKS[severity]
    )
    show(islice(wanted, max_count), alert_view, as_json=as_json)


def _tell_what_is_gone(settings: Settings) -> None:
    """Verdicts that are not kept as long as alerts are leave cases that look open."""
    from streams.codec import rfc3339
    from streams.tailing import kept

    topic = settings.topic("feedback")
    missing_before = kept(settings, topic).missing_before
    if missing_before is not None:
        typer.echo(
            f"{topic} is kept from {rfc3339(missing_before)} on: a case that was settled before may"
            " be shown as open",
            err=True,
        )


def _verdicts(settings: Settings) -> Iterator[Feedback]:
    """Every verdict that is kept; what is none is the worker's to put aside."""
    from streams.codec import decode
    from streams.tailing import tail

    for record in tail(settings, settings.topic("feedback"), from_beginning=True, to_end=True):
        try:
            verdict = decode(
                record.value, type_="feedback", timestamp=record.timestamp, fallback_id="verdict"
            )
        except InvalidEvent:
            continue
        if isinstance(verdict, Feedback):
            yield verdict


def _open(found: Iterable[_Found], verdicts: Iterable[Feedback]) -> Iterator[_Found]:
    """The latest revision of each case that no verdict is on, gravest first."""
    latest: dict[str, _Found] = {}
    events: defaultdict[str, set[str]] = defaultdict(set)
    for record, alert in found:
        events[alert.alert_id].update(alert.event_ids)
        held = latest.get(alert.alert_id)
        # What a worker told before it died comes again: an older revision after a newer one.
        if held is None or alert.revision >= held[1].revision:
            latest[alert.alert_id] = record, alert
    judged = [(verdict.account_id, verdict.alert_id, verdict.event_ids) for verdict in verdicts]
    settled = {alert_id for _, alert_id, _ in judged}
    told = {(account, event) for account, _, event_ids in judged for event in event_ids}
    for record, alert in sorted(latest.values(), key=_gravity, reverse=True):
        by_event = any((alert.account_id, event) in told for event in events[alert.alert_id])
        if alert.alert_id not in settled and not by_event:
            yield record, alert


def _gravity(found: _Found) -> tuple[int, float, float]:
    alert = found[1]
    return _RANKS[alert.severity], alert.risk, alert.updated_at

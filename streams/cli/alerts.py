"""`nightlatch alerts`: hijack attempts as they are raised."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, get_args

import typer

from detectors.assessments import Alert, Severity
from streams.cli.options import AsJson, Broker, SettingsFile, Since, settings_from, since_seconds
from streams.cli.watching import FromBeginning, MaxCount, Timeout, decoded, show
from streams.runtime.interfaces import Record

_RANKS: dict[str, int] = {name: rank for rank, name in enumerate(get_args(Severity))}


def command(
    *,
    from_beginning: FromBeginning = False,
    since: Since = None,
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

    Without --from-beginning or --since it begins with the next alert. A case may come again as
    its next revision, under the same id.
    """
    from streams.presentation import alert_view
    from streams.tailing import tail

    chosen = settings_from(settings, broker)
    records = tail(
        chosen,
        chosen.topic("alerts"),
        from_beginning=from_beginning,
        since=since_seconds(since),
        patience=timeout,
    )
    wanted = _wanted(records, account=account, severity=severity)
    show(islice(wanted, max_count), alert_view, as_json=as_json)


def _wanted(
    records: Iterator[Record], *, account: str | None, severity: Severity
) -> Iterator[tuple[Record, Alert]]:
    from streams.codec import decode_alert

    for record, alert in decoded(records, decode_alert):
        if account in (None, alert.account_id) and _RANKS[alert.severity] >= _RANKS[severity]:
            yield record, alert

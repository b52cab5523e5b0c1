"""`nightlatch alerts`: hijack attempts as they are raised."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, get_args

import typer

from detectors.assessments import Alert, Severity
from detectors.errors import InvalidEvent
from streams.cli.options import AsJson, Broker, SettingsFile, Since, settings_from, since_seconds
from streams.runtime.interfaces import Record

_RANKS: dict[str, int] = {name: rank for rank, name in enumerate(get_args(Severity))}


def command(
    *,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest alert that is kept.")
    ] = False,
    since: Since = None,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="Only alerts of this account.")
    ] = None,
    severity: Annotated[Severity, typer.Option(help="Only alerts at least so severe.")] = "low",
    max_count: Annotated[
        int | None, typer.Option("--max", min=1, metavar="N", help="End after so many alerts.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="SECONDS", help="End when nothing came for so long."),
    ] = None,
    as_json: AsJson = False,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Show alerts as they come, until Ctrl-C: what to do, why, and what the customer usually does.

    Without --from-beginning or --since it begins with the next alert. A case may come again as
    its next revision, under the same id.
    """
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
    show = _show_json if as_json else _shown_to_people()
    for record, alert in islice(wanted, max_count):
        show(record, alert)


def _wanted(
    records: Iterator[Record], *, account: str | None, severity: Severity
) -> Iterator[tuple[Record, Alert]]:
    from streams.codec import decode_alert
    from streams.presentation import printable

    for record in records:
        try:
            alert = decode_alert(record.value)
        except InvalidEvent as error:
            place = f"{record.topic}:{record.partition}:{record.offset}"
            typer.echo(printable(f"{place}: {error}"), err=True)
            continue
        if account in (None, alert.account_id) and _RANKS[alert.severity] >= _RANKS[severity]:
            yield record, alert


def _show_json(record: Record, _alert: Alert) -> None:
    """Write the object as it is on the topic: a newer worker's fields stay in it."""
    import orjson

    typer.echo(orjson.dumps(orjson.loads(record.value or b"null")))


def _shown_to_people() -> Callable[[Record, Alert], None]:
    from rich.console import Console

    from streams.presentation import alert_view

    console = Console(highlight=False)

    def show(_record: Record, alert: Alert) -> None:
        console.print(alert_view(alert))

    return show

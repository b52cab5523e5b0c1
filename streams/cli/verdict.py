"""`nightlatch verdict`: what an alert turned out to be."""

import time
from typing import Annotated

import orjson
import typer

from detectors.errors import ConfigurationError
from detectors.events import Verdict, VerdictSource
from streams.cli.options import Broker, SettingsFile, settings_from


def command(
    verdict: Annotated[Verdict, typer.Argument(help="What it was.")],
    alerts: Annotated[list[str], typer.Argument(metavar="ALERT...", help="Ids of alerts.")],
    *,
    source: Annotated[VerdictSource, typer.Option(help="Who says so.")] = "analyst",
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Say what alerts turned out to be: the workers learn from it, and the bulletin counts it.

    A later verdict on the same alert takes the place of the earlier. All ids must be of alerts that
    the topic keeps, or nothing is sent.
    """
    from streams.cli.watching import decoded
    from streams.codec import decode_alert, rfc3339
    from streams.sending import Outgoing, send_to
    from streams.tailing import tail

    chosen = settings_from(settings, broker)
    topic, feedback = chosen.topic("alerts"), chosen.topic("feedback")
    accounts = {
        alert.alert_id: alert.account_id
        for _, alert in decoded(tail(chosen, topic, from_beginning=True, to_end=True), decode_alert)
        if alert.alert_id in alerts
    }
    if unknown := [name for name in alerts if name not in accounts]:
        raise ConfigurationError(f"there is no alert {unknown[0]!r} in {topic}")
    said = {"type": "feedback", "occurred_at": rfc3339(time.time()), "verdict": verdict}
    records = [
        Outgoing(
            feedback,
            account.encode(),
            orjson.dumps({**said, "account_id": account, "alert_id": alert, "source": source}),
            [],
        )
        for alert, account in accounts.items()
    ]
    send_to(chosen, [feedback], records)
    for alert, account in accounts.items():
        typer.echo(f"{verdict}: alert {alert} of account {account}")

"""`nightlatch demo`: hijacks staged among a small shop's traffic, and caught, on a real Kafka."""

import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from streams.cli.options import SettingsFile
from streams.cli.progress import waiting

if TYPE_CHECKING:
    from rich.console import Console

    from detectors.assessments import Alert
    from detectors.simulation import Story
    from streams.demonstration.outcome import Outcome
    from streams.demonstration.playing import Player

# A Monday: the same story whenever it is told. The live part is its last afternoon and evening.
_START: Final = datetime(2026, 10, 5, tzinfo=UTC).timestamp()
_LIVE_FROM_HOUR: Final = 15
_LIVE_MINUTES: Final = 360.0


def command(
    *,
    broker: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="A Kafka that is already there, instead of one started for the demonstration. "
            "Topics of their own are made on it and deleted in the end.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long the live traffic, six hours of it, is to take.")
    ] = 60.0,
    accounts: Annotated[int, typer.Option(min=200, help="The shop's customers.")] = 20_000,
    days: Annotated[int, typer.Option(min=1, help="Days of history before the live part.")] = 28,
    seed: Annotated[int, typer.Option(help="Another seed, another story.")] = 7,
    settings: SettingsFile = None,
) -> None:
    """Watch hijacks being caught. Ends by itself after about two minutes, with the figures.

    Starts a real Apache Kafka and a worker, loads some weeks of a small shop's history, then
    streams live traffic with one hijack of every family in it and shows each alert as it comes,
    beside what was staged. The summary is measured from what came back on `alerts`. Ctrl-C ends
    it at any moment and leaves nothing behind.
    """
    _end_on_signals()
    from rich.console import Console

    from detectors.simulation import lookup_rows, story
    from streams.demonstration.installation import installed
    from streams.demonstration.outcome import Outcome
    from streams.demonstration.playing import Clients, Player
    from streams.demonstration.screen import families_view, summary_view
    from streams.kafka_clients import admin, consumer

    console = Console(highlight=False)
    live_from = _START + days * 86_400 + _LIVE_FROM_HOUR * 3600
    with ExitStack() as stack:
        with waiting() as report:
            report("Inventing the shop", 0, 1)
            told = story(
                seed=seed,
                start=_START,
                accounts=accounts,
                history_days=days + _LIVE_FROM_HOUR / 24,
                live_minutes=_LIVE_MINUTES,
            )
            report("Inventing the shop", 1, 1)
            installation = stack.enter_context(
                installed(broker, settings, lookup_rows(seed), report)
            )
        chosen = installation.settings
        reader = stack.enter_context(consumer(chosen))
        clients = Clients(chosen, stack.enter_context(admin(chosen)), reader)
        player = Player(installation, clients)
        outcome = Outcome(told, live_from)
        _learn(player, told, outcome)
        console.print(_introduction(told, accounts, days, seconds))
        console.print(families_view(told.hijacks))
        _live(console, player, told, outcome, seconds)
    console.print(summary_view(outcome.summary()))


def _end_on_signals() -> None:
    """Let the first signal end the demonstration, and no further one disturb its clearing up."""

    def end(number: int, _frame: Any) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else typer.Exit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, end)


def _introduction(told: "Story", accounts: int, days: int, seconds: float) -> str:
    return (
        f"\nThe worker has learnt [bold]{len(told.history):,}[/] events of [bold]{accounts:,}[/] "
        f"customers over [bold]{days}[/] days. Now {_LIVE_MINUTES / 60:.0f} hours of live traffic "
        f"in {seconds:.0f} seconds, [bold]{len(told.live):,}[/] events, with "
        f"[bold]{len(told.hijacks)}[/] hijacks among them:\n"
    )


def _learn(player: "Player", told: "Story", outcome: "Outcome") -> None:
    """Let the worker get to know its customers."""
    with waiting() as report:
        player.play(
            told.history,
            seconds=0,
            on_alert=lambda alert, latency: _forget(outcome.take(alert, latency)),
            on_progress=lambda at: report("Learning the customers' habits", at.done, at.total),
        )


def _forget(_finding: object) -> None:
    """Alerts that the history raises are counted, not shown."""


def _live(
    console: "Console", player: "Player", told: "Story", outcome: "Outcome", seconds: float
) -> None:
    from streams.demonstration.screen import alert_panel, revision_line

    shown: set[str] = set()

    def show(alert: "Alert", latency: float | None) -> None:
        finding = outcome.take(alert, latency)
        view = revision_line if alert.alert_id in shown else alert_panel
        shown.add(alert.alert_id)
        console.print(view(alert, finding))

    with waiting(console) as report:
        player.play(
            told.live,
            seconds=seconds,
            on_alert=show,
            on_progress=lambda at: report("Live traffic", at.done, at.total),
        )

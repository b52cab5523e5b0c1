"""`nightlatch demo`: hijacks staged among a small shop's traffic, and caught, on a real Kafka."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from detectors.assessments import Alert
from detectors.campaigns import Campaign
from streams.cli.options import SettingsFile
from streams.cli.progress import waiting
from streams.interrupts import interrupt

if TYPE_CHECKING:
    from rich.console import Console

    from detectors.simulation import Story
    from streams.demonstration.outcome import Outcome
    from streams.demonstration.playing import Player, Progress, Told

# A Monday: the same story whenever it is told. The live part is its last afternoon and evening.
_START: Final = datetime(2026, 10, 5, tzinfo=UTC).timestamp()
_LIVE_FROM_HOUR: Final = 15
_LIVE_HOURS: Final = 6
# One family hits several accounts, from few addresses and with many tries: a gang.
_GANG: Final = "stuffing_fast"
_GANG_SIZE: Final = 5
_TRIES: Final = 450
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def command(
    *,
    broker: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="A Kafka that is already there, instead of one started for the demonstration. "
            "Topics of its own are made on it and deleted in the end.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long the live traffic, six hours of it, is to take.")
    ] = 60.0,
    accounts: Annotated[int, typer.Option(min=200, help="The shop's customers.")] = 20_000,
    days: Annotated[int, typer.Option(min=1, help="Days of history before the live part.")] = 28,
    seed: Annotated[int, typer.Option(help="Another seed, another story.")] = 1,
    budget: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="Share of account-days that may alert.")
    ] = 0.01,
    settings: SettingsFile = None,
) -> None:
    """Watch hijacks being caught. Ends by itself after about two minutes, with the figures.

    Starts a real Apache Kafka and a worker, loads some weeks of a small shop's history, then
    streams live traffic with hijacks of every family in it, one of them a gang's, and shows each
    alert and campaign as it comes, beside what was staged. The summary is measured from what came
    back on `alerts` and `campaigns`. Ctrl-C ends it at any moment and leaves nothing behind.
    """
    from rich.console import Console

    from streams.demonstration.installation import WorkerEnded
    from streams.demonstration.screen import summary_view

    console, first_signal = Console(highlight=False), _FirstSignal()
    try:
        told = _invent(seed, accounts, days)
        outcome = _outcome(told, days)
        with first_signal.held(), ExitStack() as stack:
            player = _set_up(
                stack,
                console,
                check=first_signal.check,
                seed=seed,
                broker=broker,
                settings=settings,
                budget=budget,
            )
            _learn(player, told, outcome)
            console.print(_introduction(told, accounts, days, seconds, budget))
            _live(console, player, told, outcome, seconds)
        console.print(summary_view(outcome.summary()))
    except KeyboardInterrupt:
        console.print("\nEnded before its time; nothing of it is left running.")
        raise typer.Exit(130) from None
    except WorkerEnded as end:
        typer.echo(f"{end.log}\nnightlatch: {end}", err=True)
        raise typer.Exit(1) from None


class _FirstSignal:
    """Lets the first signal end the demonstration, and no further one disturb its clearing up.

    While it is held, KeyboardInterrupt comes from `check` alone: raised in the middle of a Kafka
    client it would leave it in pieces.
    """

    def __init__(self) -> None:
        self._came = self._held = False
        for number in _SIGNALS:
            signal.signal(number, self._take)

    def check(self) -> None:
        """Raise KeyboardInterrupt where a signal has come."""
        if self._came:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold signals back until the context checks or ends."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.check()

    def _take(self, _number: int, frame: FrameType | None) -> None:
        first, self._came = not self._came, True
        if first:
            interrupt(frame, unless=lambda: self._held)


def _invent(seed: int, accounts: int, days: int) -> "Story":
    from detectors.simulation import story

    with waiting() as report:
        report("Inventing a shop and its customers", 0, 0)
        return story(
            seed=seed,
            start=_START,
            accounts=accounts,
            history_days=days + _LIVE_FROM_HOUR / 24,
            live_minutes=_LIVE_HOURS * 60.0,
            more={_GANG: _GANG_SIZE},
            tries=_TRIES,
        )


def _outcome(told: "Story", days: int) -> "Outcome":
    from streams.demonstration.outcome import Outcome

    return Outcome(told, live_from=_START + days * 86_400 + _LIVE_FROM_HOUR * 3600)


def _set_up(
    stack: ExitStack,
    console: "Console",
    *,
    check: Callable[[], None],
    seed: int,
    broker: str | None,
    settings: Path | None,
    budget: float,
) -> "Player":
    from detectors.simulation import lookup_rows
    from streams.demonstration.installation import installed
    from streams.demonstration.playing import Clients, Player
    from streams.kafka_clients import admin, consumer

    with waiting() as show:

        def report(what: str, done: int, total: int) -> None:
            check()
            show(what, done, total)

        context = installed(
            broker, settings, networks=lookup_rows(seed), budget=budget, report=report
        )
        installation = stack.enter_context(context)
    chosen = installation.settings
    kafka = "Apache Kafka" if broker else "A new Apache Kafka"
    console.print(f"{kafka} on [bold]{', '.join(chosen.broker)}[/], and one worker.")
    reader = stack.enter_context(consumer(chosen))
    clients = Clients(chosen, stack.enter_context(admin(chosen)), reader)
    return Player(installation, clients, check)


def _introduction(told: "Story", accounts: int, days: int, seconds: float, budget: float) -> str:
    families = ", ".join(dict.fromkeys(hijack.family for hijack in told.hijacks))
    return (
        f"The worker has learnt [bold]{len(told.history):,}[/] events of "
        f"[bold]{accounts:,}[/] customers over [bold]{days}[/] days, and may alert on "
        f"{budget:.1%} of account-days.\n\n"
        f"Now {_LIVE_HOURS} hours of live traffic in {seconds:.0f} seconds: "
        f"[bold]{len(told.live):,}[/] events, [bold]{len(told.hijacks)}[/] hijacks among them "
        f"[dim]({families})[/].\n"
    )


def _learn(player: "Player", told: "Story", outcome: "Outcome") -> None:
    """Let the worker get to know its customers. What it alerts on meanwhile is only counted."""

    def count(told: "Told", latency: float | None) -> None:
        if isinstance(told, Alert):
            outcome.take(told, latency)
        elif isinstance(told, Campaign):
            outcome.take_campaign(told)

    with waiting() as report:
        player.play(
            told.history,
            seconds=0,
            on_told=count,
            on_progress=lambda at: report("Learning the customers' habits", at.done, at.total),
        )


def _live(
    console: "Console", player: "Player", told: "Story", outcome: "Outcome", seconds: float
) -> None:
    from streams.demonstration import screen

    shown: dict[str, Alert] = {}
    attacks: set[str] = set()

    def show(told: "Told", latency: float | None) -> None:
        if isinstance(told, Alert):
            finding = outcome.take(told, latency)
            before = shown.get(told.alert_id)
            shown[told.alert_id] = told
            if before is None:
                console.print(screen.alert_panel(told, finding))
            else:
                console.print(screen.revision_line(told, finding, before))
        elif isinstance(told, Campaign):
            if outcome.take_campaign(told):
                console.print(screen.campaign_line(told))
        elif told.technique not in attacks:
            attacks.add(told.technique)
            console.print(screen.attack_line(told))

    with screen.live_bar(console, len(told.live)) as bar:

        def progress(at: "Progress") -> None:
            bar.update(at.sent, told.live[max(0, at.sent - 1)].time, len(shown))

        player.play(told.live, seconds=seconds, on_told=show, on_progress=progress)

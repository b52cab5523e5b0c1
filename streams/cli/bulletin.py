"""`nightlatch bulletin`: a month in figures, for the retailers and the police."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detectors.bulletin.disclosure import MINIMUM, SMALLEST_MINIMUM
from detectors.bulletin.months import Month
from detectors.errors import ConfigurationError
from streams.cli.options import Broker, SettingsFile, settings_from

if TYPE_CHECKING:
    from streams.topics import CountedTopic


def _files(help_: str) -> Any:
    return typer.Option(metavar="FILE", help=help_)


def command(
    *,
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month, in UTC.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Write bulletin-YYYY-MM.* into this folder.")
    ] = Path(),
    minimum: Annotated[
        int,
        typer.Option(
            min=SMALLEST_MINIMUM, help="Show no figure that is of fewer accounts than this."
        ),
    ] = MINIMUM,
    country: Annotated[
        str | None,
        typer.Option(metavar="CC", help="Country (GB, FR) of orders that tell none."),
    ] = None,
    retailer: Annotated[str | None, typer.Option(help="Whose bulletin it is.")] = None,
    previous: Annotated[
        Path | None,
        _files("Last month's bulletin (JSON); the one beside this in the folder if absent."),
    ] = None,
    again: Annotated[
        Path | None, _files("Count the records again that this bulletin (JSON) counted.")
    ] = None,
    alerts: Annotated[
        list[Path] | None, _files("Read files, not Kafka: alerts, every revision.")
    ] = None,
    campaigns: Annotated[list[Path] | None, _files("With --alerts: campaigns.")] = None,
    feedback: Annotated[list[Path] | None, _files("With --alerts: verdicts.")] = None,
    events: Annotated[
        list[Path] | None, _files("With --alerts: orders, with other events or without.")
    ] = None,
    assessments: Annotated[
        list[Path] | None, _files("With --alerts: the scores of events.")
    ] = None,
    indicators: Annotated[
        list[Path] | None, _files("With --alerts: what others have shared.")
    ] = None,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Count a month: attempts, takeovers, orders stopped and lost, by week, technique and area.

    Writes HTML, PDF, CSV and JSON without personal data, from what the topics keep; with --alerts
    from files of the same objects, such as a backtest writes.
    """
    from streams.documents import require

    # Before the imports that need what it asks for.
    require(what="the bulletin", pdf=True)
    from streams.bulletin.document import gaps
    from streams.bulletin.recorded import from_files, from_topics, read_bulletin
    from streams.bulletin.writing import bulletin_of, previous_of, write
    from streams.sharing.keys import read_keys
    from streams.whole_files import make_folder

    wanted, land = Month.of(month), _country(country)
    files: dict[CountedTopic, list[Path]] = {
        "alerts": alerts or [],
        "campaigns": campaigns or [],
        "feedback": feedback or [],
        "orders": events or [],
        "assessments": assessments or [],
        "indicators": indicators or [],
    }
    if not alerts and any(files.values()):
        raise ConfigurationError("files of anything else need --alerts")
    if alerts and again:
        raise ConfigurationError("--again is for what was counted from topics: give the files")
    before = previous_of(wanted, out, previous)
    make_folder(out, "--out")
    chosen = settings_from(settings, broker)
    keys = read_keys(chosen.sharing_keys) if chosen.sharing_keys else ()
    if alerts:
        read = from_files(files, wanted)
    else:
        read = from_topics(chosen, wanted, read_bulletin(again) if again else None)
    bulletin = bulletin_of(
        read, wanted, minimum=minimum, country=land, retailer=retailer, keys=keys
    )
    for sentence in gaps(bulletin, wanted):
        typer.echo(sentence, err=True)
    for path in write(bulletin, before, out):
        typer.echo(f"wrote {path}", err=True)


def _country(text: str | None) -> str | None:
    if text is not None and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ConfigurationError(f"--country {text!r} is no country code: expected one like GB")
    return text.upper() if text else None

"""`nightlatch intel`: intelligence to others and from them."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from detectors.errors import ConfigurationError
from streams.cli.options import Broker, SettingsFile, Since, settings_from, since_seconds
from streams.extras import require

if TYPE_CHECKING:
    from detectors.markings import Marking
    from streams.settings import Settings
    from streams.sharing.confirmed import Finding
    from streams.sharing.importing import Taken, Terms
    from streams.sharing.targets import Format, Target

app = typer.Typer(help="Share indicators of confirmed campaigns with others, and take in theirs.")

_STANDARD_OUTPUT: Final = Path("-")
_MOST_FAULTS_TOLD: Final = 20
_MOST_NAMED: Final = 5
Tlp = Literal["clear", "green", "amber", "amber+strict", "red"]


@app.command()
def export(
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one file; - is standard output, the default."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a file a campaign into this folder.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option(help="Send reports, as `indicators` carries them, to this topic.")
    ] = None,
    taxii: Annotated[
        str | None, typer.Option(metavar="URL", help="Add to this TAXII 2.1 collection.")
    ] = None,
    format_: Annotated[
        Literal["stix", "misp"], typer.Option("--format", help="Of files: STIX 2.1, or MISP JSON.")
    ] = "stix",
    name: Annotated[
        str | None,
        typer.Option(help="What others know this retailer by, over the setting `sharing_name`."),
    ] = None,
    tlp: Annotated[Tlp, typer.Option(help="Marking, TLP 2.0.")] = "amber",
    days: Annotated[
        float, typer.Option(min=1, max=365, help="Days for which what is told is valid.")
    ] = 60.0,
    minimum: Annotated[
        int, typer.Option(min=2, help="Tell nothing of a smaller group of accounts.")
    ] = 3,
    unverified: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="N",
            help="So many alerted accounts confirm a campaign; else only a takeover verdict does.",
        ),
    ] = None,
    campaigns: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Campaigns from a file instead of the topic."),
    ] = None,
    feedback: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Verdicts from a file instead of the topic."),
    ] = None,
    indicators: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="What others told, from a file instead of the topic."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="With --follow: how often.")
    ] = 60.0,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Tell others the indicators of confirmed campaigns.

    Confirmed is a campaign with a takeover verdict on one of its accounts. What concerns a person
    leaves as a keyed hash only (setting `sharing_keys`), account ids and alerts never, nor what
    others told under TLP:RED or TLP:AMBER+STRICT: see docs/sharing.md.
    """
    from streams.enrichment import Enricher
    from streams.sharing.confirmed import Terms, confirmed
    from streams.sharing.exporting import from_files, from_topics
    from streams.sharing.keys import read_keys
    from streams.sharing.networks import kind_of_range

    chosen = settings_from(settings, broker, sharing_name=name)
    target = _target(chosen, _one_of(out, folder, topic, taxii), format_, tlp)
    source = chosen.sharing_name
    if not source:
        raise ConfigurationError("who shares is not known: give --name, or set sharing_name")
    keys = read_keys(chosen.sharing_keys) if chosen.sharing_keys else ()
    terms = Terms(source, keys[0] if keys else None, tlp, days, minimum, unverified)
    enricher = Enricher(chosen.lookups)
    offline = bool(campaigns or feedback or indicators)
    while True:
        told = (
            from_files(campaigns or [], feedback or [], indicators or [])
            if offline
            else from_topics(chosen)
        )
        findings = confirmed(terms, lambda prefix: kind_of_range(enricher, prefix), told, keys)
        target.tell([finding for finding in findings if finding.indicators])
        _say_exported(findings, keyed=bool(keys))
        if not follow:
            return
        time.sleep(every)


@app.command("import")
def import_(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="STIX 2.1, MISP JSON or CSV; - is standard input."),
    ] = None,
    *,
    taxii: Annotated[
        str | None, typer.Option(metavar="URL", help="From this TAXII 2.1 collection.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option(help="From this topic, where another's export sends reports.")
    ] = None,
    format_: Annotated[
        Literal["stix", "misp", "csv"] | None,
        typer.Option("--format", help="Of the files, where their contents do not tell it."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Who answers for all of it; else whom each indicator names as its source.",
        ),
    ] = None,
    days: Annotated[
        float, typer.Option(min=1, max=365, help="Longest that anything is valid from now on.")
    ] = 90.0,
    tlp: Annotated[Tlp, typer.Option(help="Marking of what bears none, TLP 2.0.")] = "amber",
    since: Since = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write reports here, a line each, not to the topic."),
    ] = None,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Take in what others report, for the workers to use.

    What cannot be used is told with its place, and the rest goes on; the exit code is 1 then.
    """
    from detectors.intelligence.table import MOST_OF_A_FEED
    from streams.sharing.importing import Terms
    from streams.sharing.keys import read_keys

    chosen = settings_from(settings, broker)
    if sum(map(bool, (files, taxii, topic))) != 1:
        raise ConfigurationError("give one of: files, --taxii, --topic")
    keys = read_keys(chosen.sharing_keys) if chosen.sharing_keys else ()
    feed = topic or (taxii or "files").partition("?")[0]
    terms = Terms(_now(), source, days, tlp, keys[0] if keys else None, feed)
    begins = since_seconds(since)
    if topic:
        found = _from_topic(chosen, topic, begins, terms)
    elif taxii:
        found = _from_taxii(chosen, taxii, begins, terms)
    else:
        found = _from_files(files or [], format_, terms)
    counts: Counter[str] = Counter()
    records = _records(found, counts)
    if out is not None:
        _write(out, records)
    else:
        _send(chosen, records)
    typer.echo(
        f"{counts['taken']} reports taken in, {counts['withdrawn']} taken back,"
        f" {counts['faults']} could not be used",
        err=True,
    )
    if counts["taken"] > MOST_OF_A_FEED:
        typer.echo(f"a worker holds {MOST_OF_A_FEED} of a feed: some have no effect", err=True)
    if counts["faults"]:
        raise typer.Exit(1)


@app.command()
def key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Its name, such as 2026-12.")],
    *,
    settings: SettingsFile = None,
) -> None:
    """Make a new key and put it in front of those in the file that `sharing_keys` names.

    Hand it to the group's members over a way that only they can read, then take the oldest key out
    once nothing that was hashed with it is valid any more.
    """
    from streams.sharing.keys import add_key

    chosen = settings_from(settings, None)
    if chosen.sharing_keys is None:
        raise ConfigurationError("the setting sharing_keys names no file")
    add_key(chosen.sharing_keys, key_id)
    typer.echo(f"{key_id} is in use, in {chosen.sharing_keys}", err=True)


def _now() -> float:
    return time.time()


def _one_of(
    out: Path | None, folder: Path | None, topic: str | None, taxii: str | None
) -> tuple[str, Path | str]:
    given: list[tuple[str, Path | str]] = [
        (name, value)
        for name, value in (("out", out), ("folder", folder), ("topic", topic), ("taxii", taxii))
        if value is not None
    ]
    if len(given) > 1:
        raise ConfigurationError("--out, --folder, --topic and --taxii: give one of them")
    return given[0] if given else ("out", _STANDARD_OUTPUT)


def _target(
    settings: "Settings", way: tuple[str, Path | str], format_: "Format", marking: "Marking"
) -> "Target":
    from streams.sharing import targets

    match way:
        case "topic", str(topic):
            return targets.ToTopic(settings, topic)
        case "taxii", str(url):
            require("--taxii", "sharing", "stix2", "taxii2client")
            return targets.ToTaxii(settings, url, marking)
        case name, Path() as path:
            require(f"--format {format_}", "sharing", "stix2" if format_ == "stix" else "pymisp")
            if name == "out":
                return targets.ToFile(path, format_, marking)
            if not path.is_dir():
                raise ConfigurationError(f"--folder {path}: there is no such folder")
            return targets.ToFolder(path, format_, marking)
    raise AssertionError(way)


def _say_exported(findings: "list[Finding]", *, keyed: bool) -> None:
    from streams.presentation import printable

    told = sum(len(finding.indicators) for finding in findings)
    withheld = sum(finding.withheld for finding in findings)
    campaigns = sum(bool(finding.indicators) for finding in findings)
    typer.echo(f"{campaigns} campaigns, {told} indicators; {withheld} kept back", err=True)
    staying = sorted({name for finding in findings for name in finding.staying})
    if staying:
        names = ", ".join(staying[:_MOST_NAMED]) + (", …" if len(staying) > _MOST_NAMED else "")
        told_so = f"some were told here under TLP:RED or TLP:AMBER+STRICT, by {names}"
        typer.echo(printable(f"{told_so}: ask before you tell"), err=True)
    if not keyed:
        typer.echo("no key: set sharing_keys to share what concerns a person, hashed", err=True)


def _from_files(files: Iterable[Path], format_: str | None, terms: "Terms") -> "Iterator[Taken]":
    from streams.sharing.importing import read_whole

    for path in files:
        data = read_whole(path)
        reader = _reader(format_ or _format_of(data))
        yield from reader(data, str(path), terms)


def _format_of(data: bytes) -> str:
    """CSV begins with its header; STIX tells its type; all else in JSON is MISP's."""
    beginning = data[:4_096].lstrip()
    if beginning[:1] not in (b"{", b"["):
        return "csv"
    return "stix" if b'"objects"' in data or b'"bundle"' in beginning else "misp"


def _reader(format_: str) -> "Callable[[bytes, str, Terms], Iterator[Taken]]":
    if format_ == "csv":
        from streams.sharing.plain_csv import read_csv

        return read_csv
    if format_ == "misp":
        from streams.sharing.misp import read_misp

        return read_misp
    require("STIX", "sharing", "stix2")
    from streams.sharing.stix_reading import read_stix

    return read_stix


def _from_taxii(
    settings: "Settings", url: str, begins: float | None, terms: "Terms"
) -> "Iterator[Taken]":
    require("--taxii", "sharing", "stix2", "taxii2client")
    from streams.codec import rfc3339
    from streams.sharing.stix_reading import read_objects
    from streams.sharing.taxii import fetch

    objects = fetch(settings, url, added_after=None if begins is None else rfc3339(begins))
    yield from read_objects(objects, url, terms)


def _from_topic(
    settings: "Settings", topic: str, begins: float | None, terms: "Terms"
) -> "Iterator[Taken]":
    from streams.sharing.records import read_record
    from streams.tailing import tail

    records = tail(settings, topic, from_beginning=begins is None, since=begins, to_end=True)
    for record in records:
        yield read_record(record, terms)


def _records(
    found: "Iterable[Taken]", counts: "Counter[str]"
) -> Iterator[tuple[str, bytes | None]]:
    """Yield ids and values for the topic; tell what cannot be used, a few times."""
    from streams.presentation import printable
    from streams.sharing.importing import Fault, Withdrawn
    from streams.sharing.records import encode_report

    for one in found:
        if isinstance(one, Fault):
            counts["faults"] += 1
            if counts["faults"] <= _MOST_FAULTS_TOLD:
                typer.echo(printable(str(one)), err=True)
        elif isinstance(one, Withdrawn):
            counts["withdrawn"] += 1
            yield one.indicator_id, None
        else:
            counts["taken"] += 1
            yield one.indicator_id, encode_report(one)


def _send(settings: "Settings", records: Iterable[tuple[str, bytes | None]]) -> None:
    from streams.sending import Outgoing, send_to

    topic = settings.topic("indicators")
    # All of it first: what is wrong with a feed is told whether or not brokers are there.
    outgoing = [Outgoing(topic, name.encode(), value, []) for name, value in records]
    send_to(settings, [topic], outgoing)


def _write(path: Path, records: Iterable[tuple[str, bytes | None]]) -> None:
    from streams.whole_files import write_whole

    standing: dict[str, bytes] = {}
    for name, value in records:
        standing.pop(name, None)
        if value is not None:
            standing[name] = value
    write_whole(path, b"".join(value + b"\n" for value in standing.values()))

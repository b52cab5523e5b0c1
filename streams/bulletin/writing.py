"""Writes a bulletin: HTML, PDF, CSV and JSON, each named after its month."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Final

import msgspec

from detectors.bulletin.contents import Bulletin, Row
from detectors.bulletin.counting import count
from detectors.bulletin.elsewhere import seen_elsewhere
from detectors.bulletin.months import Month
from detectors.errors import ConfigurationError
from detectors.intelligence import GroupKey
from streams.bulletin.document import document
from streams.bulletin.recorded import Read, read_bulletin
from streams.codec import rfc3339
from streams.documents.page import html
from streams.documents.pdf import pdf
from streams.whole_files import write_together

_COLUMNS: Final = ("month", "table", "name", "measure", "currency", "value")


def bulletin_of(
    read: Read,
    month: Month,
    *,
    minimum: int,
    country: str | None,
    retailer: str | None,
    keys: Sequence[GroupKey] = (),
) -> Bulletin:
    """Count what was read; `keys` are those that others hash with."""
    elsewhere = seen_elsewhere(read.recorded.campaigns, read.reports, keys, month)
    figures = count(
        read.recorded,
        read.attacks,
        month,
        minimum=minimum,
        country=country,
        seen_elsewhere=elsewhere if read.reports else None,
    )
    return Bulletin(
        **msgspec.structs.asdict(figures),
        retailer=retailer,
        as_of=rfc3339(read.as_of) if read.as_of else None,
        assessed=read.assessed,
        sources=read.sources,
    )


def previous_of(month: Month, folder: Path, path: Path | None) -> Bulletin | None:
    """Return the bulletin of the month before: from its file, or the one in a folder, if any.

    Raises ConfigurationError where it is of another month.
    """
    beside = named(folder, str(month.previous), "json")
    if path is None and not beside.exists():
        return None
    previous = read_bulletin(path or beside)
    if previous.month != str(month.previous):
        raise ConfigurationError(
            f"{path or beside} is the bulletin of {previous.month}, not of {month.previous}"
        )
    return previous


def named(folder: Path, month: str, suffix: str) -> Path:
    """Return where a month's bulletin is in a folder."""
    return folder / f"bulletin-{month}.{suffix}"


def write(bulletin: Bulletin, previous: Bulletin | None, folder: Path) -> list[Path]:
    """Write the files into a folder, all or none; return their paths.

    The same bulletin gives the same bytes.
    """
    report = document(bulletin, previous)
    data = msgspec.json.format(msgspec.json.encode(bulletin), indent=1)
    contents = {
        "html": html(report).encode(),
        "pdf": pdf(report),
        "csv": table(bulletin).encode(),
        "json": data + b"\n",
    }
    files = {named(folder, bulletin.month, suffix): data for suffix, data in contents.items()}
    write_together(files)
    return list(files)


def table(bulletin: Bulletin) -> str:
    """Return the CSV file: a line a figure; one that is not shown has no value."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in _lines(bulletin):
        writer.writerow((bulletin.month, *line))
    return text.getvalue()


_Line = tuple[str, str, str, str, int | None]


def _lines(bulletin: Bulletin) -> Iterator[_Line]:
    for measure, value in msgspec.structs.asdict(bulletin.totals).items():
        yield from _values("total", "", measure, value)
    for name, rows in (
        ("week", bulletin.weeks),
        ("technique", bulletin.techniques),
        ("area", bulletin.areas),
        ("campaign", [campaign.row for campaign in bulletin.campaigns]),
        ("campaign", [bulletin.other_campaigns] if bulletin.other_campaigns else []),
    ):
        for row in rows:
            yield from _of_row(name, row)
    for campaign in bulletin.campaigns:
        yield "campaign", campaign.row.name, "accounts_in_all", "", campaign.accounts
        if campaign.sources is not None:
            yield "campaign", campaign.row.name, "other_sources", "", campaign.sources
    for attack in bulletin.attacks:
        for measure in ("attacks", "accounts", "entered"):
            yield "attack", attack.technique, measure, "", getattr(attack, measure)


def _of_row(table_: str, row: Row) -> Iterator[_Line]:
    for measure in ("attempts", "takeovers", "stopped", "lost", "saved", "at_loss"):
        yield from _values(table_, row.name, measure, getattr(row, measure))


def _values(
    table_: str, name: str, measure: str, value: int | dict[str, int | None] | None
) -> Iterator[_Line]:
    if isinstance(value, dict):
        for currency, amount in sorted(value.items()):
            yield table_, name, measure, currency, amount
    else:
        yield table_, name, measure, "", value

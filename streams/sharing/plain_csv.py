"""Plain CSV: a header, then a thing a line. What most feeds and spreadsheets can give.

Columns, of which only `value` (or `hash` with `kind` and `key_id`) must be there: `kind` (else
an address or AS number is told by its look), `value`, `hash`, `key_id`, `source`, `valid_from`,
`valid_until`, `confidence`, `sightings`, `techniques` (separated by blanks), `tlp`, `campaign`.
"""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from typing import Final

from detectors.errors import InvalidEvent
from detectors.faults import one_of
from detectors.intelligence.records import KIND_OF
from streams.sharing.importing import Fault, Said, Taken, Terms, not_allowed, taken

COLUMNS: Final = (
    "kind", "value", "hash", "key_id", "source", "valid_from", "valid_until", "confidence",
    "sightings", "techniques", "tlp", "campaign",
)  # fmt: skip
_NUMBER: Final = re.compile(r"[0-9]{1,13}")


def read_csv(data: bytes, where: str, terms: Terms) -> Iterator[Taken]:
    """Yield what comes of each line of a CSV file; places are named by `where` and the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {error.start} that is none"
        yield Fault(where, InvalidEvent("not_allowed", field=None, expected="UTF-8", found=found))
        return
    rows = csv.DictReader(StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        if not {"value", "hash"} & set(rows.fieldnames or ()):
            expected = f"a header with `value`, and of {', '.join(COLUMNS)} what there is"
            yield Fault(f"{where}:1", not_allowed("the header", expected, rows.fieldnames))
            return
        for row in rows:
            place = f"{where}:{rows.line_num}"
            try:
                said = _said(row)
            except InvalidEvent as error:
                yield Fault(place, error)
                continue
            yield from taken(said, place, terms)
    except csv.Error as error:
        # Where quotes do not close, nobody knows where the next line begins.
        wrong = InvalidEvent("not_allowed", field=None, expected="CSV", found=str(error))
        yield Fault(f"{where}:{rows.line_num}", wrong)


def _said(row: dict[str, str | None]) -> Said:
    cells = {name: cell.strip() for name in COLUMNS if (cell := row.get(name)) is not None and cell}
    text = cells.get("value")
    kind = cells.get("kind") or _look(text or "")
    if kind != "address" and kind not in KIND_OF:
        raise not_allowed("kind", one_of(KIND_OF), cells.get("kind") or text)
    return Said(
        kind=kind,
        text=text,
        source=cells.get("source"),
        hash=cells.get("hash"),
        key_id=cells.get("key_id"),
        valid_from=_number(cells.get("valid_from")),
        valid_until=_number(cells.get("valid_until")),
        confidence=_number(cells.get("confidence")),
        sightings=_number(cells.get("sightings")),
        techniques=tuple(cells.get("techniques", "").split()),
        tlp=cells.get("tlp"),
        campaign=cells.get("campaign"),
    )


def _number(cell: str | None) -> int | str | None:
    """A number where it is one; whoever reads it says what else it should have been."""
    return int(cell) if cell and _NUMBER.fullmatch(cell) else cell


def _look(text: str) -> str:
    if re.fullmatch(r"(?i)as ?[0-9]{1,10}", text):
        return "asn"
    return "address" if re.fullmatch(r"[0-9A-Fa-f:./]+", text) and text else ""

"""How a bulletin's figures are written."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from detectors.bulletin.areas import UNKNOWN
from detectors.bulletin.breakdowns import SMALL
from detectors.bulletin.contents import Row
from detectors.bulletin.counting import NO_CURRENCY
from detectors.techniques import TECHNIQUES

NOT_SHOWN: Final = "n/s"
"""In place of a figure that is of too few accounts."""

_KINDS: Final = {
    "address_prefix": "range of addresses",
    "asn": "network operator",
    "user_agent": "browser",
    "client_shape": "make of client",
    "payment": "means of payment",
}


def number(count: int | None) -> str:
    """A count, or that it is not shown."""
    return NOT_SHOWN if count is None else f"{count:,}"


def money(sums: Mapping[str, int | None]) -> str:
    """Sums by currency, the largest first, and whether there are more that are not shown."""
    known = sorted(((value, name) for name, value in sums.items() if value), reverse=True)
    texts = [f"{value:,} {_currency(name)}" for value, name in known]
    if None in sums.values():
        texts.append(NOT_SHOWN)
    return " + ".join(texts) or "0"


def _currency(name: str) -> str:
    return "(no currency)" if name == NO_CURRENCY else name


def days(first: str, last: str) -> str:
    """Two ISO days as people write them, the month only where it changes."""
    begin, end = map(date.fromisoformat, (first, last))
    if begin == end:
        return f"{end.day} {end:%b}"
    month = "" if begin.month == end.month else f" {begin:%b}"
    return f"{begin.day}{month}–{end.day} {end:%b}"  # noqa: RUF001 - a span of days


def week(name: str) -> str:
    """The days `2026-11-02/2026-11-08` as people write them."""
    first, last = name.split("/")
    return days(first, last)


def technique(row: Row) -> str:
    """A technique in words."""
    if row.rows:
        return others(row, "technique")
    return f"{row.name} {TECHNIQUES[row.name]}" if row.name in TECHNIQUES else row.name


def area(row: Row) -> str:
    """A postcode area."""
    if row.rows:
        return others(row, "area")
    return "no postcode known" if row.name == UNKNOWN else row.name


def kind(name: str) -> str:
    """A kind of indicator."""
    return _KINDS.get(name, name.replace("_", " "))


def others(row: Row, what: str) -> str:
    """A row that stands for several."""
    return f"{row.rows} {SMALL[:-1]} {what}" + ("s together" if row.rows > 1 else "")

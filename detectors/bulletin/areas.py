"""The area of a postcode: coarse enough for thousands of households, fine enough for a map.

It is published, so what is no postcode is told as none. What only counts, and repeats nothing of
what a field held, need not ask (`detectors.features.reading.area_of`).
"""

import re
from typing import Final

UNKNOWN: Final = "no postcode"
_BRITISH: Final = frozenset({"GB", "UK"})
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_LETTERS: Final = re.compile(r"[A-Z]{1,2}(?=[0-9])")
_START: Final = re.compile(r"[0-9]{2}|[A-Z]{1,2}(?=[0-9])")


def publishable_area(postcode: str | None, country: str | None) -> str:
    """Return where an order was to go: `SW` in the United Kingdom, `FR-75` elsewhere.

    For the United Kingdom the letters before the first digit (one of about 120 postcode areas);
    elsewhere the country and the first two digits, or the letters before the first digit where a
    code begins with them. UNKNOWN without a postcode or a country, or where it is none: what
    somebody typed in a field is not repeated.
    """
    code = re.sub(r"[\s-]", "", (postcode or "").upper())
    land = (country or "").upper()
    if not _COUNTRY.fullmatch(land):
        return UNKNOWN
    if land in _BRITISH:
        found = _LETTERS.match(code)
        return found[0] if found else UNKNOWN
    found = _START.match(code)
    return f"{land}-{found[0]}" if found else UNKNOWN

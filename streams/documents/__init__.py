"""A report for people: described once, written as one HTML page and as PDF.

A `Document` says what there is to read; `page.html` and `pdf.pdf` say it in their own way. Neither
needs anything from outside: no style, no font, no image is fetched. All text is plain text: what
an attacker sent is shown as it is, never as markup.

What they are written with comes with the extra `report`; `require` says so where it is missing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from streams import extras

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAGE_NEEDS: Final = ("matplotlib", "jinja2")
_PDF_NEEDS: Final = ("fpdf",)


class Heading(NamedTuple):
    """Begins a part."""

    text: str


class Paragraph(NamedTuple):
    """Some sentences; `soft` ones are remarks, `strong` ones must not be overlooked."""

    text: str
    tone: Literal["plain", "soft", "strong"] = "plain"


class Figures(NamedTuple):
    """What is seen first: a few figures or words, each with what it is of."""

    pairs: Sequence[tuple[str, str]]


class Listing(NamedTuple):
    """Items, a line or two each."""

    items: Sequence[str]


class Table(NamedTuple):
    """Rows of text below their columns; the columns in `numbers` (positions) are right-aligned.

    A cell in `codes` is a token that is copied rather than read: an id, an address, a hash.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str | None = None
    numbers: frozenset[int] = frozenset()
    codes: frozenset[int] = frozenset()


class Plot(NamedTuple):
    """A drawing (see `plots`) with what it shows; the caption stands for it where it is not seen.

    `width` is the share of the text's that it takes in print, 0 to 1.
    """

    figure: "Figure"
    caption: str
    width: float = 1.0


Block = Heading | Paragraph | Figures | Listing | Table | Plot


class Document(NamedTuple):
    """A report. `made_at` is what the PDF is dated by: the same document gives the same bytes."""

    title: str
    subtitle: str
    blocks: Sequence[Block]
    made_at: datetime


def require(*, what: str, pdf: bool = False) -> None:
    """Raise ConfigurationError where what `what` needs is not installed, before all the work."""
    extras.require(what, "report", *_PAGE_NEEDS, *(_PDF_NEEDS if pdf else ()))

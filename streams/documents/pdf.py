"""The same as PDF, A4, by a library in pure Python and the fonts that Matplotlib brings.

The fonts have Latin, Greek, Cyrillic, Arabic and many signs, not Chinese, Japanese or Korean. What
they lack is printed as U+XXXX in brackets: nothing is missing without being seen to be.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Final, Literal

import matplotlib as mpl
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from streams.documents import Block, Document, Figures, Heading, Listing, Paragraph, Plot, Table
from streams.documents.plots import png

_FONTS: Final = (("sans", "", ""), ("sans", "B", "-Bold"), ("mono", "", "Mono"))
_INK: Final = (29, 37, 48)
_SOFT: Final = (91, 101, 114)
_LINE: Final = (221, 226, 232)
_SIZE: Final = 9.5
_ROW: Final = 5.0
"""Height of a line of text, mm."""
_SIGNS: Final = 105
"""About how many signs a table is wide."""
_LONG_WORD: Final = 24
_WIDEST: Final = 2.9
"""Width of a wide sign of a table's, mm."""
_MOST_LINES: Final = 30
"""Lines of wide signs that a row holds: half a page, since words may leave half of each empty."""
_ASIDE: Final = 1.2
"""Room left and right of a table's cell, mm."""


def pdf(document: Document) -> bytes:
    """Return a document as a PDF file."""
    paper = _Paper(_stand_in(document))
    paper.set_creation_date(document.made_at)
    paper.set_title(document.title)
    paper.heading(document.title, size=17)
    paper.paragraph(document.subtitle, _SOFT)
    for block, after in zip_longest(document.blocks, document.blocks[1:]):
        if isinstance(block, Heading) and isinstance(after, Plot):
            paper.make_room(after)
        paper.put(block)
    return bytes(paper.output())


class _Paper(FPDF):
    """Puts blocks below one another; page breaks come of themselves."""

    def __init__(self, pages: str) -> None:
        super().__init__(format="A4")
        self.set_margin(16)
        self.set_auto_page_break(True, margin=16)
        for family, style, suffix in _FONTS:
            self.add_font(family, style, _font(suffix))
        self.alias_nb_pages(pages)
        self.add_page()

    def footer(self) -> None:
        """Number the page: loose sheets are put in order again."""
        self.set_y(-12)
        self._write(f"{self.page_no()} / {self.str_alias_nb_pages}", _SOFT, size=8, align="R")

    def put(self, block: Block) -> None:
        """Put one block."""
        match block:
            case Heading(text):
                self.heading(text, size=12.5)
            case Paragraph(text, tone):
                colour = _SOFT if tone == "soft" else _INK
                self.paragraph(text, colour, style="B" if tone == "strong" else "")
            case Figures():
                self._figures(block)
            case Listing(items):
                for item in items:
                    self._write("•  " + item, _INK)
                self.ln(2)
            case Table():
                self._table(block)
            case _:
                self.ln(1)
                self.image(png(block.figure), w=self.epw * block.width, alt_text=block.caption)
                self.paragraph(block.caption, _SOFT)

    def make_room(self, plot: Plot) -> None:
        """Begin a page where a heading and the plot below it do not fit on this one."""
        width, height = plot.figure.get_size_inches()
        if self.will_page_break(4 * _ROW + self.epw * plot.width * height / width):
            self.add_page()

    def heading(self, text: str, *, size: float) -> None:
        """Put a heading; never as a page's last line."""
        if self.will_page_break(4 * _ROW):
            self.add_page()
        self.ln(2)
        self._write(text, _INK, size=size, style="B")
        self.ln(1)

    def paragraph(
        self, text: str, colour: tuple[int, int, int], style: Literal["", "B"] = ""
    ) -> None:
        """Put some sentences."""
        self._write(text, colour, style=style)
        self.ln(2)

    def _write(
        self,
        text: str,
        colour: tuple[int, int, int],
        *,
        size: float = _SIZE,
        style: Literal["", "B"] = "",
        align: Literal["L", "R"] = "L",
    ) -> None:
        self.set_font("sans", style, size)
        self.set_text_color(*colour)
        height = _ROW * size / _SIZE
        self.multi_cell(
            0, height, printable(text), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def _figures(self, figures: Figures) -> None:
        self.set_font("sans", "", _SIZE)
        value, of = FontFace(size_pt=13, emphasis="B", color=_INK), FontFace(color=_SOFT)
        for at in range(0, len(figures.pairs), 4):
            pairs = figures.pairs[at : at + 4]
            columns = [*pairs, *[("", "")] * (4 - len(pairs))]
            with self.table(
                borders_layout=TableBordersLayout.NONE, first_row_as_headings=False,
                text_align="LEFT", line_height=_ROW,
            ) as table:  # fmt: skip
                for part, face in ((0, value), (1, of)):
                    row = table.row(style=face)
                    for pair in columns:
                        row.cell(printable(pair[part]))
        self.ln(3)

    def _table(self, table: Table) -> None:
        if table.caption:
            self._write(table.caption, _SOFT, size=8.5)
        self.set_font("sans", "", 8)
        self.set_text_color(*_INK)
        self.set_draw_color(*_LINE)
        mono = FontFace(family="mono", size_pt=7)
        widths = _widths(table)
        most = [_most_signs(self.epw * width / sum(widths)) for width in widths]
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=widths,
            headings_style=FontFace(emphasis="B", color=_SOFT),
            line_height=4.2,
            v_align="TOP",
            padding=(0.6, _ASIDE),
            text_align=tuple("RIGHT" if n in table.numbers else "LEFT" for n in _columns(table)),
        ) as drawn:
            drawn.row([printable(column) for column in table.columns])
            for cells in (part for whole in table.rows for part in _parts(whole, most)):
                row = drawn.row()
                for number, cell in enumerate(cells):
                    row.cell(cell, style=mono if number in table.codes else None)
        self.ln(3)


def printable(text: str) -> str:
    """Return text with what the fonts have no sign for as its code point in brackets."""
    known = _signs()
    return "".join(c if ord(c) in known or c == "\n" else f"[U+{ord(c):04X}]" for c in text)


def _stand_in(document: Document) -> str:
    """Return what stands for the number of pages until it is known: nothing that is in the text.

    An attacker who sends it as a device's name would have a number read there.
    """
    text, name = repr(document), "{nb}"
    while name in text:
        name = f"{{{name}}}"
    return name


def _most_signs(width: float) -> int:
    """Return how many signs of a cell this wide, in mm, surely fit on a page."""
    return _MOST_LINES * max(1, int((width - 2 * _ASIDE) / _WIDEST))


def _parts(cells: Sequence[str], most: Sequence[int]) -> Iterator[list[str]]:
    """Yield the rows that a row is written as: more than one where a cell is too long for a page.

    A sign that the fonts lack takes up to ten, and who sends a user agent chooses its signs.
    """
    left = [printable(cell) for cell in cells]
    while True:
        yield [cell[:fit] for cell, fit in zip(left, most, strict=True)]
        left = [cell[fit:] for cell, fit in zip(left, most, strict=True)]
        if not any(left):
            return


@cache
def _signs() -> frozenset[int]:
    """The code points that every one of the fonts can show."""
    each = (TTFont(_font(suffix)).getBestCmap().keys() for _, _, suffix in _FONTS)
    return frozenset.intersection(*map(frozenset, each))


def _font(suffix: str) -> Path:
    return Path(mpl.get_data_path(), "fonts", "ttf", f"DejaVuSans{suffix}.ttf")


def _columns(table: Table) -> range:
    return range(len(table.columns))


def _widths(table: Table) -> tuple[float, ...]:
    """Shares of the width: room for each column's longest word, the rest by how much it holds."""
    columns = [(name, *(row[n] for row in table.rows)) for n, name in enumerate(table.columns)]
    words = [
        min(max((len(word) for text in texts for word in text.split()), default=0), _LONG_WORD) + 3
        for texts in columns
    ]
    holds = [(min(max(map(len, texts)), 90) + 2) ** 0.75 for texts in columns]
    spare = max(0.0, _SIGNS - sum(words)) / sum(holds)
    return tuple(word + spare * held for word, held in zip(words, holds, strict=True))

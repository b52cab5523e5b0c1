"""A report described once is a page and a PDF, and what it says is all there."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from streams.documents import (
    Block,
    Document,
    Figures,
    Heading,
    Listing,
    Paragraph,
    Plot,
    Table,
)
from streams.documents.page import html
from streams.documents.pdf import pdf
from streams.documents.plots import plot


def _document() -> Document:
    with plot(5, 2) as (figure, axes):
        axes.bar(["$a$", "<b>"], [1, 2])
    return Document(
        "Zażółć: a report",
        "for José Ångström",
        [
            Figures([("£1,204.50", "at risk"), ("3", "orders")]),
            Heading("What happened"),
            Paragraph("<script>alert(1)</script> & Ωμέγα, Привет", tone="strong"),
            Listing(["first thing", "second thing"]),
            Table(
                ("When", "Address", "Amount"),
                [("2026-11-24", "198.51.100.7", "12.00"), ("a\nb", "2001:db8::" + "f" * 90, "1")],
                "All of it.",
                numbers=frozenset({2}),
                codes=frozenset({1}),
            ),
            Plot(figure, "Two bars.", 0.6),
            Paragraph("山田 😀"),
        ],
        datetime(2026, 11, 24, tzinfo=UTC),
    )


def _text(file: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(file)).pages)


def test_a_page_shows_markup_as_text_and_needs_nothing_from_outside() -> None:
    """What an attacker sent must neither run nor fetch."""
    page = html(_document())
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Ωμέγα" in page
    assert "<script" not in page
    assert "$a$" in page
    assert "&lt;b&gt;" in page
    assert "default-src 'none'" in page
    assert "src=" not in page.replace("default-src=", "")


def test_a_pdf_holds_every_text_of_the_document() -> None:
    """Accents, Greek and Cyrillic survive; signs without a glyph are named, not dropped."""
    text = _text(pdf(_document()))
    for part in ("Zażółć", "Ångström", "£1,204.50", "Ωμέγα, Привет", "second thing", "Two bars."):
        assert part in text
    assert "[U+5C71][U+7530] [U+1F600]" in text


@pytest.mark.parametrize("rows", [0, 200])
def test_a_table_may_be_empty_or_run_over_pages(rows: int) -> None:
    """Nothing is cut off at the end of a page, and headings come again."""
    table = Table(("Number", "Word"), [(f"row-{n}", "w" * (n % 60)) for n in range(rows)])
    file = pdf(Document("t", "s", [table], datetime(2026, 1, 1, tzinfo=UTC)))
    text = _text(file)
    assert all(f"row-{n}" in text for n in range(rows))
    assert text.count("Number") == len(PdfReader(BytesIO(file)).pages)


def test_the_same_document_gives_the_same_bytes() -> None:
    """A report can be made again and compared."""
    assert pdf(_document()) == pdf(_document())
    assert html(_document()) == html(_document())


def test_on_paper_nothing_is_scrolled_to_or_opened() -> None:
    """What lies beside the page on a screen is printed, and so is what is folded up there."""
    page = html(_document())
    on_paper = page[page.index("@media print") : page.index("</style>")]
    assert ".scroll { overflow: visible; }" in on_paper
    assert "details::details-content { content-visibility: visible;" in on_paper


@pytest.mark.parametrize("sign", ["W", "漢", "😀", "W W "])
def test_a_cell_may_be_longer_than_a_page(sign: str) -> None:
    """Who sends a user agent chooses its length and its signs: it is all there, over pages."""
    long = sign * (2_000 // len(sign))
    rows = [("device", long, "x" * 40, "y" * 40, "z" * 40, "1"), ("the next row", *"abcde")]
    table = Table(("Kind", "Value", "First", "Last", "Place", "Times"), rows)
    text = _text(pdf(Document("t", "s", [table], datetime(2026, 1, 1, tzinfo=UTC))))
    shown = {"漢": "U+6F22", "😀": "U+1F600"}.get(sign, "W")
    together = "".join(text.split())
    assert together.count(shown) == long.count(sign[0])
    assert "thenextrow" in together


def test_what_stands_for_the_number_of_pages_is_text_where_it_is_text() -> None:
    """A device that is named like it keeps its name, and pages their numbers."""
    named: list[Block] = [Paragraph("device {nb} and {{nb}}"), Table(("Device",), [("{nb}",)])]
    text = _text(pdf(Document("t", "s", named, datetime(2026, 1, 1, tzinfo=UTC))))
    assert "device {nb} and {{nb}}" in text
    assert text.count("{nb}") == 3
    assert "1 / 1" in text

"""How the product's plots look, and how they become SVG text or PNG. Matplotlib draws them."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by everybody, in print too.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
QUIET: Final = "#8a94a3"
# Any: Matplotlib's stubs want the names of its settings as literals.
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and the page's font is used
    "svg.hashsalt": "nightlatch",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e6ea",
    "axes.edgecolor": "#6b7480",
    "axes.axisbelow": True,
    # A dollar sign is a dollar sign: what is plotted may be named by anybody.
    "text.parse_math": False,
}
_PRINT_DPI: Final = 200


@contextmanager
def plot(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure of this size in inches and its axes; no global figure, no display."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def svg(figure: Figure) -> str:
    """Return a figure as an SVG element that goes straight into a page."""
    text = StringIO()
    with rc_context(_STYLE):
        figure.savefig(
            text, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]


def png(figure: Figure) -> BytesIO:
    """Return a figure as an image that is sharp in print."""
    image = BytesIO()
    with rc_context(_STYLE):
        figure.savefig(image, format="png", dpi=_PRINT_DPI, metadata={"Software": None})
    image.seek(0)
    return image

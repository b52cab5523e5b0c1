"""One HTML page without anything outside it."""

from typing import Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from streams.documents import Document
from streams.documents.plots import svg

_HERE: Final = "documents"


def environment(*folders: str) -> Environment:
    """Return the templates of these folders of `streams` and of this one; values are escaped."""
    return Environment(
        loader=ChoiceLoader([PackageLoader("streams", folder) for folder in (*folders, _HERE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(document: Document) -> str:
    """Return a document as a page."""
    templates = environment()
    # Plots are markup of our own making; Matplotlib escapes the text in them.
    templates.filters["drawn"] = lambda figure: Markup(svg(figure))  # noqa: S704 - see above
    templates.tests["a"] = lambda block, name: type(block).__name__ == name
    return templates.get_template("document.html.j2").render(document=document)

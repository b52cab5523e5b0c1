"""What the commands that watch a topic share: their options, and how a record is shown."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from detectors.errors import InvalidEvent
from streams.runtime.interfaces import Record

if TYPE_CHECKING:
    from rich.console import RenderableType

_T = TypeVar("_T")

FromBeginning = Annotated[
    bool, typer.Option("--from-beginning", help="Begin with the oldest one that is kept.")
]
MaxCount = Annotated[int | None, typer.Option("--max", min=1, metavar="N", help="End after N.")]
Timeout = Annotated[
    float | None,
    typer.Option(min=0.1, metavar="SECONDS", help="End when nothing came for so long."),
]


def decoded(
    records: Iterable[Record], decode: Callable[[bytes | None], _T]
) -> Iterator[tuple[Record, _T]]:
    """Yield records with what they hold; what somebody else wrote is told and passed over."""
    from streams.presentation import printable

    for record in records:
        try:
            yield record, decode(record.value)
        except InvalidEvent as error:
            place = f"{record.topic}:{record.partition}:{record.offset}"
            typer.echo(printable(f"{place}: {error}"), err=True)


def show(
    found: Iterable[tuple[Record, _T]], view: "Callable[[_T], RenderableType]", *, as_json: bool
) -> None:
    """Show one after another: to people by `view`, else as it is on the topic.

    As JSON a newer worker's fields stay in it.
    """
    import orjson
    from rich.console import Console

    console = Console(highlight=False)
    for record, content in found:
        if as_json:
            typer.echo(orjson.dumps(orjson.loads(record.value or b"null")))
        else:
            console.print(view(content))

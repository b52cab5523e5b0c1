"""`nightlatch dead-letters`: what could not be used, and sending it again."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import InvalidEvent
from streams.cli.options import AsJson, Broker, SettingsFile, Since, settings_from, since_seconds
from streams.cli.watching import decoded
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.dead_letters import DeadLetter, Resend
    from streams.sending import Outgoing

app = typer.Typer(help="Read the input that could not be used, mend it, and send it again.")

Topic = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only records of this topic, by its full name.")
]
Code = Annotated[
    str | None, typer.Option(metavar="CODE", help="Only this kind of error, such as missing_field.")
]
Field = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only errors in this field of the contract.")
]


@app.command("list")
def list_(
    *,
    topic: Topic = None,
    code: Code = None,
    field: Field = None,
    since: Since = None,
    max_count: Annotated[
        int | None, typer.Option("--max", min=1, metavar="N", help="At most so many.")
    ] = None,
    as_json: AsJson = False,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """List dead letters: when and where the record came, and why it could not be used.

    With --json each is an object with the record's bytes in base64 and, where they are text, in
    `text`: mend that in a file, and give the file to `resend --from`.
    """
    chosen = settings_from(settings, broker)
    letters = _letters(chosen, since, topic=topic, code=code, field=field)
    codes: Counter[str] = Counter()
    for letter in islice(letters, max_count):
        codes[letter.error.code] += 1
        typer.echo(_as_json(letter) if as_json else _as_line(letter))
    each = "".join(f", {count:,} {name}" for name, count in codes.most_common())
    typer.echo(f"{codes.total():,} dead letters{each}", err=True)


@app.command()
def resend(
    *,
    from_file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Send what `list --json` wrote, as mended."),
    ] = None,
    topic: Topic = None,
    code: Code = None,
    field: Field = None,
    since: Since = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Send records again, to the topic that they came from, with their key and headers.

    Without --from their bytes are what they were: for when the software was at fault, or its
    settings. What has no id or time of its own keeps those that it had from where it was first.
    Records that would only come back are left where they are, and told; the exit code
    is then 1. Sending again does not take a letter off the topic: choose with the filters.
    """
    from streams.dead_letters import Resend, read_dead_letters, selected
    from streams.sending import send_records

    chosen = settings_from(settings, broker)
    if from_file is not None:
        letters = selected(read_dead_letters(from_file), topic=topic, code=code, field=field)
    else:
        letters = _letters(chosen, since, topic=topic, code=code, field=field)
    if not yes and not _confirmed():
        raise typer.Exit
    hopeless: Counter[str] = Counter()
    rules = Resend(chosen)
    sent = send_records(chosen, _usable(rules, letters, hopeless))
    typer.echo(f"{sent.total():,} records sent again")
    if rules.repeats:
        typer.echo(f"{rules.repeats:,} letters were of the same records and were left")
    if hopeless:
        typer.echo(f"{hopeless.total():,} would only come back and were left")
        raise typer.Exit(1)


def _confirmed() -> bool:
    try:
        return typer.confirm("Send every dead letter that fits to its topic again?", err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        typer.echo(err=True)  # ends the question's line
        nobody = "nobody is there to answer: add --yes to send without asking"
        raise typer.TyperException(nobody) from None


def _letters(
    settings: Settings, since: str | None, *, topic: str | None, code: str | None, field: str | None
) -> "Iterator[DeadLetter]":
    """The dead letters on the topic until now."""
    from streams.dead_letters import decode_dead_letter, selected
    from streams.tailing import tail

    name = settings.topic("dead_letters")
    moment = since_seconds(since)
    records = tail(settings, name, from_beginning=True, since=moment, to_end=True)
    letters = (letter for _, letter in decoded(records, decode_dead_letter))
    return selected(letters, topic=topic, code=code, field=field)


def _usable(
    rules: "Resend", letters: "Iterable[DeadLetter]", hopeless: Counter[str]
) -> "Iterator[Outgoing]":
    """Yield what can be sent again; tell of the others and count them by error."""
    from streams.presentation import printable

    for letter in letters:
        try:
            outgoing = rules.record(letter)
        except InvalidEvent as error:
            hopeless[error.code] += 1
            typer.echo(printable(f"{letter.position}: {error}"), err=True)
        else:
            if outgoing is not None:
                yield outgoing


def _as_json(letter: "DeadLetter") -> bytes:
    import orjson

    from streams.dead_letters import editable

    return orjson.dumps(editable(letter))


def _as_line(letter: "DeadLetter") -> str:
    from streams.presentation import moment, printable

    when = "at no known time" if letter.timestamp is None else moment(letter.timestamp)
    line = f"{when}  {letter.position}  {letter.error.code}  {letter.error.message}"
    return printable(line + ("  (cut: its bytes are too many for a letter)" if letter.cut else ""))

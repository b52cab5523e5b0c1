"""`nightlatch verify`: whether an evidence pack is what it says it is."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.exit_codes import FAILED

if TYPE_CHECKING:
    from streams.evidence.verifying import Check


def command(
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="The zip file.")],
    *,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Whom it must be from: the fingerprint that the sender told you, or a file with "
            "the public key.",
        ),
    ] = None,
) -> None:
    """Check an evidence pack: signature, files, hash chain, and every score worked out again.

    It needs the pack and nothing else: no Kafka, no network. Exit code 1 where anything does not
    match, a line for each check; the last line names what could not be checked. Without --key that
    is who signed it: the exit code is 0 for a whole pack that anybody may have signed.
    """
    from streams import extras

    extras.require("nightlatch verify", "evidence", "cryptography")
    from streams.evidence.verifying import expected_fingerprint, read_pack, verify
    from streams.presentation import printable

    expected = None if key is None else expected_fingerprint(key)
    checks = list(verify(read_pack(pack), expected))
    for check in checks:
        typer.echo(printable(f"{_mark(check)} {check.name}: {check.detail}"))
    if not all(check.ok for check in checks):
        typer.echo(printable(f"{pack} is not to be trusted"))
        raise typer.Exit(FAILED)
    typer.echo(printable(f"{pack} is whole and unaltered{_unchecked(checks)}"))


def _mark(check: "Check") -> str:
    if not check.ok:
        return "WRONG "
    return "ok    " if check.unchecked is None else "?     "


def _unchecked(checks: "list[Check]") -> str:
    """What no check could tell, each kind once; nothing where all was checked."""
    counts = Counter(check.unchecked for check in checks if check.unchecked is not None)
    named = [what if times == 1 else f"{what} ({times} times)" for what, times in counts.items()]
    return f"; NOT CHECKED: {', '.join(named)}" if named else ""

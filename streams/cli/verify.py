"""`nightlatch verify`: whether an evidence pack is what it says it is."""

from pathlib import Path
from typing import Annotated

import typer

from streams.exit_codes import FAILED


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
    match, a line for each check.
    """
    from streams import extras

    extras.require("nightlatch verify", "evidence", "cryptography")
    from streams.evidence.verifying import expected_fingerprint, read_pack, verify
    from streams.presentation import printable

    expected = None if key is None else expected_fingerprint(key)
    checks = list(verify(read_pack(pack), expected))
    for check in checks:
        typer.echo(printable(f"{'ok    ' if check.ok else 'WRONG '} {check.name}: {check.detail}"))
    if not all(check.ok for check in checks):
        typer.echo(printable(f"{pack} is not to be trusted"))
        raise typer.Exit(FAILED)
    typer.echo(printable(f"{pack} is whole and unaltered"))

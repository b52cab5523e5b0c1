"""`nightlatch evidence`: what others need to act on a case, in one signed file."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from detectors.errors import ConfigurationError
from streams.cli.options import Broker, SettingsFile, settings_from
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.evidence.crime_record import Reporter

_AMOUNT: Final = re.compile(r"\d{1,12}(\.\d{1,3})? [A-Z]{3}")


def _amount(told: str | None) -> str | None:
    """Refuse what is no amount of a currency: it would be signed, and read as one."""
    if told is not None and not _AMOUNT.fullmatch(told):
        raise typer.BadParameter('give an amount and its currency, as "120.50 GBP"')
    return told


def command(
    case: Annotated[
        str | None,
        typer.Argument(metavar="ALERT|CAMPAIGN", help="Id of an alert or of a campaign."),
    ] = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write; evidence-ID.zip if not told."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Key to sign by, over the setting `evidence_key`."),
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Make a key for signing, print its fingerprint, and end."
        ),
    ] = None,
    organisation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who reports, over the setting `organisation`."),
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="Whom to ask, over `organisation_contact`."),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", callback=_amount, help='Loss as you know it: "120.50 GBP".'),
    ] = None,
    prevented: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", callback=_amount, help='What was prevented: "899.00 GBP".'),
    ] = None,
    inside: Annotated[
        bool,
        typer.Option(
            "--inside",
            help="The pack stays in the house: with what others told under TLP:AMBER+STRICT.",
        ),
    ] = False,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Make an evidence pack of an alert or a campaign: one signed zip that stands on its own.

    In it: a report (HTML and PDF), a record with the fields of a fraud report, the events as they
    were received under a hash chain, the alerts, and what their scores stood on, so that
    `nightlatch verify` can work them out again anywhere. It holds the case's accounts, nobody
    else's; and of what others reported nothing that came under TLP:RED, or under TLP:AMBER+STRICT
    unless it stays inside.
    """
    from streams import documents, extras
    from streams.evidence.crime_record import Reporter

    extras.require("nightlatch evidence", "evidence", "cryptography")
    documents.require(what="nightlatch evidence", pdf=True)
    if new_key is not None:
        _make_key(new_key)
        return
    if case is None:
        raise typer.BadParameter("give the id of an alert or of a campaign", param_hint="CASE")
    chosen = settings_from(
        settings,
        broker,
        organisation=organisation,
        organisation_contact=contact,
        evidence_key=key,
    )
    reporter = Reporter(chosen.organisation, chosen.organisation_contact, loss, prevented)
    _make_pack(case, out or Path(f"evidence-{case}.zip"), chosen, reporter, inside=inside)


def _make_key(path: Path) -> None:
    from streams.evidence.keys import fingerprint, new_key, public_pem

    key = new_key(path)
    typer.echo(public_pem(key).decode(), nl=False)
    typer.echo(f"fingerprint {fingerprint(key.public_key())}")
    typer.echo(f"wrote {path}: keep it secret, and tell others the fingerprint", err=True)


def _make_pack(
    case_id: str, out: Path, settings: Settings, reporter: "Reporter", *, inside: bool
) -> None:
    from streams.evidence.case import case_of
    from streams.evidence.contents import files_of
    from streams.evidence.describing import gone, marked
    from streams.evidence.gathering import gather
    from streams.evidence.keys import fingerprint, private_key
    from streams.evidence.packing import pack, signed
    from streams.presentation import counted
    from streams.whole_files import write_whole

    if settings.evidence_key is None:
        raise ConfigurationError(
            "a pack is signed: `nightlatch evidence --new-key FILE` makes a key, --key FILE or the "
            "setting evidence_key names it"
        )
    key = private_key(settings.evidence_key)
    case = case_of(gather(settings, case_id), inside=inside)
    made_at = datetime.now(UTC).replace(microsecond=0)
    files = signed(files_of(case, reporter, made_at), case_id, key, made_at, case.marking)
    write_whole(out, pack(files))
    again = sum(score.verdict == "same" for score in case.scores)
    events = counted(len(case.gathered.events), "event")
    typer.echo(f"wrote {out}: {events} of {counted(len(case.accounts), 'account')}")
    if case.unalerted:
        more = counted(len(case.unalerted), "more account")
        typer.echo(f"{more} of the campaign had no alert: named in campaign.json, and no more")
    typer.echo(f"{again} of {len(case.scores)} published scores come out again")
    if case.gathered.missing:
        typer.echo(f"{len(case.gathered.missing)} events are no longer in the topics", err=True)
    for sentence in (*marked(case), *gone(case)):
        typer.echo(sentence, err=True)
    typer.echo(f"signed by {fingerprint(key.public_key())}")

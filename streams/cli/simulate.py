"""`nightlatch simulate`: an invented shop's traffic, with takeovers in it, as event files."""

from contextlib import ExitStack
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.cli.progress import waiting

if TYPE_CHECKING:  # imported late, since --help imports this module
    from detectors.simulation import Telemetry


class Tells(StrEnum):
    """How much a retailer's pipeline sends; DRAWN is some retailer, drawn from the seed."""

    TYPICAL = "typical"
    EVERYTHING = "everything"
    BARE = "bare"
    DRAWN = "drawn"


_REPORT_EVERY: Final = 5000  # events between two movements of the progress bar

File = Path | None


def command(
    *,
    out: Annotated[Path, typer.Option(help="Events go here; - is standard output.")] = Path("-"),
    labels: Annotated[
        File, typer.Option(help="One line for each event of a takeover: family and campaign.")
    ] = None,
    attacks: Annotated[
        File, typer.Option(help="One line for each try of a thief's that gave no access.")
    ] = None,
    feedback: Annotated[
        File,
        typer.Option(help="Verdicts, late and incomplete. The same file as --out mixes them in."),
    ] = None,
    circumstances: Annotated[
        File, typer.Option(help="One line for each honest event that looks odd, and why.")
    ] = None,
    lookup_out: Annotated[
        File, typer.Option(help="Look-up CSV of the networks that the events come from.")
    ] = None,
    accounts: Annotated[int, typer.Option(min=20, help="Customers' accounts.")] = 20_000,
    days: Annotated[float, typer.Option(min=0.01, help="Days of event time.")] = 60.0,
    start: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Begin, in UTC."),
    ] = datetime(2026, 10, 1),  # noqa: DTZ001 - Typer's dates carry no zone; UTC is set below
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    underworld: Annotated[
        int | None,
        typer.Option(
            metavar="SEED",
            help="Networks and gangs of this seed: shops with the same one have the same gangs.",
        ),
    ] = None,
    hijacks: Annotated[
        float, typer.Option(min=0, max=0.5, help="Takeovers for each visit, in all families.")
    ] = 5e-4,
    tries: Annotated[
        float, typer.Option(min=0, max=20, help="Thieves' failed tries for each visit, at most.")
    ] = 0.15,
    only: Annotated[
        list[str] | None, typer.Option(metavar="FAMILY", help="Stage this family; repeatable.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="FAMILY", help="Leave it out; repeatable.")
    ] = None,
    telemetry: Annotated[
        Tells, typer.Option(help="Which optional fields the shop's pipeline sends.")
    ] = Tells.TYPICAL,
    late: Annotated[float, typer.Option(min=0, max=1, help="Share of events that come late.")] = (
        0.005
    ),
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Share of events that come twice.")
    ] = 0.002,
) -> None:
    """Write the traffic of an invented shop: customers, thieves, and verdicts on both.

    Files are NDJSON by the wire contract; .gz, .xz and .zst are compressed. Families:
    stuffing_fast, stuffing_slow, spraying, aitm_relay, cookie_theft, sim_swap_reset,
    spoofed_targeted, change_before_order, dormant_revival, checker_canary, points_drain,
    click_and_collect, insider.
    """
    from detectors.simulation import Shop, as_delivered, lookup_rows, simulate
    from streams.simulated_files import Beside, Files, noted, write_line, write_rows

    begins = start.replace(tzinfo=UTC).timestamp()
    events = simulate(
        Shop(accounts=accounts, telemetry=_telemetry(telemetry, seed)),
        seed=seed,
        start=begins,
        days=days,
        families=_chosen(only or [], without or []),
        hijacks=hijacks,
        tries=tries,
        underworld=underworld,
    )
    with ExitStack() as stack, waiting() as report:
        files = Files(stack)
        if lookup_out is not None:
            write_rows(
                files.open(lookup_out), lookup_rows(seed if underworld is None else underworld)
            )
        beside = Beside(files.open(labels), files.open(attacks), files.open(circumstances))
        sink, verdicts = files.open(out), files.open(feedback)
        delivered = as_delivered(noted(events, beside), seed=seed, late=late, duplicates=duplicates)
        for number, simulated in enumerate(delivered):
            if number % _REPORT_EVERY == 0:
                report("Simulating", int((simulated.time - begins) / 864), int(days * 100))
            to = verdicts if simulated.event["type"] == "feedback" else sink
            write_line(to, simulated.event)


def _telemetry(tells: Tells, seed: int) -> "Telemetry":
    from detectors.simulation import BARE, EVERYTHING, Telemetry, draw_telemetry

    match tells:
        case Tells.TYPICAL:
            return Telemetry()
        case Tells.EVERYTHING:
            return EVERYTHING
        case Tells.BARE:
            return BARE
        case Tells.DRAWN:
            return draw_telemetry(seed)


def _chosen(only: list[str], without: list[str]) -> list[str]:
    from detectors.simulation import FAMILIES, checked

    checked([*only, *without])
    return [name for name in only or FAMILIES if name not in without]

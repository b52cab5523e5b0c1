"""`nightlatch topics`: make the topics that are missing, and check those that are there."""

from typing import Annotated, Literal

import typer

from streams.cli.options import AsJson, Broker, SettingsFile, settings_from

app = typer.Typer(help="Make the product's Kafka topics, and check that they are as they must be.")


@app.command()
def create(
    *,
    settings: SettingsFile = None,
    broker: Broker = None,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Partitions, over the setting `partitions`.")
    ] = None,
) -> None:
    """Make every topic that is missing, and wait until all are ready.

    Topics that are there stay as they are. Where one has another number of partitions than all
    must have, nothing is made.
    """
    from streams.presentation import counted
    from streams.topic_administration import create as make

    done = make(settings_from(settings, broker, partitions=partitions))
    for spec in done.made:
        many = counted(spec.partitions, "partition")
        typer.echo(f"made {spec.name}: {many}, {spec.meaning[:1].lower()}{spec.meaning[1:]}")
    typer.echo(f"{len(done.made)} made, {len(done.present)} were there")


@app.command()
def check(*, settings: SettingsFile = None, broker: Broker = None, as_json: AsJson = False) -> None:
    """Say what is wrong with the topics, and how to put it right. Exit code 1 where it matters.

    Nothing is changed: the remedies are Kafka's own commands. What is only missing, `nightlatch
    topics create` makes.
    """
    from streams.topic_administration import check as find_faults

    faults = find_faults(settings_from(settings, broker))
    if as_json:
        import orjson

        for fault in faults:
            typer.echo(orjson.dumps(fault._asdict()))
    else:
        for fault in faults:
            prefix = "" if fault.grave else "advice: "
            typer.echo(f"{prefix}{fault.topic} {fault.problem}\n    {fault.remedy}")
        if not faults:
            typer.echo("every topic is there and as it must be")
        if any(fault.missing for fault in faults):
            typer.echo("`nightlatch topics create` makes every topic that is missing")
    if any(fault.grave for fault in faults):
        raise typer.Exit(1)


@app.command()
def acls(
    role: Annotated[
        Literal[
            "worker",
            "pipeline",
            "analyst",
            "intelligence",
            "reporter",
            "investigator",
            "operator",
        ],
        typer.Argument(help="Whose: see docs/security.md."),
    ] = "worker",
    *,
    principal: Annotated[
        str | None, typer.Option(help="Who it is; User: and the setting sasl_username if absent.")
    ] = None,
    settings: SettingsFile = None,
    broker: Broker = None,
    as_json: AsJson = False,
) -> None:
    """Print the least set of ACLs that a role needs, as Kafka's own commands. Asks no broker."""
    from streams.permissions import permissions

    chosen = settings_from(settings, broker)
    who = principal or f"User:{chosen.sasl_username or 'nightlatch'}"
    for permission in permissions(chosen, role):
        if as_json:
            import orjson

            typer.echo(orjson.dumps({"principal": who, **permission._asdict()}))
        else:
            typer.echo(permission.command(chosen, who))

"""`nightlatch settings`: what is set, by what, and what it means."""

from pathlib import Path
from typing import Any

import typer

from streams.cli.options import AsJson, SettingsFile, loaded
from streams.configuration import Loaded
from streams.settings import registry, shown


def command(*, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Print every setting with its value, where the value comes from, and its meaning.

    A setting comes from its default, the settings file (broker = ["kafka-1:9092"]), or the
    environment (NIGHTLATCH_BROKER for broker); the later of these wins. Passwords are not shown.
    """
    entries = _entries(loaded(settings))
    if as_json:
        import orjson

        for entry in entries:
            typer.echo(orjson.dumps(entry))
    else:
        _print_table(entries)


def _entries(given: Loaded) -> list[dict[str, Any]]:
    values = shown(given.settings)
    policy = values.pop("detection")
    return [
        {
            "name": name,
            "value": _plain(values[name] if name in values else _policy_value(policy, name)),
            "source": given.sources.get(name, "default"),
            "meaning": setting.meaning,
            "type": setting.type,
            "default": _plain(setting.default),
            "variable": setting.variable,
        }
        for name, setting in registry().items()
    ]


def _policy_value(policy: Any, name: str) -> Any:
    return getattr(policy, name.partition("_")[2])


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value


def _print_table(entries: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("setting", "value", "from", "meaning"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        changed = entry["source"] != "default"
        table.add_row(
            Text(entry["name"], "bold" if changed else ""),
            Text(_text(entry["value"]), "bold" if changed else ""),
            Text(entry["source"], "" if changed else "dim"),
            Text(entry["meaning"]),
        )
    console = Console()
    # Into a file or a pager nothing is gained by breaking lines at eighty.
    console.width = console.width if console.is_terminal else 160
    console.print(table)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None or value == "" else str(value)

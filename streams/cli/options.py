"""Options that several commands share, and the settings they lead to."""

from pathlib import Path
from typing import Annotated, Any

import typer

from streams.configuration import Loaded, load
from streams.settings import Settings

SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="Settings file (TOML) instead of NIGHTLATCH_SETTINGS or ./nightlatch.toml.",
    ),
]
Broker = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Kafka brokers, over the setting `broker`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]


def loaded(file: Path | None, broker: str | None = None, **overrides: Any) -> Loaded:
    """Read the settings; what the command line gives (is not None) is the strongest source."""
    given = {"broker": broker, **overrides}
    return load(file, overrides={k: v for k, v in given.items() if v is not None})


def settings_from(file: Path | None, broker: str | None = None, **overrides: Any) -> Settings:
    """Read the settings as `loaded` does, without where each comes from."""
    return loaded(file, broker, **overrides).settings

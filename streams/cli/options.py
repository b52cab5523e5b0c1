"""Options that several commands share, and the settings they lead to."""

import re
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

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
Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Only what was written since: a time (2026-11-24T06:00:00Z) or how long ago (15m, "
        "2h, 7d).",
    ),
]
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def since_seconds(when: str | None) -> float | None:
    """Return the UTC epoch seconds that `--since` names; None where it is absent."""
    if when is None:
        return None
    seconds = _moment(when)
    if seconds is None:
        problem = (
            "is neither a time with an offset (2026-11-24T06:00:00Z) nor how long ago (15m, 2h, 7d)"
        )
    elif seconds < 0:
        problem = "is before 1970, when no topic had records"
    else:
        return seconds
    raise typer.BadParameter(f"{when!r} {problem}", param_hint="--since")


def _moment(when: str) -> float | None:
    if ago := re.fullmatch(r"([0-9]{1,6})([smhd])", when):
        return time.time() - int(ago.group(1)) * _SECONDS[ago.group(2)]
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def loaded(file: Path | None, broker: str | None = None, **overrides: Any) -> Loaded:
    """Read the settings; what the command line gives (is not None) is the strongest source."""
    given = {"broker": broker, **overrides}
    return load(file, overrides={k: v for k, v in given.items() if v is not None})


def settings_from(file: Path | None, broker: str | None = None, **overrides: Any) -> Settings:
    """Read the settings as `loaded` does, without where each comes from."""
    return loaded(file, broker, **overrides).settings

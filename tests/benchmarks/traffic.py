"""The events that benchmarks on Kafka read."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple, Self

REPOSITORY: Final = Path(__file__).parent.parent.parent
HIJACKS: Final = "0.005"
"""Ten times as many takeovers as in life, so that there are alerts enough to time."""


class Traffic(NamedTuple):
    """A simulated shop's two months in one file, verdicts included, and its networks."""

    file: Path
    lookups: Path
    events: int

    @classmethod
    def simulated(cls, folder: Path, accounts: int) -> Self:
        """Simulate it into a folder: about four events an account."""
        file, lookups = folder / "events.ndjson", folder / "lookup.csv"
        nightlatch(
            {},
            *("simulate", "--out", str(file), "--feedback", str(file)),
            *("--lookup-out", str(lookups), "--accounts", str(accounts), "--hijacks", HIJACKS),
        )
        with file.open("rb") as lines:
            return cls(file, lookups, sum(1 for _ in lines))


def nightlatch(settings: dict[str, str], *arguments: str) -> None:
    """Run a command of the product to its end, quietly."""
    subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment(settings)},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return settings as the environment has them."""
    return {f"NIGHTLATCH_{name.upper()}": value for name, value in settings.items()}

"""The product's command, run as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
NIGHTLATCH = (sys.executable, "-m", "streams")


def clean_environment(**additions: str) -> dict[str, str]:
    """The environment without anything that would set the product up."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTLATCH_")}
    return {**own, **additions}


def nightlatch(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float = 60,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, in the repository, and keep what it wrote."""
    return subprocess.run(
        [*NIGHTLATCH, *arguments],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
        env=dict(environment) if environment is not None else clean_environment(),
        input=stdin,
        timeout=timeout,
    )

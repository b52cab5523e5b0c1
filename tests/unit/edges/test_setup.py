"""The environment is made with the Python that was asked for."""

import subprocess
import sys
from pathlib import Path
from typing import Final

SETUP: Final = Path(__file__).parents[3] / ".ci"


def test_the_python_that_runs_the_setup_is_the_one_that_is_used() -> None:
    """`PYTHON=/opt/python/bin/python3 make setup`, whatever other Pythons are on the path."""
    asked = "import setup; print(setup.find_python())"
    found = subprocess.run(
        [sys.executable, "-c", asked], cwd=SETUP, check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == sys.executable

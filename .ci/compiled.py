"""Build hook of the wheel, off unless asked for: what every event passes through, compiled to C.

`make compiled` asks for it. The sources are in the wheel all the same, and what does not pass
through every event stays as it is; so do the modules whose classes are msgspec's, which reads
them at run time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DETECTORS = (
    "accounts", "arithmetic", "decisions", "engine", "habits", "parsing", "population", "profiles",
    "verdicts", "watermark",
    "features/access", "features/changes", "features/evidence", "features/heat",
    "features/lessons", "features/orders", "features/reading", "features/registry",
    "features/sessions", "features/signin", "features/story", "features/ties",
    "heat/clock", "heat/counter", "heat/customers", "heat/distinct", "heat/indicators",
    "heat/judging", "heat/sightings", "heat/table", "heat/tallies", "heat/tally",
    "intelligence/table",
    "models/budget", "models/calibration", "models/drift", "models/feedback", "models/half_space",
    "models/likelihood", "models/prior",
)  # fmt: skip
STREAMS = (
    "across_accounts", "codec", "enrichment/enricher", "processor",
    "runtime/lanes", "runtime/merge", "runtime/partition",
)  # fmt: skip
MODULES = (
    *(f"detectors/{module}.py" for module in DETECTORS),
    *(f"streams/{module}.py" for module in STREAMS),
)
CONFIGURATION = """[mypy]
ignore_missing_imports = true
[mypy-river.*]
follow_imports = skip
"""
SETUP = """import sys
from mypyc.build import mypycify
from setuptools import setup

modules = mypycify(["--config-file=mypyc.ini", *sys.stdin.read().split()], group_name="nightlatch")
setup(name="nightlatch", packages=[], ext_modules=modules)
"""


class CompiledEngine(BuildHookInterface[Any]):
    """Adds the extension modules to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Compile; raises CalledProcessError, after the compiler's own words, where it can't be."""
        folder = Path(self.root) / "build" / "mypyc"
        shutil.rmtree(folder, ignore_errors=True)
        for package in ("detectors", "streams"):
            shutil.copytree(Path(self.root) / package, folder / package)
        (folder / "mypyc.ini").write_text(CONFIGURATION)
        (folder / "setup.py").write_text(SETUP)
        subprocess.run(
            [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
            cwd=folder,
            input=" ".join(MODULES),
            text=True,
            check=True,
            env={**os.environ, "MYPYPATH": str(folder)},
        )
        # Beside the sources, not among what building them left.
        packages = (folder / "detectors", folder / "streams")
        for built in [*folder.glob("*.so"), *(so for p in packages for so in p.rglob("*.so"))]:
            build_data["force_include"][str(built)] = str(built.relative_to(folder))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

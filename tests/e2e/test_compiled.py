"""The engine compiled to C is the engine: the same source, the same bytes out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
HEADER = "import sysconfig; print(sysconfig.get_path('include') + '/Python.h')"


def needs_compiler() -> bool:
    """Whether this machine cannot build an extension module."""
    header = subprocess.run(
        [sys.executable, "-c", HEADER], check=True, capture_output=True, text=True
    )
    return shutil.which("cc") is None or not Path(header.stdout.strip()).exists()


def run(path: Path, *arguments: str | Path) -> str:
    """Run Python with `path` before everything that is installed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=path,
        env={**os.environ, "PYTHONPATH": str(path)},
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(needs_compiler(), reason="there is no C compiler, or no Python.h")
def test_the_compiled_engine_says_the_same_byte_for_byte(tmp_path: Path) -> None:
    """Of a shop with all kinds of attacks: assessments, alerts and state, stored and read back."""
    pip = (sys.executable, "-m", "pip", "--quiet")
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, REPOSITORY],
        check=True,
        env={**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": "true"},
    )
    (wheel,) = tmp_path.glob("*.whl")
    compiled = tmp_path / "compiled"
    subprocess.run([*pip, "install", "--no-deps", "--target", compiled, wheel], check=True)
    events, lookup = tmp_path / "events.ndjson", tmp_path / "lookup.csv"
    shop: list[str | Path] = ["--accounts", "1500", "--hijacks", "0.05", "--out", events]
    shop += ["--feedback", events, "--lookup-out", lookup]
    run(REPOSITORY, "-m", "streams", "simulate", *shop)
    fold = (REPOSITORY / "tests/support/fold.py", events, lookup)
    plain, said = run(REPOSITORY, *fold).split()
    built, said_by_compiled = run(compiled, *fold).split()
    assert (Path(plain).suffix, Path(built).suffix) == (".py", ".so")
    assert said_by_compiled == said

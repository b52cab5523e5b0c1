"""Ctrl-C waits until nothing is being loaded, and is not lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.exit_codes import INTERRUPTED
from tests.support.commands import REPOSITORY, clean_environment

# It is sent while it is loaded, as a module of C is that runs Python as it begins; what is raised
# in it there comes out as something else, or is lost.
_MODULE = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        pass
except KeyboardInterrupt:
    raise ImportError("initialization failed") from None
loaded = True
"""
_PROGRAM = """
import time
from streams.interrupts import {ways}
{before}
try:
    import interrupted
    for _ in range(1000):
        time.sleep(0.01)
except KeyboardInterrupt:
    print("interrupted", interrupted.loaded)
else:
    print("lost")
"""


def run(folder: Path, program: str) -> "subprocess.CompletedProcess[str]":
    """Run a program beside a module that interrupts its own loading."""
    (folder / "interrupted.py").write_text(_MODULE)
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=folder,
        env=clean_environment(PYTHONPATH=f"{REPOSITORY}:{folder}"),
        check=False,
        timeout=60,
    )


def test_it_waits_until_a_module_is_loaded(tmp_path: Path) -> None:
    """The module is whole, and then the program is interrupted where it is."""
    name = "interrupt_between_imports"
    done = run(tmp_path, _PROGRAM.format(ways=name, before=f"{name}()"))
    assert (done.stdout, done.stderr) == ("interrupted True\n", "")


@pytest.mark.parametrize("came", ["before", "after"])
def test_it_is_not_raised_where_it_must_not_be(tmp_path: Path, came: str) -> None:
    """What holds it back, and looks for it itself, may have begun to while a module was loaded."""
    ways = "interrupt\nimport signal\nheld = []"
    hold = "held.append(1)" if came == "before" else ""
    before = (
        f"{hold}\nsignal.signal(signal.SIGINT,"
        " lambda _, frame: (interrupt(frame, unless=lambda: bool(held)), held.append(1)))"
    )
    done = run(tmp_path, _PROGRAM.format(ways=ways, before=before).replace("1000", "20"))
    assert (done.stdout, done.stderr) == ("lost\n", "")


def test_a_process_at_its_end_ends_at_once(tmp_path: Path) -> None:
    """What it has said is said, and nothing is raised into what Python does at last."""
    program = (
        "import atexit, os, signal, time\n"
        "from streams.interrupts import exit_with\n"
        "atexit.register(time.sleep, 20)\n"
        "atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
        "print('said')\n"
        "exit_with(0)\n"
    )
    done = run(tmp_path, program)
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "said\n", "")


def test_whoever_has_closed_standard_output_gets_the_code(tmp_path: Path) -> None:
    """There is nothing left to be said then, nor to be wrong with it."""
    program = "import os\nos.close(1)\nos.execv({0!r}, [{0!r}, '-c', {1!r}])"
    ends = "from streams.interrupts import exit_with\nexit_with(3)"
    done = run(tmp_path, program.format(sys.executable, ends))
    assert (done.returncode, done.stderr) == (3, "")

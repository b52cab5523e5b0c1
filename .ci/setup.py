"""Make the virtual environment and install Nightlatch into it: `setup.py VENV REQUIREMENT...`.

Run by the Makefile with whatever Python 3 there is, before anything is installed: standard
library only, nothing newer than Python 3.7. Says in one sentence what is missing.
"""

from __future__ import annotations

import itertools
import pathlib
import subprocess
import sys
import threading
import time

NEEDED, TOO_NEW = (3, 11), (3, 14)
TRIED = ("python3.13", "python3.12", "python3.11", "python3", "python")
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
NO_PYTHON = "Nightlatch needs Python 3.11, 3.12 or 3.13: install one and call make again."
NO_VENV = "Python's venv module is missing (on Debian and Ubuntu: apt install python3-venv)."


def main(venv: pathlib.Path, requirements: list[str]) -> None:
    """Make what is not there yet."""
    python = venv / "bin" / "python"
    if not python.exists():
        make_venv(find_python(), venv)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    with Line("Installing Nightlatch's packages") as line:
        # Dependency groups need pip 25.1; a new environment has its Python's own, older one.
        follow([*pip, "--quiet", "--upgrade", "pip>=25.1"], line, venv)
        follow([*pip, *requirements], line, venv)


def find_python() -> str:
    """This Python (`PYTHON=` asks for it) where it will do; else the first on the path."""
    for name in (sys.executable, *TRIED):
        try:
            found = output_of([name, "-c", VERSION])
        except OSError:
            continue
        version = tuple(int(part) for part in found.stdout.split(".") if part.strip().isdigit())
        if NEEDED <= version < TOO_NEW:
            return name
    sys.exit(NO_PYTHON)


def make_venv(python: str, venv: pathlib.Path) -> None:
    """Make the virtual environment, or say why it can't be."""
    made = output_of([python, "-m", "venv", str(venv)])
    if made.returncode != 0:
        missing = "ensurepip" in made.stdout + made.stderr
        sys.exit(NO_VENV if missing else f"{python} -m venv failed: {made.stderr}")


def output_of(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, keeping what it prints."""
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - Python


def follow(command: list[str], line: Line, venv: pathlib.Path) -> None:
    """Run pip, telling the line how many packages it found and has installed."""
    log = venv / "install.log"
    with log.open("w") as output:
        pip = subprocess.Popen(  # noqa: S603 - pip, with what the Makefile asks for
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
        while pip.poll() is None:
            found = log.read_text(errors="replace").count("Collecting ")
            installed = sum(1 for _ in venv.glob("lib/python*/site-packages/*.dist-info"))
            line.detail = f"{found} found, {installed} installed"
            time.sleep(0.2)
    if pip.returncode != 0:
        sys.exit(f"Installing failed; pip says:\n{log.read_text(errors='replace')[-3000:]}")


class Line:
    """One line on a terminal that shows the wait goes on; two plain ones anywhere else."""

    def __init__(self, what: str) -> None:
        self.what, self.detail = what, ""
        self.start = time.monotonic()
        self.ended = threading.Event()
        self.drawing = threading.Thread(target=self.draw, daemon=True)

    def __enter__(self) -> Line:  # noqa: PYI034 - older Pythons have no Self
        if sys.stderr.isatty():
            self.drawing.start()
        else:
            self.write(f"{self.what} ...\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.ended.set()
        if self.drawing.is_alive():
            self.drawing.join()
            self.write("\r\033[K")
        if kind is None:
            self.write(f"{self.what}: done in {time.monotonic() - self.start:.0f} s\n")

    def draw(self) -> None:
        """Draw the line ten times a second."""
        for place in itertools.cycle([*range(21), *range(19, 0, -1)]):
            bar = " " * place + "###" + " " * (20 - place)
            seconds = time.monotonic() - self.start
            self.write(f"\r\033[K{self.what} [{bar}] {seconds:.0f} s, {self.detail}")
            if self.ended.wait(0.1):
                return

    @staticmethod
    def write(text: str) -> None:
        """Write to standard error at once."""
        sys.stderr.write(text)
        sys.stderr.flush()


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1]), sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(130)

"""The command `nightlatch`, and `python -m streams` for where its script is not on the path."""

import os
import sys
from pathlib import Path

from streams.interrupts import ending_at_once, interrupt_between_imports


def main() -> None:
    """Load the command line, which takes some tenths of a second, and run it."""
    # river comes with scipy, whose linear algebra starts a thread a core, and each spins for a
    # while; nothing here has any to do.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _open_closed_streams()
    with ending_at_once():
        from streams.cli import main as command_line
    interrupt_between_imports()
    command_line()


def _open_closed_streams() -> None:
    """Have a standard stream that whoever started us has closed lead nowhere.

    Else the next file that is opened would take its place, and be read or written for it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - until the process ends


if __name__ == "__main__":
    main()

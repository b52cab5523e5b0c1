"""The command `nightlatch`, and `python -m streams` for where its script is not on the path."""

import os

from streams.interrupts import ending_at_once, interrupt_between_imports


def main() -> None:
    """Load the command line, which takes some tenths of a second, and run it."""
    # river comes with scipy, whose linear algebra starts a thread a core, and each spins for a
    # while; nothing here has any to do.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ending_at_once():
        from streams.cli import main as command_line
    interrupt_between_imports()
    command_line()


if __name__ == "__main__":
    main()

"""The command `nightlatch`, and `python -m streams` for where its script is not on the path.

Loading the command takes some tenths of a second, in which Ctrl-C would be a traceback: so what is
imported here comes late, and until then Ctrl-C just ends the process.
"""

import os
import signal

from streams.exit_codes import INTERRUPTED


def main() -> None:
    """Load the command line and run it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else whoever started us wants it ignored
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from streams.cli import main as command_line

    signal.signal(signal.SIGINT, before)
    command_line()


if __name__ == "__main__":
    main()

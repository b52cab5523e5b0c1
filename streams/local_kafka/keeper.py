"""Runs a command and ends it when the process that asked for it is gone, however that went.

Run as a script: `keeper.py COMMAND...`, with a pipe for standard input of which the parent holds
the only other end. When the parent exits (also by SIGKILL) the system closes that end, reading
gives end-of-file, and the command is ended. That holds on every POSIX system; Linux's
PR_SET_PDEATHSIG would do less, since it fires when the parent's *thread* ends.

Standard library only and no imports of the product, so that it costs a few milliseconds.
"""

import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 10
"""What the command is given to end by itself before it is killed."""


def _end_with_parent(child: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 1):
        pass
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def main(command: list[str]) -> int:
    """Run `command` to its end; return its exit code, 128 + N where signal N ended it."""
    # Signals are meant for the command, which gets them as a member of the same group. A handler
    # rather than SIG_IGN, which the command would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    # Open files are passed on: among them is the lock that says the command is running.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)  # noqa: S603 - the product's own command
    threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

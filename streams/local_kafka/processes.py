"""Child processes that Ctrl-C does not reach before we decide, and that do not outlive us."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

KEEPER = Path(__file__).with_name("keeper.py")


class Process:
    """A command in a session of its own, its output appended to the file `log`.

    `kept`: it is ended when this process is gone, even by SIGKILL (see `keeper`). Otherwise it
    lives on. `pid` is also the id of its process group. `open_files` are passed on to it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        kept: bool = True,
        environment: Mapping[str, str] | None = None,
        open_files: Sequence[int] = (),
    ) -> None:
        keeper = [sys.executable, "-I", "-S", str(KEEPER)] if kept else []
        with log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603 - the product's own commands
                [*keeper, *command],
                stdin=subprocess.PIPE if kept else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
                pass_fds=open_files,
            )
        self.pid = self._popen.pid

    def poll(self) -> int | None:
        """Exit code, or None while it runs."""
        return self._popen.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command; nothing happens where it has ended."""
        signal_group(self.pid, number)

    def stop(self, grace: float = 10.0) -> int:
        """Ask it to end, kill it after `grace` seconds, and return its exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self._ended(grace)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it at once (SIGKILL)."""
        self.signal(signal.SIGKILL)
        return self._ended(None)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired` after `timeout` seconds."""
        return self._ended(timeout)

    def _ended(self, timeout: float | None) -> int:
        code = self._popen.wait(timeout)
        if self._popen.stdin:
            self._popen.stdin.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; nothing happens where nobody is left in it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)

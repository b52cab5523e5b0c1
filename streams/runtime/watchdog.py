"""Ends a process that cannot end by itself any more.

Everything else that watches over a worker runs in its event loop. A loop that is stuck, or a stop
that waits for something that never comes, can only be seen from another thread.
"""

import faulthandler
import os
import sys
import threading
import time
from typing import Any, Final

from detectors.errors import NightlatchError
from streams.exit_codes import FAILED

_LOOK_SECONDS: Final = 1.0
# What a stop is given beyond the half session in which it saves.
_STOP_SECONDS: Final = 15.0


class Watchdog(threading.Thread):
    """Watches an application for as long as the process lives.

    Its event loop must run at least every `limit` seconds, and once it is to stop, or has failed,
    the process must be gone within half a session and fifteen seconds.
    """

    def __init__(self, app: Any, *, limit: float, session_seconds: float) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._app = app
        self._limit = limit
        self._stop_limit = session_seconds / 2 + _STOP_SECONDS

    def run(self) -> None:
        """Look every second. A machine that was suspended is seen late twice before it counts."""
        stuck = 0
        ending_since: float | None = None
        while True:
            time.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            ticked = self._app.vigil.ticked
            ending = self._app.should_stop
            if ending:
                ending_since = ending_since or now
                if now - ending_since > self._stop_limit:
                    self._end(f"it did not end within {self._stop_limit:.0f} s")
            elif ticked is not None:
                stuck = stuck + 1 if now - ticked > self._limit else 0
                if stuck > 1:
                    # Where it is stuck is all that whoever mends it will have.
                    faulthandler.dump_traceback()
                    self._end(f"its event loop has not run for {now - ticked:.0f} s")

    def _end(self, what: str) -> None:
        reason = self._app.crash_reason
        why = f"{reason}; " if isinstance(reason, NightlatchError) else ""
        print(f"nightlatch: {why}{what}: this worker is ended", file=sys.stderr, flush=True)
        os._exit(FAILED)

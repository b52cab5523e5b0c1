"""Ctrl-C while nothing is held yet: the process just ends, with 130 and without a word.

Python's own way is an exception wherever the program happens to be. Within a C extension that is
being loaded it comes out as an ImportError, or is lost, and the process goes on. This module is
loaded before all others, and so imports next to nothing.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from streams.exit_codes import INTERRUPTED


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Have Ctrl-C end the process for as long as the context lasts."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else whoever started us wants it ignored
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

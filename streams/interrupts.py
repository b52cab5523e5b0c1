"""Ctrl-C where Python's own way of it does harm: while modules are loaded, and when all is over.

Python raises an exception wherever the program happens to be. Within a C extension that is being
loaded it comes out as an ImportError with a traceback, or is lost, and the process goes on. So
while nothing is held yet the process just ends, with 130 and without a word, and later on the
exception waits until nothing is being loaded. This module is loaded before all others, and so
imports next to nothing.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from streams.exit_codes import INTERRUPTED

_AGAIN = 0.02
"""Seconds after which it is asked again whether something is being loaded."""
_LOADING = "<frozen importlib"


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Have Ctrl-C end the process for as long as the context lasts."""
    before = signal.getsignal(signal.SIGINT)
    end_at_once()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def end_at_once() -> None:
    """Have Ctrl-C end the process from here on: nothing is held any more, or not yet."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as whoever started us wants it
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))


def interrupt_between_imports() -> None:
    """Have Ctrl-C raise KeyboardInterrupt, though not while a module is being loaded."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda _number, frame: interrupt(frame))


def interrupt(frame: FrameType | None, unless: Callable[[], bool] | None = None) -> None:
    """Raise KeyboardInterrupt, from a signal's handler: now, or when `frame` has done loading.

    With `unless` it is not raised where that is true by then.
    """
    if unless is not None and unless():
        return
    if not _is_loading(frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, lambda _number, now: interrupt(now, unless))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def exit_with(code: int) -> None:
    """End the process with a code, through all that is done at its end; Ctrl-C only hastens it."""
    if sys.stdout is not None:  # as where whoever started us has closed it
        with suppress(BrokenPipeError):  # which the end of the process tells by itself
            sys.stdout.flush()
    end_at_once()
    sys.exit(code)


def _is_loading(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_LOADING):
            return True
        frame = frame.f_back
    return False

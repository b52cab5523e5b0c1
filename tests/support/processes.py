"""Processes as the system sees them: the tests' own eyes, independent of what they test."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def running_with(argument: str) -> dict[psutil.Process, list[str]]:
    """Every process that has this text in an argument or in its environment, and its arguments.

    To be asked for these again, it may be too late.
    """
    found = {}
    for process in psutil.process_iter():
        try:
            arguments, environment = process.cmdline(), process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(argument in text for text in (*arguments, *environment.values())):
            found[process] = arguments
    return found


def wait_until(
    condition: Callable[[], object], seconds: float = 15.0, *, every: float = 0.05
) -> bool:
    """Whether the condition comes to hold in so many seconds, asked anew after every so many."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def text_of(path: Path) -> str:
    """A log's text, empty where there is none yet."""
    return path.read_text("utf-8", "replace") if path.exists() else ""

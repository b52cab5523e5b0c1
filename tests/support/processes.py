"""Processes as the system sees them: the tests' own eyes, independent of what they test."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def running_with(argument: str) -> list[psutil.Process]:
    """Every process that has this text in an argument or in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            texts = [*process.cmdline(), *process.environ().values()]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(argument in text for text in texts):
            found.append(process)
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

"""Runs an application as a process: quiet logs, one sentence for what is wrong, an exit code."""

import asyncio
import logging
import math
import sys
from collections.abc import Collection
from typing import Final

import faust
from aiokafka.errors import KafkaError

from detectors.errors import NightlatchError
from streams.exit_codes import DONE, FAILED, exit_code
from streams.garbage import collect_seldom
from streams.runtime.application import RunApp
from streams.runtime.watchdog import Watchdog

_REPEAT_SECONDS: Final = 30.0
_SAID_AT_ONCE: Final = 3
# Of a message as it was before its values went in, what makes it one of a kind; and how many kinds.
_TEMPLATE: Final = 24
_TEMPLATES: Final = 1000
# They say at "info" what only whoever mends them wants to know.
_TALKATIVE: Final = ("faust", "mode", "aiokafka", "kafka", "streams.runtime.application")


class RunWorker(faust.Worker):
    """Faust's worker without banner and spinner, and without a second's sleep at its end."""

    def __init__(self, app: RunApp) -> None:
        super().__init__(app, quiet=True, override_logging=False, redirect_stdouts=False)
        self.spinner = None

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)


def run(app: RunApp, *, log_level: str = "info", secrets: Collection[str] = ()) -> int:
    """Run until stopped by SIGTERM or SIGINT (0) or by a failure; return the exit code.

    `secrets` are masked wherever a line of the log would hold one.
    """
    set_up_logging(log_level, secrets)
    collect_seldom(awaited=True)
    # Faust takes the loop that is current; from Python 3.14 on there would be none.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = RunWorker(app)
    options = app.runtime.options
    Watchdog(app, limit=options.give_up_seconds, session_seconds=options.session_seconds).start()
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return _exit_code(worker.crash_reason, end.code)


def _exit_code(reason: BaseException | None, code: object) -> int:
    if isinstance(reason, NightlatchError):
        print(f"nightlatch: {reason}", file=sys.stderr)
        return exit_code(reason)
    if isinstance(reason, KafkaError):
        what = " ".join(str(reason).split()) or type(reason).__name__
        print(f"nightlatch: Kafka: {what}: this worker stops", file=sys.stderr)
        return FAILED
    return DONE if not code else FAILED


def set_up_logging(level: str, secrets: Collection[str] = ()) -> None:
    """Write the log to standard error, a line an entry; libraries only from warnings on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Masking(secrets))
    handler.addFilter(_worth_a_line)
    if level != "debug":
        handler.addFilter(_Repeats())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(level.upper() if level == "debug" else "WARNING")


class _Masking(logging.Formatter):
    """Masks secrets: at "debug" aiokafka writes its requests down, and one signs in by password."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        # As it is, and as Python shows the bytes of it.
        self._secrets = [
            text for secret in secrets for text in (secret, repr(secret.encode())[2:-1])
        ]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "********")
        return line


class _Repeats(logging.Filter):
    """Lets through what is said again and again only now and then, with how often it was said.

    With the brokers gone, their clients log each attempt at each partition, fifty lines a second.
    What the product itself tells of its course it tells no more often than is good.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to let an entry through."""
        if record.levelno <= logging.INFO and record.name.startswith("streams."):
            return True
        what = record.name, str(record.msg)[:_TEMPLATE]
        since, times = self._said.get(what, (-math.inf, 0))
        if record.created - since < _REPEAT_SECONDS:
            self._said[what] = since, times + 1
            return times < _SAID_AT_ONCE
        if times > _SAID_AT_ONCE:
            record.msg = f"{record.msg} (and {times - _SAID_AT_ONCE} more like it)"
        if len(self._said) >= _TEMPLATES:
            self._said.clear()
        self._said[what] = record.created, 1
        return True


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Whether an entry of the log tells anybody anything."""
    if record.name == "faust.worker" and record.levelno == logging.CRITICAL:
        return False  # "We experienced a crash!"
    error = record.exc_info[1] if record.exc_info else None
    # An error of ours, or the brokers', is told once, at the end, by itself. A thread that has
    # ended of it cannot be asked to end again.
    told = isinstance(error, NightlatchError | KafkaError)
    return not told and str(error) != "Event loop is closed"

"""Nightlatch set up for a demonstration, and taken down however the demonstration ends."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from detectors.errors import NightlatchError
from detectors.simulation.internet import LookupRow
from streams.configuration import load
from streams.kafka_clients import admin
from streams.local_kafka import DEFAULT_FOLDER, LocalKafka, Report
from streams.local_kafka.processes import Process
from streams.settings import PREFIX, Settings
from streams.simulated_files import write_rows
from streams.topic_administration import create
from streams.topics import topic_specs
from streams.whole_files import whole_file

# A model belongs to a partition, and a small shop's traffic is not much to learn from.
_PARTITIONS: Final = 2
_GRACE_SECONDS: Final = 5.0
_LOG_LINES: Final = 30


class WorkerEnded(NightlatchError):
    """The demonstration's worker ended by itself. `log` is the end of what it wrote."""

    def __init__(self, code: int, log: str) -> None:
        self.log = log
        super().__init__(f"the worker ended by itself, with exit code {code}; above is its log")


class Installation:
    """A running worker and the settings that lead to its topics."""

    def __init__(self, settings: Settings, worker: Process, log: Path) -> None:
        self.settings = settings
        self._worker, self._log = worker, log

    def check(self) -> None:
        """Raise WorkerEnded where the worker is not running any more."""
        code = self._worker.poll()
        if code is not None:
            lines = self._log.read_text("utf-8", "replace").splitlines()
            raise WorkerEnded(code, "\n".join(lines[-_LOG_LINES:]))


@contextmanager
def installed(
    broker: str | None,
    settings_file: Path | None,
    *,
    networks: Iterable[LookupRow],
    budget: float,
    report: Report,
) -> Iterator[Installation]:
    """Give a running installation; nothing of it is left when the context ends.

    On `broker` (else a Kafka of its own) it makes topics under a prefix of their own and deletes
    them in the end. `networks` are the rows of the worker's look-up file, `budget` is the share of
    account-days on which it may alert.
    """
    with ExitStack() as stack:
        home = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="nightlatch-", ignore_cleanup_errors=True)
            )
        )
        lookup = home / "networks.csv"
        with whole_file(lookup) as file:
            write_rows(file, networks)
        overrides: dict[str, Any] = {
            "broker": broker or _own_kafka(stack, home, report),
            "partitions": _PARTITIONS,
            "data_dir": str(home / "worker"),
            "lookups": str(lookup),
            "detection_alert_budget": budget,
            **(_names_of_its_own() if broker else {}),
        }
        settings = load(settings_file, overrides=overrides).settings
        report("Making the topics", 0, 1)
        _make_topics(stack, settings, delete=broker is not None)
        report("Making the topics", 1, 1)
        log = home / "worker.log"
        worker = Process(_command(settings_file), log=log, environment=_environment(overrides))
        stack.callback(worker.stop, _GRACE_SECONDS)
        yield Installation(settings, worker, log)


def _own_kafka(stack: ExitStack, home: Path, report: Report) -> str:
    kafka = LocalKafka(home / "kafka", folder=DEFAULT_FOLDER, report=report)
    # Its data goes with it, so there is nothing to close cleanly.
    stack.callback(kafka.kill)
    return kafka.start()


def _names_of_its_own() -> dict[str, str]:
    prefix = f"nightlatch-demo-{uuid.uuid4().hex[:8]}"
    return {"topic_prefix": f"{prefix}-", "app_id": prefix}


def _command(settings_file: Path | None) -> list[str]:
    chosen = ["--settings", str(settings_file.absolute())] if settings_file else []
    return [sys.executable, "-m", "streams", "worker", *chosen]


def _environment(overrides: Mapping[str, Any]) -> dict[str, str]:
    own = {PREFIX + name.upper(): str(value) for name, value in overrides.items()}
    return {**os.environ, **own}


def _make_topics(stack: ExitStack, settings: Settings, *, delete: bool) -> None:
    if delete:
        with admin(settings):  # nothing to delete where nobody answers
            stack.callback(_delete_topics, settings)
    create(settings)


def _delete_topics(settings: Settings) -> None:
    with admin(settings) as client:
        client.delete_topics([spec.name for spec in topic_specs(settings)], raise_errors=False)
        client.delete_groups([settings.app_id])

"""`nightlatch demo`: it runs on a real Kafka, measures what it says, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from detectors.simulation import FAMILIES
from tests.support.commands import NIGHTLATCH, REPOSITORY, clean_environment
from tests.support.processes import running_with, text_of, wait_until

pytestmark = pytest.mark.kafka

SMALL = ("--accounts", "1500", "--days", "10")


class Demo:
    """A demo in the background. Its `mark` is in the environment of all that it starts."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.mark = f"mark-{uuid.uuid4().hex}"
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*NIGHTLATCH, "demo", *SMALL, *arguments],
                cwd=REPOSITORY,
                env=clean_environment(DEMO_TEST=self.mark, TMPDIR=str(folder), COLUMNS="120"),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def says(self, text: str) -> bool:
        """Whether the text comes within a minute."""
        return wait_until(lambda: text in text_of(self.output) or self.ended, 60) and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the demo itself is gone."""
        return self.process.poll() is not None

    def runs(self, what: str) -> bool:
        """Whether one of its processes has this among its arguments, within half a minute."""
        return wait_until(lambda: self._has(what) or self.ended, 30) and not self.ended

    def _has(self, what: str) -> bool:
        return any(what in arguments for arguments in running_with(self.mark).values())


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[Demo]:
    """A demo that a failed test does not leave running."""
    running = Demo(folder, *arguments)
    try:
        yield running
    finally:
        for process in running_with(running.mark):
            process.kill()
        running.process.wait()


def topics_on(bootstrap: str) -> set[str]:
    """Names of the topics that the demo makes on somebody's Kafka."""
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return {name for name in client.list_topics() if name.startswith("nightlatch-demo")}
    finally:
        client.close()


def test_it_shows_alerts_and_ends_with_figures_that_agree_with_them(tmp_path: Path) -> None:
    """One command, no broker given: cases are shown, and the summary counts what was shown."""
    with demo(tmp_path, "--seconds", "5") as running:
        assert running.process.wait(100) == 0, text_of(running.output)
        assert not running_with(running.mark)
    text = text_of(running.output)
    rows = re.findall(r"^ *(\w+) +c\w{10} +(missed|at once|[\d.]+ \w+)", text, re.MULTILINE)
    assert {family for family, _ in rows} == set(FAMILIES)
    caught = [family for family, when in rows if when != "missed"]
    assert f"{len(caught)} of {len(rows)}  staged hijacks caught" in text
    shown = text.split("live traffic in", 1)[1]
    assert set(re.findall(r"In truth +(\w+): ", shown)) <= set(caught)
    linked = re.findall(r"^Campaign (\w+): \d+ accounts", text, re.MULTILINE)
    assert set(linked) <= set(re.findall(r"campaign (\w+) links \d+ accounts", shown))
    assert linked, "the gang's accounts are no campaign"
    false_alerts = int(re.findall(r"(\d+)  false alerts on", text)[0])
    assert shown.count("nothing was staged here") >= false_alerts
    assert len(caught) + false_alerts > 0
    assert not list(tmp_path.glob("nightlatch-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_on_somebodys_kafka_it_takes_its_topics_with_it(
    tmp_path: Path, kafka: str, number: signal.Signals
) -> None:
    """Interrupted in the live part, with a second signal on its heels: nothing is left."""
    with demo(tmp_path, "--broker", kafka, "--seconds", "60") as running:
        assert running.says("live traffic in"), text_of(running.output)
        assert topics_on(kafka)
        running.process.send_signal(number)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) == 130, text_of(running.output)
        assert wait_until(lambda: not running_with(running.mark))
    assert "Traceback" not in text_of(running.output)
    assert topics_on(kafka) == set()


@pytest.mark.parametrize("moment", ["kafka.tools.StorageTool", "kafka.Kafka", "worker"])
def test_interrupted_as_it_starts_it_leaves_no_process(tmp_path: Path, moment: str) -> None:
    """Ctrl-C while Kafka is formatted, comes up, or the worker begins."""
    with demo(tmp_path) as running:
        assert running.runs(moment), text_of(running.output)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) == 130, text_of(running.output)
        assert wait_until(lambda: not running_with(running.mark))
    assert "Traceback" not in text_of(running.output)


def test_killed_with_9_it_leaves_no_process(tmp_path: Path) -> None:
    """Kafka and worker notice that nobody is waiting for them any more."""
    with demo(tmp_path) as running:
        assert running.runs("worker"), text_of(running.output)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        assert wait_until(lambda: not running_with(running.mark), 20)


def test_a_worker_that_ends_by_itself_ends_the_demo(tmp_path: Path, kafka: str) -> None:
    """It is said at once, with the end of the worker's log, and not waited for in vain."""
    with demo(tmp_path, "--broker", kafka) as running:
        assert running.says("live traffic in"), text_of(running.output)
        workers = [p for p, said in running_with(running.mark).items() if said[-1] == "worker"]
        for worker in workers:
            worker.kill()
        assert running.process.wait(20) == 1, text_of(running.output)
        assert wait_until(lambda: not running_with(running.mark))
    assert "the worker ended by itself" in text_of(running.output)
    assert "Traceback" not in text_of(running.output)

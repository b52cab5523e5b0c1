"""Ctrl-C while a command loads what it needs: no traceback, 130, and nothing left running."""

import signal
import subprocess
import uuid
from pathlib import Path

import psutil
import pytest

from streams.exit_codes import DONE, INTERRUPTED
from tests.support.commands import NIGHTLATCH, REPOSITORY, clean_environment, nightlatch
from tests.support.processes import running_with, text_of, wait_until


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few days of a small shop, with what was staged in it beside them."""
    folder = tmp_path_factory.mktemp("events")
    arguments = ("--accounts", "50", "--days", "2", "--hijacks", "0.05")
    files = ("--out", str(folder / "events"), "--labels", str(folder / "labels"))
    assert nightlatch("simulate", *arguments, *files).returncode == DONE
    return folder


def interrupted(folder: Path, moment: str, *arguments: str) -> str:
    """Interrupt a command as soon as it has begun to load a library; return what it has said."""
    mark, output = f"mark-{uuid.uuid4().hex}", folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*NIGHTLATCH, *arguments],
            cwd=REPOSITORY,
            env=clean_environment(INTERRUPTS_TEST=mark, TMPDIR=str(folder)),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        seen = psutil.Process(process.pid)
        assert wait_until(
            lambda: any(moment in of.path for of in seen.memory_maps()), 30, every=0.001
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == INTERRUPTED, text_of(output)
        assert wait_until(lambda: not running_with(mark)), running_with(mark)
    finally:
        for left in running_with(mark):
            left.kill()
        process.wait()
    return text_of(output)


@pytest.mark.parametrize(
    "moment",
    ["numpy/linalg", "scipy/special/_ufuncs", "scipy/optimize/_highspy", "scipy/stats", "sklearn"],
)
def test_a_backtest_that_loads_ends_quietly(tmp_path: Path, events: Path, moment: str) -> None:
    """Its libraries are of C: what is raised as they load comes out as an ImportError."""
    files = (str(events / "events"), "--labels", str(events / "labels"))
    report = ("--report", str(tmp_path / "report"))
    assert interrupted(tmp_path, moment, "backtest", *files, *report) == ""


@pytest.mark.parametrize("moment", ["numpy/_core", "numpy/random", "orjson"])
def test_a_demo_that_loads_ends_quietly(tmp_path: Path, moment: str) -> None:
    """Before there is a Kafka: it says at most that it has ended."""
    said = interrupted(tmp_path, moment, "demo", "--accounts", "1500", "--days", "10")
    assert "Traceback" not in said
    assert "Error" not in said
    assert not list(tmp_path.glob("nightlatch-*"))


def test_a_simulation_that_is_interrupted_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    """Part of a shop's events would pass for all of them: what was there before stays."""
    events, labels = tmp_path / "events.ndjson.gz", tmp_path / "labels.ndjson"
    labels.write_bytes(b"of before\n")
    process = subprocess.Popen(
        [*NIGHTLATCH, "simulate", "--out", str(events), "--labels", str(labels)],
        cwd=REPOSITORY,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(
            lambda: sum(one.stat().st_size for one in tmp_path.iterdir()) > 100_000, 60
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == INTERRUPTED
    finally:
        process.kill()
        process.wait()
    assert [one.name for one in tmp_path.iterdir()] == [labels.name]
    assert labels.read_bytes() == b"of before\n"

"""A worker says how it is, and ends where it does not get on, rather than hang."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.local_kafka import LocalKafka
from streams.local_kafka.broker import free_port
from streams.metrics import FIGURES
from streams.topic_administration import create
from streams.topics import flows
from tests.integration.harness import PATIENCE, committed_everything, send, wait_for, worker
from tests.integration.product_worker import Options
from tests.integration.test_worker import MODULE, options, settings_of, shop_records, sources
from tests.support.commands import NIGHTLATCH, REPOSITORY, clean_environment

pytestmark = pytest.mark.kafka
GIVE_UP_SECONDS = 6.0


def asked(port: int, path: str) -> tuple[int, str]:
    """Return a page's status and text."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_pages_of_a_worker(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Alive, ready, without lag when all is read; every figure of the registry; nothing else."""
    port = free_port()
    chosen = options(kafka, topic_prefix, tmp_path, web_port=port, give_up_seconds=5)
    settings = settings_of(chosen)
    create(settings)
    records = list(shop_records(settings))
    send(kafka, records)
    with worker(Options(settings=chosen), tmp_path / "log", module=MODULE) as running:
        running.wait_until_ready()
        running.wait_until(
            lambda: committed_everything(kafka, settings.app_id, sources(settings)), "read all"
        )
        assert asked(port, "/health/live") == (200, '{"live":true}')
        status, text = asked(port, "/health/ready")
        assert status == 200
        both = [0, 1]
        assert orjson.loads(text)["partitions"] == {"campaigns": [0], "events": both, "heat": both}

        def lags() -> Any:
            return orjson.loads(asked(port, "/health/lag")[1])

        read = sum(len(flow.read) * flow.partitions for flow in flows(settings).values())
        wait_for(lambda: len(lags()["partitions"]) == read, "every partition to be known")
        wait_for(lambda: lags()["records"] == 0, "the lag to be nothing")
        figures = asked(port, "/metrics")[1]
        for figure in FIGURES:
            assert f"# HELP {figure.name}" in figures
        folded = re.search(r'nightlatch_folded_records_total{flow="events"} (\d+)', figures)
        assert folded is not None
        # What the other flows told of its accounts comes on top.
        assert int(folded.group(1)) >= len(records)
        for path in ("/table/", "/router/", "/graph", "/stats"):
            assert asked(port, path)[0] == 404, path
        assert running.stop() == 0


def test_nothing_is_shown_unless_asked_for(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Without a port in the settings a worker listens on none."""
    chosen = options(kafka, topic_prefix, tmp_path)
    create(settings_of(chosen))
    with worker(Options(settings=chosen), tmp_path / "log", module=MODULE) as running:
        running.wait_until_ready()
        listening = Path(f"/proc/{running.process.pid}/net/tcp").read_text()
        own = {str(file.readlink()) for file in Path(f"/proc/{running.process.pid}/fd").iterdir()}
        inodes = {
            f"socket:[{line.split()[9]}]" for line in listening.splitlines() if " 0A " in line
        }
        assert not inodes & own
        assert running.stop() == 0


@pytest.mark.parametrize("fault", ["frozen", pytest.param("gone", marks=pytest.mark.slow)])
def test_a_worker_whose_brokers_do_not_answer_gives_up(
    own_kafka: LocalKafka, topic_prefix: str, tmp_path: Path, fault: str
) -> None:
    """Frozen or gone: it says so in one sentence, without a flood, and exits with 1."""
    status = own_kafka.status()
    assert status.bootstrap is not None
    assert status.pid is not None
    chosen = options(status.bootstrap, topic_prefix, tmp_path, give_up_seconds=GIVE_UP_SECONDS)
    create(settings_of(chosen))
    with worker(Options(settings=chosen), tmp_path / "log", module=MODULE) as running:
        running.wait_until_ready()
        # The whole process group: the broker, and the process that ends it with the tests.
        os.killpg(status.pid, signal.SIGSTOP if fault == "frozen" else signal.SIGKILL)
        began = time.monotonic()
        try:
            code = running.wait(GIVE_UP_SECONDS + 30)
        finally:
            if fault == "frozen":
                os.killpg(status.pid, signal.SIGCONT)
        assert code == 1
        assert time.monotonic() - began > GIVE_UP_SECONDS - 2
        output = running.output()
    last = output.splitlines()[-1]
    assert last.startswith("nightlatch: the brokers have not answered for "), output[-3000:]
    assert "Traceback" not in output
    assert len(output.splitlines()) < 60, output


@pytest.mark.slow
def test_a_worker_that_hangs_is_ended(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """An event loop that is stuck for good is ended from outside, and shows where it was stuck."""
    chosen = options(kafka, topic_prefix, tmp_path, give_up_seconds=5)
    settings = settings_of(chosen)
    create(settings)
    hanging = Options(settings=chosen, hang=True)
    with worker(hanging, tmp_path / "log", module=MODULE) as running:
        running.wait_until_ready()
        send(kafka, list(shop_records(settings))[:10])
        assert running.wait(30) == 1
        output = running.output()
    assert "nightlatch: its event loop has not run for" in output.splitlines()[-1]
    assert "in hang" in output


@pytest.mark.slow
def test_a_worker_that_does_nothing_though_it_could_gives_up(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """A fetcher that died in silence (faust-streaming issue 175) leaves a lag, and is noticed."""
    chosen = options(kafka, topic_prefix, tmp_path, give_up_seconds=5)
    settings = settings_of(chosen)
    create(settings)
    deaf = Options(settings=chosen, deaf=True)
    with worker(deaf, tmp_path / "log", module=MODULE) as running:
        running.wait_until_ready()
        time.sleep(8)
        assert running.process.poll() is None, "an idle worker is fine"
        send(kafka, list(shop_records(settings))[:10])
        assert running.wait(30) == 1
        assert "and nothing was done" in running.output().splitlines()[-1]


@contextmanager
def starting(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Give the command's process, as it starts, with brokers at a port of this machine."""
    environment = clean_environment(
        NIGHTLATCH_BROKER=f"127.0.0.1:{port}", NIGHTLATCH_DATA_DIR=str(folder)
    )
    process = subprocess.Popen(
        [*NIGHTLATCH, "worker"], cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def assert_ctrl_c_ends(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt a process: it ends with 130, without a word, and does not wait for anybody."""
    process.send_signal(signal.SIGINT)
    # A machine that is busy may take its time; waiting for brokers takes ten seconds.
    _, told = process.communicate(timeout=8)
    assert (process.returncode, told.decode()) == (130, "")


# The libraries in C that the command line begins with, the worker, and the worker's runtime: an
# exception while one is loaded comes out of it as another, or not at all.
@pytest.mark.parametrize("library", ["msgspec", "scipy", "rocksdict"])
def test_ctrl_c_while_a_worker_is_loaded_ends_it_at_once(tmp_path: Path, library: str) -> None:
    """Whatever is just being loaded: no traceback, no waiting."""
    with starting(tmp_path, port=1) as process:
        loaded = Path(f"/proc/{process.pid}/maps")
        wait_for(lambda: f"/{library}/" in loaded.read_text(), f"{library} to be there", step=0.002)
        assert_ctrl_c_ends(process)


@pytest.mark.parametrize("broker", ["nobody", "somebody who never answers"])
def test_ctrl_c_while_a_worker_waits_for_brokers_ends_it_at_once(
    tmp_path: Path, broker: str
) -> None:
    """Whether they are away or silent: no traceback, no waiting."""
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = 1 if broker == "nobody" else silent.getsockname()[1]
        with starting(tmp_path, port) as process:
            if broker == "nobody":
                time.sleep(3)
            else:
                silent.settimeout(PATIENCE)
                connection, _ = silent.accept()
                stack.callback(connection.close)
            assert_ctrl_c_ends(process)

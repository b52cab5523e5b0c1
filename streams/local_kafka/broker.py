"""The local broker's life: start, status, stop, kill, and start again on the same data."""

import base64
import fcntl
import os
import random
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from detectors.errors import ConfigurationError, NightlatchError
from streams.local_kafka.configuration import (
    Node,
    Quorum,
    Security,
    log_properties,
    server_properties,
)
from streams.local_kafka.distribution import (
    DEFAULT_FOLDER,
    KAFKA_VERSION,
    Report,
    classpath,
    java,
    say_nothing,
)
from streams.local_kafka.processes import Process, signal_group
from streams.whole_files import make_folder, write_whole

START_SECONDS = 90.0
STOP_SECONDS = 20.0
_READY = "Kafka Server started"
# Below the range from which systems hand out ports for outgoing connections, so that a broker
# that was killed finds its port free when it is started again.
_PORTS = range(20_000, 32_000)


class BrokerFailed(NightlatchError):
    """The local broker did not start, or ended by itself; the text names its log."""


class Status(NamedTuple):
    """What is known of a local broker. `bootstrap` and `pid` are None while none is running."""

    running: bool
    bootstrap: str | None
    pid: int | None
    log: Path


class _Running(msgspec.Struct, frozen=True):
    """What a starting broker leaves beside its data for whoever looks later."""

    node_id: int
    port: int
    controller_port: int
    pid: int | None = None


class LocalKafka:
    """One Apache Kafka broker in KRaft mode on 127.0.0.1, its data under `data`.

    `folder` keeps the jars. `port` 0 takes a free one; once taken it stays the same for this data,
    so that clients find a restarted broker again. `outlives_us` is for a broker that runs in the
    background; any other is ended with the process that started it, even by SIGKILL. `security`
    is for new data only; one of a `quorum` starts when most of the others are being started.
    """

    def __init__(
        self,
        data: Path,
        *,
        folder: Path = DEFAULT_FOLDER,
        port: int = 0,
        node_id: int = 1,
        outlives_us: bool = False,
        heap: str = "512m",
        security: Security | None = None,
        quorum: Quorum | None = None,
        report: Report = say_nothing,
    ) -> None:
        self._data = data.absolute()
        self._folder = folder
        self._port = port
        self._node_id = node_id
        self._outlives_us = outlives_us
        self._heap = heap
        self._security = security
        self._quorum = quorum
        self._report = report
        self._process: Process | None = None
        self._log = self._data / "broker.log"
        self._console = self._data / "console.log"
        self._record = self._data / "broker.json"
        self._lock = self._data / "broker.lock"

    def start(self) -> str:
        """Start the broker, wait until it serves, and return its `host:port`.

        Raises ConfigurationError where a package is missing or the port is taken, BrokerFailed
        where the broker already runs or does not come up, NightlatchError where its jars can't be
        downloaded.
        """
        jars = classpath(self._folder, self._report)
        what = f"Starting Apache Kafka {KAFKA_VERSION}"
        self._report(what, 0, 3)
        make_folder(self._data, "the folder of Kafka's data")
        lock = self._take_lock()
        try:
            node = self._node()
            self._format(node, jars)
            self._report(what, 1, 3)
            log_start = self._log.stat().st_size if self._log.exists() else 0
            self._process = self._launch(node, jars, lock)
        finally:
            os.close(lock)  # the broker holds it from here on
        self._await_ready(self._process, log_start, lambda: self._report(what, 2, 3))
        self._report(what, 3, 3)
        return node.bootstrap

    def stop(self) -> None:
        """End the broker cleanly; kill it after STOP_SECONDS. Nothing happens where none runs."""
        self._end(signal.SIGTERM, STOP_SECONDS)

    def kill(self) -> None:
        """End the broker at once, as a crash would (SIGKILL). `start` brings it back."""
        self._end(signal.SIGKILL, STOP_SECONDS)

    def status(self) -> Status:
        """Look whether a broker runs on this data, whoever started it."""
        known = self._known() if self._is_locked() else None
        bootstrap = f"127.0.0.1:{known.port}" if known else None
        return Status(known is not None, bootstrap, known.pid if known else None, self._log)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _end(self, number: signal.Signals, grace: float) -> None:
        status = self.status()
        if status.pid is not None:
            signal_group(status.pid, number)
            if not self._unlocked_within(grace):
                signal_group(status.pid, signal.SIGKILL)
                self._unlocked_within(grace)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _launch(self, node: Node, jars: str, lock: int) -> Process:
        logging = self._data / "log4j2.properties"
        write_whole(logging, log_properties(self._log).encode())
        options = [
            f"-Xmx{self._heap}",
            f"-Dlog4j2.configurationFile={logging}",
            "-Djava.awt.headless=true",
        ]
        command = [str(java()), *options, "-cp", jars, "kafka.Kafka", str(self._properties())]
        process = Process(command, log=self._console, kept=not self._outlives_us, open_files=[lock])
        self._write_record(node, process.pid)
        return process

    def _await_ready(self, process: Process, log_start: int, report: Callable[[], None]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while _READY not in self._log_since(log_start):
            report()
            if process.poll() is not None:
                self._process = None
                process.wait()
                raise BrokerFailed(
                    f"Kafka ended as it started; see {self._console} and {self._log.name} beside it"
                )
            if time.monotonic() > deadline:
                self.kill()
                raise BrokerFailed(
                    f"Kafka did not start within {START_SECONDS:.0f} seconds; see {self._log}"
                )
            time.sleep(0.05)

    def _log_since(self, start: int) -> str:
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            log.seek(start)
            return log.read().decode("utf-8", "replace")

    def _node(self) -> Node:
        known = self._known()
        port = self._port or (known.port if known else free_port())
        controller_port = known.controller_port if known else free_port()
        if self._quorum is not None:
            controller_port = self._quorum.controller_ports[self._node_id]
        for number in (port, controller_port):
            if not _is_free(number):
                raise ConfigurationError(
                    f"port {number} on 127.0.0.1 is taken by another program: "
                    "end that program or choose another port"
                )
        return Node(self._node_id, self._data, port, controller_port, self._security, self._quorum)

    def _format(self, node: Node, jars: str) -> None:
        """Write the configuration, and prepare the data where it is new."""
        write_whole(self._properties(), server_properties(node).encode())
        if (self._data / "log" / "meta.properties").exists():
            return
        tool = ["-XX:TieredStopAtLevel=1", "-cp", jars, "kafka.tools.StorageTool", "format"]
        what = [*self._identity(), "-c", str(self._properties())]
        with self._console.open("ab") as output:
            ended = subprocess.run(  # noqa: S603 - the product's own command
                [str(java()), *tool, *what], stdout=output, stderr=output, check=False
            )
        if ended.returncode != 0:
            raise BrokerFailed(f"Kafka's storage could not be prepared; see {self._console}")

    def _identity(self) -> list[str]:
        """What new data is told of itself: the cluster it belongs to, and who may sign in."""
        alone = ["--standalone", f"--cluster-id={new_cluster_id()}"]
        cluster = [f"--cluster-id={self._quorum.cluster_id}"] if self._quorum else alone
        users = self._security.passwords.items() if self._security else ()
        return [
            *cluster,
            *(f"--add-scram=SCRAM-SHA-512=[name={name},password={word}]" for name, word in users),
        ]

    def _properties(self) -> Path:
        return self._data / "server.properties"

    def _known(self) -> _Running | None:
        if not self._record.exists():
            return None
        return msgspec.json.decode(self._record.read_bytes(), type=_Running)

    def _write_record(self, node: Node, pid: int) -> None:
        record = _Running(node.node_id, node.port, node.controller_port, pid)
        write_whole(self._record, msgspec.json.encode(record))

    def _take_lock(self) -> int:
        """Hold what says that a broker runs here; the broker inherits it and so keeps it."""
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise BrokerFailed(f"a Kafka is already running on {self._data}") from None
        return lock

    def _is_locked(self) -> bool:
        if not self._lock.exists():
            return False
        with self._lock.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _unlocked_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._is_locked():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody uses."""
    candidates = random.sample(_PORTS, 100)
    for port in candidates:
        if _is_free(port):
            return port
    raise ConfigurationError(f"no free port from {_PORTS.start} to {_PORTS.stop - 1}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the broker does: connections of an earlier broker that linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def new_cluster_id() -> str:
    """Return a random id in Kafka's form: 16 bytes in URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()

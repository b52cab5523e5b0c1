"""How the local broker is set up: one node, both roles, reachable from this machine only."""

from pathlib import Path
from typing import NamedTuple

MAX_BATCH_BYTES = 16 * 1024 * 1024
"""The state changelog writes a partition's changes as one batch, and a batch may be this large."""


class Node(NamedTuple):
    """One broker: `data` is its folder, the ports are on 127.0.0.1."""

    node_id: int
    data: Path
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"


def server_properties(node: Node) -> str:
    """The broker's `server.properties`."""
    listeners = f"CLIENTS://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.node_id,
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{node.controller_port}",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENTS",
        "log.dirs": node.data / "log",
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_BATCH_BYTES,
        "replica.fetch.max.bytes": MAX_BATCH_BYTES,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # Made for large clusters: at their defaults they take seconds and megabytes at start.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        "log.cleaner.dedupe.buffer.size": MAX_BATCH_BYTES,
        # Nobody else is about to join, and a test of a crash need not wait six seconds.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # A killed broker is let in again only when its earlier self has timed out.
        "broker.session.timeout.ms": 4000,
        "broker.heartbeat.interval.ms": 500,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def log_properties(log: Path) -> str:
    """Log4j's configuration: everything to one file, which is kept below 40 MB."""
    return f"""\
status = error
shutdownHook = disable
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %m (%c)%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 20MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 1
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""

"""How the local broker is set up: a node with both roles, reachable from this machine only."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

MAX_BATCH_BYTES = 16 * 1024 * 1024
"""The state changelog writes a partition's changes as one batch, and a batch may be this large."""


class Security(NamedTuple):
    """Clients come over TLS and sign in (SCRAM-SHA-512, PLAIN); what no ACL allows is refused.

    `key_and_chain` is the broker's private key (PKCS 8), certificate and what signed that, in one
    PEM file, `authority` the certificates that the broker trusts. `passwords` are by user; `admin`
    is the one of them whom everything is allowed.
    """

    key_and_chain: Path
    authority: Path
    passwords: Mapping[str, str]
    admin: str


class Quorum(NamedTuple):
    """Brokers that make one cluster: their controllers' ports on 127.0.0.1 by node id."""

    cluster_id: str
    controller_ports: Mapping[int, int]


class Node(NamedTuple):
    """One broker: `data` is its folder, the ports are on 127.0.0.1."""

    node_id: int
    data: Path
    port: int
    controller_port: int
    security: Security | None = None
    quorum: Quorum | None = None

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"


def server_properties(node: Node) -> str:
    """The broker's `server.properties`."""
    protocol = "SASL_SSL" if node.security else "PLAINTEXT"
    replicas = len(node.quorum.controller_ports) if node.quorum else 1
    listeners = f"CLIENTS://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.node_id,
        **_controllers(node),
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": f"CLIENTS:{protocol},CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENTS",
        "log.dirs": node.data / "log",
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_BATCH_BYTES,
        "replica.fetch.max.bytes": MAX_BATCH_BYTES,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": replicas,
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
        **(_secured(node.security) if node.security else {}),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _controllers(node: Node) -> dict[str, str]:
    if node.quorum is None:
        return {"controller.quorum.bootstrap.servers": f"127.0.0.1:{node.controller_port}"}
    ports = node.quorum.controller_ports.items()
    return {"controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{port}" for n, port in ports)}


def _secured(security: Security) -> dict[str, str]:
    sign_in = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{security.admin}" password="{security.passwords[security.admin]}";'
    )
    plain = " ".join(f'user_{name}="{word}"' for name, word in security.passwords.items())
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(security.key_and_chain),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(security.authority),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": sign_in,
        "listener.name.clients.plain.sasl.jaas.config": (
            f"org.apache.kafka.common.security.plain.PlainLoginModule required {plain};"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        # Nobody comes to the controllers' port, and whoever comes to the clients' has a name.
        "super.users": f"User:{security.admin};User:ANONYMOUS",
    }


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

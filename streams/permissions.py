"""What the brokers must allow whom: the least set of ACLs by role, and which of them are missing.

Reading and writing imply that a topic may be described. The configuration of topics is read once
at start, so that a worker refuses to run on topics that would lose its state.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from kafka.errors import CoordinatorNotAvailableError, GroupAuthorizationFailedError

from detectors.errors import ConfigurationError
from streams.kafka_clients import admin
from streams.settings import Settings, SourceTopic
from streams.topics import CountedTopic, topic_specs, worker_access

Role = Literal[
    "worker", "pipeline", "analyst", "intelligence", "reporter", "investigator", "operator"
]
Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"]
ROLES: Final[Mapping[Role, str]] = {
    "worker": "runs `nightlatch worker`",
    "pipeline": "sends the input events (`nightlatch send`)",
    "analyst": "reads what the worker writes, and judges it (`nightlatch alerts`, `nightlatch "
    "verdict`, `nightlatch dead-letters`)",
    "intelligence": "shares indicators and takes in others' (`nightlatch intel`)",
    "reporter": "counts what was recorded (`nightlatch bulletin`)",
    "investigator": "puts together what belongs to a case (`nightlatch evidence`)",
    "operator": "makes and checks topics (`nightlatch topics`)",
}
_READ: Final[Mapping[Role, Sequence[str]]] = {
    "analyst": ("alerts", "campaigns", "assessments", "dead_letters", "feedback"),
    "intelligence": ("campaigns", "feedback", "indicators"),
    "reporter": get_args(CountedTopic),
    "investigator": ("alerts", "campaigns", "evidence", *get_args(SourceTopic)),
}
_WRITTEN: Final[Mapping[Role, Sequence[str]]] = {
    "pipeline": get_args(SourceTopic),
    "analyst": ("feedback",),
    "intelligence": ("indicators",),
}
_NOT_ALLOWED: Final = 29
_COORDINATOR_SECONDS: Final = 15.0


class Permission(NamedTuple):
    """One ACL: that somebody may do something with a topic or a consumer group."""

    kind: Literal["topic", "group"]
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.operation} on {self.kind} {self.name}"

    def command(self, settings: Settings, principal: str) -> str:
        """Return Kafka's own command that gives it."""
        operation = self.operation.title().replace("_C", "C")
        return (
            f"kafka-acls.sh --bootstrap-server {','.join(settings.broker)} --add "
            f"--allow-principal {principal} --operation {operation} --{self.kind} {self.name}"
        )


def permissions(settings: Settings, role: Role) -> list[Permission]:
    """Return the least that a role needs, under these settings."""
    if role == "worker":
        return worker_permissions(settings)
    if role == "operator":
        needed: tuple[Operation, ...] = ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS")
        specs = topic_specs(settings)
        return [Permission("topic", spec.name, do) for spec in specs for do in needed]
    read, written = _READ.get(role, ()), _WRITTEN.get(role, ())
    return [
        *(Permission("topic", settings.topic(name), "READ") for name in read),
        *(Permission("topic", settings.topic(name), "WRITE") for name in written),
    ]


def worker_permissions(settings: Settings) -> list[Permission]:
    """Return the least that a worker needs, under these settings."""
    needed = [Permission("group", settings.app_id, "READ")]
    for topic, uses in worker_access(settings).items():
        if "read" in uses:
            needed.append(Permission("topic", topic, "READ"))
        if "write" in uses:
            needed.append(Permission("topic", topic, "WRITE"))
        needed.append(Permission("topic", topic, "DESCRIBE_CONFIGS"))
    return needed


def check_permissions(settings: Settings, needed: Sequence[Permission]) -> None:
    """Raise ConfigurationError, naming what is missing, where the brokers do not allow it all.

    It is the brokers that are asked, so whatever way they allow it counts.
    """
    with admin(settings) as client:
        allowed = _allowed(client, needed)
    missing = [permission for permission in needed if permission not in allowed]
    if missing:
        who = repr(settings.sasl_username) if settings.sasl_username else "this worker"
        raise ConfigurationError(
            f"the brokers do not allow {who} {', '.join(map(str, missing))}: "
            "`nightlatch topics acls` prints the commands that do"
        )


def _allowed(client: Any, needed: Sequence[Permission]) -> set[Permission]:
    allowed: set[Permission] = set()
    for topic in client.describe_topics(sorted({p.name for p in needed if p.kind == "topic"})):
        of_topic = [p for p in needed if p.kind == "topic" and p.name == topic["name"]]
        if topic["error_code"] == _NOT_ALLOWED:
            # It may not even be described, and so not be read or written; of its configuration
            # nothing is known.
            allowed |= {p for p in of_topic if p.operation == "DESCRIBE_CONFIGS"}
        elif topic["error_code"]:
            allowed |= set(of_topic)  # it is not there, which is said elsewhere
        else:
            allowed |= {p for p in of_topic if p.operation in topic["authorized_operations"]}
    for group in (p for p in needed if p.kind == "group"):
        if _is_allowed(client, group):
            allowed.add(group)
    return allowed


def _is_allowed(client: Any, group: Permission) -> bool:
    """Whether a group may be used. The first question has new brokers make what answers it."""
    deadline = time.monotonic() + _COORDINATOR_SECONDS
    while True:
        try:
            described = client.describe_groups([group.name])[group.name]
        except GroupAuthorizationFailedError:
            return False
        except CoordinatorNotAvailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            operations = described["authorized_operations"]
            if operations is None:  # of a group that nobody has been in yet nothing more is told
                return "Authorization" not in (described["error"] or "")
            return group.operation in operations

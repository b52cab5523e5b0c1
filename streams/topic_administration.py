"""Makes the topics that are missing, and says what is wrong with those that are there.

Nothing that exists is ever changed or deleted here: the remedies are Kafka's own commands, for
whoever owns the cluster to judge and run.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType
from kafka.errors import for_code

from detectors.errors import ConfigurationError
from streams.kafka_clients import BrokerTrouble, admin
from streams.settings import Settings
from streams.topics import TopicSpec, partition_counts, topic_specs

_UNKNOWN_TOPIC: Final = 3
_ALREADY_THERE: Final = 36
_IN_SYNC: Final = "min.insync.replicas"
_DAY_MS: Final = 86_400_000
# At least so much: more harms nobody.
_MINIMUMS: Final = frozenset({"max.message.bytes", "delete.retention.ms", "min.compaction.lag.ms"})
# How large and how dense a log is, is its owner's choice; so is how long output is kept.
_FREE: Final = frozenset({"segment.bytes", "min.cleanable.dirty.ratio", "retention.ms"})


class Existing(NamedTuple):
    """A topic as it is."""

    partitions: int
    replicas: int
    config: dict[str, str]


class Fault(NamedTuple):
    """Something wrong with a topic, a sentence, and the command that puts it right.

    What is not `grave` may be meant so: the worker runs, but events could get lost.
    """

    topic: str
    problem: str
    remedy: str
    grave: bool = True
    missing: bool = False


class Made(NamedTuple):
    """What `create` did: the topics it made and those that were there already."""

    made: list[TopicSpec]
    present: list[TopicSpec]


def create(settings: Settings) -> Made:
    """Make every topic that is missing, and wait until each has a leader for every partition.

    Raises ConfigurationError, having made nothing, where a topic that must have as many
    partitions as the others has another number; BrokerTrouble where the brokers refuse.
    """
    specs = topic_specs(settings)
    with admin(settings) as client:
        existing = _existing(client, [spec.name for spec in specs])
        uneven = _uneven(settings, existing)
        if uneven:
            raise ConfigurationError(f"{uneven[0].topic}: {uneven[0].problem}. {uneven[0].remedy}")
        missing = [spec for spec in specs if spec.name not in existing]
        if missing:
            _make(client, settings, missing)
            client.wait_for_topics([spec.name for spec in missing], timeout_ms=30_000)
    return Made(missing, [spec for spec in specs if spec.name in existing])


def check(settings: Settings, *, only: Collection[str] | None = None) -> list[Fault]:
    """Return everything that is wrong with the topics, in the contract's order.

    `only` are the topics to look at; all where None.
    """
    specs = [spec for spec in topic_specs(settings) if only is None or spec.name in only]
    with admin(settings) as client:
        existing = _existing(client, [spec.name for spec in specs])
    faults = _uneven(settings, existing)
    for spec in specs:
        if spec.name not in existing:
            creation = _creation(settings, spec)
            faults.append(Fault(spec.name, "is missing", creation, missing=True))
        else:
            faults += _misconfigured(settings, spec, existing[spec.name])
            faults += _undurable(settings, spec, existing[spec.name])
    return faults


def _existing(client: Any, names: list[str]) -> dict[str, Existing]:
    found: dict[str, list[dict[str, Any]]] = {}
    for topic in client.describe_topics(names):
        if topic["error_code"] not in (0, _UNKNOWN_TOPIC):
            raise BrokerTrouble(f"topic {topic['name']}: {for_code(topic['error_code']).__name__}")
        if topic["error_code"] == 0:
            found[topic["name"]] = topic["partitions"]
    if not found:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in found]
    described = client.describe_configs(resources, config_filter=ConfigFilterType.ALL)["topic"]
    return {
        name: Existing(
            len(partitions),
            min(len(partition["replica_nodes"]) for partition in partitions),
            {key: entry["value"] for key, entry in described[name].items()},
        )
        for name, partitions in found.items()
    }


def _uneven(settings: Settings, existing: dict[str, Existing]) -> list[Fault]:
    """Topics whose number of partitions is not what it must be."""
    wanted = settings.partitions
    counts = {n: count for n, count in partition_counts(settings).items() if n in existing}
    single = [n for n, count in counts.items() if count != wanted and existing[n].partitions != 1]
    found = {n: existing[n].partitions for n, count in counts.items() if count == wanted}
    wrong = {name: count for name, count in found.items() if count != wanted}
    # Where all agree on another number, it is the setting that is wrong.
    common = set(found.values())
    if len(common) == 1 and wrong:
        remedy = f"Set partitions to {common.pop()} (NIGHTLATCH_PARTITIONS)"
    else:
        remedy = (
            f"All that a worker reads must have {wanted}, so that one worker sees all of an "
            "account: make the topic anew with that many and send its records again, or name it "
            "in the setting rekey"
        )
    return [
        Fault(name, f"has {count} partitions and the setting partitions is {wanted}", remedy)
        for name, count in wrong.items()
    ] + [
        Fault(
            name,
            f"has {existing[name].partitions} partitions and must have one",
            "Delete it while no worker runs: `nightlatch topics create` makes it anew",
        )
        for name in single
    ]


def _make(client: Any, settings: Settings, specs: Iterable[TopicSpec]) -> None:
    wanted = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": settings.replication_factor,
            "configs": {**spec.config, **_in_sync(settings.replication_factor)},
        }
        for spec in specs
    }
    for topic in client.create_topics(wanted, raise_errors=False)["topics"]:
        # Somebody else may have made it since we looked.
        if topic["error_code"] not in (0, _ALREADY_THERE):
            reason = topic["error_message"] or for_code(topic["error_code"]).__name__
            raise BrokerTrouble(f"topic {topic['name']} could not be made: {reason}")


def _misconfigured(settings: Settings, spec: TopicSpec, topic: Existing) -> list[Fault]:
    faults = []
    for name, wanted in spec.config.items():
        found = topic.config.get(name, "")
        if name in _FREE or found == wanted:
            continue
        if name in _MINIMUMS and found.isdecimal() and int(found) >= int(wanted):
            continue
        if name == "message.timestamp.type" and topic.config.get("retention.ms") == "-1":
            continue  # nothing is deleted for its age, so whose clock it was does not matter
        problem = f"has {name}={found}, and should have {wanted}{_why(name)}"
        remedy = _alteration(settings, spec.name, name, wanted)
        faults.append(Fault(spec.name, problem, remedy, grave=name != "message.timestamp.type"))
    return faults


def _in_sync(replicas: int) -> dict[str, str]:
    """With three replicas one may be away, and what two have acknowledged is not lost."""
    return {_IN_SYNC: str(replicas - 1)} if replicas >= 3 else {}


def _undurable(settings: Settings, spec: TopicSpec, topic: Existing) -> list[Fault]:
    """What would lose records that were acknowledged, or delete them before they are read."""
    faults = []
    in_sync, retention = int(topic.config[_IN_SYNC]), int(topic.config["retention.ms"])
    if in_sync > topic.replicas:
        problem = f"has {_IN_SYNC}={in_sync} and {topic.replicas} replicas: nobody can write to it"
        wanted = str(max(1, topic.replicas - 1))
        remedy = _alteration(settings, spec.name, _IN_SYNC, wanted)
        faults.append(Fault(spec.name, problem, remedy))
    elif in_sync < 2 and topic.replicas >= 3:
        problem = f"has {_IN_SYNC}={in_sync}: what one broker alone has acknowledged can be lost"
        remedy = _alteration(settings, spec.name, _IN_SYNC, str(topic.replicas - 1))
        faults.append(Fault(spec.name, problem, remedy, grave=False))
    if topic.config["cleanup.policy"] == "delete" and 0 <= retention < _DAY_MS:
        problem = f"has retention.ms={retention}: what is not read within a day would be deleted"
        remedy = _alteration(settings, spec.name, "retention.ms", str(7 * _DAY_MS))
        faults.append(Fault(spec.name, problem, remedy, grave=False))
    return faults


def _why(name: str) -> str:
    reasons = {
        "cleanup.policy": "",
        "message.timestamp.type": ": events sent late would be deleted unread for their age",
        "max.message.bytes": ": larger records than the broker's default are written to it",
        "delete.retention.ms": ": a worker that was away must still see what was deleted",
        "min.compaction.lag.ms": ": a fenced worker's batches must be recognised before that",
    }
    return reasons.get(name, "")


def _creation(settings: Settings, spec: TopicSpec) -> str:
    wanted = {**spec.config, **_in_sync(settings.replication_factor)}
    config = "".join(f" --config {name}={value}" for name, value in wanted.items())
    replicas = (
        f" --replication-factor {settings.replication_factor}"
        if settings.replication_factor > 0
        else ""
    )
    return (
        f"kafka-topics.sh --bootstrap-server {','.join(settings.broker)} --create "
        f"--topic {spec.name} --partitions {spec.partitions}{replicas}{config}"
    )


def _alteration(settings: Settings, topic: str, name: str, value: str) -> str:
    return (
        f"kafka-configs.sh --bootstrap-server {','.join(settings.broker)} --alter "
        f"--entity-type topics --entity-name {topic} --add-config {name}={value}"
    )

"""Every topic of the product: its partitions, its configuration, its key and its meaning.

What is keyed by account, and the state that comes of it, has the same number of partitions, since
one worker owns everything about an account; so has what is counted by indicator. Campaigns have one
partition: alerts are few, and whether two belong together must be known in one place.

Sources made here keep the broker's time (`LogAppendTime`): retention goes by a record's time, and
events that are simulated or sent late would otherwise be deleted, or refused, for being old. What
an event's own time is, its `occurred_at` says.
"""

import math
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, get_args

from detectors.errors import ConfigurationError
from detectors.events import EventType
from streams.codec import MAX_LETTER_BYTES, MAX_PUBLISHED_BYTES
from streams.settings import Settings, SourceTopic

SOURCE_TYPES: Final[dict[SourceTopic, EventType]] = {
    "logins": "login",
    "orders": "order",
    "account_changes": "account_change",
    "feedback": "feedback",
}
_DAY_MS: Final = 86_400_000
_CARRIED_BYTES: Final = 16 * 1024 * 1024
MAX_CARRIED_BYTES: Final = _CARRIED_BYTES - 64 * 1024
"""Of a record between flows or keyed anew, key, value and headers: what fits its topic."""
_TOLD_RUN_BYTES: Final = 32 * 1024
# Of events at the same moment: the sign-in before what it made possible, the verdict last.
MERGE_ORDER: Final[tuple[SourceTopic, ...]] = ("logins", "account_changes", "orders", "feedback")
_SOURCE: Final = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
# As long as a customer may take to notice, and the police to ask.
_QUARTER: Final = {"retention.ms": str(90 * _DAY_MS)}
_COMPACTED: Final = {"cleanup.policy": "compact"}
# What is told long after it is known to be over is not read by anybody who begins.
_EXPIRING: Final = {"cleanup.policy": "compact,delete", "retention.ms": str(7 * _DAY_MS)}
# A month after its last revision, as alerts are.
_CAMPAIGNS: Final = {
    **_EXPIRING,
    "retention.ms": str(30 * _DAY_MS),
    "max.message.bytes": str(MAX_PUBLISHED_BYTES),
}
# By the broker's time: what is carried of an old backlog would be deleted unread. And larger than a
# source's records, by a header, or as the sum of many.
_BETWEEN: Final = {
    **_SOURCE,
    "retention.ms": str(30 * _DAY_MS),
    "max.message.bytes": str(_CARRIED_BYTES),
}

Access = Literal["read", "write"]
CountedTopic = Literal["alerts", "campaigns", "feedback", "orders", "assessments", "indicators"]
"""What a bulletin is counted from."""


class TopicSpec(NamedTuple):
    """A topic as it should be. `name` is its full name; `config` is what matters of its own."""

    name: str
    partitions: int
    config: dict[str, str]
    key: str
    meaning: str


def topic_specs(settings: Settings) -> list[TopicSpec]:
    """Return every topic, in the contract's order, the worker's own last."""
    return [*_sources(settings), *_others(settings), *_workers_own(settings)]


def missing(settings: Settings, topic: str) -> ConfigurationError:
    """Return what to raise where a topic is not there: who is to make it is said, too."""
    ours = any(spec.name == topic for spec in topic_specs(settings))
    remedy = "`nightlatch topics create` makes it" if ours else "make it, or name another"
    return ConfigurationError(f"topic {topic} is missing: {remedy}")


def _sources(settings: Settings) -> list[TopicSpec]:
    meanings: dict[SourceTopic, str] = {
        "logins": "Every sign-in attempt, failed ones too",
        "orders": "Every order placed",
        "account_changes": "Contact, credential, address, payment and MFA changes, resets",
        "feedback": "Verdicts: this was a takeover, this was the customer",
    }
    # A verdict that is gone before the alert that it is on leaves a case that looks open.
    longer: dict[SourceTopic, dict[str, str]] = {"feedback": _QUARTER}
    return [
        TopicSpec(
            settings.topic(name),
            settings.partitions,
            {**_SOURCE, **longer.get(name, {})},
            "account_id",
            meanings[name],
        )
        for name in get_args(SourceTopic)
    ]


def _others(settings: Settings) -> list[TopicSpec]:
    month = {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY_MS)}
    # A dead letter is a third larger than the record that it holds, in base64.
    large = {**month, "max.message.bytes": str(MAX_LETTER_BYTES)}
    quarter = {"cleanup.policy": "delete", **_QUARTER}
    week = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS)}
    table: tuple[tuple[str, dict[str, str], str, str], ...] = (
        ("indicators", _COMPACTED, "indicator id", "Intelligence shared by other retailers"),
        ("alerts", month, "account_id", "Hijack attempts, and every later revision of each"),
        ("campaigns", _CAMPAIGNS, "campaign_id", "Groups of alerts that share infrastructure"),
        ("assessments", week, "account_id", "The score of every event, alerted or not"),
        ("evidence", quarter, "account_id", "What each alert's score stands on"),
        ("dead_letters", large, "the record's own", "Input that could not be used, and why"),
    )
    return [
        TopicSpec(settings.topic(name), settings.partitions, config, key, meaning)
        for name, config, key, meaning in table
    ]


def _workers_own(settings: Settings) -> list[TopicSpec]:
    from streams.runtime.changelog import TOPIC_CONFIG

    own, many = own_topics(settings), settings.partitions
    state = "The worker's state: profiles, cases, models and positions"
    told = "What the others tell of an account: an attack had entered it, its alert's campaign"
    changelog = dict(TOPIC_CONFIG)
    return [
        TopicSpec(own.state_changelog, many, changelog, "state key", state),
        TopicSpec(own.reassessments, many, _BETWEEN, "account_id", told),
        TopicSpec(own.observations, many, _BETWEEN, "none", "Events by indicator, summed up"),
        TopicSpec(own.heat_changelog, many, changelog, "state key", "Counts by indicator"),
        TopicSpec(own.heat, many, _EXPIRING, "indicator", "Hot indicators, for every worker"),
        TopicSpec(own.alert_links, 1, _BETWEEN, "alert_id", "Alerts and what they may share"),
        TopicSpec(own.campaigns_changelog, 1, changelog, "state key", "Campaigns and their alerts"),
        *(
            TopicSpec(
                repartition_topic(settings, name),
                many,
                _BETWEEN,
                "account_id",
                f"{settings.topic(name)}, keyed by account",
            )
            for name in settings.rekey
        ),
    ]


class OwnTopics(NamedTuple):
    """Topics that are the worker's own: what flows tell one another, and their states."""

    state_changelog: str
    reassessments: str
    observations: str
    heat_changelog: str
    heat: str
    alert_links: str
    campaigns_changelog: str


def own_topics(settings: Settings) -> OwnTopics:
    """Return the worker's own topics; the state's changelog is named as Faust names a table's."""
    return OwnTopics(*(f"{settings.app_id}-{n.replace('_', '-')}" for n in OwnTopics._fields))


def repartition_topic(settings: Settings, source: SourceTopic) -> str:
    """Return where a source that is keyed otherwise is keyed anew by account."""
    return f"{settings.app_id}-{settings.topic(source)}-by-account"


class FlowTopics(NamedTuple):
    """What a flow reads, in the order that decides between equal times, and where its state is.

    `told` is the one of its topics that other flows write to.
    """

    read: tuple[str, ...]
    changelog: str
    partitions: int
    told: str


def flows(settings: Settings) -> dict[str, FlowTopics]:
    """Return the topics of every flow, by the flow's name, which is persisted."""
    own, many = own_topics(settings), settings.partitions
    sources = (
        repartition_topic(settings, name) if name in settings.rekey else settings.topic(name)
        for name in MERGE_ORDER
    )
    return {
        "events": FlowTopics(
            (*sources, own.reassessments), own.state_changelog, many, own.reassessments
        ),
        "heat": FlowTopics((own.observations,), own.heat_changelog, many, own.observations),
        "campaigns": FlowTopics((own.alert_links,), own.campaigns_changelog, 1, own.alert_links),
    }


def run_bytes(flow: FlowTopics) -> float:
    """Return what a run of a flow comes to: what flows tell one another may be many events' sum.

    A sighting of 35 bytes may have a bucket of indicators written anew, some kilobytes.
    """
    return _TOLD_RUN_BYTES if flow.read == (flow.told,) else math.inf


def partition_counts(settings: Settings) -> dict[str, int]:
    """Return how many partitions topics must have: those that a worker reads, and its states."""
    counts = {
        topic: flow.partitions
        for flow in flows(settings).values()
        for topic in (*flow.read, flow.changelog)
    }
    followed = [own_topics(settings).heat]
    if settings.intelligence:
        followed.append(settings.topic("indicators"))
    return {**counts, **dict.fromkeys(followed, settings.partitions)}


def worker_access(settings: Settings) -> Mapping[str, frozenset[Access]]:
    """Return every topic that a worker uses, and what it does with it: all that must be there."""
    read = [*partition_counts(settings), *(settings.topic(name) for name in settings.rekey)]
    written = [settings.topic(name) for name in ("alerts", "campaigns", "dead_letters")]
    written += [*own_topics(settings)]
    written += [repartition_topic(settings, name) for name in settings.rekey]
    if settings.publish_assessments:
        written.append(settings.topic("assessments"))
    if settings.publish_evidence:
        written.append(settings.topic("evidence"))
    uses: dict[str, frozenset[Access]] = dict.fromkeys(read, frozenset({"read"}))
    for topic in written:
        uses[topic] = uses.get(topic, frozenset()) | {"write"}
    return uses

"""Every topic of the product: its partitions, its configuration, its key and its meaning.

Sources and the state changelog have the same number of partitions, since one worker owns
everything about an account. Sources made here keep the broker's time (`LogAppendTime`): retention
goes by a record's time, and events that are simulated or sent late would otherwise be deleted, or
refused, for being old. What an event's own time is, its `occurred_at` says.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, get_args

from detectors.events import EventType
from streams.codec import MAX_LETTER_BYTES
from streams.settings import Settings, SourceTopic

SOURCE_TYPES: Final[dict[SourceTopic, EventType]] = {
    "logins": "login",
    "orders": "order",
    "account_changes": "account_change",
    "feedback": "feedback",
}
_DAY_MS: Final = 86_400_000
_SOURCE: Final = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
_COMPACTED: Final = {"cleanup.policy": "compact"}
_CARRIED_BYTES: Final = 16 * 1024 * 1024
MAX_CARRIED_BYTES: Final = _CARRIED_BYTES - 64 * 1024
"""Of a record that is keyed anew, key, value and headers: what fits its topic with its origin."""


Access = Literal["read", "write"]


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


def _sources(settings: Settings) -> list[TopicSpec]:
    meanings: dict[SourceTopic, str] = {
        "logins": "Every sign-in attempt, failed ones too",
        "orders": "Every order placed",
        "account_changes": "Contact, credential, address, payment and MFA changes, resets",
        "feedback": "Verdicts: this was a takeover, this was the customer",
    }
    return [
        TopicSpec(settings.topic(name), settings.partitions, _SOURCE, "account_id", meanings[name])
        for name in get_args(SourceTopic)
    ]


def _others(settings: Settings) -> list[TopicSpec]:
    month = {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY_MS)}
    # A dead letter is a third larger than the record that it holds, in base64.
    large = {**month, "max.message.bytes": str(MAX_LETTER_BYTES)}
    week = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS)}
    table: tuple[tuple[str, dict[str, str], str, str], ...] = (
        ("indicators", _COMPACTED, "indicator id", "Intelligence shared by other retailers"),
        ("alerts", month, "account_id", "Hijack attempts, and every later revision of each"),
        ("campaigns", _COMPACTED, "campaign_id", "Groups of alerts that share infrastructure"),
        ("assessments", week, "account_id", "The score of every event, alerted or not"),
        ("dead_letters", large, "the record's own", "Input that could not be used, and why"),
    )
    return [
        TopicSpec(settings.topic(name), settings.partitions, config, key, meaning)
        for name, config, key, meaning in table
    ]


def _workers_own(settings: Settings) -> list[TopicSpec]:
    from streams.runtime.changelog import TOPIC_CONFIG

    changelog = TopicSpec(
        changelog_topic(settings),
        settings.partitions,
        dict(TOPIC_CONFIG),
        "state key",
        "The worker's state: profiles, cases, models and positions",
    )
    rekeyed = [
        TopicSpec(
            repartition_topic(settings, name),
            settings.partitions,
            # By the broker's time: what is carried of an old backlog would be deleted unread. And
            # a header more than the source takes.
            {
                **_SOURCE,
                "retention.ms": str(30 * _DAY_MS),
                "max.message.bytes": str(_CARRIED_BYTES),
            },
            "account_id",
            f"{settings.topic(name)}, keyed by account",
        )
        for name in settings.rekey
    ]
    return [changelog, *rekeyed]


def changelog_topic(settings: Settings) -> str:
    """Return the state's changelog, named as Faust names that of a table called `state`."""
    return f"{settings.app_id}-state-changelog"


def repartition_topic(settings: Settings, source: SourceTopic) -> str:
    """Return where a source that is keyed otherwise is keyed anew by account."""
    return f"{settings.app_id}-{settings.topic(source)}-by-account"


def co_partitioned(settings: Settings) -> list[str]:
    """Return the topics that must have the same number of partitions: what a worker reads.

    In the contract's order; a source that is keyed anew stands under its repartition topic.
    """
    sources = [
        repartition_topic(settings, name) if name in settings.rekey else settings.topic(name)
        for name in get_args(SourceTopic)
    ]
    return [*sources, changelog_topic(settings)]


def worker_access(settings: Settings) -> Mapping[str, frozenset[Access]]:
    """Return every topic that a worker uses, and what it does with it: all that must be there."""
    keyed_otherwise = [settings.topic(name) for name in settings.rekey]
    written = [settings.topic("alerts"), settings.topic("dead_letters"), changelog_topic(settings)]
    written += [repartition_topic(settings, name) for name in settings.rekey]
    if settings.publish_assessments:
        written.append(settings.topic("assessments"))
    read = [*co_partitioned(settings), *keyed_otherwise]
    uses: dict[str, frozenset[Access]] = dict.fromkeys(read, frozenset({"read"}))
    for topic in written:
        uses[topic] = uses.get(topic, frozenset()) | {"write"}
    return uses

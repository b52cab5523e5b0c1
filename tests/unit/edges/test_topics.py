"""Every topic of the contract is described, and what a worker reads has the same partitions."""

from typing import get_args

import pytest

from streams.cli import run
from streams.permissions import Role
from streams.settings import Settings, SourceTopic
from streams.topics import SOURCE_TYPES, flows, missing, partition_counts, topic_specs

SETTINGS = Settings(partitions=6, topic_prefix="shop-", app_id="latch", rekey=("orders",))


def test_every_topic_of_the_contract() -> None:
    """The contract's nine, the worker's own, and one for each topic that is keyed anew."""
    assert [spec.name for spec in topic_specs(SETTINGS)] == [
        "shop-logins",
        "shop-orders",
        "shop-account-changes",
        "shop-feedback",
        "shop-indicators",
        "shop-alerts",
        "shop-campaigns",
        "shop-assessments",
        "shop-evidence",
        "shop-dead-letters",
        "latch-state-changelog",
        "latch-reassessments",
        "latch-observations",
        "latch-heat-changelog",
        "latch-heat",
        "latch-alert-links",
        "latch-campaigns-changelog",
        "latch-shop-orders-by-account",
    ]


@pytest.mark.parametrize(
    ("topic", "remedy"),
    [
        ("shop-logins", "`nightlatch topics create` makes it"),
        ("police", "make it, or name another"),
    ],
)
def test_who_is_to_make_a_missing_topic_is_said(topic: str, remedy: str) -> None:
    """Another's topic, that an import or an export names, is not made by ours."""
    assert str(missing(SETTINGS, topic)) == f"topic {topic} is missing: {remedy}"


def test_sources_keep_the_brokers_time() -> None:
    """Retention by the producer's time would delete late events unread."""
    specs = {spec.name: spec for spec in topic_specs(SETTINGS)}
    for name in SOURCE_TYPES:
        assert specs[SETTINGS.topic(name)].config["message.timestamp.type"] == "LogAppendTime"


def test_a_verdict_is_kept_for_longer_than_the_alert_that_it_is_on() -> None:
    """Else what was settled long ago is among what awaits a verdict."""
    kept = {spec.name: int(spec.config.get("retention.ms", 0)) for spec in topic_specs(SETTINGS)}
    assert kept[SETTINGS.topic("feedback")] > kept[SETTINGS.topic("alerts")]


def test_a_carried_record_is_neither_too_old_nor_too_large() -> None:
    """The repartition topic keeps what the source kept, with a header more, whenever it was."""
    (spec,) = (s for s in topic_specs(SETTINGS) if s.name == "latch-shop-orders-by-account")
    assert spec.config["message.timestamp.type"] == "LogAppendTime"
    assert int(spec.config["max.message.bytes"]) == 16 * 1024 * 1024


def test_state_and_keyed_tables_are_compacted() -> None:
    """What is read as a table keeps the last value of each key."""
    compacted = {s.name for s in topic_specs(SETTINGS) if "compact" in s.config["cleanup.policy"]}
    assert compacted == {
        "shop-indicators",
        "shop-campaigns",
        "latch-heat",
        "latch-state-changelog",
        "latch-heat-changelog",
        "latch-campaigns-changelog",
    }


def test_what_a_worker_reads_is_co_partitioned() -> None:
    """One worker sees all of an account only where numbers of partitions agree."""
    specs = {spec.name: spec for spec in topic_specs(SETTINGS)}
    read = flows(SETTINGS)["events"].read
    assert "latch-shop-orders-by-account" in read
    assert "shop-orders" not in read
    assert {specs[name].partitions for name in read} == {6}


def test_topics_are_made_with_the_partitions_they_must_have() -> None:
    """Campaigns are linked in one place; all else is spread over the setting's partitions."""
    made = {spec.name: spec.partitions for spec in topic_specs(SETTINGS)}
    counts = partition_counts(SETTINGS)
    assert {name: made[name] for name in counts} == counts
    assert {n for n, c in counts.items() if c == 1} == {
        "latch-alert-links",
        "latch-campaigns-changelog",
    }


@pytest.mark.parametrize("name", get_args(SourceTopic))
def test_every_source_has_a_type(name: SourceTopic) -> None:
    """A topic implies the type of its records."""
    assert name in SOURCE_TYPES


@pytest.mark.parametrize("role", get_args(Role))
def test_the_acls_of_every_role_are_printed(role: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command knows each role that docs/security.md lists."""
    assert run(["topics", "acls", role]) == 0
    assert "kafka-acls.sh" in capsys.readouterr().out

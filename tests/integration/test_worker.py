"""The product on a real broker: what a retailer sends, what a fraud team gets."""

import base64
import random
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.configuration import load
from streams.kafka_clients import producer
from streams.settings import Settings
from streams.topic_administration import create
from streams.topics import flows, own_topics, repartition_topic
from tests.integration import shop_traffic
from tests.integration.harness import (
    Sent,
    Worker,
    committed_everything,
    consumer,
    create_topics,
    last_values,
    read_all,
    send,
    wait_for,
    worker,
)
from tests.integration.product_worker import Options
from tests.integration.shop_traffic import VICTIM

pytestmark = pytest.mark.kafka

MODULE = "tests.integration.product_worker"
# Less than the state of any partition of events, and more than a worker's log, a file as well.
FULL_DISK_BYTES = 4_000
SOMEBODY = b'{"account_id":"customer-4","outcome":"success","ip":"81.2.4.5"}'
# What somebody's broken pipeline sends: the key, the value, and what is wrong with it.
UNUSABLE: list[tuple[str, bytes | None, bytes | None, str]] = [
    ("logins", b"customer-1", b"\xff\xfe not JSON", "not_json"),
    ("logins", b"customer-1", b'["customer-1"]', "not_an_object"),
    ("logins", b"customer-2", b'{"account_id":"customer-2","outcome":"success"}', "missing_field"),
    ("logins", b"customer-3", SOMEBODY, "wrong_key"),
    ("logins", None, SOMEBODY, "wrong_key"),
    ("orders", b"customer-5", None, "not_an_object"),
    ("orders", b"customer-5", b'{"account_id":"customer-5","order_id":"o"}', "missing_field"),
    ("feedback", b"customer-6", b'{"account_id":"customer-6","verdict":"perhaps"}', "not_allowed"),
]


def options(broker: str, prefix: str, data_dir: Path, **settings: Any) -> dict[str, str]:
    """Settings of a small worker, as text."""
    own = {
        "broker": broker,
        "topic_prefix": prefix,
        "app_id": f"{prefix}app",
        "partitions": 2,
        "data_dir": data_dir,
        "chunk_records": 100,
        "flush_seconds": 0.02,
        **settings,
    }
    return {name: str(value) for name, value in own.items()}


def settings_of(chosen: dict[str, str]) -> Settings:
    """The settings object that a worker makes of them."""
    return load(environ={}, overrides=chosen).settings


def sources(settings: Settings) -> list[str]:
    """Everything that a worker commits: what its flows read, and what it carries."""
    carried = [settings.topic(name) for name in settings.rekey]
    return [*(topic for flow in flows(settings).values() for topic in flow.read), *carried]


def run_to_the_end(chosen: dict[str, str], log: Path) -> None:
    """Have a worker read all there is, and leave in good order."""
    settings = settings_of(chosen)
    with worker(Options(settings=chosen), log, module=MODULE) as running:
        running.wait_until_ready()
        running.wait_until(
            lambda: committed_everything(settings.broker[0], settings.app_id, sources(settings)),
            "read everything",
        )
        assert running.stop() == 0, running.output()


def shop_records(settings: Settings) -> Iterator[Sent]:
    """Everything that happened, and in between what nobody can use."""
    happenings = shop_traffic.everything()
    every = len(happenings) // len(UNUSABLE)
    unusable = iter(UNUSABLE)
    for number, happening in enumerate(happenings):
        yield Sent(settings.topic(happening.source), happening.key, happening.value)
        if number % every == every // 2:
            source, key, value, _ = next(unusable, (None, None, None, None))
            if source is not None:
                yield Sent(settings.topic(source), key, value)


def test_a_hijack_among_customers(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """One case with the right reasons, none for a customer, bad records byte for byte.

    And all of it again, the same to the byte, from a worker that was killed again and again.
    """
    quiet = options(kafka, topic_prefix, tmp_path / "quiet")
    settings = settings_of(quiet)
    create(settings)
    send(kafka, shop_records(settings))
    run_to_the_end(quiet, tmp_path / "quiet.log")

    alerts = [orjson.loads(r.value or b"") for r in read_all(kafka, settings.topic("alerts"))]
    assert {alert["account_id"] for alert in alerts} == {VICTIM}
    assert len({alert["alert_id"] for alert in alerts}) == 1
    assert [alert["revision"] for alert in alerts] == list(range(1, len(alerts) + 1))
    last = alerts[-1]
    assert last["severity"] == "critical"
    assert last["order_ids"] == ["order-thief"]
    assert last["amount_at_risk"] == "899.00"
    told = {reason["code"] for alert in alerts for reason in alert["reasons"]}
    assert {"new_device", "credential_changed", "new_destination", "unusual_amount"} <= told
    assert_dead_letters(kafka, settings)

    killed = options(
        kafka,
        topic_prefix,
        tmp_path / "killed",
        app_id=f"{topic_prefix}killed",
        topic_alerts="alerts-again",
        topic_dead_letters="dead-letters-again",
    )
    again = settings_of(killed)
    create(again)
    # The first two steps in the changelog are the claims of the two partitions.
    for step, occurrence in [
        ("after sending", 1),
        ("before the changelog", 5),
        ("after the changelog", 5),
        ("after the store", 3),
    ]:
        mortal = Options(settings=killed, die_at=step, die_after=occurrence)
        with worker(mortal, tmp_path / "killed.log", module=MODULE) as dying:
            assert dying.wait() == -signal.SIGKILL, step
    run_to_the_end(killed, tmp_path / "killed.log")

    for name in ("alerts", "dead_letters"):
        once = {r.value for r in read_all(kafka, settings.topic(name))}
        assert {r.value for r in read_all(kafka, again.topic(name))} == once
    assert last_values(kafka, own_topics(again).state_changelog) == last_values(
        kafka, own_topics(settings).state_changelog
    )


def assert_dead_letters(broker: str, settings: Settings) -> None:
    """Each unusable record is there once: whence it came, what was wrong, and its very bytes."""
    letters = [
        orjson.loads(r.value or b"") for r in read_all(broker, settings.topic("dead_letters"))
    ]
    found = {
        (
            letter["topic"],
            _unbase64(letter["key"]),
            _unbase64(letter["value"]),
            letter["error"]["code"],
        )
        for letter in letters
    }
    wanted = {(settings.topic(source), *rest) for source, *rest in UNUSABLE}
    assert found == wanted
    assert len(letters) == len(UNUSABLE)
    with consumer(broker) as client:
        for letter in letters:
            original = _record_at(client, letter["topic"], letter["partition"], letter["offset"])
            assert (original.key, original.value) == (
                _unbase64(letter["key"]),
                _unbase64(letter["value"]),
            )


def test_too_many_dead_letters_stop_the_worker(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """When most of what comes is unusable the fault is elsewhere, and nothing is thrown away."""
    chosen = options(kafka, topic_prefix, tmp_path, dead_letter_limit=0.3, dead_letter_window=100)
    settings = settings_of(chosen)
    create(settings)
    send(kafka, [Sent(settings.topic("logins"), b"customer-1", b"broken") for _ in range(300)])
    with worker(Options(settings=chosen), tmp_path / "log", module=MODULE) as running:
        assert running.wait() == 1
        output = running.output()
    assert "could not be used" in output.splitlines()[-1]
    assert "Traceback" not in output
    # Started again with the fault mended, it would read every one of them again.
    assert not committed_everything(kafka, settings.app_id, sources(settings))
    assert not read_all(kafka, settings.topic("dead_letters"))


def test_a_full_disk_is_told_in_one_sentence(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """What is to be done is said, and said last; closing what cannot be written adds nothing."""
    chosen = options(kafka, topic_prefix, tmp_path)
    settings = settings_of(chosen)
    create(settings)
    send(kafka, shop_records(settings))
    full = Options(settings=chosen, largest_file=FULL_DISK_BYTES)
    with worker(full, tmp_path / "log", module=MODULE) as running:
        assert running.wait() == 1
        output = running.output()
    assert "Traceback" not in output
    sentence = output.splitlines()[-1]
    assert sentence.startswith(f"nightlatch: local state in {tmp_path}")
    assert sentence.endswith("free space there and start the worker again")
    assert output.count("cannot be written") == 1
    with worker(Options(settings=chosen), tmp_path / "later.log", module=MODULE) as running:
        running.wait_until(
            lambda: committed_everything(settings.broker[0], settings.app_id, sources(settings)),
            "read everything",
        )
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (FULL_DISK_BYTES,) * 2)
        assert running.stop() == 1, "what could not be closed was not told"
        output = running.output()
    assert "Traceback" not in output
    assert output.splitlines()[-1].endswith("free space there and start the worker again")
    run_to_the_end(chosen, tmp_path / "again.log")


def refused(chosen: dict[str, str], log: Path) -> str:
    """Have a worker refuse to start; return its one sentence."""
    running = Worker(MODULE, Options(settings=chosen), log)
    assert running.wait() == 2, running.output()
    (sentence,) = running.output().splitlines()
    return sentence


def test_a_data_dir_is_one_workers(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """A second worker is told whose it is before it joins; who was killed is let in again."""
    chosen = options(kafka, topic_prefix, tmp_path)
    create(settings_of(chosen))
    with worker(Options(settings=chosen), tmp_path / "log", module=MODULE) as first:
        first.wait_until_ready()
        sentence = refused(chosen, tmp_path / "second.log")
        assert sentence.startswith(f"nightlatch: another worker (process {first.process.pid} on ")
        assert f"uses data_dir {tmp_path}: give each worker one of its own" in sentence
        assert first.output().count("Ready: partitions") == 1
        first.kill()
    with worker(Options(settings=chosen), tmp_path / "log", module=MODULE) as again:
        again.wait_until_ready(2)
        assert again.stop() == 0, again.output()


def test_topics_that_do_not_fit_are_refused(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """An account's sign-ins and orders must reach the same worker: exit code 2, one sentence."""
    chosen = options(kafka, topic_prefix, tmp_path)
    settings = settings_of(chosen)
    assert "is missing: `nightlatch topics create`" in refused(chosen, tmp_path / "missing.log")
    create_topics(kafka, {settings.topic("logins"): 2, settings.topic("orders"): 3}, {})
    sentence = refused(chosen, tmp_path / "uneven.log")
    assert f"topic {settings.topic('orders')} has 3 partitions" in sentence
    assert "rekey" in sentence


def test_a_topic_that_was_made_anew_is_refused(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """The state stands behind the topic's end: what comes next would be skipped in silence."""
    chosen = options(kafka, topic_prefix, tmp_path)
    settings = settings_of(chosen)
    create(settings)
    send(kafka, list(shop_records(settings))[:200])
    run_to_the_end(chosen, tmp_path / "log")
    delete_topic(kafka, settings.topic("logins"))
    create(settings)
    sentence = refused(chosen, tmp_path / "anew.log")
    assert "was made anew" in sentence


def test_a_topic_keyed_otherwise_is_keyed_anew(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Sign-ins keyed by session, in more partitions, are each assessed once beside the orders.

    Though the worker that carries them is killed after sending and before committing, twice.
    """
    chosen = options(
        kafka,
        topic_prefix,
        tmp_path,
        rekey="logins",
        publish_assessments="true",
        chunk_records=50,
    )
    settings = settings_of(chosen)
    create_topics(kafka, {settings.topic("logins"): 5}, {})
    create(settings)
    happenings = [h for h in shop_traffic.everything() if h.source != "feedback"][:600]
    chance = random.Random(1)
    send(
        kafka,
        [
            Sent(
                settings.topic(h.source),
                b"session-%d" % chance.randrange(999) if h.source == "logins" else h.key,
                h.value,
            )
            for h in happenings
        ],
    )
    for occurrence in (3, 5):
        mortal = Options(settings=chosen, die_at="after sending", die_after=occurrence)
        with worker(mortal, tmp_path / "log", module=MODULE) as dying:
            assert dying.wait() == -signal.SIGKILL
    run_to_the_end(chosen, tmp_path / "log")
    wanted = {h.fields["event_id"] for h in happenings}
    assessed = [
        orjson.loads(r.value or b"") for r in read_all(kafka, settings.topic("assessments"))
    ]
    assert {assessment["event_id"] for assessment in assessed} == wanted
    carried = read_all(kafka, repartition_topic(settings, "logins"))
    assert len(carried) > sum(h.source == "logins" for h in happenings), "nothing came twice"
    # Repeated after a death, but never judged differently: it was folded once.
    assert len({orjson.dumps(assessment) for assessment in assessed}) == len(wanted)
    assert not read_all(kafka, settings.topic("dead_letters"))


def test_what_no_topic_takes_is_a_dead_letter(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """A record that compressed well where it comes from does not stop who carries it."""
    chosen = options(kafka, topic_prefix, tmp_path, rekey="logins", publish_assessments="true")
    settings = settings_of(chosen)
    create(settings)
    huge = b'{"account_id":"customer-1","user_agent":"' + b"x" * (17 << 20) + b'"}'
    with producer(settings, compression_type="gzip", max_request_size=32 << 20) as client:
        client.send(settings.topic("logins"), key=b"session-1", value=huge)
        client.send(settings.topic("logins"), key=b"session-1", value=SOMEBODY)
    run_to_the_end(chosen, tmp_path / "log")
    (letter,) = [
        orjson.loads(r.value or b"") for r in read_all(kafka, settings.topic("dead_letters"))
    ]
    assert letter["error"]["code"] == "too_large"
    assert letter["cut"]["value_bytes"] == len(huge)
    assert len(read_all(kafka, settings.topic("assessments"))) == 1


def _unbase64(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _record_at(client: Any, topic: str, partition: int, offset: int) -> Any:
    from kafka import TopicPartition

    tp = TopicPartition(topic, partition)
    client.assign([tp])
    client.seek(tp, offset)
    while True:
        for record in client.poll(timeout_ms=500).get(tp, []):
            if record.offset == offset:
                return record


def delete_topic(broker: str, name: str) -> None:
    """Delete a topic and wait until the broker has forgotten it."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=broker)
    try:
        admin.delete_topics([name])
        wait_for(lambda: name not in admin.list_topics(), f"{name} to be gone")
    finally:
        admin.close()

"""The command line against a real Kafka: topics, sending, alerts, dead letters."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from kafka import TopicPartition

from detectors.errors import InvalidEvent
from detectors.events import Feedback
from streams.cli import run
from streams.codec import (
    MAX_LETTER_BYTES,
    decode,
    encode_alert,
    encode_dead_letter,
    encode_published,
)
from streams.configuration import load
from streams.connections import client_options
from streams.dead_letters import decode_dead_letter, origin_of
from streams.demonstration.playing import Clients
from streams.exit_codes import FAILED, MISTAKE
from streams.kafka_clients import BrokerTrouble, admin, consumer, producer
from streams.local_kafka import LocalKafka
from streams.runtime.interfaces import Record, Send
from streams.runtime.outbox import BATCH_BYTES, Outbox, producer_options
from streams.settings import Settings
from streams.tailing import tail
from streams.topic_administration import create
from streams.topics import own_topics, topic_specs
from tests.support.alerts import ALERT
from tests.unit.edges.test_campaigns import ATTACK, CAMPAIGN

pytestmark = pytest.mark.kafka
LOGIN = {"type": "login", "account_id": "a1", "ip": "192.0.2.1", "outcome": "success"}
ORDER = {"type": "order", "account_id": "a2", "order_id": "o", "amount": 1}


DIED_MS = 1_795_500_000_120


class Said(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def settings(kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test's own topics on the shared broker, through the environment as users do it."""
    monkeypatch.setenv("NIGHTLATCH_BROKER", kafka)
    monkeypatch.setenv("NIGHTLATCH_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("NIGHTLATCH_APP_ID", f"{topic_prefix}app")
    monkeypatch.setenv("NIGHTLATCH_PARTITIONS", "3")
    return load().settings


@pytest.fixture
def nightlatch(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Command:  # noqa: ARG001 - for its environment
    """Run a command, as its user would, but in this process."""

    def command(*arguments: str | Path) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Said(code, *capsys.readouterr())

    return command


@pytest.fixture
def topics(settings: Settings, nightlatch: Command) -> Settings:
    """The test's topics, made."""
    assert nightlatch("topics", "create").code == 0
    return settings


def records(settings: Settings, topic: str) -> list[Record]:
    """Return everything on one of the contract's topics."""
    return list(tail(settings, settings.topic(topic), from_beginning=True, to_end=True))


def ndjson(path: Path, *lines: object) -> Path:
    """Write a file of lines, objects as JSON and bytes as they are."""
    path.write_bytes(
        b"".join((x if isinstance(x, bytes) else orjson.dumps(x)) + b"\n" for x in lines)
    )
    return path


def _open_cases(nightlatch: Command) -> list[str]:
    said = nightlatch("alerts", "--open", "--json")
    assert said.code == 0, said.err
    return [orjson.loads(line)["alert_id"] for line in said.out.splitlines()]


class TestTopics:
    """Topics are made once, checked, and never changed."""

    def test_made_once_and_then_right(self, nightlatch: Command, settings: Settings) -> None:
        """A missing topic is a fault; once made, all are right, and making again is idle."""
        before = nightlatch("topics", "check")
        assert before.code == 1
        assert f"{settings.topic('logins')} is missing" in before.out
        assert "kafka-topics.sh" in before.out
        first = nightlatch("topics", "create")
        assert first.code == 0
        count = len(topic_specs(settings))
        assert f"{count} made, 0 were there" in first.out
        assert f"0 made, {count} were there" in nightlatch("topics", "create").out
        after = nightlatch("topics", "check")
        assert (after.code, after.out) == (0, "every topic is there and as it must be\n")

    def test_uneven_partitions_are_refused(self, nightlatch: Command, settings: Settings) -> None:
        """With one topic of other partitions nothing is made, and the sentence says what to do."""
        orders = settings.topic("orders")
        with admin(settings) as client:
            client.create_topics({orders: {"num_partitions": 2}}, wait_for_metadata=True)
        said = nightlatch("topics", "create")
        assert said.code == 2
        assert f"{orders}: has 2 partitions and the setting partitions is 3" in said.err
        assert said.err.count("\n") == 1
        told = nightlatch("topics", "check").out
        assert f"{settings.topic('logins')} is missing" in told
        assert "`nightlatch topics create` makes every topic that is missing" in told

    def test_campaigns_are_linked_in_one_place(
        self, nightlatch: Command, settings: Settings
    ) -> None:
        """A topic that must have one partition is refused with more."""
        links = own_topics(settings).alert_links
        with admin(settings) as client:
            client.create_topics({links: {"num_partitions": 3}}, wait_for_metadata=True)
        said = nightlatch("topics", "create")
        assert said.code == 2
        assert f"{links}: has 3 partitions and must have one" in said.err

    def test_a_misconfigured_topic_is_told(self, nightlatch: Command, settings: Settings) -> None:
        """A changelog deleted by age is a fault; a source in producers' time is advice."""
        changelog, logins = f"{settings.app_id}-state-changelog", settings.topic("logins")
        with admin(settings) as client:
            client.create_topics(
                {name: {"num_partitions": 3} for name in (changelog, logins)},
                wait_for_metadata=True,
            )
        nightlatch("topics", "create")
        said = nightlatch("topics", "check", "--json")
        assert said.code == 1
        faults = [orjson.loads(line) for line in said.out.splitlines()]
        assert {(f["topic"], f["grave"]) for f in faults} == {(changelog, True), (logins, False)}
        remedies = " ".join(fault["remedy"] for fault in faults)
        assert "--add-config cleanup.policy=compact" in remedies
        assert "--add-config message.timestamp.type=LogAppendTime" in remedies

    def test_topics_that_could_lose_or_refuse_records_are_told(
        self, nightlatch: Command, settings: Settings
    ) -> None:
        """More replicas in sync than there are is a fault; an hour of retention is advice."""
        alerts, orders = settings.topic("alerts"), settings.topic("orders")
        configs = {
            alerts: {"min.insync.replicas": "2"},
            orders: {"retention.ms": "3600000", "message.timestamp.type": "LogAppendTime"},
        }
        with admin(settings) as client:
            client.create_topics(
                {name: {"num_partitions": 3, "configs": own} for name, own in configs.items()},
                wait_for_metadata=True,
            )
        nightlatch("topics", "create")
        said = nightlatch("topics", "check", "--json")
        assert said.code == 1
        faults = {f["topic"]: f for f in map(orjson.loads, said.out.splitlines())}
        assert faults.keys() == {alerts, orders}
        assert faults[alerts]["grave"]
        assert faults[alerts]["remedy"].endswith("--add-config min.insync.replicas=1")
        assert not faults[orders]["grave"]
        assert faults[orders]["remedy"].endswith("--add-config retention.ms=604800000")

    def test_the_size_of_a_carried_record_is_a_minimum(
        self, nightlatch: Command, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A repartition topic that takes less than its source is a fault; more is welcome."""
        monkeypatch.setenv("NIGHTLATCH_REKEY", "orders,logins")
        small, large = (
            f"{settings.app_id}-{settings.topic(name)}-by-account" for name in ("orders", "logins")
        )
        dated = {"message.timestamp.type": "LogAppendTime"}
        with admin(settings) as client:
            client.create_topics(
                {
                    name: {
                        "num_partitions": 3,
                        "configs": {**dated, "max.message.bytes": str(megabytes * 1024 * 1024)},
                    }
                    for name, megabytes in ((small, 1), (large, 17))
                },
                wait_for_metadata=True,
            )
        nightlatch("topics", "create")
        said = nightlatch("topics", "check", "--json")
        assert said.code == 1
        (fault,) = map(orjson.loads, said.out.splitlines())
        assert fault["topic"] == small
        assert "--add-config max.message.bytes=16777216" in fault["remedy"]


class TestSend:
    """Files into topics."""

    def test_lines_arrive_as_they_are(
        self, nightlatch: Command, topics: Settings, tmp_path: Path
    ) -> None:
        """Each line's bytes go to its type's topic, keyed by account, dated by the clock."""
        odd = b'{"account_id": "a1",  "type":"login", "ip":"192.0.2.1","outcome":"failure", "x":1}'
        old = {**ORDER, "occurred_at": "2020-01-01T00:00:00Z"}
        path = ndjson(tmp_path / "e.ndjson", {**LOGIN, "occurred_at": "2020-01-01T00:00:00Z"}, odd)
        more = ndjson(tmp_path / "f.ndjson", old)
        began = time.time()
        said = nightlatch("send", path, more)
        assert said.code == 0
        assert said.out.startswith("3 events sent")
        first, second = sorted(records(topics, "logins"), key=lambda record: record.offset)
        assert (first.key, second.key, second.value) == (b"a1", b"a1", odd)
        (order,) = records(topics, "orders")
        assert (order.key, order.value) == (b"a2", orjson.dumps(old))
        assert order.timestamp > began - 60

    def test_lines_that_are_no_events(
        self, nightlatch: Command, topics: Settings, tmp_path: Path
    ) -> None:
        """They are told by number and left out; the exit code says so; --strict stops at them."""
        good = {**LOGIN, "occurred_at": "2020-01-01T00:00:00Z"}
        path = ndjson(tmp_path / "e.ndjson", good, b"nonsense", {**good, "ip": 3}, good)
        said = nightlatch("send", path)
        assert said.code == 1
        assert f"{path}:2: " in said.err
        assert f"{path}:3: field 'ip': expected an IPv4 or IPv6 address, found 3" in said.err
        assert "2 lines were no events" in said.out
        assert len(records(topics, "logins")) == 2
        assert nightlatch("send", "--strict", path).code == 1
        assert len(records(topics, "logins")) == 3

    def test_a_rate_is_kept(self, nightlatch: Command, topics: Settings, tmp_path: Path) -> None:
        """Twenty events at forty a second take half a second."""
        lines = [{**LOGIN, "occurred_at": 1_600_000_000_000 + n} for n in range(20)]
        began = time.monotonic()
        said = nightlatch("send", "--rate", "40", ndjson(tmp_path / "e", *lines))
        assert said.code == 0
        assert time.monotonic() - began >= 0.475
        assert len(records(topics, "logins")) == 20

    def test_mistakes_are_one_line(self, nightlatch: Command, tmp_path: Path) -> None:
        """A missing file, and topics that nobody made, are said in a sentence."""
        missing = nightlatch("send", tmp_path / "none")
        assert missing.code == 2
        assert missing.err.count("\n") == 1
        good = ndjson(tmp_path / "e", {**LOGIN, "occurred_at": 1_600_000_000_000})
        untopical = nightlatch("send", good)
        assert untopical.code == 2
        assert "nightlatch topics create" in untopical.err

    def test_standard_input(self, topics: Settings) -> None:
        """Events can be piped in."""
        line = orjson.dumps({**LOGIN, "occurred_at": 1_600_000_000_000})
        done = subprocess.run(
            [sys.executable, "-m", "streams", "send"], input=line, capture_output=True, check=True
        )
        assert done.stdout.startswith(b"1 events sent")
        assert [record.value for record in records(topics, "logins")] == [line]


class TestAlerts:
    """Reading alerts."""

    @pytest.fixture
    def raised(self, topics: Settings) -> Settings:
        """Four alerts, of four severities and accounts, and something that is none."""
        with producer(topics) as client:
            client.send(topics.topic("alerts"), key=b"x", value=b"nonsense")
            for number, severity in enumerate(("low", "medium", "high", "critical")):
                alert = msgspec.structs.replace(
                    ALERT, severity=severity, account_id=f"a{number}", revision=number + 1
                )
                client.send(
                    topics.topic("alerts"), key=b"a", value=encode_alert(alert), partition=0
                )
        return topics

    def test_filters_and_ends(self, nightlatch: Command, raised: Settings) -> None:
        """Severity is a minimum, an account is exact, --max and --timeout end the reading."""
        everything = ("alerts", "--from-beginning", "--timeout", "1")
        said = nightlatch(*everything, "--json")
        assert said.code == 0
        alerts = [orjson.loads(line) for line in said.out.splitlines()]
        assert [alert["severity"] for alert in alerts] == ["low", "medium", "high", "critical"]
        assert f"{raised.topic('alerts')}:" in said.err  # what is no alert is told, not fatal
        high = nightlatch(*everything, "--severity", "high", "--json").out.splitlines()
        assert [orjson.loads(line)["account_id"] for line in high] == ["a2", "a3"]
        people = nightlatch(*everything, "--account", "a1", "--max", "1").out
        assert "MEDIUM" in people
        assert "account a1" in people
        assert "CRITICAL" not in people
        assert nightlatch(*everything, "--account", "none").out == ""

    def test_a_verdict_closes_a_case(self, nightlatch: Command, topics: Settings) -> None:
        """What is open comes gravest first; what has been judged does not come again."""
        with producer(topics) as client:
            for severity in ("low", "high", "critical"):
                alert = msgspec.structs.replace(
                    ALERT, severity=severity, alert_id=severity, account_id=f"of-{severity}"
                )
                client.send(topics.topic("alerts"), key=b"a", value=encode_alert(alert))
        assert _open_cases(nightlatch) == ["critical", "high", "low"]
        said = nightlatch("verdict", "takeover", "high", "unheard-of")
        assert said.code == 2
        assert "there is no alert 'unheard-of'" in said.err
        assert not records(topics, "feedback")
        said = nightlatch("verdict", "takeover", "high", "low")
        assert said.code == 0
        assert "takeover: alert high of account of-high" in said.out
        for record in records(topics, "feedback"):
            said_of = decode(record.value, type_="feedback", timestamp=None, fallback_id="v")
            assert isinstance(said_of, Feedback)
            assert (record.key or b"").decode() == said_of.account_id == f"of-{said_of.alert_id}"
            assert (said_of.verdict, said_of.source) == ("takeover", "analyst")
        assert len(records(topics, "feedback")) == 2
        assert _open_cases(nightlatch) == ["critical"]
        assert not nightlatch("alerts", "--open").err
        assert nightlatch("verdict", "legitimate", "high").code == 0
        feedback = topics.topic("feedback")
        of_high = [one for one in records(topics, "feedback") if one.key == b"of-high"]
        with admin(topics) as client:
            place = TopicPartition(feedback, of_high[0].partition)
            client.delete_records({place: of_high[-1].offset})
        assert f"{feedback} is kept from" in nightlatch("alerts", "--open").err

    def test_since(self, nightlatch: Command, raised: Settings) -> None:
        """`--since` goes by when an alert was written, as a time or as how long ago."""
        for when, count in (("1h", 4), ("2020-01-01T00:00:00Z", 4), ("2100-01-01T00:00:00Z", 0)):
            said = nightlatch("alerts", "--since", when, "--timeout", "1", "--json")
            assert len(said.out.splitlines()) == count, when
        for mistake in ("yesterday", "999999d", "1969-12-31T23:59:59Z"):
            said = nightlatch("alerts", "--since", mistake)
            assert said.code == 2
            assert said.err.count("\n") == 1
        assert raised.topic("alerts")

    def test_tailing_until_interrupted(self, raised: Settings) -> None:
        """A tail shows what comes after it began, and Ctrl-C ends it with no traceback."""
        command = [sys.executable, "-m", "streams", "alerts", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            with producer(raised) as client:
                deadline = time.monotonic() + 20
                while process.poll() is None and time.monotonic() < deadline:
                    client.send(raised.topic("alerts"), key=b"a", value=encode_alert(ALERT))
                    client.flush()
                    if _readable(process.stdout, 0.3):
                        break
            assert orjson.loads(process.stdout.readline())["account_id"] == ALERT.account_id
            process.send_signal(signal.SIGINT)
            assert process.wait(10) in (0, 130)
            assert b"Traceback" not in process.stderr.read()


class TestCampaigns:
    """Reading campaigns and attacks."""

    def test_filters_and_ends(self, nightlatch: Command, topics: Settings) -> None:
        """By kind and account, as JSON or to people; `--current` gives the last of each."""
        first = msgspec.structs.replace(CAMPAIGN, revision=1, accounts=("a1",))
        with producer(topics) as client:
            for told in (first, ATTACK, CAMPAIGN):
                key = told.campaign_id.encode()
                client.send(topics.topic("campaigns"), key=key, value=encode_published(told))
            client.send(topics.topic("campaigns"), key=b"x", value=b"nonsense")
        everything = ("campaigns", "--from-beginning", "--timeout", "1")
        said = nightlatch(*everything, "--json")
        assert said.code == 0
        told_kinds = [orjson.loads(line)["kind"] for line in said.out.splitlines()]
        assert sorted(told_kinds) == ["attack", "campaign", "campaign"]
        assert f"{topics.topic('campaigns')}:" in said.err  # what is neither is told, not fatal
        assert "ATTACK" in nightlatch(*everything, "--kind", "attack").out
        current = nightlatch("campaigns", "--current", "--kind", "campaign", "--json").out
        assert [orjson.loads(line)["revision"] for line in current.splitlines()] == [3]
        assert nightlatch("campaigns", "--current", "--account", "nobody").out == ""
        assert "CAMPAIGN" in nightlatch("campaigns", "--current", "--account", "customer-1").out


def _readable(stream: Any, seconds: float) -> bool:
    import select

    return bool(select.select([stream], [], [], seconds)[0])


class TestDeadLetters:
    """Listing, mending, sending again."""

    @pytest.fixture
    def dead(self, topics: Settings) -> Settings:
        """Four letters: one that is good by now, one to mend, one that is no text, one foreign."""
        error = InvalidEvent(
            "missing_field", field="outcome", expected="an outcome", found="nothing"
        )
        broken = InvalidEvent("not_json", field=None, expected="JSON", found="nonsense")
        logins = topics.topic("logins")
        good = orjson.dumps(LOGIN)
        letters = [
            (Record(logins, 0, 5, DIED_MS / 1000, b"a1", good, (("trace", b"\x01"),)), broken),
            (Record(logins, 1, 6, time.time(), None, b'{"account_id":"a9","ip":"::1"}'), error),
            (Record(logins, 2, 7, time.time(), b"k", b"\xff\x00"), broken),
            (Record("elsewhere", 0, 8, time.time(), b"k", good), broken),
        ]
        with producer(topics) as client:
            for record, reason in letters:
                value = encode_dead_letter(record, reason)
                client.send(topics.topic("dead_letters"), key=record.key, value=value)
        return topics

    def test_listing(self, nightlatch: Command, dead: Settings) -> None:
        """Each is a line with its place and reason; filters narrow it; JSON holds every byte."""
        said = nightlatch("dead-letters", "list")
        assert said.code == 0
        assert len(said.out.splitlines()) == 4
        assert f"{dead.topic('logins')}:1:6  missing_field  field 'outcome'" in said.out
        assert "4 dead letters, 3 not_json, 1 missing_field" in said.err
        assert len(nightlatch("dead-letters", "list", "--code", "not_json").out.splitlines()) == 3
        assert len(nightlatch("dead-letters", "list", "--field", "outcome").out.splitlines()) == 1
        assert len(nightlatch("dead-letters", "list", "--max", "2").out.splitlines()) == 2
        one = nightlatch("dead-letters", "list", "--json", "--topic", "elsewhere").out
        assert orjson.loads(one)["text"] == orjson.dumps(LOGIN).decode()

    def test_sending_again(self, nightlatch: Command, dead: Settings) -> None:
        """What would not come back goes to its topic byte for byte; the rest stays and is told."""
        said = nightlatch("dead-letters", "resend", "--yes")
        assert said.code == 1
        assert "1 records sent again" in said.out
        assert "3 would only come back and were left" in said.out
        assert "elsewhere:0:8" in said.err
        (record,) = records(dead, "logins")
        assert (record.key, record.value) == (b"a1", orjson.dumps(LOGIN))
        sent_again = (
            ("trace", b"\x01"),
            ("nightlatch-resent", f"{dead.topic('logins')}:0:5:{DIED_MS}".encode()),
        )
        assert record.headers == sent_again
        assert origin_of(record) == (f"{dead.topic('logins')}:0:5", DIED_MS / 1000)

    def test_mending_in_a_file(self, nightlatch: Command, dead: Settings, tmp_path: Path) -> None:
        """Listed into a file, mended there as text, sent from there, keyed by its account."""
        listed = nightlatch("dead-letters", "list", "--json", "--code", "missing_field").out
        mended = listed.replace('\\"ip\\"', '\\"outcome\\":\\"failure\\",\\"ip\\"')
        assert mended != listed
        path = tmp_path / "letters.ndjson"
        path.write_text(mended)
        said = nightlatch("dead-letters", "resend", "--yes", "--from", path)
        assert said.code == 0
        (record,) = records(dead, "logins")
        assert record.key == b"a9"
        assert record.value == b'{"account_id":"a9","outcome":"failure","ip":"::1"}'

    def test_nothing_without_a_yes(
        self, nightlatch: Command, dead: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Sending again asks first."""
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
        assert nightlatch("dead-letters", "resend").code == 0
        assert records(dead, "logins") == []

    @pytest.mark.usefixtures("dead")
    def test_nobody_to_ask(self, nightlatch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a terminal or an answer, as in a cron job, the remedy is told."""
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        said = nightlatch("dead-letters", "resend")
        assert said.code == MISTAKE
        assert "add --yes" in said.err
        assert "Traceback" not in said.err


def test_the_largest_letters_fit_their_topic(topics: Settings) -> None:
    """The topic takes, from the worker's own producer, whatever a letter keeps whole, or cut."""
    topic = topics.topic("dead_letters")
    error = InvalidEvent("too_large", field=None, expected="less", found="more")
    whole = (MAX_LETTER_BYTES - 64 * 1024) // 4 * 3 - 10
    dead = [
        Record(topics.topic("logins"), 0, 1, time.time(), b"k", b"x" * whole),
        Record(topics.topic("logins"), 0, 2, time.time(), b"k", b"x" * 20_000_000),
    ]

    async def send() -> None:
        options = producer_options(client_options(topics), batch_bytes=BATCH_BYTES)
        async with AIOKafkaProducer(**options) as client:
            letters = [Send(topic, b"k", encode_dead_letter(record, error)) for record in dead]
            await Outbox(client).send(letters, keyless=0)

    asyncio.run(send())
    kept, cut = (decode_dead_letter(record.value) for record in records(topics, "dead_letters"))
    assert kept.value == dead[0].value
    assert cut.cut is not None
    assert cut.cut.value_bytes == 20_000_000


def test_brokers_that_are_not_there(nightlatch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is one sentence with the address in it, and what to look at."""
    monkeypatch.setattr("streams.kafka_clients._PATIENCE_MS", 500)
    for command in (("topics", "check"), ("dead-letters", "list"), ("worker",), ("alerts",)):
        said = nightlatch(*command, "--broker", "127.0.0.1:1")
        assert said.code == FAILED, command
        assert "Kafka at 127.0.0.1:1 does not answer: does it run, and is the setting" in said.err
        assert said.err.count("\n") == 1


@pytest.mark.parametrize("end", ["to_end", "never"])
def test_brokers_that_go_while_they_are_read(
    own_kafka: LocalKafka, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Whoever reads a topic, to its end or for ever, is told when the brokers are gone."""
    monkeypatch.setattr("streams.tailing.OVERDUE_SECONDS", 3)
    monkeypatch.setattr("streams.tailing.ANSWER_MS", 2000)
    monkeypatch.setattr("streams.tailing._ASK_SECONDS", 1)
    chosen = Settings(broker=(str(own_kafka.status().bootstrap),), partitions=1)
    create(chosen)
    topic = chosen.topic("alerts")
    with producer(chosen, compression_type="gzip") as client:
        for _ in range(300):
            client.send(topic, value=os.urandom(10_000))
    reading = tail(chosen, topic, from_beginning=True, to_end=end == "to_end")
    next(reading)
    own_kafka.kill()
    began = time.monotonic()
    with pytest.raises(BrokerTrouble, match=r"nothing came for|Kafka at"):
        list(reading)
    assert time.monotonic() - began < 20


def test_a_demonstration_whose_broker_goes(
    own_kafka: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for ever for the alerts that it knows to be there."""
    monkeypatch.setattr("streams.tailing.OVERDUE_SECONDS", 3)
    chosen = Settings(broker=(str(own_kafka.status().bootstrap),), partitions=1)
    create(chosen)
    large = encode_alert(msgspec.structs.replace(ALERT, account_id="a" * 10_000))
    with producer(chosen) as client:
        for _ in range(300):  # more than is fetched at once
            client.send(chosen.topic("alerts"), value=large)
    with admin(chosen) as administration, consumer(chosen) as reader:
        clients = Clients(chosen, administration, reader)
        with pytest.raises(BrokerTrouble, match="nothing came for 3 s"):
            clients.read_to_end(lambda _told: own_kafka.kill())


def test_settings_are_told_with_their_source(nightlatch: Command, settings: Settings) -> None:
    """`settings` names what set each, in a table and as JSON; no password is in either."""
    said = nightlatch("settings", "--json")
    entries: dict[str, dict[str, Any]] = {
        entry["name"]: entry for entry in map(orjson.loads, said.out.splitlines())
    }
    assert entries["partitions"]["value"] == 3
    assert entries["partitions"]["source"] == "environment NIGHTLATCH_PARTITIONS"
    assert entries["chunk_records"]["source"] == "default"
    table = nightlatch("settings").out
    assert settings.topic_prefix in table
    assert all(entry["meaning"] for entry in entries.values())

"""A bulletin from the topics of a real Kafka, counted again, and when they have forgotten."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from detectors.bulletin.months import Month
from streams.cli import run
from streams.codec import encode_alert, encode_event, encode_published
from streams.exit_codes import DONE, MISTAKE
from streams.settings import Settings
from streams.topic_administration import create
from tests.integration.harness import Sent, read_all, send
from tests.support.months import ACCOUNT, busy_month, moved, verdict

pytestmark = pytest.mark.kafka
PARTITIONS = 2


class Shop(NamedTuple):
    """A shop whose topics hold the month by hand, moved to the one that is now.

    Kafka forgets by the clock of the records, which is now's.
    """

    settings: Settings
    month: Month
    later: float

    def send(self, name: str, values: Iterable[bytes]) -> None:
        """Put values on one of the contract's topics, keyed as it says."""
        key = "campaign_id" if name == "campaigns" else "account_id"
        topic = self.settings.topic(name)
        records = [Sent(topic, str(orjson.loads(v).get(key)).encode(), v) for v in values]
        send(self.settings.broker[0], records)

    def bulletin(self, folder: Path, *options: str) -> int:
        """Run the command."""
        broker = self.settings.broker[0]
        arguments = ["--month", str(self.month), "--out", str(folder), "--minimum", "3"]
        return run(["bulletin", *arguments, "--broker", broker, *options])

    def parsed(self, folder: Path) -> dict[str, Any]:
        """Return what it wrote."""
        data: dict[str, Any] = orjson.loads((folder / f"bulletin-{self.month}.json").read_bytes())
        return data


@pytest.fixture
def shop(kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with a month on its topics."""
    monkeypatch.setenv("NIGHTLATCH_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("NIGHTLATCH_PARTITIONS", str(PARTITIONS))
    settings = Settings(broker=(kafka,), topic_prefix=topic_prefix, partitions=PARTITIONS)
    create(settings)
    now = datetime.now(UTC)
    month = Month(now.year, now.month)
    shop = Shop(settings, month, month.begin - Month(2026, 11).begin)
    recorded = moved(busy_month(), shop.later)
    shop.send("alerts", map(encode_alert, [*recorded.alerts, recorded.alerts[0]]))
    shop.send("campaigns", map(encode_published, recorded.campaigns))
    shop.send("orders", map(encode_event, recorded.orders))
    shop.send("feedback", map(encode_event, recorded.verdicts))
    send(kafka, [Sent(settings.topic("feedback"), b"x", b"no verdict")])
    return shop


def test_the_topics_are_counted_and_counted_again(shop: Shop, tmp_path: Path) -> None:
    """The month by hand; a verdict more changes it; what was counted before can be had again."""
    first, second, again = (tmp_path / name for name in ("first", "second", "again"))
    assert shop.bulletin(first) == DONE
    told = shop.parsed(first)
    assert (told["totals"]["attempts"], told["totals"]["takeovers"]) == (20, 12)
    assert (told["totals"]["stopped"], told["totals"]["saved"]) == (6, {"GBP": 600})
    assert told["campaigns"][0]["row"]["attempts"] == 7
    sources = {source["what"]: source for source in told["sources"]}
    assert {s["name"] for s in sources.values()} == {shop.settings.topic(w) for w in sources}
    assert sources["feedback"]["unreadable"] == 1
    for what, source in sources.items():
        ends = sum(span["end"] - span["begin"] for span in source["spans"])
        assert ends == source["records"] == len(read_all(*_topic(shop, what)))
    correction = verdict(0, shop.month.end, "legitimate")
    shop.send("feedback", [encode_event(correction)])
    assert shop.bulletin(second) == DONE
    assert shop.parsed(second)["totals"]["takeovers"] == 11
    earlier = str(first / f"bulletin-{shop.month}.json")
    assert shop.bulletin(again, "--again", earlier) == DONE
    assert shop.parsed(again)["totals"] == told["totals"]
    for suffix in ("html", "pdf", "csv", "json"):
        one, other = (folder / f"bulletin-{shop.month}.{suffix}" for folder in (first, again))
        assert one.read_bytes() == other.read_bytes(), suffix
        assert ACCOUNT.encode() not in one.read_bytes()


def test_what_is_not_kept_any_more_is_told(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A topic that has forgotten its beginning is named; what was counted is not counted anew."""
    assert shop.bulletin(tmp_path) == DONE
    capsys.readouterr()
    broker, topic = _topic(shop, "alerts")
    admin = KafkaAdminClient(bootstrap_servers=broker)
    try:
        admin.delete_records({TopicPartition(topic, 0): 3})
    finally:
        admin.close()
    other = tmp_path / "other"
    assert shop.bulletin(other) == DONE
    assert f"not wholly covered: {topic} is kept from" in capsys.readouterr().err
    assert shop.parsed(other)["totals"]["attempts"] < 20
    earlier = str(tmp_path / f"bulletin-{shop.month}.json")
    assert shop.bulletin(tmp_path / "again", "--again", earlier) == MISTAKE
    assert "has nothing before offset 3 of partition 0" in capsys.readouterr().err


def _topic(shop: Shop, name: str) -> tuple[str, str]:
    return shop.settings.broker[0], shop.settings.topic(name)

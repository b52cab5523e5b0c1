"""Intelligence on a real broker: from a feed into an alert's reasons, and out from the topics."""

import json
import time
from pathlib import Path

import pytest

from streams.cli import intel, run
from streams.codec import encode_event, encode_published
from streams.sending import Outgoing, send_to
from streams.sharing.keys import add_key
from streams.sharing.records import decode_report
from tests.integration import shop_traffic
from tests.integration.gang_installation import Installation, sent
from tests.integration.harness import read_all, send
from tests.integration.shop_traffic import DAYS, START, VICTIM
from tests.support.intelligence import CAMPAIGN, SECRETS, VERDICT

pytestmark = pytest.mark.kafka


@pytest.fixture
def member(
    kafka: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """A retailer's installation with the group's key; commands have its settings."""
    add_key(tmp_path / "keys", "2026-11")
    chosen = {"sharing_keys": str(tmp_path / "keys"), "sharing_name": "shop-a"}
    shop = Installation(kafka, topic_prefix, tmp_path, "member", **chosen)
    for name, value in shop.chosen().items():
        monkeypatch.setenv(f"NIGHTLATCH_{name.upper()}", value)
    return shop


def test_a_feed_reaches_the_alerts_reasons(
    member: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Import, worker, alert: the hijacker's range is named, and by whom it was reported."""
    hijack = next(
        one.fields for one in shop_traffic.everything() if one.fields["event_id"] == "hijack-2"
    )
    feed = tmp_path / "feed.csv"
    feed.write_text(f"value,confidence\n{hijack['ip']},100\n10.9.8.7,100\n")
    now = START.timestamp() + 86_400.0 * DAYS / 2
    monkeypatch.setattr(intel, "_now", lambda: now)
    assert run(["intel", "import", str(feed), "--source", "police"]) == 0
    assert len(member.values("indicators")) == 2
    clock = tmp_path / "clock"
    send(member.settings.broker[0], sent(member.settings, shop_traffic.everything()))
    clock.write_text(str(now - time.time()))
    with member.worker(1, clock=str(clock)) as running:
        member.wait_until_settled(running)
        assert running.stop() == 0, running.output()
    said = [
        (alert["account_id"], reason["summary"])
        for alert in member.records("alerts")
        for reason in alert["reasons"]
        if reason["code"] == "shared_intelligence"
    ]
    assert {account for account, _ in said} == {VICTIM}
    assert "reported by one other source (police)" in said[0][1]


def test_what_topics_confirm_is_told_to_a_file_and_a_topic(
    member: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From campaigns and feedback; sent once where nothing changed; and taken in by another."""
    settings = member.settings
    campaigns, feedback = settings.topic("campaigns"), settings.topic("feedback")
    send_to(
        settings,
        [campaigns, feedback],
        [
            Outgoing(campaigns, CAMPAIGN.campaign_id.encode(), encode_published(CAMPAIGN), []),
            Outgoing(campaigns, b"nonsense", b"{", []),
            Outgoing(feedback, VERDICT.account_id.encode(), encode_event(VERDICT), []),
        ],
    )
    told = tmp_path / "told.json"
    assert run(["intel", "export", "--out", str(told)]) == 0
    assert {one["type"] for one in json.loads(told.read_bytes())["objects"]} >= {
        "campaign", "indicator", "sighting", "relationship", "attack-pattern",
    }  # fmt: skip
    group = settings.topic("indicators")
    assert run(["intel", "export", "--topic", group]) == 0
    records = read_all(settings.broker[0], group)
    assert records
    for record in records:
        assert decode_report(record.value).indicator_id.encode() == record.key
        for secret in SECRETS:
            assert secret.encode() not in (record.value or b"")
    out = tmp_path / "reports"
    monkeypatch.setattr(intel, "_now", lambda: VERDICT.occurred_at + 86_400)
    assert run(["intel", "import", "--topic", group, "--out", str(out), "--days", "365"]) == 0
    assert len(out.read_bytes().splitlines()) == len({record.key for record in records})

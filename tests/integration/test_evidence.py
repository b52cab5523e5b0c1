"""Evidence on a real broker: from an alert to a pack that stands on its own, a crash or none."""

import signal
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import orjson
import pytest

from detectors.campaigns import Campaign
from streams.codec import decode_alert, encode_published
from streams.evidence.records import decode_evidence, encode_evidence
from streams.settings import Settings
from streams.topic_administration import create
from tests.integration import shop_traffic
from tests.integration.harness import Sent, read_all, send, worker
from tests.integration.product_worker import Options
from tests.integration.shop_traffic import VICTIM, Happening
from tests.integration.test_worker import MODULE, options, run_to_the_end, settings_of
from tests.support.commands import clean_environment, nightlatch
from tests.support.evidence import accounts_in

pytestmark = pytest.mark.kafka

OTHER = "customer-30"
# What depends on when a pack was made, or on its key.
_DATED = {"report.html", "report.pdf", "manifest.json", "manifest.sig", "public-key.pem"}


def made(chosen: dict[str, str], case: str, folder: Path) -> dict[str, bytes]:
    """Have the command make a pack, and another process without settings verify it."""
    folder.mkdir()
    out, key = folder / "pack.zip", folder / "key.pem"
    assert nightlatch("evidence", "--new-key", str(key)).returncode == 0
    environment = clean_environment(**{f"NIGHTLATCH_{k.upper()}": v for k, v in chosen.items()})
    done = nightlatch(
        "evidence", case, "--out", str(out), "--key", str(key), environment=environment
    )
    assert done.returncode == 0, done.stderr
    verified = nightlatch("verify", str(out), environment=clean_environment())
    assert verified.returncode == 0, verified.stdout + verified.stderr
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tell(broker: str, settings: Settings) -> None:
    """Send all that happened in the shop."""
    happenings = shop_traffic.everything()
    send(broker, [Sent(settings.topic(h.source), h.key, h.value) for h in happenings])


def plant(broker: str, settings: Settings) -> None:
    """Write what another account's alert stood on under this one's name, and what names none."""
    topic = settings.topic("evidence")
    kept = decode_evidence(read_all(broker, topic)[0].value)
    planted = msgspec.structs.replace(kept, account_id=OTHER, revision=99)
    values = [encode_evidence(planted), b'{"alert_id":[]}']
    send(broker, [Sent(topic, OTHER.encode(), value) for value in values])


def second_hijack() -> Iterator[Happening]:
    """The same done to another customer three days later, by somebody with nothing in common."""
    for happening in shop_traffic.hijack():
        told = orjson.dumps(happening.fields).decode()
        for first, second in (
            (VICTIM, OTHER),
            ("thief", "robber"),
            ("hijack-", "robbery-"),
            ("188.26.4.9", "91.200.12.4"),
            ("8708", "9009"),
            ("X11; Linux x86_64", "Windows NT 10.0"),
        ):
            told = told.replace(first, second)
        moment = happening.moment + timedelta(days=3)
        yield happening._replace(moment=moment, fields=orjson.loads(told))


def test_from_an_alert_to_a_pack(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Events as received, every score out again elsewhere, nobody else's data; a crash or none."""
    quiet = options(kafka, topic_prefix, tmp_path / "quiet")
    settings = settings_of(quiet)
    create(settings)
    tell(kafka, settings)
    run_to_the_end(quiet, tmp_path / "quiet.log")
    alerts = [decode_alert(r.value) for r in read_all(kafka, settings.topic("alerts"))]
    last = alerts[-1]
    verdict = {"account_id": VICTIM, "verdict": "takeover", "alert_id": last.alert_id}
    verdict |= {"source": "customer", "occurred_at": "2026-11-01T00:00:00Z"}
    send(kafka, [Sent(settings.topic("feedback"), VICTIM.encode(), orjson.dumps(verdict))])

    plant(kafka, settings)
    files = made(quiet, last.alert_id, tmp_path / "of-the-alert")
    events = [orjson.loads(line) for line in files["events.ndjson"].splitlines()]
    assert [e["type"] for e in events].count("feedback") == 1
    assert {e["topic"] for e in events} >= {settings.topic("orders"), settings.topic("logins")}
    summary = orjson.loads(files["case.json"])
    assert summary["events_no_longer_kept"] == []
    assert [score["verdict"] for score in summary["scores"]] == ["same"] * len(alerts)
    assert orjson.loads(files["crime-record.json"])["certainty"]["verdicts"][0]["source"] == (
        "customer"
    )
    assert accounts_in(files) == {VICTIM}

    # A worker that dies while alerts are on their way leaves the same evidence behind.
    killed = options(
        kafka,
        topic_prefix,
        tmp_path / "killed",
        app_id=f"{topic_prefix}killed",
        topic_alerts="alerts-again",
        topic_evidence="evidence-again",
        topic_dead_letters="dead-letters-again",
    )
    create(settings_of(killed))
    for step, occurrence in [("after the changelog", 5), ("after sending", 2)]:
        mortal = Options(settings=killed, die_at=step, die_after=occurrence)
        with worker(mortal, tmp_path / "killed.log", module=MODULE) as dying:
            assert dying.wait() == -signal.SIGKILL, step
    run_to_the_end(killed, tmp_path / "killed.log")
    again = made(killed, last.alert_id, tmp_path / "of-the-crash")
    assert set(again) == set(files)
    for name in set(files) - _DATED:
        assert again[name] == files[name], name

    # Of a campaign, all its alerts and accounts; of what is neither, a sentence.
    send(kafka, [Sent(settings.topic(h.source), h.key, h.value) for h in second_hijack()])
    run_to_the_end(quiet, tmp_path / "second.log")
    published = [decode_alert(r.value) for r in read_all(kafka, settings.topic("alerts"))]
    assert {alert.account_id for alert in published} == {VICTIM, OTHER}
    other = next(alert for alert in published if alert.account_id == OTHER)
    campaign = Campaign(
        campaign_id="gang-1",
        revision=1,
        first_seen=last.raised_at,
        last_seen=last.updated_at,
        alerts=2,
        accounts=(VICTIM, OTHER),
        alert_ids=(last.alert_id, other.alert_id),
        indicators=(),
        techniques=last.techniques,
        amount_at_risk=Decimal(0),
    )
    topic = settings.topic("campaigns")
    send(kafka, [Sent(topic, b"gang-1", encode_published(campaign))])
    whole = made(quiet, "gang-1", tmp_path / "of-the-campaign")
    assert orjson.loads(whole["campaign.json"])["campaign_id"] == "gang-1"
    assert files["alerts.ndjson"] in whole["alerts.ndjson"]
    assert_of_both(whole, len(published))
    environment = clean_environment(**{f"NIGHTLATCH_{k.upper()}": v for k, v in quiet.items()})
    key = str(tmp_path / "of-the-alert" / "key.pem")
    none = nightlatch("evidence", "nothing", "--key", key, environment=environment)
    assert none.returncode == 2
    assert "there is no alert and no campaign 'nothing'" in none.stderr


def assert_of_both(files: dict[str, bytes], revisions: int) -> None:
    """A pack is of both victims, of nobody else, and every score comes out again."""
    assert accounts_in(files) == {VICTIM, OTHER}
    summary = orjson.loads(files["case.json"])
    assert summary["events_no_longer_kept"] == []
    assert [score["verdict"] for score in summary["scores"]] == ["same"] * revisions
    received = [orjson.loads(line) for line in files["events.ndjson"].splitlines()]
    assert {b64decode(event["key"]).decode() for event in received} == {VICTIM, OTHER}
    victims = orjson.loads(files["crime-record.json"])["victims"]
    assert {victim["reference"] for victim in victims} == {VICTIM, OTHER}

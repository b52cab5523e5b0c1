"""A gang on a real broker: whatever the timing, every victim is alerted, in one campaign.

What an alert says, and which event raises it, depends on when heat arrives; so may the campaign's
id, which is the first alert's. What is asserted here must hold in whatever order it comes.
"""

import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.configuration import load
from streams.settings import Settings
from streams.topic_administration import create
from streams.topics import flows
from tests.integration import gang_traffic
from tests.integration.gang_traffic import SERVER, VICTIMS
from tests.integration.harness import (
    Sent,
    Worker,
    committed_everything,
    read_all,
    send,
    wait_for,
    worker,
)
from tests.integration.product_worker import Options
from tests.integration.shop_traffic import VICTIM, Happening

pytestmark = pytest.mark.kafka

MODULE = "tests.integration.product_worker"


class Installation:
    """Workers' settings, of an application of its own that reads the shop's topics."""

    def __init__(self, kafka: str, prefix: str, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self._settings = {
            "broker": kafka,
            "topic_prefix": prefix,
            "app_id": f"{prefix}{name}",
            "partitions": "3",
            "chunk_records": "100",
            "flush_seconds": "0.05",
            "topic_alerts": f"{name}-alerts",
            "topic_campaigns": f"{name}-campaigns",
            "topic_dead_letters": f"{name}-dead-letters",
            # A small shop's budget for alerts would else be spent on whoever travels.
            "detection_alert_floor": "0.2",
        }
        self.settings: Settings = load(environ={}, overrides=self._settings).settings
        create(self.settings)

    def worker(self, number: int, **death: Any) -> Any:
        """Give a worker with a data directory of its own for as long as the context lasts."""
        chosen = {**self._settings, "data_dir": str(self.folder / f"worker-{number}")}
        log = self.folder / f"worker-{number}.log"
        return worker(Options(settings=chosen, **death), log, module=MODULE)

    def wait_until_settled(self, running: Worker) -> None:
        """Return once everything is read that is there, and nothing more comes of it."""
        topics = [topic for flow in flows(self.settings).values() for topic in flow.read]

        def settled() -> bool:
            broker, group = self.settings.broker[0], self.settings.app_id
            return all(committed_everything(broker, group, topics) for _ in range(2))

        running.wait_until(settled, "settle")

    def records(self, name: str) -> list[dict[str, Any]]:
        """Return what is on one of the contract's topics."""
        topic = self.settings.topic(name)
        return [orjson.loads(r.value or b"") for r in read_all(self.settings.broker[0], topic)]

    def assert_gang_found(self) -> None:
        """Each victim has one case, all of them one campaign, and nobody else has any."""
        cases: dict[str, set[str]] = defaultdict(set)
        revisions: dict[tuple[str, int], dict[str, Any]] = {}
        for alert in self.records("alerts"):
            cases[alert["account_id"]].add(alert["alert_id"])
            # A crash repeats a revision, and never tells another under the same number.
            assert revisions.setdefault((alert["alert_id"], alert["revision"]), alert) == alert
        assert set(cases) == {*VICTIMS, VICTIM}
        several = {account for account, ids in cases.items() if len(ids) > 1}
        assert not several, [r for r in revisions.values() if r["account_id"] in several]
        last = {
            alert_id: max(r for a, r in revisions if a == alert_id) for alert_id, _ in revisions
        }
        assert set(revisions) == {(a, r) for a, n in last.items() for r in range(1, n + 1)}
        latest = {revisions[case]["account_id"]: revisions[case] for case in last.items()}
        ids = {latest[account].get("campaign_id") for account in VICTIMS}
        assert len(ids) == 1
        assert ids != {latest[VICTIM].get("campaign_id")}
        self._assert_published(ids.pop())
        assert not self.records("dead_letters")

    def _assert_published(self, campaign_id: str | None) -> None:
        published = {record["campaign_id"]: record for record in self.records("campaigns")}
        campaigns = {key: r for key, r in published.items() if r["kind"] == "campaign"}
        merged = {r.get("merged_into") for key, r in campaigns.items() if key != campaign_id}
        assert merged <= {campaign_id}
        campaign = campaigns[campaign_id or ""]
        assert set(campaign["accounts"]) == set(VICTIMS)
        assert "address-drop" not in str(published), "told beyond the account"
        attacks = [r for r in published.values() if r["kind"] == "attack"]
        network = str(SERVER["ip"]).rpartition(".")[0]
        assert any(attack["value"].startswith(network) for attack in attacks)
        assert {attack["technique"] for attack in attacks} == {"fast_stuffing"}


def sent(settings: Settings, happenings: Sequence[Happening]) -> Iterator[Sent]:
    """Records of what happened."""
    return (Sent(settings.topic(h.source), h.key, h.value) for h in happenings)


def test_a_gang_whatever_dies(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Found by a quiet worker, and by one that is killed at every turn."""
    quiet = Installation(kafka, topic_prefix, tmp_path, "quiet")
    send(kafka, sent(quiet.settings, gang_traffic.everything()))
    with quiet.worker(1) as only:
        quiet.wait_until_settled(only)
        assert only.stop() == 0, only.output()
    quiet.assert_gang_found()

    killed = Installation(kafka, topic_prefix, tmp_path, "killed")
    # The first seven steps in the changelogs are the claims of the three flows' partitions.
    for step, occurrence in [
        ("after the changelog", 14),
        ("before sending", 6),
        ("after sending", 4),
        ("after the store", 8),
    ]:
        with killed.worker(1, die_at=step, die_after=occurrence) as dying:
            assert dying.wait() == -signal.SIGKILL, step
    with killed.worker(1) as last:
        killed.wait_until_settled(last)
        assert last.stop() == 0, last.output()
    killed.assert_gang_found()


def test_a_gang_among_three_workers(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """While the gang is at it, one worker of three dies and another takes its place."""
    shop = Installation(kafka, topic_prefix, tmp_path, "three")
    happenings = gang_traffic.everything()
    begins = next(n for n, h in enumerate(happenings) if h.moment >= gang_traffic.ATTACK)
    middle = begins + gang_traffic.TRIES // 2
    # Merged by time across topics; what is sent to workers at work comes in the brokers' order.
    send(kafka, sent(shop.settings, happenings[:begins]))
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(shop.worker(n)) for n in range(3))
        shop.wait_until_settled(first)
        send(kafka, sent(shop.settings, happenings[begins:middle]))
        wait_for(lambda: shop.records("campaigns"), "the gang to be noticed")
        second.kill()
        fourth = stack.enter_context(shop.worker(4))
        send(kafka, sent(shop.settings, happenings[middle:]))
        fourth.wait_until_ready()
        shop.wait_until_settled(third)
        for running in (first, third, fourth):
            assert running.stop() == 0, running.output()
    shop.assert_gang_found()

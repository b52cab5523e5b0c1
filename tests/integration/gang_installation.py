"""The small shop with a gang in it: workers of an application of its own, and what they must find.

What an alert says, and which event raises it, depends on when heat arrives; so may the campaign's
id, which is the first alert's. What is looked at here must hold in whatever order it comes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from streams.configuration import load
from streams.settings import Settings
from streams.topic_administration import create
from streams.topics import flows
from tests.integration.gang_traffic import NETWORK, VICTIMS
from tests.integration.harness import Sent, Worker, committed_everything, read_all, worker
from tests.integration.product_worker import Options
from tests.integration.shop_traffic import VICTIM, Happening

MODULE = "tests.integration.product_worker"


class Installation:
    """Workers' settings, of an application of its own that reads the shop's topics."""

    def __init__(self, kafka: str, prefix: str, folder: Path, name: str, **more: str) -> None:
        self.name = name
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
            **more,
        }
        self.settings: Settings = load(environ={}, overrides=self._settings).settings
        create(self.settings)

    def chosen(self) -> dict[str, str]:
        """Return its settings by name, for commands."""
        return dict(self._settings)

    def options(self, number: int, **death: Any) -> Options:
        """Return what a worker is started with: a data directory of its own, and its end."""
        chosen = {**self._settings, "data_dir": str(self.folder / f"worker-{number}")}
        return Options(settings=chosen, **death)

    def worker(self, number: int, **death: Any) -> Any:
        """Give a worker for as long as the context lasts."""
        log = self.folder / f"worker-{number}.log"
        return worker(self.options(number, **death), log, module=MODULE)

    def settled(self) -> bool:
        """Whether everything is read that is there, and nothing more comes of it."""
        topics = [topic for flow in flows(self.settings).values() for topic in flow.read]
        broker, group = self.settings.broker[0], self.settings.app_id
        return all(committed_everything(broker, group, topics) for _ in range(2))

    def wait_until_settled(self, running: Worker) -> None:
        """Return once it has settled; fail as soon as the worker has ended."""
        running.wait_until(self.settled, "settle")

    def values(self, name: str) -> list[bytes]:
        """Return what is on one of the contract's topics, repeats included."""
        return [
            r.value or b"" for r in read_all(self.settings.broker[0], self.settings.topic(name))
        ]

    def records(self, name: str) -> list[dict[str, Any]]:
        """Return the same, read."""
        return [orjson.loads(value) for value in self.values(name)]

    def gang_differences(self) -> list[str]:
        """Say what is not so: each victim one case, all of them one campaign, nobody else any."""
        latest, wrong = _cases(self.records("alerts"))
        if set(latest) != {*VICTIMS, VICTIM}:
            odd = set(latest) ^ {*VICTIMS, VICTIM}
            return [*wrong, f"alerted and no victim, or the other way round: {sorted(odd)}"]
        ids = {latest[account].get("campaign_id") for account in VICTIMS}
        if len(ids) != 1 or None in ids or latest[VICTIM].get("campaign_id") in ids:
            return [*wrong, f"the gang's alerts have the campaigns {ids}"]
        published = {record["campaign_id"]: record for record in self.records("campaigns")}
        return [*wrong, *_campaign_differences(published, ids.pop())]


def _cases(alerts: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return each account's latest alert, and what is not as it must be in any order."""
    told: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    cases: dict[str, set[str]] = defaultdict(set)
    wrong: list[str] = []
    for alert in alerts:
        alert_id, revision = alert["alert_id"], alert["revision"]
        cases[alert["account_id"]].add(alert_id)
        # A crash repeats a revision, and never tells another under the same number.
        if told[alert_id].setdefault(revision, alert) != alert:
            wrong.append(f"two of revision {revision}: {told[alert_id][revision]} and {alert}")
    wrong += [f"{account} has {len(ids)} cases" for account, ids in cases.items() if len(ids) > 1]
    for alert_id, revisions in told.items():
        if set(revisions) != set(range(1, max(revisions) + 1)):
            wrong.append(f"{alert_id} has only the revisions {sorted(revisions)}")
    latest = {account: told[max(ids)] for account, ids in cases.items()}
    return {account: revisions[max(revisions)] for account, revisions in latest.items()}, wrong


def _campaign_differences(
    published: dict[str, dict[str, Any]], campaign_id: str | None
) -> Iterator[str]:
    campaigns = {key: r for key, r in published.items() if r["kind"] == "campaign"}
    others = {key: r.get("merged_into") for key, r in campaigns.items() if key != campaign_id}
    if set(others.values()) - {campaign_id}:
        yield f"campaigns beside {campaign_id}: {others}"
    accounts = campaigns.get(campaign_id or "", {}).get("accounts", ())
    if set(accounts) != set(VICTIMS):
        yield f"the campaign's accounts are {accounts}"
    if "address-drop" in str(published):
        yield "the drop's address is told beyond the account"
    attacks = [r for r in published.values() if r["kind"] == "attack"]
    if [a["value"].startswith(NETWORK) for a in attacks if "merged_into" not in a] != [True]:
        yield f"not one attack through {NETWORK}: {[a['value'] for a in attacks]}"
    if {attack["technique"] for attack in attacks} != {"fast_stuffing"}:
        yield f"attacks are {[(a['technique'], a['value']) for a in attacks]}"


def sent(settings: Settings, happenings: Sequence[Happening]) -> Iterator[Sent]:
    """Records of what happened."""
    return (Sent(settings.topic(h.source), h.key, h.value) for h in happenings)

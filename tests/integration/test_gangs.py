"""A gang on a real broker: whatever the timing, every victim is alerted, in one campaign.

Under faults for longer, and beside records that nobody can read: `tests/chaos/gangs.py`.
"""

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration import gang_traffic
from tests.integration.gang_installation import Installation, sent
from tests.integration.harness import send, wait_for
from tests.integration.shop_traffic import VICTIM

pytestmark = pytest.mark.kafka


def test_a_gang_whatever_dies(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Found by a quiet worker, and by one that is killed at every turn."""
    quiet = Installation(kafka, topic_prefix, tmp_path, "quiet")
    send(kafka, sent(quiet.settings, gang_traffic.everything()))
    with quiet.worker(1) as only:
        quiet.wait_until_settled(only)
        assert only.stop() == 0, only.output()
    assert not quiet.gang_differences()
    assert not quiet.records("dead_letters")

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
    assert not killed.gang_differences()
    assert not killed.records("dead_letters")


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
    assert not shop.gang_differences()
    assert not shop.records("dead_letters")


def test_victims_that_only_verdicts_tell_of(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Nobody was alerted; what verdicts say goes round as alerts do, whoever is killed."""
    shop = Installation(kafka, topic_prefix, tmp_path, "unnoticed")
    send(kafka, sent(shop.settings, gang_traffic.unnoticed()))
    with shop.worker(1, die_at="after sending", die_after=4) as dying:
        assert dying.wait() == -signal.SIGKILL
    with shop.worker(1) as last:
        shop.wait_until_settled(last)
        assert last.stop() == 0, last.output()
    assert {alert["account_id"] for alert in shop.records("alerts")} == {VICTIM}
    campaigns = {one["campaign_id"]: one for one in shop.records("campaigns")}
    [campaign] = [one for one in campaigns.values() if one["kind"] == "campaign"]
    assert campaign["accounts"] == campaign["unnoticed"] == sorted(gang_traffic.QUIET)
    assert campaign["alerts"] == 0
    assert not shop.records("dead_letters")

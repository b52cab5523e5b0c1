"""The promise of `streams.runtime`: whatever dies, state and alerts are those of a quiet run."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.integration.counting import added
from tests.integration.counting_worker import DEATHS
from tests.integration.harness import Sent, Shop, last_values, read_all, send, worker
from tests.integration.quiet import assert_ends_as_if_quiet, expected

pytestmark = pytest.mark.kafka
LONG_AGO = time.time() - 10_000


def traffic(shop: Shop, count: int, *, seed: int = 1) -> list[Sent]:
    """Records of a hundred accounts over both topics, a millisecond apart, a tenth out of order.

    Those of a greater seed all happened later: what is folded first is also what comes first.
    """
    chance = random.Random(seed)
    start = LONG_AGO + 100 * seed
    return [
        Sent(
            chance.choice(shop.sources),
            b"account-%d" % chance.randrange(100),
            b"%d" % number,
            start + (number - (500 if chance.random() < 0.1 else 0)) / 1000,
        )
        for number in range(count)
    ]


@pytest.fixture
def shop(kafka: str, topic_prefix: str) -> Shop:
    """Topics of the test's own."""
    made = Shop(kafka, topic_prefix)
    made.create()
    return made


def test_a_process_that_dies_between_any_two_steps(shop: Shop, tmp_path: Path) -> None:
    """Killed before and after every step in turn, workers leave what one quiet one would."""
    for seed, step in enumerate(DEATHS):
        send(shop.broker, traffic(shop, 800, seed=seed))
        # At the first commit; at other steps when some partitions have passed them already. The
        # first five entries in the changelogs are the claims.
        occurrence = {"commit": 1, "changelog": 9, "store": 5}.get(step.split()[-1], 2)
        options = shop.options(tmp_path, die_at=step, die_after=occurrence, told=shop.told)
        with worker(options, tmp_path / "log") as dying:
            assert dying.wait() == -signal.SIGKILL, step
    with worker(shop.options(tmp_path, told=shop.told), tmp_path / "last.log") as last:
        last.wait_until_ready()
        shop.wait_until_read()
        shop.wait_until_read(shop.told)
        assert last.stop() == 0
    quiet = expected(shop, across_topics=True)
    assert shop.state() == quiet.state
    alerted = shop.alerted()
    assert set(alerted) == quiet.alerts
    # The deaths did hurt: some alerts were sent again, the same to the byte.
    assert len(alerted) > len(quiet.alerts)
    assert_told_once(shop)


def assert_told_once(shop: Shop) -> None:
    """The other flow has counted every message once, though some of them were sent again."""
    messages = read_all(shop.broker, shop.told)
    once = {message.value or b"": message.key or b"" for message in messages}
    assert len(once) < len(messages)
    sums: dict[bytes, bytes] = {}
    for value, key in once.items():
        sums[key] = added(sums.get(key), value)
    found = last_values(shop.broker, shop.told_changelog)
    assert {key: value for state in found.values() for key, value in state.items()} == sums
    assert len(once) == sum(len(read_all(shop.broker, topic)) for topic in shop.sources)


def test_a_flood_of_large_alerts_is_taken_in_steps_that_fit(shop: Shop, tmp_path: Path) -> None:
    """State and alerts of six kilobytes a record, each: a worker that gave up would be the aim."""
    send(
        shop.broker, [s._replace(key=b"account-%d" % n) for n, s in enumerate(traffic(shop, 6000))]
    )
    options = shop.options(tmp_path, padding=6000, chunk_records=1000, flush_seconds=5.0)
    with worker(options, tmp_path / "log") as running:
        running.wait_until_ready()
        shop.wait_until_read()
        assert running.stop() == 0, running.output()
    assert len(shop.alerted()) == 6000


def test_a_bug_stops_the_worker_where_it_is(shop: Shop, tmp_path: Path) -> None:
    """Exit code 1 and a traceback; nothing is committed past it; mended, it goes on (mend 7)."""
    send(shop.broker, traffic(shop, 3000))
    faulty = shop.options(tmp_path, fail_on=b"2000")
    with worker(faulty, tmp_path / "faulty.log") as running:
        assert running.wait() == 1
        assert "ZeroDivisionError: a bug, on purpose" in running.output()
    with worker(faulty, tmp_path / "again.log") as running:
        assert running.wait() == 1, "skipped over it"
    assert_ends_as_if_quiet(shop, shop.options(tmp_path), tmp_path / "mended.log")


def test_a_lost_local_store_is_restored_from_the_changelog(shop: Shop, tmp_path: Path) -> None:
    """What is on disk is a copy: a worker on another machine goes on where the first stopped."""
    send(shop.broker, traffic(shop, 2000))
    with worker(shop.options(tmp_path / "one"), tmp_path / "log") as first:
        shop.wait_until_read()
        assert first.stop() == 0
    shutil.rmtree(tmp_path / "one")
    send(shop.broker, traffic(shop, 2000, seed=2))
    with worker(shop.options(tmp_path / "two", memory=True), tmp_path / "log") as second:
        shop.wait_until_read()
        assert second.stop() == 0
    assert shop.state() == expected(shop, across_topics=True).state

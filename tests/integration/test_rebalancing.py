"""Partitions that change hands: nothing skipped, nothing twice, nobody left behind."""

import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.harness import Sent, Shop, send, sending, worker
from tests.integration.quiet import assert_ends_as_if_quiet, expected

pytestmark = pytest.mark.kafka


@pytest.fixture
def shop(kafka: str, topic_prefix: str) -> Shop:
    """Topics of the test's own."""
    made = Shop(kafka, topic_prefix, partitions=4)
    made.create()
    return made


def live(shop: Shop) -> Iterator[Sent]:
    """Records of a hundred accounts without end, each at the moment it is sent."""
    chance = random.Random(1)
    for number in itertools.count():
        account = b"account-%d" % chance.randrange(100)
        yield Sent(chance.choice(shop.sources), account, b"%d" % number, time.time())


def test_workers_that_come_and_go(shop: Shop, tmp_path: Path) -> None:
    """While records come in, workers join, leave in good order, and die.

    They keep their state in one folder, as workers that are started side by side do: a partition's
    new owner waits until the old one has let go of its files.
    """
    options = shop.options(tmp_path / "data", across_topics=False)
    with sending(shop.broker, live(shop), rate=400), worker(options, tmp_path / "1.log") as first:
        first.wait_until_ready()
        with worker(options, tmp_path / "2.log") as second:
            second.wait_until_ready()
            first.wait_until_ready(2)
            time.sleep(1)
            assert first.stop() == 0
            second.wait_until_ready(2)
            with worker(options, tmp_path / "3.log") as third:
                third.wait_until_ready()
                time.sleep(1)
                second.kill()
                third.wait_until_ready(2)
    assert_ends_as_if_quiet(shop, options, tmp_path / "4.log")


def test_a_worker_that_was_frozen_stops(shop: Shop, tmp_path: Path) -> None:
    """Stopped for longer than a session and woken, it writes nothing and exits with an error."""
    one = shop.options(tmp_path / "one", across_topics=False)
    two = shop.options(tmp_path / "two", across_topics=False)
    with sending(shop.broker, live(shop), rate=400), worker(one, tmp_path / "1.log") as first:
        first.wait_until_ready()
        time.sleep(1)
        first.freeze()
        with worker(two, tmp_path / "2.log") as second:
            second.wait_until_ready()
            time.sleep(1)
            first.thaw()
            assert first.wait() == 1
            assert "nightlatch: this worker stood still for" in first.output()
            assert "Traceback" not in first.output()
            time.sleep(1)
            assert second.stop() == 0
    assert_ends_as_if_quiet(shop, two, tmp_path / "3.log")


def test_a_group_that_leaves_partitions_unowned_assigns_anew(shop: Shop, tmp_path: Path) -> None:
    """An assignment made without knowing the topics is noticed, and made again (mend 11)."""
    send(shop.broker, itertools.islice(live(shop), 500))
    options = shop.options(tmp_path, across_topics=False, blind_assignments=1)
    with worker(options, tmp_path / "log") as only:
        only.wait_until_ready()
        shop.wait_until_read()
        assert "have no owner: assigning anew" in only.output()
        assert only.stop() == 0
    assert shop.state() == expected(shop, across_topics=False).state


def test_a_worker_that_is_not_let_in_yet_says_what_it_waits_for(shop: Shop, tmp_path: Path) -> None:
    """The group waits for the session of one that was killed: the next is not silent meanwhile."""
    options = shop.options(tmp_path / "data", session_seconds=9.0)
    with worker(options, tmp_path / "1.log") as first:
        first.wait_until_ready()
        first.kill()
    with worker(options, tmp_path / "2.log") as second:
        second.wait_until_ready()
        said = [line for line in second.output().splitlines() if "INFO" in line]
        assert len(said) == 2, second.output()
        told = f"Waiting to be let into the group {shop.app_id}: for a worker that has died it"
        assert said[0].endswith(f"{told} waits 9 s")
        assert "Ready: partitions" in said[1]
        assert second.stop() == 0
    assert second.output().count("Waiting") == 1

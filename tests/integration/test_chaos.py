"""Long runs with faults at random, compared with an offline fold: `make test-all`."""

import itertools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.local_kafka import LocalKafka
from tests.chaos import campaign, gangs
from tests.chaos.faults import FAULTS
from tests.chaos.gangs import GANG_FAULTS
from tests.chaos.supervision import Supervised, supervised
from tests.integration.counting import Counting
from tests.integration.counting_worker import Options
from tests.integration.harness import (
    Sent,
    Shop,
    committed_everything,
    oracle,
    sending,
    wait_for,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]
MODULE = "tests.integration.counting_worker"


def live(shop: Shop, seed: int) -> Iterator[Sent]:
    """Records of two hundred accounts without end, each at the moment it is sent."""
    chance = random.Random(seed)
    for number in itertools.count():
        account = b"account-%d" % chance.randrange(200)
        yield Sent(chance.choice(shop.sources), account, b"%d" % number, time.time())


@contextmanager
def counting(shop: Shop, folder: Path, count: int) -> Iterator[list[Supervised]]:
    """Run so many workers that count, for as long as the context lasts."""

    def options(number: int) -> Options:
        return shop.options(folder / f"worker-{number}", across_topics=False)

    with supervised(MODULE, options, folder, count) as workers:
        yield workers


def assert_exactly_once(shop: Shop) -> None:
    """State and alerts are those of one quiet worker."""
    quiet = oracle(
        shop.broker,
        shop.sources,
        lambda _, state: Counting(shop.alerts, state.get, across_topics=False),
    )
    differences = campaign.state_differences(shop.broker, shop.changelog, quiet.state)
    assert not differences, differences[:5]
    assert set(shop.alerted()) == quiet.alerts


def wait_until_read(shop: Shop) -> None:
    """Return once the group has committed the ends of its topics."""
    wait_for(
        lambda: committed_everything(shop.broker, shop.app_id, shop.sources),
        "everything to be read",
        seconds=120,
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_that_fail_at_random(
    kafka: str, topic_prefix: str, tmp_path: Path, seed: int
) -> None:
    """Killed, stopped and frozen for a minute, three workers miss nothing and repeat nothing."""
    shop = Shop(kafka, topic_prefix, partitions=4)
    shop.create()
    chance = random.Random(seed)
    with counting(shop, tmp_path, 3) as workers:
        with sending(kafka, live(shop, seed), rate=500):
            ends = time.monotonic() + 60
            while time.monotonic() < ends:
                time.sleep(chance.uniform(1, 5))
                victim = chance.choice(workers).running
                match chance.choice(["kill", "stop", "freeze"]):
                    case "kill":
                        victim.process.kill()
                    case "stop":
                        victim.process.terminate()
                    case "freeze":
                        victim.freeze()
                        time.sleep(chance.uniform(1, 6))
                        victim.thaw()
        wait_until_read(shop)
        # Frozen for long, a worker says so and ends with 1; nothing else goes wrong by itself.
        assert {code for each in workers for code in each.exits} <= {0, 1, -9, -15}
    assert_exactly_once(shop)


def test_a_broker_that_dies(own_kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """Killed under load and started again, twice: workers wait or start again, and come back."""
    bootstrap = own_kafka.status().bootstrap
    assert bootstrap is not None
    shop = Shop(bootstrap, topic_prefix, partitions=4)
    shop.create()
    with counting(shop, tmp_path, 2):
        for seed in (1, 2):
            with sending(bootstrap, live(shop, seed), rate=500):
                time.sleep(5)
            own_kafka.kill()
            time.sleep(2)
            own_kafka.start()
            with sending(bootstrap, live(shop, seed + 10), rate=500):
                time.sleep(3)
        wait_until_read(shop)
    assert_exactly_once(shop)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_product_under_a_fault(tmp_path: Path, fault: str) -> None:
    """Profiles, models, cases, alerts and dead letters are those of a run without the fault."""
    report = campaign.run(fault, seed=1, folder=tmp_path, seconds=10)
    assert not report.differences, report.differences[:5]
    assert report.alerts >= 5


@pytest.mark.parametrize("fault", GANG_FAULTS)
def test_a_gang_under_a_fault(tmp_path: Path, fault: str) -> None:
    """With heat, victims, cases, campaign, counts and dead letters are those of a quiet worker."""
    report = gangs.run(fault, seed=1, folder=tmp_path, seconds=10)
    assert not report.differences, report.differences[:5]

"""What one quiet worker would leave, and whether that is what has been left."""

from pathlib import Path

from tests.integration.counting import Counting
from tests.integration.counting_worker import Options
from tests.integration.harness import Expected, Shop, oracle, worker


def expected(shop: Shop, *, across_topics: bool) -> Expected:
    """What one quiet worker would leave; each topic by itself where they have no common order."""
    return oracle(
        shop.broker,
        shop.sources,
        lambda _, state: Counting(shop.alerts, state.get, across_topics=across_topics),
    )


def assert_ends_as_if_quiet(shop: Shop, options: Options, log: Path) -> None:
    """A last worker reads what is left, and nothing is amiss: alerts may come again, none other."""
    with worker(options, log) as last:
        last.wait_until_ready()
        shop.wait_until_read()
        assert last.stop() == 0
    quiet = expected(shop, across_topics=options.across_topics)
    assert shop.state() == quiet.state
    assert set(shop.alerted()) == quiet.alerts

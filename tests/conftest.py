"""Fixtures that every suite shares: a real Kafka, and names nobody else uses on it."""

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from streams.local_kafka import LocalKafka

REPOSITORY = Path(__file__).parent.parent
JARS = REPOSITORY / ".nightlatch"

# Whatever runs the tests in the background may have set Ctrl-C to be ignored, and the commands
# under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, not whether the property holds.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a real Apache Kafka, started once a process of tests and shared by them."""
    broker = LocalKafka(tmp_path_factory.mktemp("kafka"), folder=JARS)
    try:
        yield broker.start()
    finally:
        broker.stop()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """A broker of the test's own, already started, for it to stop, kill and start again.

    It takes three seconds: use `kafka` wherever the broker is not to suffer.
    """
    broker = LocalKafka(tmp_path / "kafka", folder=JARS)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics, groups and application ids that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}-"

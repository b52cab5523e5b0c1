"""kafka-python's clients from the settings: the command line's side of Kafka."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from detectors.errors import ConfigurationError, NightlatchError
from streams.connections import client_options, why_not_let_in
from streams.settings import Settings

_PATIENCE_MS = 10_000


class BrokerTrouble(NightlatchError):
    """The brokers can't be reached, or refused what was asked."""


@contextmanager
def broker_trouble(settings: Settings) -> Iterator[None]:
    """Turn what kafka-python raises into one sentence that names the brokers.

    It says no more than "unable to bootstrap", after ten seconds, of a certificate or a password
    that is wrong: those are found out before. Raises ConfigurationError for them.
    """
    if settings.security_protocol != "plaintext" and (reason := why_not_let_in(settings)):
        raise ConfigurationError(reason)
    try:
        yield
    except KafkaError as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if settings.security_protocol == "plaintext" and (reason := why_not_let_in(settings)):
            raise ConfigurationError(reason) from error
        where = f"Kafka at {', '.join(settings.broker)}"
        if isinstance(error, KafkaTimeoutError):
            raise BrokerTrouble(
                f"{where} does not answer: does it run, and is the setting broker right? ({text})"
            ) from error
        raise BrokerTrouble(f"{where}: {text}") from error


@contextmanager
def admin(settings: Settings) -> Iterator[Any]:
    """Give an admin client for as long as the context lasts."""
    with broker_trouble(settings):
        client = KafkaAdminClient(**_options(settings))
        try:
            yield client
        finally:
            client.close()


@contextmanager
def producer(settings: Settings, **options: Any) -> Iterator[Any]:
    """Give an idempotent producer; what it was given is sent however the context ends.

    Records are spread over partitions by their key, by the same hash as Java's clients.
    """
    chosen = {"linger_ms": 20, "batch_size": 262_144, "max_request_size": 16_777_216, **options}
    with broker_trouble(settings):
        client = KafkaProducer(**_options(settings), acks="all", enable_idempotence=True, **chosen)
        try:
            yield client
            client.flush()
        finally:
            # On the way out of an error it still sends what it has, but not for ever.
            client.close(timeout=_PATIENCE_MS / 1000)


@contextmanager
def consumer(settings: Settings, **options: Any) -> Iterator[Any]:
    """Give a consumer outside any group: it commits nothing and disturbs nobody."""
    with broker_trouble(settings):
        client = KafkaConsumer(**_options(settings), enable_auto_commit=False, **options)
        try:
            yield client
        finally:
            client.close()


def _options(settings: Settings) -> dict[str, Any]:
    return {
        **client_options(settings),
        "client_id": f"{settings.app_id}-cli",
        "bootstrap_timeout_ms": _PATIENCE_MS,
    }

"""How each of the three Kafka clients is told, from the settings, where the brokers are.

kafka-python serves the command line, aiokafka the worker's own producers and Faust its consumers;
all three get the same brokers, certificates and credentials from here.
"""

import ssl
from typing import TYPE_CHECKING, Any

from detectors.errors import ConfigurationError
from streams.settings import Settings

if TYPE_CHECKING:
    # Faust takes a second to import, and the command line does without it.
    from faust.auth import Credentials


def uses_tls(settings: Settings) -> bool:
    """Whether the connection to the brokers is encrypted."""
    return settings.security_protocol in ("ssl", "sasl_ssl")


def uses_sasl(settings: Settings) -> bool:
    """Whether the brokers ask for a user name and a password."""
    return settings.security_protocol in ("sasl_plaintext", "sasl_ssl")


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return what TLS needs, None where there is none. Brokers' names are always verified.

    Raises ConfigurationError for certificates or keys that cannot be used.
    """
    if not uses_tls(settings):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
        if settings.tls_cert_file is not None:
            context.load_cert_chain(
                settings.tls_cert_file,
                settings.tls_key_file,
                # Without a password OpenSSL would ask for one on the terminal.
                password=settings.tls_key_password or "",
            )
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(f"TLS: {error}; see the settings tls_...") from None
    return context


def client_options(settings: Settings) -> dict[str, Any]:
    """Return the connection's part of the options of a kafka-python or aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.broker),
        "security_protocol": settings.security_protocol.upper(),
    }
    if uses_tls(settings):
        options["ssl_context"] = tls_context(settings)
    if uses_sasl(settings):
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password
    return options


def faust_credentials(settings: Settings) -> "Credentials | None":
    """Return the credentials that Faust passes to its clients."""
    from faust.auth import SASLCredentials, SSLCredentials

    context = tls_context(settings)
    if uses_sasl(settings):
        return SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password,
            ssl_context=context,
            mechanism=settings.sasl_mechanism,
        )
    return SSLCredentials(context) if context is not None else None

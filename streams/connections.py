"""How each of the three Kafka clients is told, from the settings, where the brokers are.

kafka-python serves the command line, aiokafka the worker's own producers and Faust its consumers;
all three get the same brokers, certificates and credentials from here.
"""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Final

from detectors.errors import ConfigurationError
from streams.settings import Settings

if TYPE_CHECKING:
    # Faust takes a second to import, and the command line does without it.
    from faust.auth import Credentials

_ANSWER_SECONDS: Final = 5.0


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


def why_not_let_in(settings: Settings) -> str | None:
    """Return a sentence on why the brokers do not let us in; None where one does, or none is there.

    Asks them one after the other, up to `_ANSWER_SECONDS` each, until one answers.
    """
    options = client_options(settings)
    del options["bootstrap_servers"]
    for broker in settings.broker:
        host, _, port = broker.rpartition(":")
        try:
            asyncio.run(_sign_in(host.strip("[]"), int(port), options))
        except _Refused as refusal:
            return f"Kafka at {broker} {refusal}"
        except (OSError, TimeoutError):
            continue
        return None
    return None


class _Refused(Exception):
    """A broker is there and wants something else of us."""


async def _sign_in(host: str, port: int, options: dict[str, Any]) -> None:
    from aiokafka import errors
    from aiokafka.conn import create_conn
    from aiokafka.protocol.metadata import MetadataRequest

    milliseconds = int(_ANSWER_SECONDS * 1000)
    try:
        connection = await create_conn(host, port, request_timeout_ms=milliseconds, **options)
        try:
            # What the versions are, a broker tells before anybody has signed in.
            await connection.send(MetadataRequest([]))
        finally:
            closed = connection.close()
            if closed is not None:
                await asyncio.wait([closed], timeout=1.0)
    except ssl.SSLCertVerificationError as error:
        raise _Refused(
            f"shows a certificate that is not trusted ({error.verify_message}): see tls_ca_file"
        ) from None
    except ssl.SSLError as error:
        raise _Refused(
            f"does not agree on TLS ({error.reason}): see security_protocol and tls_..."
        ) from None
    except errors.SaslAuthenticationFailed:
        raise _Refused(
            f"does not let {options['sasl_plain_username']!r} in: see sasl_username, sasl_password "
            "and sasl_mechanism"
        ) from None
    except (errors.UnsupportedSaslMechanismError, errors.IllegalSaslStateError) as error:
        raise _Refused(f"takes another way to sign in: see sasl_mechanism ({error})") from None
    except (errors.KafkaConnectionError, asyncio.IncompleteReadError):
        raise _Refused(
            f"ends a connection by {options['security_protocol'].lower()}: see security_protocol"
        ) from None

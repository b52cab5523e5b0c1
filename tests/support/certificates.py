"""A certificate authority and a broker's certificate for as long as a test lasts."""

from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class Certificates(NamedTuple):
    """PEM files: what a broker on 127.0.0.1 shows, who signed it, and somebody who did not."""

    key_and_chain: Path
    authority: Path
    stranger: Path


def make_certificates(folder: Path) -> Certificates:
    """Make all three in a folder."""
    authority, stranger = trustme.CA(), trustme.CA()
    made = Certificates(folder / "broker.pem", folder / "authority.pem", folder / "stranger.pem")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    # Kafka reads PKCS 8 only.
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    made.key_and_chain.write_bytes(pkcs8 + chain)
    authority.cert_pem.write_to_path(str(made.authority))
    stranger.cert_pem.write_to_path(str(made.stranger))
    return made

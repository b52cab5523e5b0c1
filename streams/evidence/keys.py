"""The Ed25519 keys that packs are signed by and checked with, as PEM files.

The private key is the retailer's: it is written once, for its owner's eyes only, and is neither
shown nor logged. A pack brings the public one; its fingerprint, told by another way, says whose.
"""

from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from detectors.errors import ConfigurationError
from streams.whole_files import read_secret, write_new_secret


def new_key(path: Path) -> Ed25519PrivateKey:
    """Make a private key and write it; raises ConfigurationError where that cannot be done."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_new_secret(path, pem)
    return key


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key; raises ConfigurationError where there is none, or others may read it."""
    pem = read_secret(path, "the key (`nightlatch evidence --new-key FILE` makes one)")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{path} is no private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is no Ed25519 key")
    return key


def public_pem(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """Return the public half as PEM."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_key(pem: bytes) -> Ed25519PublicKey | None:
    """Return a public key from PEM; None where it is none."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return what a key is told by: SHA-256 of its 32 bytes, in hexadecimal digits."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    """Return whether a signature is the key's, of this content."""
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True

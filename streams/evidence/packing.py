"""One file of many: a zip whose every byte follows from its files, and the manifest that is signed.

Nothing is compressed and every time is the same, so that the same files give the same bytes on any
machine, and a reader can tell whether there is anything in a pack that is none of its files.
"""

import re
import struct
import zipfile
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from detectors import __version__
from detectors.errors import UnreadableFile
from detectors.markings import Marking
from streams.codec import rfc3339
from streams.evidence.contents import CHAIN, lines_of
from streams.evidence.keys import fingerprint, public_pem

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
PUBLIC_KEY: Final = "public-key.pem"
FORMAT: Final = 1
MOST_BYTES: Final = 512 * 1024 * 1024
_MOST_FILES: Final = 100_000
_NAME: Final = re.compile(r"(snapshots/)?[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
# All that zipfile raises for bytes that are no zip, or a hostile one.
_BROKEN: Final = (
    zipfile.BadZipFile, struct.error, ValueError, ArithmeticError, LookupError, OSError, EOFError,
    RuntimeError,
)  # fmt: skip
# The earliest time that a zip can tell.
_TIME: Final = (1980, 1, 1, 0, 0, 0)


def signed(
    files: Mapping[str, bytes],
    case_id: str,
    key: Ed25519PrivateKey,
    made_at: datetime,
    marking: Marking | None = None,
) -> dict[str, bytes]:
    """Return the files with the manifest over them, its signature and the public key.

    `marking` is the strictest (TLP 2.0) of what others told and is in them.
    """
    public = public_pem(key)
    complete = {**files, PUBLIC_KEY: public}
    links = lines_of(files[CHAIN])
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "made_by": f"nightlatch {__version__}",
        "made_at": rfc3339(made_at.timestamp()),
        "case": case_id,
        "signed_by": fingerprint(key.public_key()),
        "tlp": marking,
        "events": len(links),
        "chain_ends_in": links[-1].decode() if links else None,
        "files": {
            name: {"bytes": len(content), "sha256": sha256(content).hexdigest()}
            for name, content in sorted(complete.items())
        },
    }
    text = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return {**complete, MANIFEST: text, SIGNATURE: key.sign(text)}


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip; the same files give the same bytes."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def unpacked(packed: bytes) -> dict[str, bytes]:
    """Return the files of a pack. Nothing is written anywhere.

    Raises UnreadableFile for what is no zip, or none that `pack` makes: another name than a plain
    one, a name twice, anything compressed or encrypted, or more than the files.
    """
    try:
        with zipfile.ZipFile(BytesIO(packed)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_FILES:
                raise UnreadableFile(
                    f"the pack has {len(entries):,} files, which is no pack of ours"
                )
            for entry in entries:
                _check(entry)
            # Stored, files are no larger than the pack, all together: entries that share bytes
            # must not swell to more.
            if sum(entry.file_size for entry in entries) > len(packed):
                raise UnreadableFile("the pack's files are together larger than the pack")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except _BROKEN as error:
        raise UnreadableFile(f"the pack is no whole zip file: {error}") from None
    if pack(files) != packed:
        raise UnreadableFile(
            "the pack holds more than its files, or is put together otherwise than it was made"
        )
    return files


def _check(entry: zipfile.ZipInfo) -> None:
    if not _NAME.fullmatch(entry.filename):
        raise UnreadableFile(f"the pack has a file of the odd name {entry.filename[:80]!r}")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise UnreadableFile(f"the pack's {entry.filename} is compressed, which no pack's file is")

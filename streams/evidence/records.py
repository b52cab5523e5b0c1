"""What an alert stands on as `evidence` carries it: a JSON object that names the alert.

The snapshot in it is JSON too, compressed; it is read back with its size bounded, since whoever may
write to the topic may have written it.
"""

import zlib
from base64 import b64decode
from typing import Final

import msgspec
import orjson

from detectors.errors import UNREADABLE, InvalidEvent
from detectors.faults import describe
from detectors.snapshots import Snapshot
from streams.codec import base64_text, decode_object

MOST_BYTES: Final = 512 * 1024
"""Of a record. An order of a thousand items may be larger: its alert's score is not kept then."""
MOST_SNAPSHOT: Final = 4 * 1024 * 1024
_LEVEL: Final = 6

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Snapshot)


def encode_evidence(snapshot: Snapshot) -> bytes:
    """Return what an alert stands on, as `evidence` carries it."""
    return orjson.dumps(
        {
            "alert_id": snapshot.alert_id,
            "revision": snapshot.revision,
            "account_id": snapshot.account_id,
            "snapshot": base64_text(zlib.compress(encode_snapshot(snapshot), _LEVEL)),
        }
    )


def decode_evidence(value: bytes | None) -> Snapshot:
    """Return the snapshot of a record; raises InvalidEvent for anything else."""
    fields = decode_object(value, limit=MOST_BYTES)
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(b64decode(fields["snapshot"], validate=True), MOST_SNAPSHOT)
        if not unpacking.eof:
            raise ValueError("it is not whole")  # noqa: TRY301 - one answer for whatever is wrong
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise _invalid(str(error)) from None
    snapshot = decode_snapshot(text)
    told = {name: getattr(snapshot, name) for name in ("alert_id", "revision", "account_id")}
    if any(fields.get(name) != value for name, value in told.items()):
        raise _invalid("another alert's")
    return snapshot


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return a snapshot as JSON."""
    return _encoder.encode(snapshot)


def decode_snapshot(text: bytes) -> Snapshot:
    """Return the snapshot that was encoded; raises InvalidEvent for anything else."""
    try:
        return _decoder.decode(text)
    except UNREADABLE as error:
        raise _invalid(str(error)) from None


def _invalid(found: str) -> InvalidEvent:
    expected = "what an alert stands on"
    return InvalidEvent("wrong_type", field=None, expected=expected, found=describe(found))

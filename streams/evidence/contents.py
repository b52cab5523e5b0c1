"""A pack's files: what each is called and holds, and the hash chain over the events.

Link n of the chain is SHA-256(link n-1, as 32 bytes, then line n of events.ndjson without its line
feed); link 0 is SHA-256 of the case's id. So no line can be changed, dropped, added or moved
without every link after it becoming another.
"""

from base64 import b64decode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from textwrap import fill
from typing import Any, Final, get_args

import orjson

from detectors import __version__
from detectors.errors import InvalidEvent
from detectors.events import EventType
from detectors.faults import describe as shown
from streams.codec import MAX_LETTER_BYTES, base64_text
from streams.documents.page import html
from streams.documents.pdf import pdf
from streams.evidence.case import Case
from streams.evidence.crime_record import Reporter, crime_record
from streams.evidence.describing import describe, marked
from streams.evidence.gathering import Received, event_of
from streams.evidence.records import encode_snapshot
from streams.runtime.interfaces import Record

EVENTS: Final = "events.ndjson"
CHAIN: Final = "events.chain"
ALERTS: Final = "alerts.ndjson"
CAMPAIGN: Final = "campaign.json"
SNAPSHOTS: Final = "snapshots/"
_README: Final = """Evidence of {case}, made by Nightlatch {version}.

Begin with report.pdf (report.html is the same). crime-record.json has a fraud report's fields.

To check everything, the scores included:  nightlatch verify PACK.zip

Without Nightlatch, in the unpacked folder:
  openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin \\
    -in manifest.json -sigfile manifest.sig
  openssl pkey -pubin -in public-key.pem -outform DER | tail -c 32 | sha256sum
  sha256sum FILE...
The first must say that the signature is verified. The second prints the key's fingerprint: it must
be the one that the sender told you by another way, whatever manifest.json says of it, which anybody
may have written. The third must print what manifest.json has of each file; besides itself and
manifest.sig there must be no file that it does not list.

events.ndjson has a line for each event: topic, partition, offset and time of receipt (milliseconds
since 1970, UTC), key, value and headers as they were received, in base64. events.chain has a link
for each line, in hexadecimal digits: SHA-256 of the link before it (32 bytes) and the line (without
its line feed). The link before the first is SHA-256 of the case's id.

This pack holds personal data of the customers whose accounts it is about, and of nobody else.
{marked}"""


def files_of(case: Case, reporter: Reporter, made_at: datetime) -> dict[str, bytes]:
    """Return the files by name, all but the manifest and what signs it."""
    gathered = case.gathered
    document = describe(case, reporter, made_at)
    lines = [event_line(received) for received in gathered.events]
    files = {
        "README.txt": _README.format(
            case=gathered.id,
            version=__version__,
            marked="".join(f"\n{fill(sentence, 98)}\n" for sentence in marked(case)),
        ).encode(),
        "report.html": html(document).encode(),
        "report.pdf": pdf(document),
        "crime-record.json": _json(crime_record(case, reporter)),
        "case.json": _json(_summary(case)),
        EVENTS: _joined(lines),
        CHAIN: _joined(link.encode() for link in chain(gathered.id, lines)),
        ALERTS: _joined(revision.value for revision in gathered.revisions),
    }
    if gathered.campaign is not None:
        files[CAMPAIGN] = gathered.campaign
    for (alert_id, revision), snapshot in sorted(gathered.snapshots.items()):
        files[f"{SNAPSHOTS}{alert_id}-{revision}.json"] = encode_snapshot(snapshot)
    return files


def chain(case_id: str, lines: Iterable[bytes]) -> list[str]:
    """Return the links of a case's events, in hexadecimal digits."""
    link, links = sha256(case_id.encode()).digest(), []
    for line in lines:
        link = sha256(link + line).digest()
        links.append(link.hex())
    return links


def event_line(received: Received) -> bytes:
    """Return an event as it was received, as a line of JSON."""
    record = received.record
    return orjson.dumps(
        {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": round(record.timestamp * 1000),
            "type": received.type,
            "key": base64_text(record.key),
            "value": base64_text(record.value),
            "headers": [[name, base64_text(value)] for name, value in record.headers],
        }
    )


def received_of(line: bytes) -> Received:
    """Return the event of a line; raises InvalidEvent for anything else."""
    try:
        fields = orjson.loads(line)
        type_: EventType = fields["type"]
        record = Record(
            topic=str(fields["topic"]),
            partition=int(fields["partition"]),
            offset=int(fields["offset"]),
            timestamp=int(fields["timestamp"]) / 1000,
            key=_bytes(fields["key"]),
            value=_bytes(fields["value"]),
            headers=tuple((str(name), _bytes(value) or b"") for name, value in fields["headers"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise _invalid(str(error)) from None
    event = (
        event_of(record, type_, limit=MAX_LETTER_BYTES) if type_ in get_args(EventType) else None
    )
    if event is None:
        raise _invalid("a record that is no event")
    return Received(record, type_, event)


def lines_of(file: bytes) -> list[bytes]:
    """Return the lines of a file that ends in a line feed, without their line feeds."""
    return file.split(b"\n")[:-1]


def _summary(case: Case) -> dict[str, Any]:
    """What was worked out again, and what could not be had."""
    return {
        "case": case.gathered.id,
        "is_campaign": case.is_campaign,
        "accounts": list(case.accounts),
        "scores": [score._asdict() for score in case.scores],
        "events_no_longer_kept": list(case.gathered.missing),
        "alerts_no_longer_kept": list(case.gaps.alerts),
        "alerts_not_listed": case.gaps.unlisted,
        "revisions_no_longer_kept": dict(case.gaps.revisions),
    }


def _json(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


def _invalid(found: str) -> InvalidEvent:
    return InvalidEvent("wrong_type", field=None, expected="an event", found=shown(found))

"""Bytes on a topic or a line of a file, to and from the domain's objects.

Reading is forgiving where the wire contract is; writing is exact: the same object gives the same
bytes, so that what a crash repeats is repeated byte for byte. Times are written as RFC 3339 in
UTC, to the millisecond where that is exact, else to the microsecond; money as a decimal string;
what is None is left out.
"""

from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, TypeVar

import msgspec
import orjson

from detectors.assessments import Alert, Assessment
from detectors.campaigns.records import Campaign
from detectors.errors import InvalidEvent
from detectors.events import AccountChange, Event, EventType, Feedback, Login, Order
from detectors.faults import describe
from detectors.heat.records import Attack
from detectors.parsing import is_plausible, parse_event
from streams.runtime.interfaces import Record

_T = TypeVar("_T")

MAX_RECORD_BYTES: Final = 1_048_576
MAX_LETTER_BYTES: Final = 16 * 1024 * 1024
"""What the topic of dead letters takes at least (`max.message.bytes`)."""
MAX_PUBLISHED_BYTES: Final = 4 * 1024 * 1024
"""What the topic of campaigns takes: one may list 2,000 accounts of long ids."""
CUT_BYTES: Final = 64 * 1024
"""How much of a value, and of a key, is kept where the whole does not fit."""
# For the names, the error's sentence and Kafka's framing, all of them bounded.
_LETTER_MARGIN: Final = 64 * 1024
_EXACT: Final = 2.0**32
"""Seconds up to which a float holds a time to the microsecond, of the year 2106."""
_SECONDS: Final = tuple(f"{second:02d}" for second in range(60))
_THOUSANDTHS: Final = tuple(f".{thousandth:03d}Z" for thousandth in range(1000))
_TYPE_OF: Final[dict[type[Event], EventType]] = {
    Login: "login",
    Order: "order",
    AccountChange: "account_change",
    Feedback: "feedback",
}


def decode(
    value: bytes | None,
    *,
    type_: EventType | None,
    timestamp: float | None,
    fallback_id: str,
    limit: int = MAX_RECORD_BYTES,
) -> Event:
    """Return the event that a record's value holds; arguments as for `parse_event`.

    Raises InvalidEvent, and nothing else, for whatever bytes: none, more than `limit`, no JSON,
    no object, or an object that is no event.
    """
    return parse_event(
        decode_object(value, limit=limit),
        type_=type_,
        timestamp=timestamp,
        fallback_id=fallback_id,
    )


def decode_object(value: bytes | None, *, limit: int = MAX_RECORD_BYTES) -> dict[str, Any]:
    """Return the JSON object in `value`; raises InvalidEvent where there is none."""
    if value is None:
        raise InvalidEvent("not_an_object", field=None, expected="a JSON object", found="no value")
    if len(value) > limit:
        raise InvalidEvent(
            "too_large", field=None, expected=f"at most {limit} bytes", found=f"{len(value)} bytes"
        )
    try:
        decoded = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        # The position is worth gold to whoever mends the producer.
        raise InvalidEvent(
            "not_json", field=None, expected="one JSON object in UTF-8", found=str(error)[:100]
        ) from None
    if not isinstance(decoded, dict):
        raise InvalidEvent(
            "not_an_object", field=None, expected="a JSON object", found=describe(decoded)
        )
    return decoded


def encode_event(event: Event) -> bytes:
    """Return an event as the contract's JSON object, `type` included."""
    fields: dict[str, Any] = _plain(msgspec.to_builtins(event, builtin_types=(Decimal,)))
    fields["occurred_at"] = rfc3339(event.occurred_at)
    return orjson.dumps({"type": _TYPE_OF[type(event)], **fields}, default=_decimal)


def encode_alert(alert: Alert) -> bytes:
    """Return one revision of a case, as `alerts` carries it."""
    fields: dict[str, Any] = _plain(msgspec.to_builtins(alert, builtin_types=(Decimal,)))
    fields["raised_at"] = rfc3339(alert.raised_at)
    fields["updated_at"] = rfc3339(alert.updated_at)
    return orjson.dumps(fields, default=_decimal)


def encode_published(record: Campaign | Attack) -> bytes:
    """Return one revision of a campaign or attack, as `campaigns` carries it."""
    fields: dict[str, Any] = _plain(msgspec.to_builtins(record, builtin_types=(Decimal,)))
    for name in ("first_seen", "last_seen"):
        fields[name] = rfc3339(fields[name])
    return orjson.dumps(fields, default=_decimal)


def decode_alert(value: bytes | None) -> Alert:
    """Return the alert that `encode_alert` wrote; raises InvalidEvent for anything else."""
    return _convert(decode_object(value), Alert, ("raised_at", "updated_at"), "an alert")


def _convert(fields: dict[str, Any], kind: type[_T], times: tuple[str, str], expected: str) -> _T:
    try:
        for name in times:
            fields[name] = datetime.fromisoformat(str(fields.get(name))).timestamp()
        return msgspec.convert(fields, kind)
    except (ValueError, msgspec.ValidationError) as error:
        raise InvalidEvent(
            "wrong_type", field=None, expected=expected, found=describe(str(error))
        ) from None


def decode_published(value: bytes | None) -> Campaign | Attack:
    """Return what `encode_published` wrote; raises InvalidEvent for anything else."""
    fields = decode_object(value, limit=MAX_PUBLISHED_BYTES)
    kind: type[Campaign | Attack] = Attack if fields.get("kind") == "attack" else Campaign
    return _convert(fields, kind, ("first_seen", "last_seen"), "a campaign or an attack")


def encode_assessment(assessment: Assessment) -> bytes:
    """Return the score of one event, as `assessments` and the backtest's file carry it."""
    fields: dict[str, Any] = {
        "event_id": assessment.event_id,
        "account_id": assessment.account_id,
        "occurred_at": rfc3339(assessment.occurred_at),
        "type": assessment.type,
        "risk": assessment.risk,
        "reasons": assessment.reasons,
        "warming_up": assessment.warming_up,
    }
    if assessment.alert_id is not None:
        fields["alert_id"] = assessment.alert_id
    return orjson.dumps(fields)


def encode_dead_letter(record: Record, error: InvalidEvent) -> bytes:
    """Return what `dead-letters` keeps of a record that cannot be used: its bytes, and why.

    `received_at` is the record's own time, not the clock's: a replay must write the same bytes. It
    is null where that is no time from 2000 to 2100, which may be what is wrong with the record. A
    record that does not fit is cut: `key` and `value` are their first `CUT_BYTES`, and `cut` tells
    lengths and SHA-256 of the whole, which stays where `topic`, `partition` and `offset` say.
    Kafka compresses batches, so that a broker takes records far larger than its limit.
    """
    whole = _letter_bytes(record) <= MAX_LETTER_BYTES
    fields: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "received_at": rfc3339(record.timestamp) if is_plausible(record.timestamp) else None,
        "error": {"code": error.code, "message": str(error), "field": error.field},
        "key": base64_text(record.key if whole else _cut(record.key)),
        "value": base64_text(record.value if whole else _cut(record.value)),
    }
    if not whole:
        fields["cut"] = _measures(record)
    elif record.headers:
        fields["headers"] = [[name, base64_text(value)] for name, value in record.headers]
    return orjson.dumps(fields)


def _cut(value: bytes | None) -> bytes | None:
    return None if value is None else value[:CUT_BYTES]


def _letter_bytes(record: Record) -> int:
    """The size, at most, of a letter that holds a record whole; its key is the letter's as well."""
    parts = [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
    # JSON writes a control character in six bytes.
    names = sum(6 * len(name.encode()) + 16 for name, _ in record.headers)
    encoded = sum(4 * -(-len(part or b"") // 3) for part in parts)
    return encoded + names + len(record.key or b"") + _LETTER_MARGIN


def _measures(record: Record) -> dict[str, Any]:
    """What tells whether a record fetched by its offset is the one that was cut."""
    measures: dict[str, Any] = {"headers": len(record.headers)}
    for name, whole in (("key", record.key), ("value", record.value)):
        if whole is not None:
            measures[f"{name}_bytes"] = len(whole)
            measures[f"{name}_sha256"] = sha256(whole).hexdigest()
    return measures


def base64_text(value: bytes | None) -> str | None:
    """Return bytes as base64 text; None stays None, which is not the same as empty."""
    return None if value is None else b64encode(value).decode("ascii")


def rfc3339(seconds: float) -> str:
    """Return UTC epoch seconds as RFC 3339, `2026-11-24T06:08:40.120Z`."""
    if 0.0 <= seconds < _EXACT:
        milliseconds = int(seconds * 1000.0 + 0.5)
        if milliseconds / 1000 == seconds:  # nearly always, and all of a minute begin alike
            minute, rest = divmod(milliseconds, 60_000)
            return f"{_minute(minute)}{_SECONDS[rest // 1000]}{_THOUSANDTHS[rest % 1000]}"
    moment = datetime.fromtimestamp(seconds, UTC)
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision)[:-6] + "Z"


@lru_cache(64)
def _minute(minute: int) -> str:
    """Return how the times of a minute since the epoch begin."""
    return datetime.fromtimestamp(60 * minute, UTC).isoformat()[:17]


def _plain(value: Any) -> Any:
    """The same without its nulls: what is not known is left out, nested too."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def _decimal(value: object) -> str:
    """Money as plain digits: `str` would write 1E+3 for a thousand."""
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"no JSON for {type(value).__name__}")

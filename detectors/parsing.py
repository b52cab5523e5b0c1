"""A decoded JSON object to a typed event, or the exact reason why it cannot be one.

Everything the wire contract allows is accepted; null and, for optional fields, the empty string
count as absent, and unknown fields are ignored. What a customer's client may choose freely
(`CLIENT_TEXT`) is cut at its bound rather than refused: nobody shall escape being looked at by
sending an oversized header.

Well-formed events take one pass through msgspec. Only where that fails is the record tidied,
tried again, and the failure put into the contract's words.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import msgspec

from detectors.errors import InvalidEvent
from detectors.events import (
    MAX_TEXT,
    MAX_USER_AGENT,
    AccountChange,
    Event,
    EventType,
    Feedback,
    Login,
    Order,
)
from detectors.faults import describe, explained, missing, one_of

EVENT_TYPES: Final[dict[EventType, type[Event]]] = {
    "login": Login,
    "order": Order,
    "account_change": AccountChange,
    "feedback": Feedback,
}
CLIENT_TEXT: Final = {
    "user_agent": MAX_USER_AGENT,
    "device_id": MAX_TEXT,
    "session_id": MAX_TEXT,
}
_INTEGERS: Final = frozenset({"asn", "loyalty_points", "quantity"})
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
MAX_MONEY: Final = Decimal(10) ** 12

_TIME = "an RFC 3339 time with an offset, or integer epoch milliseconds"
_TIME_RANGE = "a time from 2000 to 2100 (numbers are epoch milliseconds)"
_ADDRESS = "an IPv4 or IPv6 address"
_COUNTRY = "an ISO 3166-1 alpha-2 country code"
_CURRENCY = "an ISO 4217 currency code"
_MONEY = "a decimal string or a number"
_MONEY_RANGE = "an amount from 0 to below 10^12"

# What geolocation services send where they do not know the country, or will not say.
_NO_COUNTRY = frozenset({"XX", "ZZ", "T1"})
# Nearly all addresses come as they should be spelt: four numbers; or eight groups of which none is
# nought, or `::` for at least two that are. To say so at once takes a tenth of the time.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_GROUP = "[1-9a-f][0-9a-f]{0,3}"
_CANONICAL = re.compile(
    rf"{_OCTET}(?:\.{_OCTET}){{3}}|{_GROUP}(?::{_GROUP}){{7}}"
    rf"|{_GROUP}(?::{_GROUP}){{0,2}}::{_GROUP}(?::{_GROUP}){{0,2}}"
)
_SHORT_MONEY: Final = 16
"""Characters of an amount that is remembered."""
_MONEY_TEXT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?", re.ASCII)


def parse_event(
    raw: Mapping[str, object], *, type_: EventType | None, timestamp: float | None, fallback_id: str
) -> Event:
    """Return the event that `raw`, a decoded JSON object, stands for.

    `type_` is what the topic implies, or None where the record itself must say. `timestamp` (UTC
    epoch seconds, None where there is none) stands in for an absent `occurred_at` and is held to
    the same range; `fallback_id` stands in for an absent `event_id`.
    Raises InvalidEvent with the first fault found; never anything else for decoded JSON.
    """
    fields: dict[str, Any] = dict(raw)
    kind = EVENT_TYPES[_event_type(fields.get("type"), type_)]
    moment = fields.get("occurred_at")
    fields["occurred_at"] = _stand_in(timestamp) if moment in (None, "") else seconds_of(moment)
    if fields.get("event_id") in (None, ""):
        fields["event_id"] = fallback_id
    address = fields.get("ip")
    if address is not None and address != "":
        fields["ip"] = _address(address)
    elif kind is Login:
        raise missing("ip", _ADDRESS, fields)
    country = fields.get("country")
    if country is not None:
        fields["country"] = _code(country, "country", 2, _COUNTRY)
    if kind is Order:
        _order_values(fields)
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        return _convert_tidied(fields, kind)


def _event_type(stated: object, implied: EventType | None) -> EventType:
    if implied is None:
        for name in EVENT_TYPES:
            if stated == name:
                return name
    elif stated == implied:
        return implied
    if stated is None or stated == "":
        if implied is None:
            raise InvalidEvent(
                "missing_field", field="type", expected=one_of(EVENT_TYPES), found="nothing"
            )
        return implied
    if not isinstance(stated, str):
        raise InvalidEvent(
            "wrong_type", field="type", expected=one_of(EVENT_TYPES), found=describe(stated)
        )
    expected = one_of(EVENT_TYPES)
    if implied is not None:
        expected = f"{implied!r}, which is what its topic holds"
    raise InvalidEvent("not_allowed", field="type", expected=expected, found=describe(stated))


def is_plausible(timestamp: float) -> bool:
    """Whether UTC epoch seconds are a time from 2000 to 2100, which is all that the product takes.

    What is none is a producer's mistake about its unit or its clock.
    """
    return EARLIEST <= timestamp < LATEST


def _stand_in(timestamp: float | None) -> float:
    """The record's own time, where it can be one: producers mistake its unit, too."""
    if timestamp is None:
        raise InvalidEvent("missing_field", field="occurred_at", expected=_TIME, found="nothing")
    if not is_plausible(timestamp):
        raise InvalidEvent(
            "out_of_range",
            field="occurred_at",
            expected=_TIME_RANGE,
            found=f"none, and {describe(round(timestamp * 1000))} as the record's own timestamp",
        )
    return timestamp


def seconds_of(moment: object, field: str = "occurred_at") -> float:
    """Return UTC epoch seconds of an RFC 3339 time or of integer epoch milliseconds.

    Raises InvalidEvent, naming the field, for anything else and outside 2000 to 2100.
    """
    if isinstance(moment, str):
        seconds = _rfc3339(moment, field)
    elif isinstance(moment, bool) or not isinstance(moment, (int, float)) or moment % 1 != 0:
        raise InvalidEvent("wrong_type", field=field, expected=_TIME, found=describe(moment))
    else:
        # Division could overflow, so the number is bounded before it.
        seconds = moment / 1000 if abs(moment) < 1e15 else LATEST
    if not EARLIEST <= seconds < LATEST:
        raise InvalidEvent(
            "out_of_range", field=field, expected=_TIME_RANGE, found=describe(moment)
        )
    return seconds


def _rfc3339(text: str, field: str) -> float:
    """UTC epoch seconds of an RFC 3339 time; a leap second is the second after it."""
    if text[16:19] == ":60":
        return _rfc3339(f"{text[:17]}59{text[19:]}", field) + 1
    # `fromisoformat` reads all of ISO 8601; a zone in lower case only RFC 3339 allows.
    if (
        len(text) >= 20
        and text[4] == text[7] == "-"
        and text[10] in "Tt "
        and text[13] == text[16] == ":"
    ):
        try:
            parsed = datetime.fromisoformat(text if text[-1] != "z" else text.upper())
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.timestamp()
    raise InvalidEvent("wrong_type", field=field, expected=_TIME, found=describe(text))


def _address(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidEvent("wrong_type", field="ip", expected=_ADDRESS, found=describe(value))
    # Longer text cannot be an address, and must not be kept by the cache.
    canonical = canonical_address(value) if len(value) <= 45 else None
    if canonical is None:
        raise InvalidEvent("not_allowed", field="ip", expected=_ADDRESS, found=describe(value))
    return canonical


@lru_cache(maxsize=65_536)
def canonical_address(text: str) -> str | None:
    """The one spelling of an address, or None where it is none.

    An IPv6 address is compressed and in lower case; one that maps an IPv4 address becomes it,
    since the same customer would otherwise have two networks. A zone id is no part of an address.
    """
    if _CANONICAL.fullmatch(text):
        return text
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
    return str(address)


def _code(value: object, field: str, length: int, expected: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidEvent("wrong_type", field=field, expected=expected, found=describe(value))
    if len(value) == length and (known := _known_code(value)) is not None:
        return known
    if value == "" or value.upper() in _NO_COUNTRY:
        return None
    raise InvalidEvent("not_allowed", field=field, expected=expected, found=describe(value))


@lru_cache(maxsize=1_024)
def _known_code(text: str) -> str | None:
    """Return a code in upper case, None for what is no code or stands for none."""
    code = text.upper()
    return code if text.isascii() and text.isalpha() and code not in _NO_COUNTRY else None


def _order_values(fields: dict[str, Any]) -> None:
    """Put an order's money and codes in their exact form, in place."""
    if fields.get("amount") in (None, ""):
        raise missing("amount", _MONEY, fields)
    for name in ("amount", "gift_card_amount"):
        fields[name] = _money(fields.get(name), name)
    fields["currency"] = _code(fields.get("currency"), "currency", 3, _CURRENCY)
    shipping = fields.get("shipping_country")
    fields["shipping_country"] = _code(shipping, "shipping_country", 2, _COUNTRY)
    items = fields.get("items")
    if isinstance(items, list) and items:
        fields["items"] = [
            {**item, "unit_price": _money(item.get("unit_price"), f"items[{i}].unit_price")}
            if isinstance(item, dict)
            else item
            for i, item in enumerate(items)
        ]


def _money(value: object, field: str) -> Decimal | None:
    """The exact amount. A JSON number means its shortest decimal text, as it was written."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) <= _SHORT_MONEY:
        amount = _usual_amount(value)
        if amount is not None:
            return amount
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidEvent("wrong_type", field=field, expected=_MONEY, found=describe(value))
    if isinstance(value, str):
        if not _MONEY_TEXT.fullmatch(value):
            raise InvalidEvent("wrong_type", field=field, expected=_MONEY, found=describe(value))
        amount = Decimal(value)
    else:
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not amount.is_finite() or not 0 <= amount < MAX_MONEY:
        raise InvalidEvent(
            "out_of_range", field=field, expected=_MONEY_RANGE, found=describe(value)
        )
    return amount


# Prices and postage come again and again. Longer text must not be kept.
@lru_cache(maxsize=8_192)
def _usual_amount(text: str) -> Decimal | None:
    """Return the amount that a short text stands for, None where it is none or out of range."""
    amount = Decimal(text) if _MONEY_TEXT.fullmatch(text) else None
    return amount if amount is not None and 0 <= amount < MAX_MONEY else None


def _convert_tidied(fields: dict[str, Any], kind: type[Event]) -> Event:
    tidied = _tidied(fields)
    try:
        return msgspec.convert(tidied, kind)
    except msgspec.ValidationError as error:
        raise explained(str(error), tidied=tidied, raw=fields, kind=kind) from None


def _tidied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The record without what counts as absent, and with what a client chose cut at its bound."""
    tidied: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None or value == "" or (name == "asn" and value == 0):
            continue  # registries reserve AS 0: pipelines send it for "unknown"
        if isinstance(value, str) and name in CLIENT_TEXT:
            tidied[name] = value[: CLIENT_TEXT[name]]
        elif isinstance(value, float) and name in _INTEGERS and value.is_integer():
            tidied[name] = int(value)  # JSON does not tell 5.0 from 5
        elif name == "items" and isinstance(value, list):
            tidied[name] = [_tidied(item) if isinstance(item, dict) else item for item in value]
        else:
            tidied[name] = value
    return tidied

"""Properties of reading events: nothing but InvalidEvent, bounded errors, and there and back."""

import contextlib
import ipaddress
import json
from decimal import Decimal
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.errors import InvalidEvent
from detectors.events import AccountChange, Event, EventType, Feedback, Item, Login, Order
from detectors.faults import MAX_FOUND, describe
from detectors.parsing import EVENT_TYPES, canonical_address, parse_event
from streams.codec import decode, encode_event
from streams.enrichment import Enricher

# A few characters of every kind: control, wide, combining, astral, and those that JSON escapes.
text = st.text(alphabet='ab1 .-:_T"\\\x00\x1b\u00df\u0301\u202e\u6f22\U0001f600', max_size=20)
ENRICHER = Enricher()
types = st.sampled_from([*EVENT_TYPES, None])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
field_names = sorted({name for kind in EVENT_TYPES.values() for name in kind.__struct_fields__})
plausible: dict[str, Any] = {
    "type": "login",
    "account_id": "a",
    "ip": "192.0.2.1",
    "outcome": "success",
    "order_id": "o",
    "amount": "1.50",
    "change": "email",
    "verdict": "takeover",
    "items": [{"sku": "s", "quantity": 1, "unit_price": 2}],
}
# Mostly right records with some fields spoilt: random ones would all fail at the first check.
records = st.builds(
    lambda spoilt, dropped: {
        key: value for key, value in {**plausible, **spoilt}.items() if key not in dropped
    },
    st.dictionaries(st.sampled_from([*field_names, "type"]), json_values, max_size=4),
    st.sets(st.sampled_from(sorted(plausible)), max_size=2),
)

names = text.filter(bool)
maybe_name = st.none() | names
money = st.decimals(min_value=0, max_value=999_999_999, places=2)
common: dict[str, Any] = {
    "account_id": names,
    "event_id": names,
    "occurred_at": st.integers(946_684_800_000, 4_102_444_799_999).map(lambda ms: ms / 1000),
    "session_id": maybe_name,
    "ip": st.none() | st.ip_addresses(v=4).map(str),
    "user_agent": maybe_name,
    "device_id": maybe_name,
    "country": st.none() | st.sampled_from(["GB", "DE", "US"]),
    "region": maybe_name,
    "city": maybe_name,
    "latitude": st.none() | st.floats(-90, 90),
    "longitude": st.none() | st.floats(-180, 180),
    "asn": st.none() | st.integers(1, 2**32 - 1),
}
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Login,
        **{**common, "ip": st.ip_addresses(v=4).map(str)},
        outcome=st.sampled_from(["success", "failure"]),
        rtt_ms=st.none() | st.floats(0, 1e6),
    ),
    st.builds(
        Order,
        **common,
        order_id=names,
        amount=money,
        currency=st.none() | st.just("GBP"),
        items=st.lists(
            st.builds(Item, sku=maybe_name, quantity=st.integers(1, 99), unit_price=money),
            max_size=3,
        ).map(tuple),
        loyalty_points=st.none() | st.integers(0, 10**9),
        gift_card_amount=st.none() | money,
    ),
    st.builds(
        AccountChange, **common, change=st.sampled_from(["email", "phone"]), value_hash=maybe_name
    ),
    st.builds(
        Feedback,
        **common,
        verdict=st.sampled_from(["takeover", "legitimate"]),
        event_ids=st.lists(names, max_size=3).map(tuple),
    ),
)


def outcome(raw: dict[str, Any], type_: EventType | None) -> Event | InvalidEvent:
    """Return the event or the error; anything else that is raised fails the test."""
    try:
        return parse_event(raw, type_=type_, timestamp=1e9, fallback_id="f")
    except InvalidEvent as error:
        return error


@given(raw=records, type_=types)
@settings(max_examples=500)
def test_a_record_is_an_event_or_invalid(raw: dict[str, Any], type_: EventType | None) -> None:
    """Any object is an event or raises InvalidEvent with a known field and bounded phrases."""
    result = outcome(raw, type_)
    if isinstance(result, InvalidEvent):
        assert result.field is not None
        assert result.field.replace("[", ".").split(".")[0] in {*field_names, "type"}
        assert len(result.found) <= MAX_FOUND
        assert result.expected
    else:
        assert isinstance(result, tuple(EVENT_TYPES.values()))


@given(value=st.binary(max_size=200) | json_values.map(json.dumps).map(str.encode), type_=types)
def test_bytes_are_an_event_or_invalid(value: bytes, type_: EventType | None) -> None:
    """Any bytes at all, numbers beyond 64 bits and NaN too, end in an event or InvalidEvent."""
    with contextlib.suppress(InvalidEvent):
        decode(value, type_=type_, timestamp=1e9, fallback_id="f")


@given(event=events)
def test_there_and_back(event: Event) -> None:
    """An event that is written and read again is the same event."""
    assert decode(encode_event(event), type_=None, timestamp=0.0, fallback_id="") == event


@given(value=json_values | st.just("x" * 10_000) | st.just(10**5000) | st.just(Decimal(1)))
def test_descriptions_are_short(value: object) -> None:
    """What is said of a found value is bounded, whatever it is."""
    assert 0 < len(describe(value)) <= MAX_FOUND


def test_reading_changes_nothing() -> None:
    """The object that is read stays as it was: its bytes may still go to dead letters."""
    raw: dict[str, Any] = {**plausible, "type": "order", "currency": "gbp", "country": "gb"}
    before = orjson.dumps(raw)
    parse_event(raw, type_="order", timestamp=1e9, fallback_id="f")
    assert orjson.dumps(raw) == before


groups = st.sampled_from(
    ["", "0", "00", "1", "ff", "FF", "0ff", "abcd", "ffff", "fffff", "1.2.3.4"]
)
octets = st.sampled_from(["", "0", "00", "1", "01", "99", "199", "249", "255", "256", "1\n", "٣"])
addresses = st.one_of(
    st.lists(groups, max_size=9).map(":".join),
    st.lists(octets, min_size=3, max_size=5).map(".".join),
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded),
)


@given(addresses)
@settings(max_examples=1000)
def test_an_address_read_at_a_glance_is_the_one_that_is_worked_out(spelt: str) -> None:
    """Canonical spellings are told by a pattern and their networks cut out: `ipaddress` agrees."""
    try:
        address = ipaddress.ip_address(spelt)
    except ValueError:
        assert canonical_address(spelt) is None
        return
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    assert canonical_address(spelt) == str(address)
    network = ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)
    login = Login(account_id="a", event_id="e", occurred_at=0.0, ip=str(address), outcome="success")
    assert ENRICHER.facts(login).prefix == str(network)

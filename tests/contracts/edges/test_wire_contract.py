"""What the wire contract allows is accepted, and what it does not is refused by name."""

from decimal import Decimal
from typing import Any, get_args

import orjson
import pytest

from detectors.errors import InvalidEvent
from detectors.events import (
    Actor,
    Change,
    Delivery,
    Event,
    EventType,
    FailureReason,
    Feedback,
    Item,
    Login,
    Method,
    MfaResult,
    Order,
    Outcome,
    Verdict,
    VerdictSource,
)
from detectors.parsing import EVENT_TYPES
from streams.codec import decode

RECORD_TIME = 1_795_500_000.5
LEAST: dict[EventType, dict[str, Any]] = {
    "login": {"account_id": "a", "ip": "192.0.2.7", "outcome": "success"},
    "order": {"account_id": "a", "order_id": "o", "amount": "10.00"},
    "account_change": {"account_id": "a", "change": "email"},
    "feedback": {"account_id": "a", "verdict": "takeover"},
}
CHOICES: list[tuple[EventType, str, Any]] = [
    ("login", "outcome", Outcome),
    ("login", "failure_reason", FailureReason),
    ("login", "method", Method),
    ("login", "mfa", MfaResult),
    ("order", "delivery", Delivery),
    ("account_change", "change", Change),
    ("account_change", "actor", Actor),
    ("feedback", "verdict", Verdict),
    ("feedback", "source", VerdictSource),
]


def read(type_: EventType, fields: dict[str, Any], *, implied: bool = True) -> Event:
    """Decode a record of the type's topic, or with `implied` false a line of a file."""
    return decode(
        orjson.dumps(fields),
        type_=type_ if implied else None,
        timestamp=RECORD_TIME,
        fallback_id="logins:3:12",
    )


def refused(type_: EventType, **changes: Any) -> InvalidEvent:
    """Return the error for the least event with some fields changed."""
    with pytest.raises(InvalidEvent) as caught:
        read(type_, {**LEAST[type_], **changes})
    return caught.value


@pytest.mark.parametrize("type_", list(EVENT_TYPES))
class TestEveryType:
    """Rules that hold for all four."""

    def test_the_required_fields_are_enough(self, type_: EventType) -> None:
        """A retailer starts with the required fields alone."""
        event = read(type_, LEAST[type_])
        assert isinstance(event, EVENT_TYPES[type_])
        assert event.account_id == "a"
        assert event.event_id == "logins:3:12"
        assert event.occurred_at == RECORD_TIME

    def test_each_required_field_is_required(self, type_: EventType) -> None:
        """Without one of them, or with null or nothing in it, the record is refused by its name."""
        for name in LEAST[type_]:
            without = {key: value for key, value in LEAST[type_].items() if key != name}
            for fields, found in (
                (without, "nothing"),
                ({**without, name: None}, "null"),
                ({**without, name: ""}, "''"),
            ):
                with pytest.raises(InvalidEvent) as caught:
                    read(type_, fields)
                error = caught.value
                assert (error.code, error.field, error.found) == ("missing_field", name, found)

    def test_null_and_unknown_fields_change_nothing(self, type_: EventType) -> None:
        """Explicit null is absent, and what the contract does not know is no error."""
        names = [name for name in EVENT_TYPES[type_].__struct_fields__ if name not in LEAST[type_]]
        nulls = dict.fromkeys(names)
        extra = {"x": {"y": [1]}, "Ip": 3, "": None}
        assert read(type_, {**nulls, **LEAST[type_], **extra}) == read(type_, LEAST[type_])

    def test_empty_optional_text_is_absent(self, type_: EventType) -> None:
        """Pipelines fed from columns write an empty string for what they do not know."""
        names = [name for name in EVENT_TYPES[type_].__struct_fields__ if name not in LEAST[type_]]
        blanks = dict.fromkeys(names, "")
        assert read(type_, {**blanks, **LEAST[type_]}) == read(type_, LEAST[type_])

    def test_a_file_says_the_type(self, type_: EventType) -> None:
        """In a file `type` is required; on a topic it may be there, and must agree."""
        with pytest.raises(InvalidEvent) as caught:
            read(type_, LEAST[type_], implied=False)
        assert (caught.value.code, caught.value.field) == ("missing_field", "type")
        stated = {"type": type_, **LEAST[type_]}
        assert read(type_, stated, implied=False) == read(type_, stated)

    def test_a_type_of_another_topic_is_refused(self, type_: EventType) -> None:
        """An order on the sign-ins' topic is a mistake of the pipeline, not a sign-in."""
        other = next(name for name in EVENT_TYPES if name != type_)
        error = refused(type_, type=other)
        assert (error.code, error.field, error.found) == ("not_allowed", "type", repr(other))
        assert repr(type_) in error.expected

    @pytest.mark.parametrize("wrong", [7, True, ["a"], {"a": 1}, 1.5])
    def test_identifiers_are_strings(self, type_: EventType, wrong: Any) -> None:
        """An account id that is a number is refused, so that "7" and 7 are never two accounts."""
        error = refused(type_, account_id=wrong)
        assert (error.code, error.field) == ("wrong_type", "account_id")


@pytest.mark.parametrize(("type_", "field", "choices"), CHOICES)
def test_every_choice_of_the_contract(type_: EventType, field: str, choices: Any) -> None:
    """Each value that the contract lists is taken; another is refused, and the list is told."""
    for choice in get_args(choices):
        assert getattr(read(type_, {**LEAST[type_], field: choice}), field) == choice
    error = refused(type_, **{field: "other"})
    assert (error.code, error.field, error.found) == ("not_allowed", field, "'other'")
    assert all(choice in error.expected for choice in get_args(choices))
    assert refused(type_, **{field: 3}).code == "wrong_type"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-11-24T06:08:40.120Z", 1795500520.12),
        ("2026-11-24T06:08:40Z", 1795500520.0),
        ("2026-11-24t06:08:40z", 1795500520.0),
        ("2026-11-24 06:08:40Z", 1795500520.0),
        ("2026-11-24T08:08:40+02:00", 1795500520.0),
        ("2026-11-23T20:08:40.123456-10:00", 1795500520.123456),
        ("2026-11-24T06:08:40.1234567890Z", 1795500520.123456),
        ("2026-12-31T23:59:60Z", 1798761600.0),
        (1795500520120, 1795500520.12),
        (1795500520120.0, 1795500520.12),
    ],
)
def test_times_of_the_contract(written: object, seconds: float) -> None:
    """RFC 3339 with any offset, leap seconds too, and integer epoch milliseconds."""
    event = read("login", {**LEAST["login"], "occurred_at": written})
    assert event.occurred_at == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("2026-11-24T06:08:40", "wrong_type"),  # no offset
        ("2026-11-24", "wrong_type"),
        ("20261124T060840Z", "wrong_type"),
        ("2026-W48-2T06:08:40Z", "wrong_type"),
        ("2026-13-24T06:08:40Z", "wrong_type"),
        ("9999-12-31T23:59:60-23:59", "out_of_range"),
        ("yesterday", "wrong_type"),
        (1795500520.5, "wrong_type"),
        (True, "wrong_type"),
        ([], "wrong_type"),
        (1795500520, "out_of_range"),  # seconds, which would be January 1970
        (10**17, "out_of_range"),
        (-1, "out_of_range"),
    ],
)
def test_times_that_are_none(written: object, code: str) -> None:
    """What is no such time is refused; a number in seconds is told from one in milliseconds."""
    error = refused("login", occurred_at=written)
    assert (error.code, error.field) == (code, "occurred_at")
    assert "milliseconds" in error.expected


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("129.90", "129.90"),
        ("0", "0"),
        ("1E+3", "1000"),
        (129.9, "129.9"),
        (0.1, "0.1"),
        (129, "129"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_money_is_exact(written: object, amount: str) -> None:
    """A decimal string keeps its digits, a number means the digits that were written."""
    fields = {**LEAST["order"], "amount": written, "gift_card_amount": written}
    order = read("order", {**fields, "items": [{"unit_price": written}]})
    assert isinstance(order, Order)
    assert order.amount == order.gift_card_amount == order.items[0].unit_price == Decimal(amount)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("-1", "out_of_range"),
        (-0.01, "out_of_range"),
        ("1000000000000", "out_of_range"),
        (1e300, "out_of_range"),
        ("1E+99", "out_of_range"),
        ("1E+999999999", "wrong_type"),
        ("NaN", "wrong_type"),
        ("Infinity", "wrong_type"),
        ("1_000", "wrong_type"),
        (" 12", "wrong_type"),
        ("12,50", "wrong_type"),
        ("\u0663", "wrong_type"),
        ("9" * 1000, "wrong_type"),
        (True, "wrong_type"),
        ({}, "wrong_type"),
    ],
)
def test_money_that_is_none(written: object, code: str) -> None:
    """No amount below zero, beyond all bounds or in another notation reaches a profile."""
    assert (refused("order", amount=written).code) == code
    nested = refused("order", items=[{}, {"unit_price": written}])
    assert (nested.code, nested.field) == (code, "items[1].unit_price")


def test_items_of_an_order() -> None:
    """Each field of an item may be absent; what is wrong in one is told by its place."""
    items = [{"sku": "s", "category": "c", "quantity": 2.0, "unit_price": "3.50"}, {}, {"x": 1}]
    order = read("order", {**LEAST["order"], "items": [*items, {"quantity": None}]})
    assert isinstance(order, Order)
    full = Item(sku="s", category="c", quantity=2, unit_price=Decimal("3.50"))
    assert order.items == (full, Item(), Item(), Item())
    for wrong, code, field in (
        ([{}, {"quantity": 0}], "out_of_range", "items[1].quantity"),
        ([{"quantity": "2"}], "wrong_type", "items[0].quantity"),
        ([{}, 3], "wrong_type", "items[1]"),
        ({}, "wrong_type", "items"),
        ([{}] * 1001, "too_large", "items"),
    ):
        error = refused("order", items=wrong)
        assert (error.code, error.field) == (code, field)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_addresses_have_one_spelling(written: str, canonical: str) -> None:
    """The same network written in two ways is one network."""
    assert read("login", {**LEAST["login"], "ip": written}).ip == canonical


@pytest.mark.parametrize(
    "written", ["192.0.2", "192.0.2.256", "192.0.2.7:443", "fe80::1%eth0", "x" * 5000, "localhost"]
)
def test_addresses_that_are_none(written: str) -> None:
    """What is no address is refused, on every type that may carry one."""
    for type_ in EVENT_TYPES:
        error = refused(type_, ip=written)
        assert (error.code, error.field) == ("not_allowed", "ip")


def test_places_and_networks() -> None:
    """Countries in any case, degrees on the globe, AS numbers that exist; 0 is "unknown"."""
    fields = {"country": "gb", "latitude": 51, "longitude": -0.1, "asn": 2856.0}
    event = read("login", {**LEAST["login"], **fields})
    assert (event.country, event.latitude, event.longitude, event.asn) == ("GB", 51.0, -0.1, 2856)
    assert read("login", {**LEAST["login"], "asn": 0}).asn is None
    # What geolocation services answer for Tor and for "don't know" must not hide a sign-in.
    assert read("login", {**LEAST["login"], "country": "T1"}).country is None
    assert read("login", {**LEAST["login"], "country": "xx"}).country is None
    for field, wrong, code in (
        ("country", "GBR", "not_allowed"),
        ("country", 44, "wrong_type"),
        ("latitude", 90.1, "out_of_range"),
        ("longitude", "0", "wrong_type"),
        ("asn", 2**32, "out_of_range"),
        ("asn", "AS2856", "wrong_type"),
        ("asn", 1.5, "wrong_type"),
    ):
        error = refused("login", **{field: wrong})
        assert (error.code, error.field) == (code, field)


def test_nobody_hides_behind_an_oversized_header() -> None:
    """What a client chooses is cut at its bound; what the retailer chooses is refused beyond it."""
    long = "x" * 100_000
    event = read(
        "login", {**LEAST["login"], "user_agent": long, "device_id": long, "session_id": long}
    )
    assert isinstance(event, Login)
    assert event.user_agent == "x" * 512
    assert event.device_id == event.session_id == "x" * 256
    error = refused("login", account_id=long)
    assert (error.code, error.field) == ("too_large", "account_id")
    assert len(error.found) <= 60


def test_verdicts_name_events() -> None:
    """A verdict lists events or names an alert, or is about the account alone."""
    event = read("feedback", {**LEAST["feedback"], "event_ids": ["e1", "e2"], "alert_id": "x"})
    assert isinstance(event, Feedback)
    assert event.event_ids == ("e1", "e2")
    for wrong, code, field in (
        (["e1", 2], "wrong_type", "event_ids[1]"),
        (["e1", ""], "out_of_range", "event_ids[1]"),
        ("e1", "wrong_type", "event_ids"),
        (["e"] * 1001, "too_large", "event_ids"),
    ):
        error = refused("feedback", event_ids=wrong)
        assert (error.code, error.field) == (code, field)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "not_an_object"),
        (b"", "not_json"),
        (b"nonsense", "not_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"account_id":"a"', "not_json"),
        (b'{"account_id":"\xff"}', "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":1e999}', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b" " * 2_000_000, "too_large"),
    ],
)
def test_records_that_are_no_object(value: bytes | None, code: str) -> None:
    """Whatever the bytes are, the answer is an error that can be counted."""
    with pytest.raises(InvalidEvent) as caught:
        decode(value, type_="login", timestamp=RECORD_TIME, fallback_id="x")
    assert (caught.value.code, caught.value.field) == (code, None)

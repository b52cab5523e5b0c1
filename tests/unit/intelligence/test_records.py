"""A report is exact, or it is refused by the name of its field."""

from typing import Any

import pytest

from detectors.errors import InvalidEvent
from detectors.intelligence import IndicatorReport, parse_report, report_id
from streams.sharing.records import MAX_REPORT_BYTES, decode_report, encode_report

FIELDS: dict[str, Any] = {
    "indicator_id": "asn:1",
    "source": "shop-b",
    "kind": "asn",
    "value": "14061",
    "valid_from": "2026-11-01T00:00:00Z",
    "valid_until": 1_796_169_600_000,
}
HASHED = {**FIELDS, "kind": "device", "value": None, "hash": "ab" * 32, "key_id": "k"}


def test_a_report_and_back() -> None:
    """What is written reads as it was, and unknown fields are no error."""
    for fields in (FIELDS, HASHED, {**FIELDS, "techniques": ["F1028"], "of tomorrow": 1}):
        report = parse_report(fields)
        assert decode_report(encode_report(report)) == report


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"kind": "phone"}, "kind", "not_allowed"),
        ({"value": "many"}, "value", "wrong_type"),
        ({"kind": "address_prefix", "value": "10.0.0.0/8"}, "value", "not_allowed"),
        ({"kind": "address_prefix", "value": "10.0.0.1/24"}, "value", "not_allowed"),
        ({"kind": "device", "value": "d1"}, "value", "not_allowed"),
        ({"value": None}, "value", "not_allowed"),
        ({"hash": "ab" * 32, "key_id": "k"}, "value", "not_allowed"),
        ({"value": None, "hash": "ab" * 32}, "key_id", "missing_field"),
        ({"value": None, "hash": "AB", "key_id": "k"}, "hash", "wrong_type"),
        ({"valid_until": "2026-10-01T00:00:00Z"}, "valid_until", "out_of_range"),
        ({"valid_until": "2030-10-01T00:00:00Z"}, "valid_until", "out_of_range"),
        ({"valid_from": "yesterday"}, "valid_from", "wrong_type"),
        ({"valid_from": None}, "valid_from", "missing_field"),
        ({"confidence": 101}, "confidence", "out_of_range"),
        ({"source": ""}, "source", None),
        ({"source": "x" * 101}, "source", "too_large"),
        ({"source": "x\0coarse"}, "source", "wrong_type"),
        ({"source": "x\n"}, "source", "wrong_type"),
        ({"feed": "x\0"}, "feed", "wrong_type"),
        ({"techniques": ["'; drop"]}, "techniques[0]", None),
        ({"tlp": "white"}, "tlp", "not_allowed"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(
    wrong: dict[str, Any], field: str, code: str | None
) -> None:
    """One fault, the first, in the contract's words."""
    with pytest.raises(InvalidEvent) as raised:
        parse_report({**FIELDS, **wrong})
    assert raised.value.field == field
    assert code is None or raised.value.code == code


def test_a_record_is_bounded() -> None:
    """Nobody fills a worker's memory with one record."""
    with pytest.raises(InvalidEvent) as raised:
        decode_report(b" " * (MAX_REPORT_BYTES + 1))
    assert raised.value.code == "too_large"


def test_no_source_replaces_anothers_report() -> None:
    """The id of a report follows from who gives it as well."""
    assert report_id("a", "asn", "1") != report_id("b", "asn", "1")
    assert isinstance(parse_report(FIELDS), IndicatorReport)

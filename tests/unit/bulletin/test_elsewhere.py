"""Which campaigns others have told of."""

from typing import Any

import msgspec

from detectors.bulletin.elsewhere import seen_elsewhere
from detectors.bulletin.months import Month
from detectors.campaigns.records import Campaign, SharedIndicator
from detectors.heat.indicators import Indicator, Kind, key_of
from detectors.intelligence import GroupKey, IndicatorReport, keyed_hash
from tests.support.months import at, campaign

NOVEMBER = Month(2026, 11)
KEY = GroupKey("2026-11", b"k" * 32)
RANGE, DEVICE, OPERATOR = "198.51.100.0/24", "a-device", "64500"


def indicator(kind: Kind, value: str) -> str:
    """An indicator's id."""
    return Indicator(kind, key_of(kind, value)).id


def gang() -> Campaign:
    """A campaign last seen on the 20th that shares a range, a device and an operator."""
    values = {Kind.PREFIX: RANGE, Kind.DEVICE: DEVICE, Kind.OPERATOR: OPERATOR}
    shared = tuple(
        SharedIndicator(indicator=indicator(kind, value), alerts=2)
        for kind, value in values.items()
    )
    return msgspec.structs.replace(campaign("gang", range(7)), indicators=shared)


def report(source: str, **fields: Any) -> IndicatorReport:
    """One source's word on the range, valid for the month."""
    given: dict[str, Any] = {
        "indicator_id": f"{source}-{fields}",
        "source": source,
        "kind": "address_prefix",
        "value": RANGE,
        "valid_from": at(1),
        "valid_until": at(30),
    }
    return IndicatorReport(**(given | fields))


def found(*reports: IndicatorReport) -> int:
    """How many sources have told of the gang."""
    return seen_elsewhere([gang()], reports, [KEY], NOVEMBER)["gang"]


def test_sources_are_counted_once_each_plain_or_hashed() -> None:
    """A device only ever comes as a keyed hash; a key that we lack tells nothing."""
    hashed = keyed_hash(KEY, indicator(Kind.DEVICE, DEVICE))
    device = {"kind": "device", "value": None, "hash": hashed}
    assert found() == 0
    assert found(report("other shop"), report("other shop", **device, key_id="2026-11")) == 1
    assert found(report("other shop"), report("police", **device, key_id="2026-11")) == 2
    assert found(report("police", **device, key_id="unknown")) == 0


def test_what_everybody_has_and_what_is_over_tell_of_no_campaign() -> None:
    """An operator is half a country's; a report of last year is on somebody else."""
    assert found(report("a", kind="asn", value=OPERATOR)) == 0
    assert found(report("a", valid_from=at(1, month=8), valid_until=at(1, month=9))) == 0
    assert found(report("a", value="198.51.101.0/24")) == 0


def test_who_confirms_it_later_has_seen_it_too() -> None:
    """A report begins to hold when it is confirmed, which is after the campaign by nature."""
    assert found(report("a", valid_from=at(27), valid_until=at(20, month=12))) == 1


def test_what_came_in_to_stay_is_not_counted_in_what_goes_out() -> None:
    """A bulletin is for others: that a source told something under such a marking is not."""
    for marking, counted in (("red", 0), ("amber+strict", 0), ("amber", 1), ("clear", 1)):
        assert found(report("a", tlp=marking)) == counted


def test_however_many_have_told_all_are_counted() -> None:
    """A worker's table holds a few voices on one thing; the bulletin counts them all."""
    assert found(*(report(f"shop {number}") for number in range(30))) == 30

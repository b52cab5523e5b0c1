"""STIX and MISP: what leaves passes the formats' own checks, comes back whole, leaks nothing."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymisp import MISPEvent
from stix2validator import ValidationOptions, validate_string

from detectors.heat.indicators import Kind
from detectors.intelligence import IndicatorReport
from detectors.markings import Marking
from streams.runtime.interfaces import Record
from streams.sharing.importing import Fault, Taken, Terms, Withdrawn
from streams.sharing.misp import events_of, read_misp
from streams.sharing.plain_csv import read_csv
from streams.sharing.records import encode_report, read_record
from streams.sharing.stix import MARKINGS, bundle_of
from streams.sharing.stix_reading import read_objects, read_stix
from tests.support.intelligence import DAY, HOME, HOSTED, KEY, SECRETS, START, findings
from tests.support.intelligence import report as told_of

NOW = Terms(now=START + 3 * DAY, days=300)


def validated(bundle: bytes) -> Any:
    """What OASIS's validator says of a bundle."""
    return validate_string(bundle.decode(), ValidationOptions(version="2.1", strict_types=False))


def faults(taken: Iterator[Taken]) -> list[Fault]:
    """What could not be used."""
    return [one for one in taken if isinstance(one, Fault)]


@pytest.mark.parametrize("marking", list(MARKINGS))
def test_bundles_pass_the_validator(marking: Any) -> None:
    """Without an error, under every marking of TLP 2.0; also one of nothing."""
    for told in (findings(), []):
        result = validated(bundle_of(told, marking))
        assert result.is_valid, result.errors


def test_a_bundle_says_what_an_analyst_needs() -> None:
    """The campaign, its techniques, each indicator with its sighting, marked and dated."""
    objects = json.loads(bundle_of(findings(), "amber"))["objects"]
    by_type: dict[str, list[Any]] = {}
    for one in objects:
        by_type.setdefault(one["type"], []).append(one)
    assert {r["external_references"][0]["external_id"] for r in by_type["attack-pattern"]} == {
        "T1110.004", "F1028",
    }  # fmt: skip
    assert len(by_type["campaign"]) == 1
    assert {s["sighting_of_ref"] for s in by_type["sighting"]} == {
        i["id"] for i in by_type["indicator"]
    }
    for one in by_type["indicator"]:
        assert one["object_marking_refs"] == [MARKINGS["amber"]]
        assert one["confidence"] == 67
        assert one["valid_from"] < one["valid_until"]
    kinds = {(r["relationship_type"]) for r in by_type["relationship"]}
    assert kinds == {"uses", "indicates"}


def test_the_same_findings_give_the_same_bytes() -> None:
    """A campaign told again replaces what was told before, whoever runs the export."""
    assert bundle_of(findings(), "green") == bundle_of(findings(), "green")
    assert events_of(findings(), "green") == events_of(findings(), "green")


def test_events_load_into_pymisp() -> None:
    """With their attributes, objects, tags and sightings."""
    [data] = events_of(findings(), "amber+strict")
    event = MISPEvent()
    event.load(data)
    assert {a.type for a in event.attributes} == {"ip-src", "AS", "user-agent"}
    assert [o.name for o in event.objects] == ["keyed-hash"] * 3
    assert "tlp:amber+strict" in {tag.name for tag in event.tags}
    assert all(attribute.Sighting for attribute in event.attributes)


def test_nothing_raw_is_on_the_wire() -> None:
    """Byte by byte: no account, alert, address, card or device, and no key."""
    for data in (bundle_of(findings(), "amber"), *events_of(findings(), "amber")):
        for secret in SECRETS:
            assert secret.encode() not in data
        assert KEY.secret not in data
        assert KEY.secret.hex().encode() not in data
        assert HOSTED.encode() in data


@pytest.mark.parametrize(
    ("data", "read"),
    [(bundle_of(findings(), "amber"), read_stix), (events_of(findings(), "amber")[0], read_misp)],
    ids=["stix", "misp"],
)
def test_what_was_told_comes_back(data: bytes, read: Callable[..., Iterator[Taken]]) -> None:
    """Every report, with source, times, confidence, sightings, techniques and marking."""
    [finding] = findings()
    expected = {report.indicator_id: report for report in finding.indicators}
    found = list(read(data, "file", NOW))
    assert not faults(iter(found))
    for report in found:
        assert isinstance(report, IndicatorReport)
        wanted = expected.pop(report.indicator_id)
        for name in ("source", "kind", "value", "hash", "key_id", "valid_from", "valid_until"):
            assert getattr(report, name) == getattr(wanted, name)
        for name in ("confidence", "sightings", "techniques", "tlp"):
            assert getattr(report, name) == getattr(wanted, name)
    assert not expected


def indicator(number: int, pattern: str, **more: Any) -> dict[str, Any]:
    """An indicator of somebody else's bundle."""
    return {
        "type": "indicator",
        "id": f"indicator--{number}",
        "pattern_type": "stix",
        "pattern": pattern,
        "valid_from": "2026-10-01T00:00:00Z",
        **more,
    }


def test_others_bundles_are_understood() -> None:
    """Addresses become ranges, networks the ranges in them, alternatives several reports."""
    objects = [
        indicator(1, "[ipv4-addr:value = '203.0.113.77']"),
        indicator(2, "[ipv4-addr:value = '192.0.2.0/23' OR ipv6-addr:value = '2001:db8:1::5']"),
        indicator(3, "[autonomous-system:number IN (64500, 64501)]"),
        indicator(4, "[ipv4-addr:value = '10.0.0.1']", revoked=True),
    ]
    data = json.dumps({"type": "bundle", "objects": objects}).encode()
    found = list(read_stix(data, "b", NOW._replace(source="police")))
    values = [one.value for one in found if isinstance(one, IndicatorReport)]
    assert values == [
        HOSTED, "192.0.2.0/24", "192.0.3.0/24", "2001:db8:1::/48", "64500", "64501",
    ]  # fmt: skip
    assert isinstance(found[-1], Withdrawn)
    assert {one.source for one in found if isinstance(one, IndicatorReport)} == {"police"}


def test_what_is_wrong_in_a_bundle_is_told_by_its_place_and_the_rest_goes_on() -> None:
    """One bad object costs nothing but itself."""
    objects: list[Any] = [
        indicator(0, "[ipv4-addr:value = '203.0.113.77']"),
        indicator(1, "[file:hashes.MD5 = 'aa']"),
        indicator(2, "[ipv4-addr:value = '1.2.3.4'] FOLLOWEDBY [ipv4-addr:value = '1.2.3.5']"),
        indicator(3, "no pattern"),
        indicator(4, "[ipv4-addr:value = '10.0.0.0/8']"),
        indicator(5, "[ipv4-addr:value = '203.0.113.77']", valid_until="yesterday"),
        indicator(6, "[ipv4-addr:value = '203.0.113.77']", pattern_type="yara"),
        indicator(7, "[ipv4-addr:value != '203.0.113.77']"),
        indicator(8, "[ipv4-addr:value = '" + "1" * 5000 + "']"),
        indicator(9, "[ipv4-addr:value = '203.0.113.77']", valid_until="2026-10-02T00:00:00Z"),
        "no object",
    ]
    data = json.dumps({"type": "bundle", "objects": objects}).encode()
    found = list(read_stix(data, "b", NOW._replace(source="police")))
    wrong = faults(iter(found))
    assert len(found) - len(wrong) == 1
    assert [one.where.partition("]")[0] for one in wrong] == [
        f"b:objects[{n}" for n in range(1, 11)
    ]
    assert {one.error.field for one in wrong} == {
        "pattern",
        "value",
        "valid_until",
        "pattern_type",
        "type",
    }


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"objects": 3}', b"\xff\xfe", b"null"])
def test_whatever_the_bytes_a_fault_is_told(data: bytes) -> None:
    """Nothing but faults comes of a file that is none of its format."""
    for read in (read_stix, read_misp, read_csv):
        found = list(read(data, "file", NOW))
        assert found
        assert faults(iter(found)) == found


def mutated(value: Any, chance: random.Random) -> Any:
    """The same with something else in a few places."""
    if chance.random() < 0.04:
        return chance.choice([None, 3, -1, "", [], {}, "x" * 50, [[]], True, 1e308])
    if isinstance(value, dict):
        return {name: mutated(one, chance) for name, one in value.items() if chance.random() > 0.01}
    if isinstance(value, list):
        return [mutated(one, chance) for one in value]
    return value


@pytest.mark.parametrize("read", [read_stix, read_misp], ids=["stix", "misp"])
def test_whatever_stands_where_nothing_but_a_fault_comes_of_it(
    read: Callable[..., Iterator[Taken]],
) -> None:
    """A feed is another's: whatever they put in whichever place, the rest is read."""
    whole = bundle_of(findings(), "amber") if read is read_stix else events_of(findings(), "red")[0]
    chance = random.Random(3)
    for _ in range(60):
        data = json.dumps(mutated(json.loads(whole), chance)).encode()
        for one in read(data, "file", NOW._replace(source="police")):
            assert isinstance(one, IndicatorReport | Fault | Withdrawn)


def test_a_pattern_nested_beyond_reason_is_a_fault() -> None:
    """What would exhaust the parser's stack is refused as what it is."""
    nested = "[" + "(" * 1500 + "ipv4-addr:value = '1.2.3.4'" + ")" * 1500 + "]"
    data = json.dumps({"objects": [indicator(1, nested)]}).encode()
    [fault] = faults(read_stix(data, "b", NOW))
    assert fault.error.field == "pattern"


def test_misp_of_others() -> None:
    """Attributes for detection are taken, others passed over, strangers told."""
    event = {
        "Event": {
            "Orgc": {"name": "police"},
            "Attribute": [
                {"type": "ip-dst", "value": "203.0.113.9", "to_ids": True},
                {"type": "ip-src", "value": "203.0.113.9", "to_ids": False},
                {"type": "AS", "value": "64500", "Tag": [{"name": "tlp:red"}]},
                {"type": "md5", "value": "aa", "to_ids": True},
                {"type": "AS", "value": "none"},
            ],
            "Object": [{"name": "file", "Attribute": []}],
        }
    }
    found = list(read_misp(json.dumps(event).encode(), "m", NOW))
    reports = [one for one in found if isinstance(one, IndicatorReport)]
    assert [(r.value, r.source, r.tlp) for r in reports] == [
        (HOSTED, "police", "amber"), ("64500", "police", "red"),
    ]  # fmt: skip
    assert [one.where.partition(" ")[0] for one in faults(iter(found))] == [
        "m:Event[0].Attribute[3]", "m:Event[0].Attribute[4]", "m:Event[0].Object[0]",
    ]  # fmt: skip


def test_plain_csv() -> None:
    """A column of values is enough; personal ones are hashed at once, or refused."""
    data = (
        b"value,kind,confidence,valid_until\n"
        b"203.0.113.9,,80,2026-12-01T00:00:00Z\n"
        b"AS64500,,,\n"
        b"drop-address-77,delivery_address,,\n"
        b"nonsense,,,\n"
        b"1.2.3.4,,high,\n"
        b"1.2.3.4,,,tomorrow\n"
    )
    terms = NOW._replace(source="police", key=KEY)
    found = list(read_csv(data, "f.csv", terms))
    reports = [one for one in found if isinstance(one, IndicatorReport)]
    assert [(r.kind, r.value, r.confidence) for r in reports] == [
        ("address_prefix", HOSTED, 80), ("asn", "64500", 50), ("delivery_address", None, 50),
    ]  # fmt: skip
    assert reports[2].hash == next(
        r.hash for r in findings()[0].indicators if r.kind == "delivery_address"
    )
    assert [(one.where, one.error.field) for one in faults(iter(found))] == [
        ("f.csv:5", "kind"), ("f.csv:6", "confidence"), ("f.csv:7", "valid_until"),
    ]  # fmt: skip
    [refused] = faults(read_csv(data[:34] + b"d,device,,\n", "f.csv", terms._replace(key=None)))
    assert "concerns a person" in str(refused)
    [unnamed] = faults(read_csv(b"value\n1.2.3.4\n", "f.csv", NOW))
    assert unnamed.error.field == "source"


def test_a_feeds_word_is_good_for_so_long_and_no_longer() -> None:
    """What says nothing ends after `days`, and what claims for ever does as well."""
    data = b"value,valid_until\n203.0.113.9,\n" + f"{HOME},2099-01-01T00:00:00Z\n".encode()
    for report in read_csv(data, "f", NOW._replace(source="police", days=30)):
        assert isinstance(report, IndicatorReport)
        assert report.valid_until == NOW.now + 30 * DAY


def test_a_topics_record_does_not_say_what_brought_it() -> None:
    """Another's topic is one feed, whatever its records say of themselves."""
    told = told_of(Kind.OPERATOR, "14061", feed="police")
    key = told.indicator_id.encode()
    record = Record("group", 0, 0, START, key, encode_report(told))
    taken = read_record(record, NOW._replace(feed="group"))
    assert isinstance(taken, IndicatorReport)
    assert (taken.source, taken.feed) == ("shop-b", "group")


def test_of_several_markings_the_strictest_holds() -> None:
    """The event's, the attribute's, in whatever case they are written."""
    for tags, expected in (
        (["tlp:green", "TLP:RED"], "red"),
        (["tlp:amber+strict", "tlp:clear"], "amber+strict"),
        (["tlp:ex:chr", "TLP:Green"], "green"),
        ([], "amber"),
    ):
        attribute = {"type": "AS", "value": "64500", "Tag": [{"name": tag} for tag in tags[1:]]}
        event = {"Tag": [{"name": tag} for tag in tags[:1]], "Attribute": [attribute]}
        [taken] = read_misp(json.dumps(event).encode(), "m", NOW._replace(source="police"))
        assert isinstance(taken, IndicatorReport)
        assert taken.tlp == expected


@pytest.mark.parametrize(
    ("marked", "definition", "expected"),
    [
        ({"object_marking_refs": [MARKINGS["green"], MARKINGS["red"]]}, {}, "red"),
        # Of its parts one is stricter: what is read is all of it.
        (
            {
                "object_marking_refs": [MARKINGS["green"]],
                "granular_markings": [{"marking_ref": MARKINGS["red"], "selectors": ["pattern"]}],
            },
            {},
            "red",
        ),
        # Tools that do not know TLP 2.0 make markings of their own of its tags.
        ({"object_marking_refs": ["m"]}, {"definition": {"statement": "TLP:RED"}}, "red"),
        ({"object_marking_refs": ["m"]}, {"definition": {"tlp": "amber+strict"}}, "amber+strict"),
        ({"object_marking_refs": ["m"]}, {"name": "TLP:GREEN"}, "green"),
        ({"object_marking_refs": ["m"]}, {"definition": {"statement": "ours"}}, "amber"),
        ({"object_marking_refs": {}, "granular_markings": ["x", {}]}, {"name": 7}, "amber"),
    ],
)
def test_of_stix_markings_the_strictest_holds(
    marked: dict[str, Any], definition: dict[str, Any], expected: str
) -> None:
    """Of the whole or of a part, by the standard's id or by what the definition says."""
    defined = {"type": "marking-definition", "id": "m", **definition}
    [taken] = read_objects(
        [indicator(1, "[ipv4-addr:value = '203.0.113.9']", **marked), defined],
        "s",
        NOW._replace(source="police"),
    )
    assert isinstance(taken, IndicatorReport)
    assert taken.tlp == expected


@pytest.mark.parametrize(("marking", "told"), [("green", True), ("red", False)])
def test_what_is_marked_more_strictly_than_its_indicator_is_left_out(
    marking: Marking,
    told: bool,  # noqa: FBT001 - a test's own parameter
) -> None:
    """A campaign's name and techniques go no further than they may, whoever points at them."""
    campaign = {
        "type": "campaign",
        "id": "campaign--1",
        "object_marking_refs": [MARKINGS[marking]],
    }
    pattern = {
        "type": "attack-pattern",
        "id": "attack-pattern--1",
        "external_references": [{"external_id": "T1110.004"}],
    }
    relations = [
        {"type": "relationship", "id": f"relationship--{relation}", "source_ref": source,
         "relationship_type": relation, "target_ref": target}
        for source, relation, target in (
            ("indicator--1", "indicates", "campaign--1"),
            ("campaign--1", "uses", "attack-pattern--1"),
        )
    ]  # fmt: skip
    amber = indicator(
        1, "[ipv4-addr:value = '203.0.113.9']", object_marking_refs=[MARKINGS["amber"]]
    )
    objects = [amber, campaign, pattern, *relations]
    [taken] = read_objects(objects, "s", NOW._replace(source="police"))
    assert isinstance(taken, IndicatorReport)
    assert (taken.campaign == "campaign--1") is told
    assert (taken.techniques == ("T1110.004",)) is told


def test_a_sighting_that_says_it_was_a_mistake_is_none() -> None:
    """MISP counts false positives and expiries among sightings; here they are not."""
    sightings = [{"type": "0"}, {"type": "1"}, {"type": "2"}, {}]
    attribute = {"type": "AS", "value": "64500", "Sighting": sightings}
    event = json.dumps({"Attribute": [attribute]}).encode()
    [taken] = read_misp(event, "m", NOW._replace(source="police"))
    assert isinstance(taken, IndicatorReport)
    assert taken.sightings == 2

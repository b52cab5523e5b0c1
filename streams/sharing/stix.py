"""STIX 2.1: findings as a bundle, made and checked by the library `stix2`.

The same findings give the same bytes: ids are version-5 UUIDs of what they stand for, so that a
campaign that is told again replaces what was told before. A keyed hash is no observable of STIX's
own: its pattern compares an object type that an extension definition in the bundle describes.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

import stix2

from detectors.intelligence import IndicatorReport
from detectors.markings import Marking
from detectors.techniques import technique as named
from streams.sharing.confirmed import Finding
from streams.sharing.techniques import framework_of

_SPACE: Final = UUID("6f0c1f5e-2f2b-5d0c-9a58-3f3a1b7f4e10")
_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
TLP_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
MARKINGS: Final[dict[Marking, str]] = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""The ids under which OASIS has published the markings of TLP 2.0."""
HASH_TYPE: Final = "x-nightlatch-keyed-hash"
_HASH_SCHEMA: Final = (
    f"An object {HASH_TYPE} has `hmac_sha256` (64 hexadecimal digits), `kind` and `key_id` (which"
    " key of the group of retailers it was made with). The hash is HMAC-SHA-256 of"
    ' "<kind>:<16 hexadecimal digits>", the digits being BLAKE2b-64 of the value in UTF-8,'
    " personalised by the kind. Kinds: address_prefix (the /24 of an IPv4 or /48 of an IPv6"
    " address), device, delivery_address, payment, contact, user_agent."
)


def bundle_of(findings: Iterable[Finding], marking: Marking) -> bytes:
    """Return a STIX 2.1 bundle of findings, under a marking, as JSON."""
    objects: dict[str, Any] = {}
    for finding in findings:
        for made in _objects_of(finding, marking):
            objects[made.id] = made
    name = ",".join(f"{one.id}@{one.get('modified', '')}" for one in objects.values())
    bundle = stix2.Bundle(objects=list(objects.values()), id=_id("bundle", name))
    text: str = bundle.serialize(indent=1, ensure_ascii=True)
    return text.encode() + b"\n"


def _objects_of(finding: Finding, marking: Marking) -> Iterator[Any]:
    identity = stix2.Identity(
        id=_id("identity", finding.source),
        created=_BEGAN,
        modified=_BEGAN,
        name=finding.source,
        identity_class="organization",
    )
    yield identity
    yield _marking(marking)
    if any(report.hash for report in finding.indicators):
        yield _hash_definition(identity.id)
    begun = _moment(finding.confirmed_at)
    common = {
        "created": begun,
        "modified": max(begun, _moment(finding.last_seen)),
        "created_by_ref": identity.id,
        "object_marking_refs": [MARKINGS[marking]],
    }
    campaign = stix2.Campaign(
        id=_id("campaign", finding.source, finding.campaign_id),
        name=f"Account takeovers {finding.campaign_id[:8]}",
        description=f"{finding.accounts} accounts alerted, {finding.verdicts} confirmed.",
        first_seen=_moment(finding.first_seen),
        last_seen=_moment(finding.last_seen),
        confidence=max(report.confidence for report in finding.indicators),
        **common,
    )
    yield campaign
    for technique in finding.techniques:
        pattern = _technique(technique)
        yield pattern
        yield _related("uses", campaign.id, pattern.id, common)
    for report in finding.indicators:
        yield from _told_of(report, finding, campaign.id, common)


def _told_of(
    report: IndicatorReport, finding: Finding, campaign: str, common: dict[str, Any]
) -> Iterator[Any]:
    indicator = stix2.Indicator(
        id=_id("indicator", report.indicator_id),
        name=f"{report.kind.replace('_', ' ')} of account takeovers",
        indicator_types=["malicious-activity"],
        pattern=_pattern(report),
        pattern_type="stix",
        valid_from=_moment(report.valid_from),
        valid_until=_moment(report.valid_until),
        confidence=report.confidence,
        **common,
    )
    yield indicator
    yield _related("indicates", indicator.id, campaign, common)
    yield stix2.Sighting(
        id=_id("sighting", report.indicator_id, finding.campaign_id),
        sighting_of_ref=indicator.id,
        where_sighted_refs=[common["created_by_ref"]],
        first_seen=_moment(finding.first_seen),
        last_seen=_moment(finding.last_seen),
        count=report.sightings,
        **common,
    )


def _pattern(report: IndicatorReport) -> str:
    if report.hash is not None:
        return (
            f"[{HASH_TYPE}:hmac_sha256 = '{report.hash}' AND {HASH_TYPE}:kind = '{report.kind}'"
            f" AND {HASH_TYPE}:key_id = '{report.key_id}']"
        )
    value = report.value or ""
    match report.kind:
        case "address_prefix":
            family = "ipv6-addr" if ":" in value else "ipv4-addr"
            return f"[{family}:value ISSUBSET '{value}']"
        case "asn":
            return f"[autonomous-system:number = {int(value)}]"
        case _:
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            return (
                "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"
                f" = '{quoted}']"
            )


def _technique(technique: str) -> Any:
    framework, url = framework_of(technique)
    reference = {"source_name": framework, "external_id": technique}
    return stix2.AttackPattern(
        id=_id("attack-pattern", technique),
        created=_BEGAN,
        modified=_BEGAN,
        name=named(technique).name,
        external_references=[{**reference, "url": url} if url else reference],
    )


def _related(kind: str, source: str, target: str, common: dict[str, Any]) -> Any:
    return stix2.Relationship(
        id=_id("relationship", kind, source, target),
        relationship_type=kind,
        source_ref=source,
        target_ref=target,
        **common,
    )


def _marking(marking: Marking) -> Any:
    """The marking as OASIS has published it, to the byte."""
    return stix2.MarkingDefinition(
        id=MARKINGS[marking],
        created=datetime(2022, 10, 1, tzinfo=UTC),
        name=f"TLP:{marking.upper()}",
        extensions={TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": marking}},
        allow_custom=True,
    )


def _hash_definition(identity: str) -> Any:
    return stix2.ExtensionDefinition(
        id=_id("extension-definition", HASH_TYPE),
        created=_BEGAN,
        modified=_BEGAN,
        created_by_ref=identity,
        name="Keyed hashes of what concerns a person",
        schema=_HASH_SCHEMA,
        version="1.0.0",
        extension_types=["new-sco"],
    )


def _id(type_: str, *names: str) -> str:
    return f"{type_}--{uuid5(_SPACE, chr(0).join((type_, *names)))}"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)

"""MISP: findings as events made by the library `pymisp`, and events as others write them.

An event is a campaign. Hosting ranges, operators and user agents are attributes of MISP's own
types; a keyed hash is an object `keyed-hash`, whose template goes along. No server is spoken to:
events are files, as `misp import` and MISP's feeds take them.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from detectors.errors import InvalidEvent
from detectors.faults import describe
from detectors.intelligence import IndicatorReport
from detectors.markings import MARKING_OF, Marking, strictest
from streams.sharing.confirmed import Finding
from streams.sharing.importing import Fault, Said, Taken, Terms, json_of, not_allowed, taken
from streams.sharing.techniques import framework_of

_SPACE: Final = UUID("e2b6a2d4-51c7-5f0e-8b3d-0a9c3f6d7b21")
_OBJECT: Final = "keyed-hash"
_TYPES: Final = {"address_prefix": "ip-src", "asn": "AS", "user_agent": "user-agent"}
_KINDS: Final = {
    "ip-src": "address", "ip-dst": "address", "AS": "asn", "user-agent": "user_agent",
}  # fmt: skip
_TEMPLATE: Final[dict[str, Any]] = {
    "name": _OBJECT,
    "uuid": str(uuid5(_SPACE, _OBJECT)),
    "version": 1,
    "meta-category": "misc",
    "description": "An indicator that concerns a person, as HMAC-SHA-256 with a group's key.",
    "required": ["hmac-sha256", "kind", "key-id"],
    "attributes": {
        name: {"description": meaning, "misp-attribute": "text", "ui-priority": 1}
        for name, meaning in {
            "hmac-sha256": "The keyed hash, 64 hexadecimal digits",
            "kind": "What was hashed",
            "key-id": "Which of the group's keys it was made with",
        }.items()
    },
}


def events_of(findings: Iterable[Finding], marking: Marking) -> list[bytes]:
    """Return a MISP event a finding, as JSON, under a marking."""
    return [_event_of(finding, marking) for finding in findings]


def _event_of(finding: Finding, marking: Marking) -> bytes:
    from pymisp import MISPEvent, MISPOrganisation

    event = MISPEvent()
    event.uuid = _uuid("event", finding.source, finding.campaign_id)
    event.info = f"Account takeovers {finding.campaign_id[:8]}: {finding.accounts} accounts"
    event.set_date(_moment(finding.first_seen))
    event.timestamp = int(max(finding.confirmed_at, finding.last_seen))
    event.threat_level_id, event.analysis = 2, 2
    event.distribution = 0 if marking in {"red", "amber+strict"} else 1
    event.Orgc = MISPOrganisation()
    event.Orgc.from_dict(name=finding.source, uuid=_uuid("organisation", finding.source))
    event.add_tag(f"tlp:{marking}")
    for technique in finding.techniques:
        event.add_tag(f'{framework_of(technique)[0]}:technique="{technique}"')
    for report in finding.indicators:
        _add(event, report, finding)
    text: str = event.to_json(sort_keys=True)
    return text.encode() + b"\n"


def _add(event: Any, report: IndicatorReport, finding: Finding) -> None:
    """Add a report as attributes, with how often it was seen and how sure its source is."""
    times = {
        "first_seen": _moment(finding.first_seen),
        "last_seen": _moment(finding.last_seen),
        "timestamp": int(max(finding.confirmed_at, finding.last_seen)),
    }
    if report.hash is None:
        made = [
            event.add_attribute(
                _TYPES[report.kind],
                f"AS{report.value}" if report.kind == "asn" else report.value,
                uuid=_uuid("attribute", report.indicator_id),
                to_ids=True,
                **times,
            )
        ]
    else:
        made = _add_hash(event, report, times)
    for tag in (
        f'nightlatch:confidence="{report.confidence}"',
        f'nightlatch:sightings="{report.sightings}"',
        f'nightlatch:valid-from="{int(report.valid_from)}"',
        f'nightlatch:valid-until="{int(report.valid_until)}"',
    ):
        made[0].add_tag(tag)
    sighting = {
        "type": "0",
        "source": finding.source,
        "date_sighting": int(finding.last_seen),
        "uuid": _uuid("sighting", report.indicator_id, finding.campaign_id),
    }
    made[0].add_sighting(sighting)


def _add_hash(event: Any, report: IndicatorReport, times: dict[str, Any]) -> list[Any]:
    from pymisp import MISPObject

    held = MISPObject(_OBJECT, misp_objects_template_custom=_TEMPLATE)
    held.uuid = _uuid("object", report.indicator_id)
    held.timestamp = times["timestamp"]
    values = {"hmac-sha256": report.hash, "kind": report.kind, "key-id": report.key_id}
    made = [
        held.add_attribute(
            name,
            value=value,
            uuid=_uuid("attribute", report.indicator_id, name),
            disable_correlation=name != "hmac-sha256",
            to_ids=False,
            **times,
        )
        for name, value in values.items()
    ]
    event.add_object(held)
    return made


def _uuid(*names: str) -> str:
    return str(uuid5(_SPACE, "\0".join(names)))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def read_misp(data: bytes, where: str, terms: Terms) -> Iterator[Taken]:
    """Yield what comes of each attribute that is meant for detection, and of each keyed hash.

    `data` is an event, a list of them, or a server's answer, as JSON. Read attribute by attribute:
    one that is wrong costs nothing but itself.
    """
    try:
        found = json_of(data)
    except InvalidEvent as error:
        yield Fault(where, error)
        return
    if isinstance(found, dict) and "response" in found:
        found = found["response"]
    for number, held in enumerate(found if isinstance(found, list) else [found]):
        event = held.get("Event", held) if isinstance(held, dict) else None
        place = f"{where}:Event[{number}]"
        if not isinstance(event, dict) or not {"Attribute", "Object"} & event.keys():
            yield Fault(place, not_allowed("Event", "a MISP event", held))
            continue
        yield from _read_event(event, place, terms)


def _read_event(event: dict[str, Any], where: str, terms: Terms) -> Iterator[Taken]:
    for number, attribute in enumerate(_list(event.get("Attribute"))):
        place = f"{where}.Attribute[{number}]"
        if attribute.get("deleted") or attribute.get("to_ids") is False:
            continue
        if str(attribute.get("type")) not in _KINDS:
            yield Fault(
                place, not_allowed("type", f"one of {', '.join(_KINDS)}", attribute.get("type"))
            )
            continue
        kind = _KINDS[attribute["type"]]
        yield from taken(_said(event, attribute, kind), f"{place} {_name(attribute)}", terms)
    for number, held in enumerate(_list(event.get("Object"))):
        place = f"{where}.Object[{number}]"
        attributes = _list(held.get("Attribute"))
        if held.get("deleted"):
            continue
        if held.get("name") != _OBJECT:
            yield Fault(place, not_allowed("name", _OBJECT, held.get("name")))
            continue
        parts = {str(one.get("object_relation")): one for one in attributes}
        missing = {"hmac-sha256", "kind", "key-id"} - parts.keys()
        if missing:
            yield Fault(place, not_allowed("Attribute", ", ".join(sorted(missing)), attributes))
            continue
        said = _said(event, parts["hmac-sha256"], str(parts["kind"].get("value")))
        hashed = said._replace(text=None, hash=said.text, key_id=str(parts["key-id"].get("value")))
        yield from taken(hashed, f"{place} {_name(held)}", terms)


def _said(event: dict[str, Any], attribute: dict[str, Any], kind: str) -> Said:
    tags = [*_tags(event), *_tags(attribute)]
    own = dict(tag.removeprefix("nightlatch:").split("=", 1) for tag in tags if _is_own(tag))
    numbers = {name: int(text.strip('"')) for name, text in own.items() if _is_number(text)}
    organisation = event.get("Orgc")
    begun, ends = numbers.get("valid-from"), numbers.get("valid-until")
    return Said(
        kind=kind,
        text=str(attribute.get("value") or ""),
        source=organisation.get("name") if isinstance(organisation, dict) else None,
        valid_from=begun * 1000 if begun else None,
        valid_until=ends * 1000 if ends else None,
        confidence=numbers.get("confidence"),
        sightings=numbers.get("sightings") or _seen(attribute) or None,
        techniques=tuple(
            tag.split('"')[1]
            for tag in tags
            if tag.startswith(("mitre-attack:", "mitre-f3:")) and tag.count('"') == 2
        ),
        tlp=strictest(MARKING_OF[name] for tag in tags if (name := tag.lower()) in MARKING_OF),
        campaign=event.get("uuid") if isinstance(event.get("uuid"), str) else None,
    )


def _list(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _seen(attribute: dict[str, Any]) -> int:
    """How often a thing was sighted: type 1 says that it was a mistake, 2 that it is over."""
    sightings = _list(attribute.get("Sighting"))
    return sum(str(sighting.get("type", "0")) == "0" for sighting in sightings)


def _tags(held: dict[str, Any]) -> list[str]:
    return [str(tag.get("name")) for tag in _list(held.get("Tag"))]


def _is_own(tag: str) -> bool:
    return tag.startswith("nightlatch:") and "=" in tag


def _is_number(text: str) -> bool:
    digits = text.strip('"')
    return digits.isdecimal() and digits.isascii() and len(digits) <= 12


def _name(held: dict[str, Any]) -> str:
    return describe(held.get("uuid"))

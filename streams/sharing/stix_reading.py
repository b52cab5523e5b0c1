"""STIX 2.1 in: a bundle's indicators, with what its other objects say of them.

Read object by object, so that one that is wrong costs nothing but itself. Of patterns those are
understood that name one thing, or several of which any will do: addresses and networks, autonomous
systems, HTTP's user agents, and keyed hashes.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from stix2.pattern_visitor import create_pattern_object
from stix2.patterns import (  # the last one is private, and all comparisons' only base
    AndBooleanExpression,
    ObservationExpression,
    OrBooleanExpression,
    ParentheticalExpression,
    _ComparisonExpression,
)
from stix2patterns.exceptions import ParseException

from detectors.errors import InvalidEvent
from detectors.faults import describe
from detectors.markings import MARKING_OF, UNMARKED, Marking, strictest
from streams.sharing.importing import Fault, Said, Taken, Terms, json_of, not_allowed, taken
from streams.sharing.stix import HASH_TYPE, MARKINGS

_TLP_1: Final[dict[str, Marking]] = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "clear",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
}
_TLP: Final[dict[str, Marking]] = {**_TLP_1, **{ref: name for name, ref in MARKINGS.items()}}
_LONGEST_PATTERN: Final = 4_096
_KINDS: Final = {
    "ipv4-addr:value": "address",
    "ipv6-addr:value": "address",
    "network-traffic:src_ref.value": "address",
    "autonomous-system:number": "asn",
    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'": "user_agent",
}
_TECHNIQUE: Final = re.compile(r"[FT][0-9]{4}(\.[0-9]{3})?")
_UNDERSTOOD: Final = "a pattern of addresses, autonomous systems, user agents or keyed hashes"


def read_stix(data: bytes, where: str, terms: Terms) -> Iterator[Taken]:
    """Yield what comes of each indicator in a bundle, as JSON."""
    try:
        found = json_of(data)
    except InvalidEvent as error:
        yield Fault(where, error)
        return
    # A bundle or an envelope of nothing has no list.
    objects = found.get("objects", []) if isinstance(found, dict) else None
    if not isinstance(objects, list):
        yield Fault(where, not_allowed("objects", "a bundle's list of objects", objects))
        return
    yield from read_objects(objects, where, terms)


def read_objects(objects: list[Any], where: str, terms: Terms) -> Iterator[Taken]:
    """Yield what comes of each indicator among STIX objects, as JSON has them."""
    bundle = _Bundle(objects)
    for number, one in enumerate(objects):
        place = f"{where}:objects[{number}]"
        if not isinstance(one, dict):
            yield Fault(place, not_allowed("type", "a STIX object", one))
        elif one.get("type") == "indicator":
            try:
                said = list(bundle.said(one))
            except InvalidEvent as error:
                yield Fault(f"{place} {describe(one.get('id'))}", error)
                continue
            for each in said:
                yield from taken(each, f"{place} {describe(one.get('id'))}", terms)


class _Bundle:
    """What a bundle's objects say of its indicators."""

    def __init__(self, objects: list[Any]) -> None:
        self._by_id: dict[str, dict[str, Any]] = {}
        self._targets: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._sightings: dict[str, int] = defaultdict(int)
        for one in objects:
            if not isinstance(one, dict) or not isinstance(one.get("id"), str):
                continue
            self._by_id[one["id"]] = one
            if one.get("type") == "relationship":
                relation = str(one.get("source_ref")), str(one.get("relationship_type"))
                self._targets[relation].append(str(one.get("target_ref")))
            elif one.get("type") == "sighting":
                count = one.get("count", 1)
                of = str(one.get("sighting_of_ref"))
                self._sightings[of] += count if isinstance(count, int) and count > 0 else 1

    def said(self, indicator: dict[str, Any]) -> Iterator[Said]:
        """Yield what an indicator says; raises InvalidEvent where that is not understood.

        A campaign or technique that is marked more strictly is left out: it would go as far.
        """
        name, marking = str(indicator.get("id")), self._marking(indicator)
        identity = self._by_id.get(str(indicator.get("created_by_ref")), {})
        campaigns = self._pointed_at(name, "indicates", "campaign", marking)
        techniques = [
            technique
            for source in (name, *campaigns)
            for relation in ("indicates", "uses")
            for pattern in self._pointed_at(source, relation, "attack-pattern", marking)
            for technique in _techniques(self._by_id[pattern])
        ]
        for comparison in _things(indicator):
            yield Said(
                **comparison,
                source=_text(identity.get("name")),
                valid_from=indicator.get("valid_from"),
                valid_until=indicator.get("valid_until"),
                confidence=indicator.get("confidence"),
                sightings=self._sightings.get(name),
                techniques=tuple(dict.fromkeys(techniques))[:20],
                tlp=marking,
                campaign=campaigns[0][:200] if campaigns else None,
                revoked=indicator.get("revoked") is True,
            )

    def _marking(self, marked: dict[str, Any]) -> Marking | None:
        """Return the strictest of an object's TLP markings."""
        found: list[Marking] = []
        for ref in _refs(marked):
            found += [_TLP[ref]] if ref in _TLP else _defined(self._by_id.get(ref, {}))
        return strictest(found)

    def _pointed_at(
        self, source: str, relation: str, type_: str, marking: Marking | None
    ) -> list[str]:
        most = marking or UNMARKED
        return [
            target
            for target in self._targets.get((source, relation), ())
            if (found := self._by_id.get(target, {})).get("type") == type_
            and strictest((self._marking(found) or most, most)) == most
        ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _techniques(pattern: dict[str, Any]) -> Iterator[str]:
    references = pattern.get("external_references")
    for reference in references if isinstance(references, list) else ():
        name = reference.get("external_id") if isinstance(reference, dict) else None
        if isinstance(name, str) and _TECHNIQUE.fullmatch(name):
            yield name


def _refs(indicator: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of markings, of all of it and of parts: what is read of it is one thing."""
    whole, parts = indicator.get("object_marking_refs"), indicator.get("granular_markings")
    for ref in whole if isinstance(whole, list) else ():
        yield str(ref)
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict):
            yield str(part.get("marking_ref"))


def _defined(definition: dict[str, Any]) -> Iterator[Marking]:
    """Yield the TLP marking that a definition says to be one, which should have its own id."""
    said = definition.get("definition")
    texts = [definition.get("name")]
    if isinstance(said, dict):
        texts += [said.get("statement"), f"tlp:{said.get('tlp')}"]
    for text in texts:
        marking = MARKING_OF.get(text.strip().lower()) if isinstance(text, str) else None
        if marking is not None:
            yield marking


def _things(indicator: dict[str, Any]) -> list[dict[str, Any]]:
    """What a pattern names, as arguments of `Said`."""
    pattern, kind = indicator.get("pattern"), indicator.get("pattern_type", "stix")
    if kind != "stix" or not isinstance(pattern, str):
        raise not_allowed("pattern_type", "stix", kind)
    if len(pattern) > _LONGEST_PATTERN:
        raise InvalidEvent(
            "too_large",
            field="pattern",
            expected=f"at most {_LONGEST_PATTERN} characters",
            found=f"{len(pattern)}",
        )
    try:
        parsed = create_pattern_object(pattern, version="2.1")
    except (ParseException, ValueError) as error:
        raise not_allowed("pattern", "a STIX pattern", str(error)) from None
    except RecursionError:
        raise not_allowed("pattern", _UNDERSTOOD, "one that is nested too deeply") from None
    if not isinstance(parsed, ObservationExpression):
        raise not_allowed("pattern", _UNDERSTOOD, pattern)
    return list(_any_of(parsed.operand, pattern))


def _any_of(expression: Any, pattern: str) -> Iterator[dict[str, Any]]:
    if isinstance(expression, ParentheticalExpression):
        expression = expression.expression
    if isinstance(expression, OrBooleanExpression):
        for operand in expression.operands:
            yield from _any_of(operand, pattern)
    elif isinstance(expression, AndBooleanExpression):
        yield _keyed_hash(expression.operands, pattern)
    else:
        path, values = _compared(expression, pattern)
        if path not in _KINDS:
            raise not_allowed("pattern", _UNDERSTOOD, pattern)
        for value in values:
            yield {"kind": _KINDS[path], "text": value}


def _keyed_hash(operands: list[Any], pattern: str) -> dict[str, Any]:
    """The one conjunction that names a single thing."""
    parts: dict[str, str] = {}
    for operand in operands:
        path, values = _compared(operand, pattern)
        parts[path.removeprefix(f"{HASH_TYPE}:")] = values[0]
    if parts.keys() != {"hmac_sha256", "kind", "key_id"}:
        raise not_allowed("pattern", _UNDERSTOOD, pattern)
    return {
        "kind": parts["kind"],
        "text": None,
        "hash": parts["hmac_sha256"],
        "key_id": parts["key_id"],
    }


def _compared(expression: Any, pattern: str) -> tuple[str, list[str]]:
    """The path of a comparison, and the values that it may have."""
    if (
        not isinstance(expression, _ComparisonExpression)
        or expression.negated
        or expression.operator not in {"=", "IN", "ISSUBSET"}
    ):
        raise not_allowed("pattern", _UNDERSTOOD, pattern)
    right = expression.rhs
    constants = right.value if isinstance(right.value, list) else [right]
    return str(expression.lhs), [_unquoted(str(one.value)) for one in constants]


def _unquoted(text: str) -> str:
    """The library gives strings as they stand in the pattern, backslashes and all."""
    return re.sub(r"\\(.)", r"\1", text)

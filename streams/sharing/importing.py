"""Feeds to reports: what every format has in common, whichever way it is spelt.

A format finds `Said`s: who says what of which thing. Here that becomes reports: an address becomes
the range that the product compares, a network the ranges in it, and what concerns a person a keyed
hash, at once and for good. What cannot be used is a `Fault` that names its place; the rest goes on.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from detectors.errors import InvalidEvent, UnreadableFile
from detectors.faults import describe
from detectors.heat.indicators import Indicator, key_of
from detectors.intelligence import (
    GroupKey,
    IndicatorReport,
    keyed_hash,
    parse_report,
    report_id,
)
from detectors.intelligence.records import KIND_OF, LONGEST, PERSONAL, RANGE_BITS
from detectors.parsing import seconds_of
from streams.files import read_lines

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a file or an answer that is taken in at once."""
_MOST_RANGES: Final = 256
_LONGEST_FEED: Final = 200
_DAY: Final = 86_400.0


class Terms(NamedTuple):
    """How a feed is taken in at `now`, UTC epoch seconds.

    `source` is who answers for it; None: whoever it names. `days` is how long what names no end is
    valid, and the longest that anything is. `key` is what personal values are hashed with. `feed`
    names what brings it, where no `source` answers for it.
    """

    now: float
    source: str | None = None
    days: float = 90.0
    marking: str = "amber"
    key: GroupKey | None = None
    feed: str = "files"


class Said(NamedTuple):
    """What a feed says of one thing: `text` of `kind`, or its `hash` made with key `key_id`.

    `kind` "address" is an address or network of either version. What is None is not said.
    """

    kind: str
    text: str | None
    source: str | None = None
    hash: str | None = None
    key_id: str | None = None
    valid_from: object = None
    valid_until: object = None
    confidence: object = None
    sightings: object = None
    techniques: tuple[str, ...] = ()
    tlp: str | None = None
    campaign: str | None = None
    revoked: bool = False


class Withdrawn(NamedTuple):
    """A report that its source takes back, by its id."""

    indicator_id: str


class Fault(NamedTuple):
    """Something of a feed that cannot be used: where it stands, and what is wrong."""

    where: str
    error: InvalidEvent

    def __str__(self) -> str:
        return f"{self.where}: {self.error}"


Taken = IndicatorReport | Withdrawn | Fault


def taken(said: Said, where: str, terms: Terms) -> Iterator[Taken]:
    """Yield what comes of one thing that is said; a single Fault where nothing can."""
    try:
        found = list(_reports(said, terms))
    except InvalidEvent as error:
        yield Fault(where, error)
        return
    yield from found


def read_whole(path: Path) -> bytes:
    """Return a file's contents, decompressed by its suffix; `-` is standard input.

    Raises UnreadableFile, also for more than `MOST_BYTES`.
    """
    data = bytearray()
    for line in read_lines(path):
        data += line + b"\n"
        if len(data) > MOST_BYTES:
            raise UnreadableFile(f"{path}: more than {MOST_BYTES} bytes: take it in by parts")
    return bytes(data)


def json_of(data: bytes) -> Any:
    """Return what JSON says; raises InvalidEvent for what is none."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidEvent(
            "not_json", field=None, expected="JSON", found=str(error)[:100]
        ) from None


def not_allowed(field: str, expected: str, found: object) -> InvalidEvent:
    """Return the error for a value that is none of those that are understood."""
    return InvalidEvent("not_allowed", field=field, expected=expected, found=describe(found))


def _reports(said: Said, terms: Terms) -> Iterator[IndicatorReport | Withdrawn]:
    source = terms.source or said.source
    if not source:
        raise InvalidEvent(
            "missing_field",
            field="source",
            expected="who says it: name it with --source",
            found="nothing",
        )
    common = _common(said, source, terms)
    for kind, identified in _identified(said, terms):
        identifier = identified.get("value") or f"{identified['key_id']}:{identified['hash']}"
        fields = {
            **common,
            **identified,
            "kind": kind,
            "indicator_id": report_id(source, kind, identifier),
        }
        report = parse_report(fields)
        yield Withdrawn(report.indicator_id) if said.revoked else report


def _common(said: Said, source: str, terms: Terms) -> dict[str, Any]:
    longest = min(terms.days * _DAY, LONGEST)
    begins = terms.now
    if said.valid_from is not None:
        begins = seconds_of(said.valid_from, "valid_from")
    ends = max(begins, terms.now) + longest
    if said.valid_until is not None:
        # A feed's word is good for as long as it says, and for no longer than we give it.
        ends = min(seconds_of(said.valid_until, "valid_until"), ends)
    if ends - begins > LONGEST:
        # What was first told long ago and still holds is news of now.
        begins = ends - LONGEST
    if ends <= terms.now and not said.revoked:
        raise InvalidEvent(
            "out_of_range",
            field="valid_until",
            expected="a time to come",
            found=describe(said.valid_until),
        )
    return {
        "source": source,
        "valid_from": round(begins * 1000),
        "valid_until": round(ends * 1000),
        "confidence": said.confidence,
        "sightings": said.sightings,
        "techniques": list(said.techniques),
        "tlp": said.tlp or terms.marking,
        "campaign": said.campaign,
        "feed": (terms.source or terms.feed)[:_LONGEST_FEED],
    }


def _identified(said: Said, terms: Terms) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the kinds and values, or hashes, that what is said comes to."""
    if said.hash is not None:
        yield said.kind, {"hash": said.hash, "key_id": said.key_id}
    elif not said.text:
        raise InvalidEvent("missing_field", field="value", expected="a value", found="nothing")
    elif said.kind in {"address", "address_prefix"}:
        for network in _ranges(said.text):
            yield "address_prefix", {"value": network}
    elif said.kind == "asn":
        yield "asn", {"value": said.text.upper().removeprefix("AS").strip()}
    elif said.kind in PERSONAL:
        yield said.kind, _hashed(said.kind, said.text, terms.key)
    else:
        yield said.kind, {"value": said.text}


def _hashed(kind: str, value: str, key: GroupKey | None) -> dict[str, Any]:
    if key is None:
        expected = f"a keyed hash: a {kind} concerns a person, and no key is there to hash it with"
        raise InvalidEvent("not_allowed", field="value", expected=expected, found="a plain value")
    of_kind = KIND_OF[kind]
    indicator = Indicator(of_kind, key_of(of_kind, value))
    return {"hash": keyed_hash(key, indicator.id), "key_id": key.key_id}


def _ranges(text: str) -> Iterator[str]:
    """Yield the address ranges that an address is in, or that a network is made of."""
    expected = "an IPv4 or IPv6 address, or a network of at most 256 ranges (/16 or /40)"
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise not_allowed("value", expected, text) from None
    bits = RANGE_BITS[network.version]
    if network.prefixlen >= bits:
        yield str(network.supernet(new_prefix=bits))
    elif 1 << (bits - network.prefixlen) > _MOST_RANGES:
        raise not_allowed("value", expected, text)
    else:
        yield from map(str, network.subnets(new_prefix=bits))

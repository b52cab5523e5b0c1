"""What one source says of one indicator: a record of the topic `indicators`."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from ipaddress import IPv4Network, ip_network
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta

from detectors.errors import InvalidEvent
from detectors.faults import describe, explained
from detectors.heat.indicators import KINDS, Kind
from detectors.markings import UNMARKED, Marking
from detectors.parsing import seconds_of

KindName = Literal[
    "address_prefix",
    "asn",
    "device",
    "user_agent",
    "client_shape",
    "delivery_address",
    "payment",
    "contact",
]

KIND_OF: Final[Mapping[str, Kind]] = {
    KINDS[kind].name: kind for kind in Kind if KINDS[kind].name in get_args(KindName)
}
PERSONAL: Final = frozenset(facts.name for facts in KINDS if not facts.shown)
"""Kinds whose values concern a person whatever they are: told as keyed hashes, never plain."""
LONGEST: Final = 366 * 86_400.0
"""Seconds for which a report may be valid at most: an indicator that is older tells of others."""
RANGE_BITS: Final = {4: 24, 6: 48}
"""The length of an address range by the version of IP: what addresses are told by."""

_KEY_ID: Final = "^[A-Za-z0-9._-]{1,64}$"
_PLAIN: Final = r"^[^\x00-\x1f\x7f-\x9f]*\Z"
"""No control characters: what is counted by names puts some between them."""
_Name = Annotated[
    str, Meta(min_length=1, max_length=200, description="a text of 1 to 200 characters")
]
SourceName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=_PLAIN,
        description="a text of 1 to 100 characters, none a control character",
    ),
]
"""Whose word it is."""


class IndicatorReport(msgspec.Struct, frozen=True, kw_only=True):
    """One source's word on one indicator: published on `indicators` under `indicator_id`.

    Exactly one of `value` and `hash` is there; a hash names its key by `key_id`, and personal kinds
    have only that. Valid from `valid_from` to before `valid_until` (UTC epoch seconds, at most
    366 days). `confidence`, 0 to 100, is the source's own; `sightings` how many alerts it has seen.
    `tlp` is the marking (TLP 2.0) under which it was received, which whoever passes it on must keep
    to. `campaign` is the source's name for whose indicator it is. `feed` is what brought it here,
    by whoever took it in, never by the source: what one feed may fill is bounded by it.
    """

    indicator_id: _Name
    source: SourceName
    kind: KindName
    valid_from: float
    valid_until: float
    value: (
        Annotated[
            str, Meta(min_length=1, max_length=512, description="a text of 1 to 512 characters")
        ]
        | None
    ) = None
    hash: (
        Annotated[
            str, Meta(pattern="^[0-9a-f]{64}$", description="64 lower-case hexadecimal digits")
        ]
        | None
    ) = None
    key_id: (
        Annotated[str, Meta(pattern=_KEY_ID, description="1 to 64 letters, digits, . _ or -")]
        | None
    ) = None
    confidence: Annotated[int, Meta(ge=0, le=100, description="an integer from 0 to 100")] = 50
    sightings: Annotated[
        int, Meta(ge=1, le=1_000_000_000, description="an integer from 1 to a billion")
    ] = 1
    techniques: Annotated[
        tuple[
            Annotated[
                str,
                Meta(
                    pattern=r"^[FT][0-9]{4}(\.[0-9]{3})?$",
                    description="an id of MITRE F3 or ATT&CK",
                ),
            ],
            ...,
        ],
        Meta(max_length=20),
    ] = ()
    tlp: Marking = UNMARKED
    campaign: _Name | None = None
    feed: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=200,
                pattern=_PLAIN,
                description="a text of 1 to 200 characters, none a control character",
            ),
        ]
        | None
    ) = None


def parse_report(raw: Mapping[str, object]) -> IndicatorReport:
    """Return the report that a decoded JSON object is; times RFC 3339 or epoch milliseconds.

    Unknown fields are ignored, null counts as absent. Raises InvalidEvent with the first fault.
    """
    fields: dict[str, Any] = {name: value for name, value in raw.items() if value is not None}
    for name in ("valid_from", "valid_until"):
        if name not in fields:
            expected = "an RFC 3339 time with an offset, or integer epoch milliseconds"
            raise InvalidEvent("missing_field", field=name, expected=expected, found="nothing")
        fields[name] = seconds_of(fields[name], name)
    try:
        report = msgspec.convert(fields, IndicatorReport)
    except msgspec.ValidationError as error:
        raise explained(str(error), tidied=fields, raw=fields, kind=IndicatorReport) from None
    _check_identifier(report)
    if not report.valid_from < report.valid_until <= report.valid_from + LONGEST:
        expected = "a time after valid_from, and at most 366 days after it"
        found = f"{(report.valid_until - report.valid_from) / 86_400:.1f} days after it"
        raise InvalidEvent("out_of_range", field="valid_until", expected=expected, found=found)
    return report


def _check_identifier(report: IndicatorReport) -> None:
    if (report.value is None) == (report.hash is None):
        found = "neither" if report.value is None else "both"
        raise InvalidEvent("not_allowed", field="value", expected="value or hash", found=found)
    if report.hash is not None and report.key_id is None:
        expected = "the name of the key that the hash was made with"
        raise InvalidEvent("missing_field", field="key_id", expected=expected, found="nothing")
    if report.value is None:
        return
    if report.kind in PERSONAL:
        expected = f"a hash: a {report.kind} concerns a person"
        raise InvalidEvent("not_allowed", field="value", expected=expected, found="a plain value")
    if report.kind == "address_prefix" and not _is_range(report.value):
        expected = "an address range, /24 of IPv4 or /48 of IPv6"
        found = describe(report.value)
        raise InvalidEvent("not_allowed", field="value", expected=expected, found=found)
    if report.kind == "asn" and not (report.value.isdecimal() and report.value.isascii()):
        expected = "the number of an autonomous system"
        found = describe(report.value)
        raise InvalidEvent("wrong_type", field="value", expected=expected, found=found)


def _is_range(text: str) -> bool:
    try:
        network = ip_network(text)
    except ValueError:
        return False
    version = 4 if isinstance(network, IPv4Network) else 6
    return network.prefixlen == RANGE_BITS[version] and str(network) == text


def is_key_id(text: str) -> bool:
    """Whether a text can name a key."""
    return re.fullmatch(_KEY_ID, text) is not None


def report_id(source: str, kind: str, identifier: str) -> str:
    """Return the id of a source's report on an indicator: no source can replace another's.

    `identifier` is its value, or its key's id and the hash. The same source's next report on the
    same indicator takes the place of the one before.
    """
    hashed = blake2b(f"{source}\0{kind}\0{identifier}".encode(), digest_size=16)
    return f"{kind}:{hashed.hexdigest()}"

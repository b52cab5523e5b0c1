"""What decodes and is not what a flow tells: refused, or folded, and never the worker's end."""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.heat import Batch, Reassessment, encode_batch, encode_link, encode_notice
from detectors.heat.records import VERSION, Totals
from detectors.heat.table import HotTable
from streams.app import _factories
from streams.runtime.interfaces import Processor, Record
from streams.runtime.numbering import HEADER
from streams.settings import Settings
from tests.unit.edges.test_telling import BATCH, ENTRY, HOT, JOINS, LINK

SETTINGS = Settings(dead_letter_limit=1)
TOTALS = Totals(16_000_000, 9, 1, 9, 1, 0, 3)
WHOLE = Batch(VERSION, (TOTALS,), (*BATCH.sightings, msgspec.structs.replace(
    BATCH.sightings[0], tried=3, failed=2, accounts=(1, 2, 3), networks=(1,), entries=(ENTRY,)
)))  # fmt: skip
TOLD: dict[str, tuple[str, bytes]] = {
    "batch": ("heat", encode_batch(WHOLE)),
    "link": ("campaigns", encode_link(LINK)),
    "reassessment": ("events", encode_notice(Reassessment(ENTRY, HOT))),
    "membership": ("events", encode_notice(JOINS)),
}
TOPICS = {
    "heat": "nightlatch-observations",
    "campaigns": "nightlatch-alert-links",
    "events": "nightlatch-reassessments",
}
NASTY: tuple[Any, ...] = (
    -1, -20, 0, 8, 99, 2**31, 2**63, -(2**63), 2**64 - 1, 1e300, -1e300, math.nan, math.inf, "",
    "NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "\x00", None, True, [], [[]], [0] * 12,
)  # fmt: skip


def _places(told: Any, at: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for number, value in enumerate(told):
        yield (*at, number)
        if isinstance(value, list):
            yield from _places(value, (*at, number))


def _with(told: Any, place: tuple[int, ...], value: Any) -> Any:
    if not isinstance(told, list) or place[0] >= len(told):
        return told  # replaced before
    changed = list(told)
    first, *rest = place
    changed[first] = _with(changed[first], tuple(rest), value) if rest else value
    return changed


@cache
def _processor(flow: str) -> Processor:
    return _factories(SETTINGS, HotTable())[flow](0, lambda _: None)


def _fold(what: str, value: bytes) -> list[str]:
    """Fold a record as a worker does, twice; return the topics that it led to."""
    flow, _ = TOLD[what]
    processor = _processor(flow)
    record = Record(TOPICS[flow], 0, 0, 1.7e9, b"anna", value, ((HEADER, b"events:0:1"),))
    topics = []
    for _ in range(2):
        prepared = processor.prepare(record)
        topics += [send.topic for send in processor.fold([prepared])]
        processor.changes()
    return topics


@pytest.mark.parametrize("what", TOLD)
def test_no_value_in_any_place_ends_a_worker(what: str) -> None:
    """Each number and text in turn is one that no flow tells; what is true is never refused."""
    assert "dead-letters" not in _fold(what, TOLD[what][1])
    told = msgspec.msgpack.decode(TOLD[what][1])
    for place in _places(told):
        for value in NASTY:
            _fold(what, msgspec.msgpack.encode(_with(told, place, value)))


@pytest.mark.parametrize(
    ("what", "place", "value"),
    [
        ("batch", (2, 0, 0), 99),
        ("batch", (2, 0, 2), 2**50),
        ("batch", (1, 0, 1), -20),
        ("link", (1,), 99),
        ("link", (3, 8), "sNaN"),
        ("reassessment", (2, 1), 99),
        ("reassessment", (2, 6), 1e300),
        ("reassessment", (1, 2), math.nan),
    ],
)
def test_what_no_flow_tells_is_a_dead_letter(what: str, place: tuple[int, ...], value: Any) -> None:
    """Kinds that there are not, times in no century, amounts that are no number."""
    told = msgspec.msgpack.decode(TOLD[what][1])
    assert set(_fold(what, msgspec.msgpack.encode(_with(told, place, value)))) == {"dead-letters"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_two_values_end_a_worker(data: st.DataObject) -> None:
    """Two at once, wherever they are."""
    what = data.draw(st.sampled_from(sorted(TOLD)))
    told = msgspec.msgpack.decode(TOLD[what][1])
    for _ in range(2):
        place = data.draw(st.sampled_from(list(_places(told))))
        told = _with(told, place, data.draw(st.sampled_from(NASTY)))
    _fold(what, msgspec.msgpack.encode(told))

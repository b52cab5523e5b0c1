"""Reports as bytes: records of the topic `indicators`, and lines of a file."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from detectors.errors import ConfigurationError, InvalidEvent
from detectors.intelligence import IndicatorReport, IndicatorTable, parse_report
from streams.codec import decode_object, rfc3339
from streams.files import read_lines
from streams.runtime.interfaces import Record
from streams.sharing.importing import Fault, Said, Taken, Terms, Withdrawn, taken

MAX_REPORT_BYTES: Final = 16 * 1024
_SWEPT_EVERY: Final = 3_600.0
_log: Final = logging.getLogger(__name__)


def encode_report(report: IndicatorReport) -> bytes:
    """Return a report as `indicators` carries it; what is not known is left out."""
    fields: dict[str, Any] = {
        name: value for name, value in msgspec.to_builtins(report).items() if value is not None
    }
    for name in ("valid_from", "valid_until"):
        fields[name] = rfc3339(fields[name])
    return orjson.dumps(fields)


def decode_report(value: bytes | None) -> IndicatorReport:
    """Return the report in a record's value; raises InvalidEvent for anything else."""
    return parse_report(decode_object(value, limit=MAX_REPORT_BYTES))


def into_indicators(
    table: IndicatorTable, now: Callable[[], float] = time.time
) -> Callable[[Record], None]:
    """Return what takes the records of `indicators` into a worker's table.

    A record without a value takes a report back. What is no report, or bears another's id as its
    key, is told in the log and left where it is; what is not valid any more by the clock is not
    held.
    """
    swept = now()

    def take(record: Record) -> None:
        nonlocal swept
        if now() - swept > _SWEPT_EVERY:
            swept = now()
            table.sweep(swept)
        if record.value is None:
            table.drop((record.key or b"").decode(errors="replace"))
            return
        position = f"{record.topic}:{record.partition}:{record.offset}"
        try:
            report = _report_of(record)
        except InvalidEvent as error:
            _log.warning("%s is no report on an indicator, and is left out: %s", position, error)
            return
        if report.valid_until <= now():
            table.drop(report.indicator_id)
            return
        before = table.left_out
        table.take(report)
        if table.left_out > before and table.left_out.bit_count() == 1:
            # Told at the first, the second, the fourth …: a flood does not fill the log.
            _log.warning("%s: no room for %d reports so far", position, table.left_out)

    return take


def read_record(record: Record, terms: Terms) -> Taken:
    """Return what comes of a record of another's topic: its own report, never another source's.

    It is valid no longer than `terms` allow; with a source named there, that one answers for it.
    """
    position = f"{record.topic}:{record.partition}:{record.offset}"
    try:
        if record.value is None:
            return Withdrawn((record.key or b"").decode(errors="replace"))
        report = _report_of(record)
    except InvalidEvent as error:
        return Fault(position, error)
    said = Said(
        kind=report.kind,
        text=report.value,
        source=report.source,
        hash=report.hash,
        key_id=report.key_id,
        valid_from=round(report.valid_from * 1000),
        valid_until=round(report.valid_until * 1000),
        confidence=report.confidence,
        sightings=report.sightings,
        techniques=report.techniques,
        tlp=report.tlp,
        campaign=report.campaign,
    )
    return next(taken(said, position, terms))


def _report_of(record: Record) -> IndicatorReport:
    report = decode_report(record.value)
    if record.key != report.indicator_id.encode():
        raise InvalidEvent(
            "wrong_key", field="indicator_id", expected="the record's key", found="another id"
        )
    return report


def read_reports(path: Path) -> Iterator[IndicatorReport]:
    """Yield the reports of a file, one object a line; raises ConfigurationError, naming the line.

    Plain or compressed, as `read_lines` takes it.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            try:
                yield decode_report(line)
            except InvalidEvent as error:
                raise ConfigurationError(f"{path}:{number} is no report: {error}") from None

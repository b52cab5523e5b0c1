"""What reports say in words."""

from collections.abc import Sequence
from itertools import chain
from typing import Final

from msgspec import UNSET, UnsetType

from detectors.assessments import Evidence
from detectors.features.reading import Reading
from detectors.heat.indicators import KINDS, Kind
from detectors.heat.wording import NAMES
from detectors.markings import MILDEST_FIRST, Marking, strictest

_MOST_NAMED: Final = 3
_TECHNIQUES: Final = 8
_SHOWN: Final = 160
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def describe(reading: Reading) -> str:
    """Return a sentence that names the most telling indicator, and who reported it."""
    if not reading.reported:
        return ""
    most, *others = reading.reported
    sources = [report.source for report in most.reports]
    named = ", ".join(sources[:_MOST_NAMED])
    if len(sources) > _MOST_NAMED:
        named += ", …"
    also = f", and {_number(len(others))} more of what it came with" if others else ""
    name = NAMES[Kind(most.met.kind)]
    techniques = _techniques(reading)
    told = f" Reported with it: {', '.join(techniques)}." if techniques else ""
    return (
        f"{name[0].upper()}{name[1:]} new to this account was reported by"
        f" {_number(len(sources))} other source{'' if len(sources) == 1 else 's'} ({named}){also}."
        f"{told}"
    )


def evidence_of(reading: Reading) -> Evidence | None:
    """Return what was reported, its value where that may be told."""
    if not reading.reported:
        return None
    most = reading.reported[0]
    facts = KINDS[most.met.kind]
    return Evidence(seen=most.met.value[:_SHOWN] if facts.shown else facts.name)


def techniques_of(reading: Reading) -> tuple[str, ...]:
    """Return the techniques that an alert may take over from reports as its own, a few.

    An alert's techniques do not say whence they come, and go into campaigns, exports and packs: so
    only what anybody may know (TLP:CLEAR). The others are in the reason's words, with its marking.
    """
    return _techniques(reading, ("clear",))


def marking_of(reading: Reading) -> Marking | UnsetType:
    """Return the strictest marking of what was reported."""
    markings = (report.tlp for one in reading.reported for report in one.reports)
    return strictest(markings) or UNSET


def _techniques(reading: Reading, under: Sequence[Marking] = MILDEST_FIRST) -> tuple[str, ...]:
    told = chain.from_iterable(
        report.techniques
        for one in reading.reported
        for report in one.reports
        if report.tlp in under
    )
    return tuple(dict.fromkeys(told))[:_TECHNIQUES]


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)

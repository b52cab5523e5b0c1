"""What reports say in words."""

from itertools import chain
from typing import Final

from detectors.assessments import Evidence
from detectors.features.reading import Reading
from detectors.heat.indicators import KINDS, Kind
from detectors.heat.wording import NAMES

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
    return (
        f"{name[0].upper()}{name[1:]} new to this account was reported by"
        f" {_number(len(sources))} other source{'' if len(sources) == 1 else 's'} ({named}){also}."
    )


def evidence_of(reading: Reading) -> Evidence | None:
    """Return what was reported, its value where that may be told."""
    if not reading.reported:
        return None
    most = reading.reported[0]
    facts = KINDS[most.met.kind]
    return Evidence(seen=most.met.value[:_SHOWN] if facts.shown else facts.name)


def techniques_of(reading: Reading) -> tuple[str, ...]:
    """Return the techniques that the reports point to, a few."""
    told = chain.from_iterable(r.techniques for one in reading.reported for r in one.reports)
    return tuple(dict.fromkeys(told))[:_TECHNIQUES]


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)

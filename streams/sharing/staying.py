"""What others told under a marking that keeps it in the house: an export passes none of it on.

That an indicator was seen here as well does not set it free: it may have been looked for because
it was told. So it stays, by whatever kind or hash it came, as long as the topic has the report.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from detectors.intelligence import GroupKey, IndicatorReport
from detectors.intelligence.table import mark_of, marks_of
from detectors.markings import STAYING


class TakenBack(NamedTuple):
    """A report that is not told any more, by its id."""

    indicator_id: str


class Staying:
    """Indicators that others have told of under TLP:RED or TLP:AMBER+STRICT.

    `keys` are the group's keys: of what is hashed with others nothing can be known, and nothing
    that is exported can be compared with it either. Reports of `own` name are the retailer's own.
    """

    def __init__(self, own: str, keys: Sequence[GroupKey] = ()) -> None:
        self._own = own
        self._keys = tuple(keys)
        self._reports: dict[str, IndicatorReport] = {}

    def take(self, told: IndicatorReport | TakenBack) -> None:
        """Take a report, or that it was taken back."""
        self._reports.pop(told.indicator_id, None)
        if isinstance(told, IndicatorReport) and told.tlp in STAYING and told.source != self._own:
            self._reports[told.indicator_id] = told

    def sources(self, indicators: Iterable[str]) -> dict[str, list[str]]:
        """Return who told of indicators (`Indicator.id`), of those that somebody told of."""
        by_mark: dict[str, set[str]] = defaultdict(set)
        for report in self._reports.values():
            by_mark[mark_of(report)].add(report.source)
        found: dict[str, list[str]] = {}
        for indicator in set(indicators) if by_mark else ():
            names = {
                name for mark in marks_of(indicator, self._keys) for name in by_mark.get(mark, ())
            }
            if names:
                found[indicator] = sorted(names)
        return found

"""What other retailers and the police report of indicators, and how far they are believed.

`records` is what one source says of one indicator, as the topic `indicators` carries it. `hashing`
makes the keyed hashes by which what concerns a person is compared. `table` holds the reports where
an engine can ask at once. `trust` learns from verdicts how often a source turns out right. What all
of it adds to an event's score is a feature's business (`detectors.features.shared`).
"""

from detectors.intelligence.hashing import GroupKey, keyed_hash
from detectors.intelligence.records import IndicatorReport, SourceName, parse_report, report_id
from detectors.intelligence.table import IndicatorTable

__all__ = [
    "GroupKey",
    "IndicatorReport",
    "IndicatorTable",
    "SourceName",
    "keyed_hash",
    "parse_report",
    "report_id",
]

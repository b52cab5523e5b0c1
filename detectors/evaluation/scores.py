"""What one detector said: the risk of every event, and the cases it raised."""

from array import array
from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.assessments import Assessment
from detectors.evaluation.ledger import Named
from detectors.evaluation.trial import Risks
from detectors.events import EventType

_JUDGED: Final[tuple[EventType, ...]] = ("login", "order", "account_change")


class RaisedCase(msgspec.Struct, kw_only=True):
    """One case as its assessments tell it. `risk` and `reasons` are those of its riskiest event.

    `raised_at` is the time of the first event that carried the alert's id, UTC epoch seconds.
    """

    alert_id: str
    account_id: str
    raised_at: float
    risk: float
    reasons: tuple[str, ...]
    event_ids: list[str]


class Scores:
    """Takes a detector's assessments in any order; keeps sixteen bytes an event.

    One that does not tell its event's type is of the event, of whatever type, that has its id.
    """

    def __init__(self) -> None:
        self._identity = array("q")
        self._risk = array("d")
        self.cases: dict[str, RaisedCase] = {}

    def __len__(self) -> int:
        return len(self._risk)

    def add(self, event: Named, risk: float) -> None:
        """Record the risk of an event; of several for one event the highest counts."""
        for type_ in _JUDGED if event.type is None else (event.type,):
            self._identity.append(hash(Named(type_, event.event_id)))
            self._risk.append(risk)

    def take(self, assessments: Iterable[Assessment]) -> None:
        """Record assessments, and the cases that they belong to."""
        for assessment in assessments:
            self.add(Named(assessment.type, assessment.event_id), assessment.risk)
            if assessment.alert_id is not None:
                self.take_case(assessment, assessment.alert_id)

    def take_case(self, assessment: Assessment, alert_id: str) -> None:
        """Record that an event belongs to a case."""
        case = self.cases.get(alert_id)
        if case is None:
            case = self.cases[alert_id] = RaisedCase(
                alert_id=alert_id,
                account_id=assessment.account_id,
                raised_at=assessment.occurred_at,
                risk=assessment.risk,
                reasons=assessment.reasons,
                event_ids=[],
            )
        case.event_ids.append(assessment.event_id)
        if assessment.risk > case.risk:
            case.risk, case.reasons = assessment.risk, assessment.reasons

    def aligned(self, identity: NDArray[np.int64]) -> tuple[Risks, int]:
        """Return the risk of each of these events (`Columns.identity`), and how many had none.

        An event without an assessment was not looked at: it counts as 0.
        """
        known, inverse = np.unique(np.array(self._identity, np.int64), return_inverse=True)
        highest = np.full(len(known), -np.inf)
        np.maximum.at(highest, inverse, np.nan_to_num(np.array(self._risk, np.float64)))
        at = np.searchsorted(known, identity)
        found = at < len(known)
        found[found] = known[at[found]] == identity[found]
        risks = np.zeros(len(identity))
        risks[found] = highest[at[found]]
        return risks, int(np.count_nonzero(~found))

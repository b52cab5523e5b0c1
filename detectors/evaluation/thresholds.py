"""The risk from which on to alert, so that a budget of false alerts is spent exactly."""

from typing import NamedTuple

import numpy as np

from detectors.evaluation.trial import Risks


class Threshold(NamedTuple):
    """Alert above `risk`, and with chance `tie` (0 to 1) at it.

    Many days may share one score, and then no threshold spends the budget exactly: a coin decides
    among them, so that a detector with few distinct scores is neither favoured nor punished.
    """

    risk: float
    tie: float


def threshold(day_risks: Risks, budget: float) -> Threshold:
    """Return the threshold that alerts on a share `budget` of the days, 0 to 1, in expectation.

    Where there are no days, any event at all would be alerted.
    """
    if not len(day_risks):
        return Threshold(-np.inf, 0.0)
    descending = np.sort(day_risks)[::-1]
    allowed = budget * len(descending)
    risk = descending[min(len(descending) - 1, int(allowed))]
    above = np.count_nonzero(descending > risk)
    at = np.count_nonzero(descending == risk)
    return Threshold(float(risk), float(np.clip((allowed - above) / at, 0.0, 1.0)))

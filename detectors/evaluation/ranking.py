"""How well risks order events: average precision, and the area under the ROC curve beside it."""

from typing import NamedTuple

import numpy as np

from detectors.evaluation.trial import Risks


class Ranking(NamedTuple):
    """`average_precision` is the mean precision over the takeover events, tied risks taken as one.

    `roc_auc` is the chance that a takeover event has the higher risk of a random pair, ties half.
    """

    average_precision: float
    roc_auc: float


def rank(hijacked: Risks, legitimate: Risks) -> Ranking | None:
    """Return how well the risks of takeover events stand above legitimate ones; None without both.

    Average precision is the step-wise area of Manning et al. 2008, section 8.4: the sum over
    distinct risks, from the highest, of the gain in recall times the precision there.
    """
    if not len(hijacked) or not len(legitimate):
        return None
    risks = np.concatenate([hijacked, legitimate])
    takeover = np.concatenate([np.ones(len(hijacked)), np.zeros(len(legitimate))])
    _, inverse, counts = np.unique(risks, return_inverse=True, return_counts=True)
    takeovers = np.bincount(inverse, takeover)[::-1]
    events = counts[::-1]
    precision = np.cumsum(takeovers) / np.cumsum(events)
    below = len(legitimate) - np.cumsum(events - takeovers)
    pairs = takeovers @ below + takeovers @ (events - takeovers) / 2
    return Ranking(
        average_precision=float(takeovers @ precision / len(hijacked)),
        roc_auc=float(pairs / (len(hijacked) * len(legitimate))),
    )

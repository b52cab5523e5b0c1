"""Whether risk means what it says: of the events scored near 0.8, are four in five takeovers?"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from detectors.evaluation.trial import Risks

BINS: Final = 10
UPPER: Final = 1
"""The bins from this one on hold the risks of 0.1 or more, where calibration matters."""


class Bin(msgspec.Struct, frozen=True):
    """The events with a risk in one tenth of the scale: how many, their risks' sum, takeovers."""

    events: int
    risk: float
    takeovers: int


def reliability(hijacked: Risks, legitimate: Risks) -> tuple[Bin, ...] | None:
    """Count events by tenths of risk; None where some risk is no probability (outside 0 to 1)."""
    risks = np.concatenate([hijacked, legitimate])
    if len(risks) and not 0 <= risks.min() <= risks.max() <= 1:
        return None
    tenth = np.minimum((risks * BINS).astype(int), BINS - 1)
    takeover = np.repeat([1, 0], [len(hijacked), len(legitimate)])
    return tuple(
        Bin(int(events), float(risk), int(takeovers))
        for events, risk, takeovers in zip(
            np.bincount(tenth, minlength=BINS),
            np.bincount(tenth, risks, minlength=BINS),
            np.bincount(tenth, takeover, minlength=BINS),
            strict=True,
        )
    )


def pooled(tables: Sequence[tuple[Bin, ...]]) -> tuple[Bin, ...]:
    """Add up the tables of several runs, bin by bin."""
    return tuple(
        Bin(sum(b.events for b in bins), sum(b.risk for b in bins), sum(b.takeovers for b in bins))
        for bins in zip(*tables, strict=True)
    )


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """Return the mean gap between risk and share of takeovers, by events; None without events.

    Naeini et al. 2015, with ten bins of equal width. Nearly all events of a shop lie in the lowest
    bin, so give it the upper bins alone to see whether the high risks can be believed.
    """
    events = sum(b.events for b in bins)
    return sum(abs(b.risk - b.takeovers) for b in bins) / events if events else None

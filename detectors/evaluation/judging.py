"""One detector's risks against what is judged of a run.

Hijack-level, since a hijack is one loss however many events it has: it is caught in time if any
of its events is alerted at or before its first order, and caught at access if its first event is.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.evaluation.calibration import Bin, reliability
from detectors.evaluation.ranking import rank
from detectors.evaluation.thresholds import Threshold, threshold
from detectors.evaluation.trial import Hijack, Risks, Trial

BUDGETS: Final = (0.001, 0.003, 0.01)
"""Shares of the legitimate account-days that may be alerted."""

CURVE: Final = tuple(float(f"{10 ** (step / 10):.3g}") for step in range(-40, -9))
"""The budgets of the recall curve: ten a decade, from one day in ten thousand to one in ten."""


class Caught(msgspec.Struct, frozen=True):
    """What became of one hijack at one budget; chances from 0 to 1 where tied scores leave it open.

    `saved` is the value of the orders placed at or after the first alert, which could be stopped.
    `seconds` is the time from access to the first alert in the likelier case, None without one.
    """

    in_time: float
    at_access: float
    ever: float
    saved: float
    seconds: float | None


class JudgedHijack(msgspec.Struct, frozen=True):
    """A hijack and what became of it at each of `BUDGETS`, in their order.

    `depth` counts the customer's sign-ins before, `accessed_at` is UTC epoch seconds, `amount` the
    value of the hijacker's orders. `risk` is the highest at or before the first order: below the
    threshold the hijack is missed.
    """

    account: str
    campaign: str
    family: str
    depth: int
    amount: float
    accessed_at: float
    risk: float
    caught: tuple[Caught, ...]


class Judgement(msgspec.Struct, frozen=True):
    """How one detector did in one run, in numbers that can be pooled with those of other runs.

    `thresholds` belong to `BUDGETS`; `curve` counts the hijacks caught in time at each budget of
    `CURVE`. `reliability` is None where the detector's score is no probability, the ranking's two
    figures where one of the two kinds of event is missing.
    """

    hijacks: tuple[JudgedHijack, ...]
    account_days: int
    calendar_days: int
    events: int
    thresholds: tuple[Threshold, ...]
    curve: tuple[float, ...]
    average_precision: float | None
    roc_auc: float | None
    reliability: tuple[Bin, ...] | None


def judge(trial: Trial, risks: Risks) -> Judgement:
    """Judge a detector by its risks: one an event of the ledger, in the ledger's order."""
    folded = trial.folded(risks)
    days = trial.day_risks(folded)
    thresholds = tuple(threshold(days, budget) for budget in BUDGETS)
    hijacked, legitimate = folded[trial.hijacked], folded[trial.legitimate]
    ranking = rank(hijacked, legitimate)
    return Judgement(
        hijacks=tuple(_judged(hijack, folded, thresholds) for hijack in trial.hijacks),
        account_days=trial.account_days,
        calendar_days=trial.calendar_days,
        events=trial.events,
        thresholds=thresholds,
        curve=_curve(trial, folded, days),
        average_precision=ranking.average_precision if ranking else None,
        roc_auc=ranking.roc_auc if ranking else None,
        reliability=reliability(hijacked, legitimate),
    )


def _judged(hijack: Hijack, folded: Risks, thresholds: tuple[Threshold, ...]) -> JudgedHijack:
    risks = folded[hijack.events]
    return JudgedHijack(
        account=hijack.account,
        campaign=hijack.campaign,
        family=hijack.family,
        depth=hijack.depth,
        amount=hijack.amount,
        accessed_at=float(hijack.times[0]),
        risk=_risk_in_time(hijack, folded),
        caught=tuple(_caught(hijack, risks, at) for at in thresholds),
    )


def _risk_in_time(hijack: Hijack, folded: Risks) -> float:
    return float(folded[hijack.events[hijack.times <= hijack.first_order]].max())


def _caught(hijack: Hijack, risks: Risks, at: Threshold) -> Caught:
    """The expectation over the coin that decides whether events exactly at the threshold alert."""
    without = _outcome(hijack, risks > at.risk)
    with_ties = _outcome(hijack, risks >= at.risk)
    likelier = with_ties if at.tie >= 0.5 else without

    def expected(name: str) -> float:
        low: float = getattr(without, name)
        high: float = getattr(with_ties, name)
        return low + at.tie * (high - low)

    return Caught(
        in_time=expected("in_time"),
        at_access=expected("at_access"),
        ever=expected("ever"),
        saved=expected("saved"),
        seconds=likelier.seconds,
    )


def _outcome(hijack: Hijack, alerted: NDArray[np.bool_]) -> Caught:
    if not alerted.any():
        return Caught(0.0, 0.0, 0.0, 0.0, None)
    first = hijack.times[np.argmax(alerted)]
    stoppable = hijack.ordered & (hijack.times >= first)
    return Caught(
        in_time=float(first <= hijack.first_order),
        at_access=float(alerted[0]),
        ever=1.0,
        saved=float(hijack.amounts[stoppable].sum()),
        seconds=float(first - hijack.times[0]),
    )


def _curve(trial: Trial, folded: Risks, days: Risks) -> tuple[float, ...]:
    """How many hijacks are caught in time at each budget of the curve."""
    highest = np.array([_risk_in_time(hijack, folded) for hijack in trial.hijacks])
    counts = []
    for budget in CURVE:
        at = threshold(days, budget)
        above, tied = np.count_nonzero(highest > at.risk), np.count_nonzero(highest == at.risk)
        counts.append(float(above + at.tie * tied))
    return tuple(counts)

"""Runs pooled, with an interval beside every share: what the report's tables hold."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import msgspec

from detectors.evaluation.calibration import UPPER, Bin, expected_calibration_error, pooled
from detectors.evaluation.intervals import Interval, interval
from detectors.evaluation.judging import BUDGETS, CURVE, Caught, JudgedHijack, Judgement

DEPTHS: Final = (("0", 0, 0), ("1-2", 1, 2), ("3-9", 3, 9), ("10+", 10, 10**9))
"""How many sign-ins an account had before: name, fewest, most."""


class Share(msgspec.Struct, frozen=True):
    """A share from 0 to 1 with its 95 % interval over resampled hijacks."""

    value: float
    interval: Interval


class Group(msgspec.Struct, frozen=True):
    """The hijacks of one family or history depth. `rest_in_time` is the recall without them."""

    name: str
    hijacks: int
    in_time: Share
    at_access: Share
    saved: Share | None
    rest_in_time: Share | None


class AtBudget(msgspec.Struct, frozen=True):
    """What is caught when a share `budget` of legitimate account-days is alerted.

    `in_time_campaigns` is the interval over resampled campaigns. `saved` is a share of the value
    of the hijackers' orders; `precision` the share of alerted hijacks among alerted hijacks and
    account-days; `median_seconds` the time from access to the first alert, of those alerted.
    """

    budget: float
    false_alerts_a_day: float
    in_time: Share
    in_time_campaigns: Interval
    at_access: Share
    ever: Share
    saved: Share | None
    precision: float | None
    median_seconds: float | None
    families: tuple[Group, ...]
    depths: tuple[Group, ...]


class Summary(msgspec.Struct, frozen=True):
    """One detector over all runs. Average precision and ROC AUC are the runs' means.

    `budgets` is empty where there was no hijack to catch. `curve` pairs budgets with recall in
    time. `calibration_error` is over all events, `upper_calibration_error` over the `upper_events`
    with a risk of 0.1 or more.
    """

    name: str
    runs: int
    events: int
    hijacks: int
    account_days: int
    budgets: tuple[AtBudget, ...]
    curve: tuple[tuple[float, float], ...]
    average_precision: float | None
    roc_auc: float | None
    calibration: tuple[Bin, ...] | None
    calibration_error: float | None
    upper_calibration_error: float | None
    upper_events: int | None


def summarise(name: str, judgements: Sequence[Judgement]) -> Summary:
    """Pool the judgements of one detector: thresholds are each run's own, hijacks are pooled."""
    hijacks = [hijack for judgement in judgements for hijack in judgement.hijacks]
    tables = [judgement.reliability for judgement in judgements]
    bins = None if None in tables else pooled([table for table in tables if table is not None])
    in_time = [sum(counts) for counts in zip(*(j.curve for j in judgements), strict=True)]
    return Summary(
        name=name,
        runs=len(judgements),
        events=sum(judgement.events for judgement in judgements),
        hijacks=len(hijacks),
        account_days=sum(judgement.account_days for judgement in judgements),
        budgets=tuple(
            _at_budget(number, hijacks, judgements) for number in range(len(BUDGETS)) if hijacks
        ),
        curve=tuple(
            (budget, count / len(hijacks))
            for budget, count in zip(CURVE, in_time, strict=True)
            if hijacks
        ),
        average_precision=_mean(judgement.average_precision for judgement in judgements),
        roc_auc=_mean(judgement.roc_auc for judgement in judgements),
        calibration=bins,
        calibration_error=expected_calibration_error(bins) if bins else None,
        upper_calibration_error=expected_calibration_error(bins[UPPER:]) if bins else None,
        upper_events=sum(b.events for b in bins[UPPER:]) if bins else None,
    )


def _at_budget(
    number: int, hijacks: Sequence[JudgedHijack], judgements: Sequence[Judgement]
) -> AtBudget:
    """Sum up what is caught at the budget of this number; there is a hijack at least."""
    false_alerts = BUDGETS[number] * sum(judgement.account_days for judgement in judgements)
    caught = [hijack.caught[number] for hijack in hijacks]
    alerted = sum(c.ever for c in caught)
    delays = [c.seconds for c in caught if c.seconds is not None]
    families = sorted({hijack.family for hijack in hijacks})
    return AtBudget(
        budget=BUDGETS[number],
        false_alerts_a_day=false_alerts / max(1, sum(j.calendar_days for j in judgements)),
        in_time=_share([c.in_time for c in caught]),
        in_time_campaigns=interval(
            [c.in_time for c in caught], groups=[h.campaign for h in hijacks]
        ),
        at_access=_share([c.at_access for c in caught]),
        ever=_share([c.ever for c in caught]),
        saved=_saved(hijacks, caught),
        precision=alerted / (alerted + false_alerts) if alerted else None,
        median_seconds=median(delays) if delays else None,
        families=tuple(
            _group(name, number, hijacks, [hijack.family == name for hijack in hijacks])
            for name in families
        ),
        depths=tuple(
            _group(name, number, hijacks, members)
            for name, fewest, most in DEPTHS
            if any(members := [fewest <= hijack.depth <= most for hijack in hijacks])
        ),
    )


def _group(
    name: str, number: int, hijacks: Sequence[JudgedHijack], members: Sequence[bool]
) -> Group:
    inside = [hijack for hijack, member in zip(hijacks, members, strict=True) if member]
    rest = [hijack for hijack, member in zip(hijacks, members, strict=True) if not member]
    caught = [hijack.caught[number] for hijack in inside]
    return Group(
        name=name,
        hijacks=len(inside),
        in_time=_share([c.in_time for c in caught]),
        at_access=_share([c.at_access for c in caught]),
        saved=_saved(inside, caught),
        rest_in_time=_share([h.caught[number].in_time for h in rest]) if rest else None,
    )


def _saved(hijacks: Sequence[JudgedHijack], caught: Sequence[Caught]) -> Share | None:
    amounts = [hijack.amount for hijack in hijacks]
    return _share([c.saved for c in caught], amounts) if sum(amounts) else None


def _share(values: Sequence[float], weights: Sequence[float] | None = None) -> Share:
    whole = len(values) if weights is None else sum(weights)
    return Share(sum(values) / whole, interval(values, weights))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None

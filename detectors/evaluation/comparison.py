"""Two detectors, or two configurations of one, over the same events: what would change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from detectors.evaluation.intervals import interval
from detectors.evaluation.judging import BUDGETS, JudgedHijack, Judgement
from detectors.evaluation.scores import RaisedCase
from detectors.evaluation.summary import Share

Judgements = Mapping[str, Judgement]
"""One run's judgements by detector."""

NOTABLE: Final = 0.1
"""A case whose risk moves by less is the same case."""


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a detector is ahead of the best `rival` at one budget, in recall in time.

    The interval is of the paired difference: the same hijacks are drawn for both.
    """

    budget: float
    rival: str
    gain: Share


class ChangedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case that one of the two raises alone (the other is None), or both at another risk.

    `family` is that of the hijack it belongs to; None where a customer would be troubled, or
    where nobody knows.
    """

    account_id: str
    before: RaisedCase | None
    after: RaisedCase | None
    family: str | None

    @property
    def at(self) -> float:
        """When the earlier of the two was raised."""
        return min(case.raised_at for case in (self.before, self.after) if case is not None)


class BudgetChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changes at one budget: hijacks now caught in time, and no longer; the paired gain."""

    budget: float
    gained: tuple[JudgedHijack, ...]
    lost: tuple[JudgedHijack, ...]
    gain: Share


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`before` and `after` name the two; `kept` counts the cases that both raise alike."""

    before: str
    after: str
    kept: int
    changed: tuple[ChangedCase, ...]
    budgets: tuple[BudgetChange, ...]


def changed_cases(
    before: Mapping[str, RaisedCase],
    after: Mapping[str, RaisedCase],
    family: Callable[[str, str], str | None],
) -> tuple[int, tuple[ChangedCase, ...]]:
    """Pair the cases of both; return how many stay as they are, and the others by time.

    Two cases are one where they share an event, of one account as far as that is told. `family`
    tells the hijack that an event belongs to, by account and id.
    """
    by_event: dict[str, list[RaisedCase]] = {}
    for case in before.values():
        for event in case.event_ids:
            by_event.setdefault(event, []).append(case)
    gone = dict(before)
    kept, changed = 0, []
    for case in after.values():
        sharing = (old for event in case.event_ids for old in by_event.get(event, ()))
        old = next((old for old in sharing if _may_be_of_one(old, case)), None)
        if old is not None:
            gone.pop(old.alert_id, None)
        if old is not None and abs(old.risk - case.risk) < NOTABLE:
            kept += 1
        else:
            changed.append(_changed(old, case, family))
    changed.extend(_changed(case, None, family) for case in gone.values())
    return kept, tuple(sorted(changed, key=lambda change: (change.at, change.account_id)))


def _may_be_of_one(one: RaisedCase, other: RaisedCase) -> bool:
    return one.account_id == other.account_id or not (one.account_id and other.account_id)


def _changed(
    before: RaisedCase | None, after: RaisedCase | None, family: Callable[[str, str], str | None]
) -> ChangedCase:
    cases = [case for case in (before, after) if case is not None]
    families = (family(case.account_id, event) for case in cases for event in case.event_ids)
    return ChangedCase(
        account_id=cases[0].account_id,
        before=before,
        after=after,
        family=next((known for known in families if known is not None), None),
    )


def changed_budgets(before: Judgement, after: Judgement) -> tuple[BudgetChange, ...]:
    """Compare two judgements of the same trial; empty where it has no hijack."""
    pairs = list(zip(before.hijacks, after.hijacks, strict=True))
    return tuple(_budget(number, pairs) for number in range(len(BUDGETS)) if pairs)


def leads(detector: str, rivals: Iterable[str], runs: Sequence[Judgements]) -> tuple[Lead, ...]:
    """Say how far a detector is ahead of the best rival at each budget, all runs pooled.

    Empty without a rival or a hijack.
    """
    own = _pooled(detector, runs)
    others = {rival: _pooled(rival, runs) for rival in rivals}
    found = []
    for number, budget in enumerate(BUDGETS if own and others else ()):
        caught = {name: sum(_in_time(number, hijacks)) for name, hijacks in others.items()}
        best = max(caught, key=lambda name: caught[name])
        gain = _gain(number, list(zip(others[best], own, strict=True)))
        found.append(Lead(budget=budget, rival=best, gain=gain))
    return tuple(found)


def _pooled(detector: str, runs: Sequence[Judgements]) -> list[JudgedHijack]:
    return [hijack for run in runs for hijack in run[detector].hijacks]


def _in_time(number: int, hijacks: Iterable[JudgedHijack]) -> list[float]:
    return [hijack.caught[number].in_time for hijack in hijacks]


def _gain(number: int, pairs: Sequence[tuple[JudgedHijack, JudgedHijack]]) -> Share:
    before, after = zip(*pairs, strict=True)
    changes = zip(_in_time(number, before), _in_time(number, after), strict=True)
    gains = [new - old for old, new in changes]
    return Share(sum(gains) / len(gains), interval(gains))


def _budget(number: int, pairs: Sequence[tuple[JudgedHijack, JudgedHijack]]) -> BudgetChange:
    caught = [(old.caught[number].in_time, new.caught[number].in_time) for old, new in pairs]
    return BudgetChange(
        budget=BUDGETS[number],
        gained=_where((new > old for old, new in caught), pairs),
        lost=_where((new < old for old, new in caught), pairs),
        gain=_gain(number, pairs),
    )


def _where(
    chosen: Iterable[bool], pairs: Sequence[tuple[JudgedHijack, JudgedHijack]]
) -> tuple[JudgedHijack, ...]:
    return tuple(new for (_, new), wanted in zip(pairs, chosen, strict=True) if wanted)

"""Tiny runs written down by hand: a line an event, with the risk that a detector gave it."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from detectors.evaluation.judging import Judgement, judge
from detectors.evaluation.ledger import Label, Labels, Ledger, Named
from detectors.evaluation.trial import Risks, Trial, trial_of
from detectors.events import AccountChange, Event, Login, Order

DAY = 86_400.0


class Line(NamedTuple):
    """An event of a hand-made run at `day` (days, with fractions), its risk and its truth.

    `what` is in, fail, nobody (an unknown account), change, or the amount of an order.
    """

    day: float
    account: str
    what: str
    risk: float = 0.0
    hijack: str | None = None
    attack: bool = False
    family: str = "stuffing"
    event_id: str | None = None


class Made(NamedTuple):
    """A hand-made run: what is judged, and the detector's risks."""

    trial: Trial
    risks: Risks

    def judged(self) -> Judgement:
        """Judge the risks."""
        return judge(self.trial, self.risks)


def made(*lines: Line, warm_up: float = 0.0) -> Made:
    """Record the lines as a ledger would see them."""
    names = [line.event_id or f"e{number}" for number, line in enumerate(lines)]
    named = list(zip(names, lines, strict=True))
    takeovers = {
        Named(None, name): Label(line.family, line.hijack) for name, line in named if line.hijack
    }
    attacks = frozenset(Named(None, name) for name, line in named if line.attack)
    ledger = Ledger(Labels(takeovers, attacks))
    for name, line in named:
        ledger.append(event(line, name))
    return Made(trial_of(ledger, warm_up), np.array([line.risk for line in lines]))


def event(line: Line, name: str) -> Event:
    """Return the event that a line stands for."""
    account, moment = line.account, line.day * DAY
    if line.what == "change":
        return AccountChange(event_id=name, account_id=account, occurred_at=moment, change="email")
    if line.what in ("in", "fail", "nobody"):
        return Login(
            event_id=name,
            account_id=account,
            occurred_at=moment,
            ip="192.0.2.1",
            outcome="success" if line.what == "in" else "failure",
            failure_reason="unknown_account" if line.what == "nobody" else None,
        )
    return Order(
        event_id=name,
        account_id=account,
        occurred_at=moment,
        order_id=f"o-{name}",
        amount=Decimal(line.what),
    )

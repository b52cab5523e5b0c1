"""What comes out: an assessment of every event, an alert where one is due.

The field names are the wire contract's: `streams.codec` writes these objects as they stand.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from detectors.events import EventType
from detectors.facts import Observed
from detectors.markings import Marking

Severity = Literal["low", "medium", "high", "critical"]
Action = Literal["monitor", "step_up", "hold_order", "lock_account"]
Stage = Literal["probe", "access", "entrench", "cash_out"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The values that a reason compares: what was `seen` now, what was `usual` before."""

    seen: str
    usual: str | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an event is risky. `contribution` is its share of the risk, 0 to 1.

    `tlp` is there where a reason tells what others reported: the strictest marking that it came
    under, which whoever passes the reason on must keep to.
    """

    code: str
    summary: str
    contribution: float
    evidence: Evidence | None = None
    tlp: Marking | msgspec.UnsetType = msgspec.UNSET


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Which model gave a score: `configuration` is the digest of the policy it ran under."""

    name: str
    version: str
    configuration: str


class Assessment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The score of one event, alerted or not.

    `risk` is 0 to 1, calibrated. `reasons` are codes, most telling first. `warming_up` is true
    while the account or the model knows too little to say.
    """

    event_id: str
    account_id: str
    occurred_at: float
    type: EventType
    risk: float
    reasons: tuple[str, ...] = ()
    warming_up: bool = False
    alert_id: str | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a case. `alert_id` is stable for the life of the case.

    The same input gives the same id and the same revisions again, after a crash or a replay.
    Times are event time, UTC epoch seconds. `amount_at_risk` is the value, in `currency`, of the
    case's orders in that currency, which is the first order's; orders in another, or in none where
    the first told one, are not added. None is for orders without a currency. `event_ids` are the
    trigger and the latest 19, `order_ids` the latest 10. `suppressed` counts the repeats folded
    into this revision.
    """

    alert_id: str
    revision: int
    account_id: str
    raised_at: float
    updated_at: float
    risk: float
    severity: Severity
    action: Action
    reasons: tuple[Reason, ...]
    techniques: tuple[str, ...]
    stage: Stage
    trigger_event_id: str
    event_ids: tuple[str, ...]
    order_ids: tuple[str, ...] = ()
    session_ids: tuple[str, ...] = ()
    amount_at_risk: Decimal = Decimal(0)
    currency: str | None = None
    campaign_id: str | None = None
    model: Model
    suppressed: int = 0


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What an event led to. A verdict has no assessment; most events have no alert."""

    observed: Observed
    assessment: Assessment | None
    alert: Alert | None

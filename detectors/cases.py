"""A case: what belongs to one hijack attempt on one account, from first trigger to quiet.

Its id is a digest of account and first trigger, so the same input gives the same id again. A
flagged event is a new revision only where it tells something new (graver, further, another
order, of these so many a day); the rest is folded into the next revision's `suppressed`.

A verdict that it was the customer ends a case before it is quiet, and without a revision: those
who gave the verdict know, and a revision has no field that could say so. What is flagged next is
another case.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from detectors.assessments import Alert, Model, Reason
from detectors.decisions import SEVERITIES, STAGES, action_for
from detectors.errors import UNREADABLE, IncompatibleState
from detectors.events import EventType, Feedback, Order
from detectors.features.reading import Reading
from detectors.heat.records import Entry
from detectors.profiles import digest

VERSION = 1
_MOST_EVENTS = 20
_MOST_ORDERS = 10
_MOST_COUNTED = 256
"""Orders of a case that are known when they are told again."""
_MOST_ATTACKS = 8
_MOST_REVISIONS = 20
"""Revisions of a case in a day (UTC) that another order alone can bring about."""


class Case(msgspec.Struct, array_like=True):
    """One open case. Times are UTC epoch seconds; `orders` holds the latest ids.

    `amount` is the value of all orders in `currency`, which is the first order's (None where that
    told none); `counted` are the orders' digests. `revised` of its revisions are of `day`.
    `reasons` are the latest revision's; `attacks` the hot indicators it was raised again for.
    """

    version: int
    alert_id: str
    trigger: str
    raised_at: float
    last: float
    revision: int = 0
    risk: float = 0.0
    severity: int = -1
    stage: int = -1
    events: list[str] = []
    orders: list[str] = []
    sessions: list[str] = []
    amount: str = "0"
    currency: str | None = None
    folded: int = 0
    techniques: list[str] = []
    counted: list[int] = []
    day: int = -1
    revised: int = 0
    reasons: tuple[Reason, ...] = ()
    campaign_id: str | None = None
    attacks: list[str] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Case)


def encode(case: Case) -> bytes:
    """Return a case's stored form."""
    return _encoder.encode(case)


def decode(stored: bytes) -> Case:
    """Return the case that was stored. Raises IncompatibleState for anything else."""
    try:
        case = _decoder.decode(stored)
    except UNREADABLE as error:
        raise IncompatibleState(f"a stored case cannot be read: {error}") from error
    if case.version != VERSION:
        raise IncompatibleState(f"a stored case has version {case.version}, not {VERSION}")
    return case


def alert_id_of(account_id: str, type_: EventType, event_id: str) -> str:
    """Return the id of the case that an event opens: login 1001 and order 1001 open two."""
    text = f"{account_id}\0{type_}\0{event_id}"
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def opened_by(account_id: str, type_: EventType, event_id: str, at: float) -> Case:
    """Return a new case, without a revision yet."""
    return Case(VERSION, alert_id_of(account_id, type_, event_id), event_id, at, at)


def is_named(case: Case, verdict: Feedback) -> bool:
    """Whether a verdict is on a case, or on any of the events that it names."""
    return verdict.alert_id == case.alert_id or not set(case.events).isdisjoint(verdict.event_ids)


def take(case: Case, reading: Reading, risk: float, severity: int, stage: int) -> bool:
    """Take a flagged event into its case; return whether that makes a new revision."""
    event = reading.event
    news = severity > case.severity or stage > case.stage
    case.risk = max(case.risk, risk)
    case.severity = max(case.severity, severity)
    case.stage = max(case.stage, stage)
    case.last = max(case.last, event.occurred_at)
    if event.event_id not in case.events:
        # The trigger stays first, whatever follows.
        case.events = [*case.events[:1], *case.events[1:][2 - _MOST_EVENTS :], event.event_id]
    if event.session_id and event.session_id not in case.sessions[-_MOST_ORDERS:]:
        case.sessions = [*case.sessions, event.session_id][-_MOST_ORDERS:]
    day = int(event.occurred_at // 86400)
    if day > case.day:
        case.day, case.revised = day, 0
    if type(event) is Order and _take_order(case, event):
        news = news or case.revised < _MOST_REVISIONS
    if news:
        case.revision += 1
        case.revised += 1
    else:
        case.folded += 1
    return news


def _take_order(case: Case, order: Order) -> bool:
    """Add an order and, in the case's currency, its amount; return whether it is another one."""
    key = digest(order.order_id)
    if key in case.counted or order.order_id in case.orders:
        return False
    if not case.orders:
        case.currency = order.currency
    case.orders = [*case.orders, order.order_id][-_MOST_ORDERS:]
    case.counted = [*case.counted, key][-_MOST_COUNTED:]
    if order.currency == case.currency:
        case.amount = str(Decimal(case.amount) + order.amount)
    return True


def take_entry(case: Case, entry: Entry, attack: str, risk: float, severity: int) -> bool:
    """Take a sign-in into its case that an attack led to; return whether the attack is news."""
    if attack in case.attacks:
        return False
    case.attacks = [*case.attacks, attack][-_MOST_ATTACKS:]
    case.risk = max(case.risk, risk)
    case.severity = max(case.severity, severity)
    case.stage = max(case.stage, STAGES.index("access"))
    if entry.event_id not in case.events:
        case.events = [*case.events[:1], *case.events[1:][2 - _MOST_EVENTS :], entry.event_id]
    if entry.session_id and entry.session_id not in case.sessions:
        case.sessions = [*case.sessions, entry.session_id][-_MOST_ORDERS:]
    case.revision += 1
    return True


def alert_of(
    case: Case,
    account_id: str,
    reasons: tuple[Reason, ...],
    techniques: Sequence[str],
    model: Model,
) -> Alert:
    """Return the case's new revision; the folded repeats are accounted for with it."""
    case.techniques = sorted({*case.techniques, *techniques})
    case.reasons = reasons
    suppressed, case.folded = case.folded, 0
    return Alert(
        alert_id=case.alert_id,
        revision=case.revision,
        account_id=account_id,
        raised_at=case.raised_at,
        updated_at=case.last,
        risk=round(case.risk, 6),
        severity=SEVERITIES[case.severity],
        action=action_for(case.severity, case.stage),
        reasons=reasons,
        techniques=tuple(case.techniques),
        stage=STAGES[max(case.stage, 0)],
        trigger_event_id=case.trigger,
        event_ids=tuple(case.events),
        order_ids=tuple(case.orders),
        session_ids=tuple(case.sessions),
        amount_at_risk=Decimal(case.amount),
        currency=case.currency,
        campaign_id=case.campaign_id,
        model=model,
        suppressed=suppressed,
    )

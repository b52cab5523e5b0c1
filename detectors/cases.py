"""A case: what belongs to one hijack attempt on one account, from first trigger to quiet.

Its id is a digest of account and first trigger, so the same input gives the same id again. A
flagged event is a new revision only where it tells something new (graver, further, another
order, of these so many a day); the rest is folded into the next revision's `suppressed`.

A verdict that it was the customer ends a case before it is quiet, and without a revision: those
who gave the verdict know, and a revision has no field that could say so. What is flagged next is
another case. It knows what the cases before it were, so that no revision is ever sent twice.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from detectors.assessments import Alert, Model, Reason
from detectors.decisions import (
    ACTIONS,
    SEVERITIES,
    STAGES,
    TYPES,
    UNLOCKED,
    action_for,
    stage_after,
)
from detectors.errors import IncompatibleState, decoded
from detectors.events import EventType, Feedback, Order
from detectors.examples import Example
from detectors.features.reading import Reading
from detectors.heat.records import AlertMark, Entry, Hot
from detectors.profiles import digest

VERSION = 1
_MOST_EVENTS = 20
_MOST_ORDERS = 10
_MOST_SESSIONS = 10
_MOST_COUNTED = 256
"""Orders of a case that are known when they are told again."""
_MOST_ATTACKS = 8
_MOST_REVISIONS = 20
"""Revisions of a case in a day (UTC) that another order or attack alone can bring about."""
_MOST_EARLIER = 8
_MOST_CLEARED = 40


class Case(msgspec.Struct, array_like=True):
    """An account's last case. Times are UTC epoch seconds; `orders` holds the latest ids.

    `amount` is the value of all orders in `currency`, which is the first order's (None where that
    told none); `counted` are the orders' digests. `revised` of its revisions are of `day`.
    `reasons` are the latest revision's; `attacks` the hot indicators it was raised again for.

    `action` is the gravest that any one event has asked for, by its own risk and how far the case
    had come, as a position in ACTIONS: a customer who orders after a hijacker's sign-in does not
    have the account locked. `closed` tells that a verdict has ended it. `earlier` has the account's
    cases before this one, with the last revision of each, `cleared` the events of those closed.
    `session_keys` stand for its sessions as they were judged, whether or not they have a name.
    `unshared` is the risk without what it has in common with other accounts.
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
    action: int = -1
    closed: bool = False
    earlier: dict[str, int] = {}
    cleared: list[str] = []
    session_keys: list[int] = []
    unshared: float | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Case)


def encode(case: Case) -> bytes:
    """Return a case's stored form."""
    return _encoder.encode(case)


def decode(stored: bytes) -> Case:
    """Return the case that was stored. Raises IncompatibleState for anything else."""
    case = decoded(_decoder.decode, stored, "a stored case")
    if case.version != VERSION:
        raise IncompatibleState(f"a stored case has version {case.version}, not {VERSION}")
    if case.action < 0 <= case.severity:
        # An earlier version kept none: it followed from the gravest of both.
        case.action = action_for(case.severity, case.stage)
    return case


def alert_id_of(account_id: str, type_: EventType, event_id: str) -> str:
    """Return the id of the case that an event opens: login 1001 and order 1001 open two."""
    text = f"{account_id}\0{type_}\0{event_id}"
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def opened_by(
    account_id: str, type_: EventType, event_id: str, at: float, before: Case | None = None
) -> Case:
    """Return a new case, of which nothing is told yet; `before` is the account's last one.

    A trigger that has opened a case already opens the same again, and the revisions go on.
    """
    case = Case(VERSION, alert_id_of(account_id, type_, event_id), event_id, at, at)
    if before is not None:
        latest = [*before.earlier.items(), (before.alert_id, before.revision)][-_MOST_EARLIER:]
        case.earlier, case.cleared = dict(latest), before.cleared
        case.revision = case.earlier.pop(case.alert_id, 0)
    return case


def close(case: Case) -> None:
    """End a case: a verdict has said that it was the customer."""
    case.closed = True
    case.cleared = [*case.cleared, *case.events][-_MOST_CLEARED:]


def has_been(case: Case, alert_id: str) -> bool:
    """Whether an id is of an account's last case, or of one before it that is remembered."""
    return alert_id == case.alert_id or alert_id in case.earlier


def is_named(case: Case, verdict: Feedback) -> bool:
    """Whether a verdict is on a case, or on any of the events that it names."""
    return verdict.alert_id == case.alert_id or not set(case.events).isdisjoint(verdict.event_ids)


def take(
    case: Case,
    reading: Reading,
    risk: float,
    severity: int,
    stage: int,
    *,
    own: int | None = None,
    unshared: float | None = None,
) -> bool:
    """Take a flagged event into its case; return whether that makes a new revision.

    `own` is the severity that it would have without what others have reported of it, where that is
    another: their word locks nobody out. `unshared` is the risk without what it has in common with
    other accounts, where that is another.
    """
    event = reading.event
    news = severity > case.severity or stage > case.stage
    _take_event(case, event.event_id, event.occurred_at)
    take_session(case, reading.session_key, event.session_id)
    own = severity if own is None else own
    unshared = risk if unshared is None else unshared
    _raise(case, risk, severity, stage, own, unshared=unshared)
    if type(event) is Order and _take_order(case, event):
        news = news or case.revised < _MOST_REVISIONS
    if news:
        case.revision += 1
        case.revised += 1
    else:
        case.folded += 1
    return news


def _raise(
    case: Case, risk: float, severity: int, stage: int, own: int, *, unshared: float
) -> None:
    # An earlier version kept none.
    before = case.risk if case.unshared is None else case.unshared
    case.unshared = max(before, unshared)
    case.risk = max(case.risk, risk)
    case.severity = max(case.severity, severity)
    case.stage = max(case.stage, stage)
    case.action = max(case.action, action_for(min(severity, max(own, UNLOCKED)), case.stage))


def _take_event(case: Case, event_id: str, at: float) -> None:
    case.last = max(case.last, at)
    if event_id not in case.events:
        # The trigger stays first, whatever follows.
        case.events = [*case.events[:1], *case.events[1:][2 - _MOST_EVENTS :], event_id]
    day = int(at // 86400)
    if day > case.day:
        case.day, case.revised = day, 0


def take_session(case: Case, key: int, session_id: str | None) -> None:
    """Note a session of a case by what stands for it, 0 where nothing does, and by its name."""
    if key and key not in case.session_keys:
        case.session_keys = [*case.session_keys, key][-_MOST_SESSIONS:]
    if session_id and session_id not in case.sessions:
        case.sessions = [*case.sessions, session_id][-_MOST_SESSIONS:]


def is_in_session(case: Case, key: int, session_id: str | None) -> bool:
    """Return whether an event is of one of a case's sessions, by what it was judged as going on in.

    An earlier version kept their names alone.
    """
    return key in case.session_keys or session_id in case.sessions


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


def take_entry(
    case: Case, entry: Entry, hot: Hot, risk: float, severity: int, *, session: int
) -> bool:
    """Take a sign-in into its case that an attack led to; return whether that is news.

    `session` stands for the one that it began, 0 where that is not known any more.

    It is where the attack is another one, of these so many a day, and where what is told of a known
    one makes the case graver.
    """
    another = hot.episode not in case.attacks
    news = severity > case.severity
    _take_event(case, entry.event_id, hot.at)
    take_session(case, session, entry.session_id)
    _raise(case, risk, severity, STAGES.index("access"), severity, unshared=risk)
    if another:
        case.attacks = [*case.attacks, hot.episode][-_MOST_ATTACKS:]
        news = news or case.revised < _MOST_REVISIONS
    if news:
        case.revision += 1
        case.revised += 1
    return news


def alert_mark(case: Case, account_id: str, *, certain: bool = False) -> AlertMark:
    """Return the case's latest revision as far as linking needs it, `certain` by a verdict."""
    return AlertMark(
        case.alert_id,
        account_id,
        case.revision,
        case.raised_at,
        case.last,
        1.0 if certain else round(case.risk, 6),
        STAGES[max(case.stage, 0)],
        tuple(case.techniques),
        Decimal(case.amount),
        case.currency,
        unshared=None if certain or case.unshared is None else round(case.unshared, 6),
    )


def unnoticed_mark(account_id: str, hijacks: Sequence[Example], born: int) -> AlertMark:
    """Return what linking is told of events that no alert was raised for, and a verdict was on.

    `born` is the account's first minute since the epoch.
    """
    first = min(hijacks, key=lambda example: (example.minute, example.event_id))
    times = [60.0 * (born + example.minute) for example in hijacks]
    furthest = max(stage_after(example.type) for example in hijacks)
    return AlertMark(
        alert_id_of(account_id, TYPES[first.type], first.event_id),
        account_id,
        0,
        min(times),
        max(times),
        1.0,
        STAGES[furthest],
        (),
        Decimal(0),
        None,
        unnoticed=True,
    )


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
        action=ACTIONS[max(case.action, 0)],
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

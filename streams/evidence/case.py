"""A case in order: who, when, what money, and what may lead to whoever did it."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from detectors.assessments import Alert
from detectors.campaigns import Campaign
from detectors.events import AccountChange, Event, Feedback, Login, Order
from detectors.facts import Facts
from detectors.markings import Marking, strictest
from detectors.techniques import Technique, technique
from streams.codec import decode_published
from streams.evidence.gaps import Gaps, gaps_of
from streams.evidence.gathering import Gathered, Received, Revision
from streams.evidence.marking import marking_of, without_staying
from streams.evidence.recomputing import Score, recompute

_Judged = tuple[str, type[Event], str]
_STOPPING: Final = frozenset({"hold_order", "lock_account"})
_CHANGES: Final = {
    "email": "The e-mail address was changed",
    "phone": "The phone number was changed",
    "password": "The password was changed",
    "password_reset_requested": "A password reset was asked for",
    "password_reset_completed": "The password was reset",
    "address": "A delivery address was added or changed",
    "payment": "A means of payment was added or changed",
    "mfa_enrolled": "A second factor was enrolled",
    "mfa_removed": "The second factor was removed",
    "sessions_revoked": "All other sessions were ended",
}


Kind = Literal["sign-in", "refused sign-in", "order", "change", "alert"]


class Happening(NamedTuple):
    """One line of the timeline. `at` is UTC epoch seconds; `by` is what it was done from."""

    at: float
    account_id: str
    what: str
    by: str
    kind: Kind


class Money(NamedTuple):
    """The value of orders in one currency (None: none was told).

    `before` were placed before an alert asked to hold orders or lock the account, `held` at it or
    later: those could still be stopped.
    """

    currency: str | None
    before: Decimal
    held: Decimal


class Trace(NamedTuple):
    """What may lead to whoever did it: of one kind, one value, when it was seen."""

    kind: str
    value: str
    first: float
    last: float
    times: int
    place: str


class Case(NamedTuple):
    """An alert or a campaign, for those who have to act on it.

    `last` has the last revision of each alert. `marking` is the strictest under which others have
    told anything that is in it, None where nothing of theirs is.
    """

    gathered: Gathered
    last: tuple[Alert, ...]
    accounts: tuple[str, ...]
    techniques: tuple[Technique, ...]
    scores: tuple[Score, ...]
    timeline: tuple[Happening, ...]
    money: tuple[Money, ...]
    traces: tuple[Trace, ...]
    verdicts: tuple[Feedback, ...]
    marking: Marking | None
    gaps: Gaps

    @property
    def withheld(self) -> Marking | None:
        """The strictest marking of what others told and is therefore not in it; None: nothing."""
        return strictest(r.withheld for r in self.gathered.revisions if r.withheld is not None)

    @property
    def is_campaign(self) -> bool:
        """Whether it is a campaign's."""
        return self.gathered.campaign is not None

    @property
    def unalerted(self) -> tuple[str, ...]:
        """Accounts of the campaign that no alert of it is on: verdicts alone told of them."""
        if self.gathered.campaign is None:
            return ()
        campaign = decode_published(self.gathered.campaign)
        named = campaign.unnoticed if isinstance(campaign, Campaign) else ()
        return tuple(account for account in named if account not in self.accounts)

    @property
    def first_seen(self) -> float:
        """When the first thing of it happened, UTC epoch seconds."""
        return min(happening.at for happening in self.timeline)

    @property
    def last_seen(self) -> float:
        """When the last thing of it happened, UTC epoch seconds."""
        return max(happening.at for happening in self.timeline)

    @property
    def detected_at(self) -> float:
        """When the first alert was raised, by the events' time, UTC epoch seconds."""
        return min(alert.raised_at for alert in self.last)


def case_of(gathered: Gathered, *, inside: bool = False) -> Case:
    """Put what was gathered in order, and work its scores out again.

    It is without what others told under a marking that keeps it from leaving the house; `inside` is
    a case that does not leave it.
    """
    gathered = without_staying(gathered, inside=inside)
    last = {revision.alert.alert_id: revision.alert for revision in gathered.revisions}
    alerts = tuple(sorted(last.values(), key=lambda alert: (alert.raised_at, alert.alert_id)))
    ids = sorted({id_ for alert in alerts for id_ in alert.techniques})
    once = _once(gathered.events)
    events = [one for one in once if not isinstance(one.event, Feedback)]
    facts = _facts(gathered)
    return Case(
        gathered=gathered,
        last=alerts,
        accounts=tuple(sorted({alert.account_id for alert in alerts})),
        techniques=tuple(map(technique, ids)),
        scores=tuple(recompute(gathered.revisions, gathered.snapshots)),
        timeline=tuple(_timeline(events, gathered.revisions)),
        money=tuple(_money(events, gathered.revisions)),
        traces=tuple(_traces(events, facts)),
        verdicts=tuple(one.event for one in once if isinstance(one.event, Feedback)),
        marking=marking_of(gathered),
        gaps=gaps_of(gathered.campaign, (revision.alert for revision in gathered.revisions)),
    )


def _once(received: Sequence[Received]) -> list[Received]:
    """The events without what a producer sent again: the first of each was judged."""
    first: dict[tuple[str, str, str], Received] = {}
    for one in received:
        first.setdefault((one.event.account_id, one.type, one.event.event_id), one)
    return list(first.values())


def _facts(gathered: Gathered) -> Mapping[_Judged, Facts]:
    found = {}
    for snapshot in gathered.snapshots.values():
        event = snapshot.given.event
        if event is not None and snapshot.given.facts is not None:
            found[_judged(event)] = snapshot.given.facts
    return found


def _judged(event: Login | Order | AccountChange) -> _Judged:
    """What tells an event from every other: two accounts' may be called the same."""
    return event.account_id, type(event), event.event_id


def _timeline(events: Sequence[Received], revisions: Sequence[Revision]) -> list[Happening]:
    """What happened by time; an alert comes after what it was raised on."""
    return sorted([*_happenings(events), *_raised(revisions)], key=lambda happening: happening.at)


def _happenings(events: Sequence[Received]) -> Iterator[Happening]:
    for _, _, event in events:
        by = ", ".join(filter(None, (event.ip, event.city, event.country)))
        yield Happening(event.occurred_at, event.account_id, _what(event), by, _kind(event))


def _kind(event: Event) -> Kind:
    if isinstance(event, Login):
        return "sign-in" if event.outcome == "success" else "refused sign-in"
    return "order" if isinstance(event, Order) else "change"


def _what(event: object) -> str:
    match event:
        case Login(outcome="success", method=method, mfa=mfa):
            second = {"passed": " and a second factor", "failed": ", second factor failed"}
            return f"Signed in{f' by {method}' if method else ''}{second.get(mfa or '', '')}"
        case Login(failure_reason=reason):
            return f"Sign-in refused{f' ({reason})' if reason else ''}".replace("_", " ")
        case Order(order_id=order_id, delivery=delivery) as order:
            to = f", {delivery.replace('_', ' ')}" if delivery else ""
            return f"Order {order_id} placed: {money(order.amount, order.currency)}{to}"
        case AccountChange(change=change, actor=actor):
            return _CHANGES[change] + (f" by {actor}" if actor not in {None, "customer"} else "")
    raise TypeError(f"{type(event).__name__} is nothing that happens in a case")


def _raised(revisions: Sequence[Revision]) -> Iterator[Happening]:
    for _, alert, _ in revisions:
        again = "" if alert.revision == 1 else f", revision {alert.revision}"
        action = alert.action.replace("_", " ")
        what = f"Alert{again}: {alert.severity}, risk {risk(alert.risk)}, asks to {action}"
        yield Happening(alert.updated_at, alert.account_id, what, "Nightlatch", "alert")


def risk(value: float) -> str:
    """Return a risk in two digits that never says certainty."""
    return "over 0.99" if value >= 0.995 else f"{value:.2f}"


def money(amount: Decimal, currency: str | None) -> str:
    """Return an amount as people write it."""
    return f"{amount:,.2f} {currency or ''}".rstrip()


def _money(events: Sequence[Received], revisions: Sequence[Revision]) -> Iterator[Money]:
    held_from: dict[str, float] = {}
    for _, alert, _ in revisions:
        if alert.action in _STOPPING:
            at = held_from.get(alert.account_id, alert.updated_at)
            held_from[alert.account_id] = min(at, alert.updated_at)
    orders = {
        (one.event.account_id, one.event.order_id): one.event
        for one in events
        if isinstance(one.event, Order)
    }
    sums: dict[str | None, Money] = {}
    for order in orders.values():
        so_far = sums.get(order.currency, Money(order.currency, Decimal(0), Decimal(0)))
        if order.occurred_at >= held_from.get(order.account_id, float("inf")):
            sums[order.currency] = so_far._replace(held=so_far.held + order.amount)
        else:
            sums[order.currency] = so_far._replace(before=so_far.before + order.amount)
    yield from sorted(sums.values(), key=lambda of: of.currency or "")


def _traces(events: Sequence[Received], facts: Mapping[_Judged, Facts]) -> Iterator[Trace]:
    found: dict[tuple[str, str], Trace] = {}
    for _, _, event in events:
        if isinstance(event, Feedback) or (
            isinstance(event, AccountChange) and event.actor not in {None, "customer"}
        ):
            continue  # from a desk of the retailer's own
        for kind, value in _values(event):
            place = _place(event, facts.get(_judged(event))) if kind == "IP address" else ""
            at = event.occurred_at
            so_far = found.get((kind, value), Trace(kind, value, at, at, 0, place))
            found[kind, value] = so_far._replace(
                first=min(so_far.first, at),
                last=max(so_far.last, at),
                times=so_far.times + 1,
                place=so_far.place or place,
            )
    yield from sorted(found.values(), key=lambda trace: (_KINDS.index(trace.kind), trace.first))


_KINDS: Final = (
    "IP address", "device", "user agent", "delivery address", "delivery postcode",
    "means of payment", "new e-mail (hash)", "new phone (hash)",
    "new address (hash)", "new payment (hash)",
)  # fmt: skip


def _values(event: object) -> Iterator[tuple[str, str]]:
    pairs: list[tuple[str, str | None]] = []
    if isinstance(event, Login | Order | AccountChange):
        pairs += [
            ("IP address", event.ip),
            ("device", event.device_id),
            ("user agent", event.user_agent),
        ]
    if isinstance(event, Order):
        pairs += [
            ("delivery address", event.shipping_address_id),
            ("delivery postcode", event.shipping_postcode),
            ("means of payment", event.payment_id),
        ]
    if isinstance(event, AccountChange) and event.change in {
        "email",
        "phone",
        "address",
        "payment",
    }:
        name = "e-mail" if event.change == "email" else event.change
        pairs.append((f"new {name} (hash)", event.value_hash))
    yield from ((kind, value) for kind, value in pairs if value)


def _place(event: object, facts: Facts | None) -> str:
    parts: list[str | None] = []
    if facts is not None:
        operator = f"AS{facts.asn}" if facts.asn else None
        parts = [facts.city, facts.region, facts.country, operator, facts.network_kind]
    elif isinstance(event, Login | Order | AccountChange):
        operator = f"AS{event.asn}" if event.asn else None
        parts = [event.city, event.region, event.country, operator]
    return ", ".join(part for part in parts if part)

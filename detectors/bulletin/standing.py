"""What became of each attempt, as far as the topics tell.

An **attempt** is a case: one `alert_id`, whatever its revisions. It is a **takeover** where the
latest verdict on it says so; a customer's own `legitimate` counts only where nobody else has said
anything, as for the detector (`detectors.verdicts`).

The topics tell when a hold was asked for, not whether the retailer's systems obeyed. So an order of
a takeover counts as **stopped** where a revision at or before it (event time) asked for it to be
held or had the account locked, and no bank has charged it back since; every other is **lost**. An
order that was asked to be held on an account that turned out to be the customer's is **held in
error**, any other of such an account undisturbed. Orders of attempts without a verdict are
**open**.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeVar

from detectors.assessments import Alert
from detectors.bulletin.areas import UNKNOWN, publishable_area
from detectors.campaigns.records import Campaign
from detectors.events import Feedback, Order, Verdict

Fate = Literal["stopped", "lost", "held_in_error", "undisturbed", "open"]

_T = TypeVar("_T", Feedback, Order)

_HOLDING: Final = frozenset({"hold_order", "lock_account"})
_SAME_MOMENT: Final = 0.001
"""Seconds within which two times are one: they are written to the millisecond."""


class Recorded(NamedTuple):
    """What was read: every revision that is kept, verdicts and orders in the order they came."""

    alerts: Sequence[Alert]
    verdicts: Sequence[Feedback]
    orders: Sequence[Order]
    campaigns: Sequence[Campaign]


class AttemptedOrder(NamedTuple):
    """An order of an attempt. `amount` is in `currency`; `area` is where it was to go."""

    amount: Decimal
    currency: str | None
    area: str
    fate: Fate


class Attempt(NamedTuple):
    """A case as it stands by what was read. `raised_at` is event time, UTC epoch seconds."""

    alert_id: str
    account_id: str
    raised_at: float
    techniques: tuple[str, ...]
    campaign_id: str | None
    verdict: Verdict | None
    orders: tuple[AttemptedOrder, ...]


class _Case(NamedTuple):
    """A case's revisions by number, and all the events and sessions that any of them names."""

    revisions: list[Alert]
    events: frozenset[str]
    sessions: frozenset[str]

    @property
    def age(self) -> tuple[float, str]:
        """By which of two cases is the older."""
        return self.revisions[-1].raised_at, self.revisions[-1].alert_id


def attempts(recorded: Recorded, country: str | None = None) -> list[Attempt]:
    """Return every attempt that was read, the oldest first.

    `country` is where orders go that tell none. An order counts once, for an account's first case
    that it belongs to.
    """
    verdicts, orders = _by_account(recorded.verdicts), _by_account(recorded.orders)
    campaigns = Campaigns(recorded.campaigns)
    found, taken = [], set[tuple[str, str]]()
    for case in sorted(_cases(recorded.alerts).values(), key=lambda case: case.age):
        last = case.revisions[-1]
        placed = orders[last.account_id]
        own = [verdict for verdict in verdicts[last.account_id] if _is_on(verdict, case, placed)]
        verdict = _standing(own)
        attempted = []
        for order_id, order in _orders_of(case, placed, own, verdict, country):
            if (last.account_id, order_id) not in taken:
                attempted.append(order)
                taken.add((last.account_id, order_id))
        found.append(
            Attempt(
                last.alert_id,
                last.account_id,
                last.raised_at,
                last.techniques,
                campaigns.of(last),
                verdict,
                tuple(attempted),
            )
        )
    return found


def unalerted(recorded: Recorded) -> list[Feedback]:
    """Return the takeover verdicts on events that no alert names; the latest of each account's.

    A verdict that names an alert is on an alert, though it may not be kept any more. One that was
    taken back says nothing: of those on an event, that counts which counts of an attempt's.
    """
    cases: dict[str, list[_Case]] = defaultdict(list)
    for case in _cases(recorded.alerts).values():
        cases[case.revisions[0].account_id].append(case)
    orders, verdicts = _by_account(recorded.orders), _by_account(recorded.verdicts)
    latest: dict[str, Feedback] = {}
    for verdict in recorded.verdicts:
        account = verdict.account_id
        known = any(_is_on(verdict, case, orders[account]) for case in cases[account])
        if verdict.verdict == "takeover" and verdict.alert_id is None and not known:
            if not _stands(verdict, verdicts[account]):
                continue
            before = latest.get(account)
            if before is None or verdict.occurred_at >= before.occurred_at:
                latest[account] = verdict
    return list(latest.values())


class Campaigns:
    """Campaigns by their latest revisions; one that went into another is the other."""

    def __init__(self, revisions: Iterable[Campaign]) -> None:
        self.latest: dict[str, Campaign] = {}
        self._into: dict[str, str] = {}
        for campaign in revisions:
            known = self.latest.get(campaign.campaign_id)
            if known is None or campaign.revision >= known.revision:
                self.latest[campaign.campaign_id] = campaign
        for campaign in self.latest.values():
            for other in campaign.merged_from:
                self._into[other] = campaign.campaign_id
            if campaign.merged_into is not None:
                self._into[campaign.campaign_id] = campaign.merged_into
        self._of_alert = {
            alert_id: self.standing(campaign.campaign_id)
            for campaign in self.latest.values()
            for alert_id in campaign.alert_ids
        }

    def standing(self, campaign_id: str) -> str:
        """Return the id that a campaign goes on under."""
        passed = {campaign_id}
        while (into := self._into.get(campaign_id)) is not None and into not in passed:
            passed.add(into)
            campaign_id = into
        return campaign_id

    def of(self, alert: Alert) -> str | None:
        """Return an alert's campaign, by the campaign's word or else the alert's own."""
        listed = self._of_alert.get(alert.alert_id)
        if listed is not None or alert.campaign_id is None:
            return listed
        return self.standing(alert.campaign_id)


def _cases(alerts: Iterable[Alert]) -> dict[str, _Case]:
    """The cases by id. A crash may repeat a revision: it says the same again."""
    revisions: dict[str, dict[int, Alert]] = defaultdict(dict)
    for alert in alerts:
        revisions[alert.alert_id].setdefault(alert.revision, alert)
    return {
        alert_id: _Case(
            [by_number[number] for number in sorted(by_number)],
            frozenset(event for alert in by_number.values() for event in alert.event_ids),
            frozenset(session for alert in by_number.values() for session in alert.session_ids),
        )
        for alert_id, by_number in revisions.items()
    }


def _by_account(records: Iterable[_T]) -> Mapping[str, list[_T]]:
    found: dict[str, list[_T]] = defaultdict(list)
    for record in records:
        found[record.account_id].append(record)
    return found


def _is_on(verdict: Feedback, case: _Case, orders: Sequence[Order]) -> bool:
    """Whether a verdict is on a case, its events, or an order of its sessions."""
    if verdict.alert_id == case.revisions[0].alert_id:
        return True
    return not case.events.isdisjoint(verdict.event_ids) or any(
        order.session_id in case.sessions and order.event_id in verdict.event_ids
        for order in orders
    )


def _standing(verdicts: Sequence[Feedback]) -> Verdict | None:
    """The verdict that counts: the latest that is not the customer's own word for itself."""
    ordered = sorted(verdicts, key=lambda verdict: verdict.occurred_at)
    others = [v for v in ordered if v.source != "customer" or v.verdict != "legitimate"]
    latest = (others or ordered)[-1:]
    return latest[0].verdict if latest else None


def _stands(takeover: Feedback, verdicts: Sequence[Feedback]) -> bool:
    """Whether an event that a verdict calls a takeover's is one's by all that was said of it.

    One that names nothing is on the account alone, and so is what takes it back.
    """
    if not takeover.event_ids:
        alike = [v for v in verdicts if v.alert_id is None and not v.event_ids]
        return _standing(alike) == "takeover"
    return any(
        _standing([v for v in verdicts if event in v.event_ids]) == "takeover"
        for event in takeover.event_ids
    )


def _orders_of(
    case: _Case,
    orders: Sequence[Order],
    verdicts: Sequence[Feedback],
    verdict: Verdict | None,
    country: str | None,
) -> Iterator[tuple[str, AttemptedOrder]]:
    told = [v for v in verdicts if v.verdict == "takeover"]
    named = {event for v in told for event in v.event_ids}
    charged = {event for v in told if v.source == "chargeback" for event in v.event_ids}
    listed = _listed(case.revisions, {order.order_id: order for order in orders})
    for order in orders:
        of_hijacker = order.session_id in case.sessions or order.event_id in named
        if order.order_id in listed or (verdict == "takeover" and of_hijacker):
            asked = _asked(case.revisions, order.order_id, order.occurred_at)
            fate = _fate(verdict, asked=asked, charged=order.event_id in charged)
            area = publishable_area(order.shipping_postcode, order.shipping_country or country)
            yield order.order_id, AttemptedOrder(order.amount, order.currency, area, fate)
    for order_id in listed.keys() - {order.order_id for order in orders}:
        at, amount, currency = listed[order_id]
        fate = _fate(verdict, asked=_asked(case.revisions, order_id, at), charged=False)
        yield order_id, AttemptedOrder(amount, currency, UNKNOWN, fate)


def _fate(verdict: Verdict | None, *, asked: bool, charged: bool) -> Fate:
    if verdict == "takeover":
        return "stopped" if asked and not charged else "lost"
    if verdict == "legitimate":
        return "held_in_error" if asked else "undisturbed"
    return "open"


def _asked(revisions: Sequence[Alert], order_id: str, at: float) -> bool:
    """Whether a revision at or before an order asked for it to be stopped."""
    return any(
        alert.updated_at <= at + _SAME_MOMENT
        and alert.action in _HOLDING
        and (alert.action == "lock_account" or order_id in alert.order_ids)
        for alert in revisions
    )


def _listed(
    revisions: Sequence[Alert], placed: Mapping[str, Order]
) -> dict[str, tuple[float, Decimal, str | None]]:
    """The orders that a case names, by the first revision that does: when, how much.

    An order makes a revision, at its own time, and adds its amount to what is at risk: so much is
    known of one that is not kept any more. What several added at once is shared out among them.
    """
    found: dict[str, tuple[float, Decimal, str | None]] = {}
    before = Decimal(0)
    for alert in revisions:
        fresh = [order_id for order_id in alert.order_ids if order_id not in found]
        kept = [placed[order_id] for order_id in fresh if order_id in placed]
        known = sum((o.amount for o in kept if o.currency == alert.currency), Decimal(0))
        rest = max(alert.amount_at_risk - before - known, Decimal(0))
        share = rest / max(1, len(fresh) - len(kept))
        before = alert.amount_at_risk
        found |= dict.fromkeys(fresh, (alert.updated_at, share, alert.currency))
    return found

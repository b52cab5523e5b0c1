"""A month added up: by week, technique, delivery area and campaign."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from detectors.bulletin.breakdowns import (
    Breakdown,
    Figure,
    Tally,
    broken_down,
    currency_of,
    is_of,
    whole,
)
from detectors.bulletin.contents import AttackRow, CampaignRow, Figures, Row, Totals
from detectors.bulletin.disclosure import withheld
from detectors.bulletin.months import Month
from detectors.bulletin.standing import (
    Attempt,
    AttemptedOrder,
    Campaigns,
    Fate,
    Recorded,
    attempts,
    unalerted,
)
from detectors.heat.records import Attack

NO_CURRENCY: Final = "-"
_VALUES: Final[dict[str, Fate]] = {"saved": "stopped", "at_loss": "lost", "open_value": "open"}


def count(
    recorded: Recorded,
    attacks: Iterable[Attack],
    month: Month,
    *,
    minimum: int,
    country: str | None = None,
    seen_elsewhere: Mapping[str, int] | None = None,
) -> Figures:
    """Count a month: attempts first alerted in it (event time), by the verdicts that are there.

    `seen_elsewhere` tells how many others have told of a campaign's indicators, by its id;
    None where nothing was compared.
    """
    inside = [a for a in attempts(recorded, country) if month.holds(a.raised_at)]
    missed = [v.account_id for v in unalerted(recorded) if month.holds(v.occurred_at)]
    by_campaign = _grouped(inside, lambda attempt: [attempt.campaign_id or ""])
    by_campaign.pop("", None)
    of_campaigns = broken_down(
        {name: _tally(of) for name, of in by_campaign.items()}, minimum, fold=True
    )
    technique = _grouped(inside, lambda attempt: attempt.techniques)
    area = _grouped(inside, lambda attempt: {order.area for order in attempt.orders})
    return Figures(
        month=str(month),
        country=country,
        minimum=minimum,
        totals=_totals(inside, missed, minimum),
        weeks=_weeks(inside, month, minimum),
        techniques=broken_down(
            {name: _tally(of) for name, of in technique.items()}, minimum, fold=True
        ).rows,
        areas=broken_down(
            {name: _tally(of, name) for name, of in area.items()}, minimum, fold=True
        ).rows,
        campaigns=_campaigns(
            of_campaigns, by_campaign, Campaigns(recorded.campaigns), minimum, seen_elsewhere
        ),
        other_campaigns=next((row for row in of_campaigns.rows if row.rows), None),
        attacks=tuple(_attacks(attacks, month, minimum)),
    )


def _grouped(
    inside: Iterable[Attempt], names: Callable[[Attempt], Iterable[str]]
) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in inside:
        for name in names(attempt):
            found[name].append(attempt)
    return found


def _tally(of: Iterable[Attempt], area: str | None = None) -> Tally:
    """Add attempts up, with their orders; only those to an area where one is given."""
    tally: dict[str, Figure] = defaultdict(Figure)
    for attempt in of:
        account = attempt.account_id
        tally["attempts"].add(account)
        verdict = {"takeover": "takeovers", "legitimate": "customers", None: "open"}
        tally[verdict[attempt.verdict]].add(account)
        for order in attempt.orders:
            if area in (None, order.area):
                tally["open_orders" if order.fate == "open" else order.fate].add(account)
                _add_value(tally, account, order)
    return tally


def _add_value(tally: Mapping[str, Figure], account_id: str, order: AttemptedOrder) -> None:
    for name, fate in _VALUES.items():
        if order.fate == fate and order.amount > 0:
            tally[f"{name} {order.currency or NO_CURRENCY}"].add(account_id, order.amount)


def _totals(inside: Sequence[Attempt], missed: Iterable[str], minimum: int) -> Totals:
    tally = dict(_tally(inside))
    # What is open tells least: it goes first where another is not to be had by subtraction.
    by_verdict = ("open", "customers", "takeovers")
    unalerted_ = Figure()
    for account_id in missed:
        unalerted_.add(account_id)
    figures = defaultdict(Figure, tally | {"unalerted": unalerted_})
    accounts = [figures[name].accounts for name in by_verdict]
    hidden = {by_verdict[at] for at in withheld(accounts, minimum, order=range(3))}

    def shown(name: str) -> int | None:
        figure = figures[name]
        small = 0 < len(figure.accounts) < minimum
        return None if small or name in hidden else whole(figure)

    def money(name: str) -> dict[str, int | None]:
        return {currency_of(key): shown(key) for key in sorted(tally) if is_of(name, key)}

    everybody = len(figures["attempts"].accounts)
    return Totals(
        attempts=shown("attempts"),
        accounts=None if 0 < everybody < minimum else everybody,
        takeovers=shown("takeovers"),
        customers=shown("customers"),
        open=shown("open"),
        unalerted=shown("unalerted"),
        stopped=shown("stopped"),
        lost=shown("lost"),
        held_in_error=shown("held_in_error"),
        open_orders=shown("open_orders"),
        saved=money("saved"),
        at_loss=money("at_loss"),
        open_value=money("open_value"),
    )


def _weeks(inside: Sequence[Attempt], month: Month, minimum: int) -> tuple[Row, ...]:
    weeks = {f"{first}/{last}": list[Attempt]() for first, last in month.weeks()}
    for attempt in inside:
        day = _day(attempt.raised_at)
        name = next(f"{a}/{b}" for a, b in month.weeks() if a.isoformat() <= day <= b.isoformat())
        weeks[name].append(attempt)
    return broken_down({name: _tally(of) for name, of in weeks.items()}, minimum, fold=False).rows


def _campaigns(
    shown: Breakdown,
    of: Mapping[str, Sequence[Attempt]],
    campaigns: Campaigns,
    minimum: int,
    seen_elsewhere: Mapping[str, int] | None,
) -> tuple[CampaignRow, ...]:
    rows = []
    for row in shown.rows:
        if row.rows:
            continue
        campaign = campaigns.latest.get(row.name)
        members = of[row.name]
        # One that is not kept any more is known by its alerts of the month alone.
        began = campaign.first_seen if campaign else min(a.raised_at for a in members)
        ended = campaign.last_seen if campaign else max(a.raised_at for a in members)
        accounts = {a.account_id for a in members} | set(campaign.accounts if campaign else ())
        techniques = {t for a in members for t in a.techniques}
        shared = (
            {one.indicator.partition(":")[0] for one in campaign.indicators} if campaign else ()
        )
        rows.append(
            CampaignRow(
                row=row,
                first_seen=_day(began),
                last_seen=_day(ended),
                accounts=len(accounts) if len(accounts) >= minimum else None,
                techniques=tuple(sorted(techniques)),
                shared=tuple(sorted(shared)),
                sources=None if seen_elsewhere is None else seen_elsewhere.get(row.name, 0),
            )
        )
    return tuple(rows)


def _attacks(attacks: Iterable[Attack], month: Month, minimum: int) -> Iterable[AttackRow]:
    latest: dict[str, Attack] = {}
    for attack in attacks:
        known = latest.get(attack.campaign_id)
        if known is None or attack.revision >= known.revision:
            latest[attack.campaign_id] = attack
    by_technique: dict[str, list[Attack]] = defaultdict(list)
    for attack in latest.values():
        inside = attack.last_seen >= month.begin and attack.first_seen < month.end
        if inside and attack.accounts >= minimum and attack.merged_into is None:
            by_technique[attack.technique].append(attack)
    for technique, found in sorted(by_technique.items()):
        entered = sum(attack.entered for attack in found)
        yield AttackRow(
            technique=technique,
            attacks=len(found),
            accounts=sum(attack.accounts for attack in found),
            entered=None if 0 < entered < minimum else entered,
        )


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()

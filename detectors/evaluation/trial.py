"""What of a run is judged: the hijacks to catch, and the customers' days to leave in peace.

- A hijack is every labelled event of one account in one campaign.
- The first part of the time (`warm_up`, a share of the whole span) is not judged: a hijack counts
  when its first event lies after it, a legitimate event when it does itself.
- A legitimate account-day is an account and UTC day with a legitimate event, scored by the
  highest risk of those. Days on which the account was under attack, and everything of a victim
  after access, are nobody's fault and are left out; so are attempts on accounts that do not exist.
- A repeated event is one event, with the highest risk that any repeat got.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.evaluation.ledger import (
    NO_LABEL,
    NO_SUCH_ACCOUNT,
    ORDERED,
    SIGNED_IN,
    Columns,
    Ledger,
)

WARM_UP: Final = 0.3
SECONDS_A_DAY: Final = 86_400

Indices = NDArray[np.int64]
Risks = NDArray[np.float64]


@dataclass(frozen=True)
class Hijack:
    """One account in one campaign. `events` index the ledger, in the order of time.

    `depth` is the number of the customer's own successful sign-ins before. `times` (UTC epoch
    seconds), `ordered` and `amounts` belong to the events.
    """

    account: str
    campaign: str
    family: str
    depth: int
    events: Indices
    times: NDArray[np.float64]
    ordered: NDArray[np.bool_]
    amounts: NDArray[np.float64]

    @property
    def amount(self) -> float:
        """The value of its orders."""
        return float(self.amounts[self.ordered].sum())

    @property
    def first_order(self) -> float:
        """When the first order was placed; infinity where none was."""
        return float(self.times[self.ordered].min(initial=np.inf))


@dataclass(frozen=True)
class Trial:
    """What is judged, as indices into the ledger's events, independent of any detector.

    `hijacked` and `legitimate` are the events of either kind after the warm-up. `day_events` are
    the legitimate events of the account-days that are judged, `day_starts` where each such day
    begins among them. `calendar_days` is how many UTC days were judged, `judged_from` where the
    warm-up ends (UTC epoch seconds); `first_occurrence` maps every event to its own.
    """

    hijacks: list[Hijack]
    hijacked: Indices
    legitimate: Indices
    day_events: Indices
    day_starts: Indices
    calendar_days: int
    judged_from: float
    events: int
    first_occurrence: Indices

    @property
    def account_days(self) -> int:
        """How many legitimate account-days are judged."""
        return len(self.day_starts)

    def folded(self, risks: Risks) -> Risks:
        """Return the risks with each event's first occurrence holding the highest of its repeats.

        A risk that is no number says nothing and counts as 0.
        """
        known = np.nan_to_num(risks, nan=0.0, posinf=np.inf, neginf=-np.inf)
        folded = known.copy()
        np.maximum.at(folded, self.first_occurrence, known)
        return folded

    def day_risks(self, folded: Risks) -> Risks:
        """Return the risk of each legitimate account-day: the highest of its events."""
        if not len(self.day_starts):
            return np.empty(0)
        highest: Risks = np.maximum.reduceat(folded[self.day_events], self.day_starts)
        return highest


def trial_of(ledger: Ledger, warm_up: float = WARM_UP) -> Trial:
    """Say what of a recorded run is judged. `warm_up` is a share of its time, 0 to below 1."""
    columns = ledger.columns()
    first_occurrence = _first_occurrences(columns.identity)
    kept = np.flatnonzero(first_occurrence == np.arange(len(first_occurrence)))
    order = kept[np.argsort(columns.time[kept], kind="stable")]
    time = columns.time[order]
    cut = time[0] + warm_up * (time[-1] - time[0]) if len(order) else 0.0
    rows = columns.taken(order)
    hijacks, access = _hijacks(ledger, rows, order)

    labelled = rows.label != NO_LABEL
    judged = time >= cut
    legitimate = judged & ~labelled & ~rows.attack & (rows.kind != NO_SUCH_ACCOUNT)
    legitimate &= np.arange(len(order)) < access[rows.account]
    day = np.floor_divide(time, SECONDS_A_DAY).astype(np.int64)
    account_day = rows.account * (day.max(initial=0) + 1) + day
    under_attack = np.unique(account_day[labelled | rows.attack])
    peaceful = np.flatnonzero(legitimate & ~np.isin(account_day, under_attack))
    peaceful = peaceful[np.argsort(account_day[peaceful], kind="stable")]
    _, starts = np.unique(account_day[peaceful], return_index=True)
    return Trial(
        hijacks=[hijack for hijack in hijacks if hijack.times[0] >= cut],
        hijacked=order[judged & labelled],
        legitimate=order[legitimate],
        day_events=order[peaceful],
        day_starts=starts,
        calendar_days=len(np.unique(day[legitimate])),
        judged_from=float(cut),
        events=len(order),
        first_occurrence=first_occurrence,
    )


def access_times(ledger: Ledger) -> dict[str, float]:
    """Return when each hijacked account was first entered, UTC epoch seconds."""
    columns = ledger.columns()
    accounts = ledger.accounts
    entered: dict[str, float] = {}
    for row in np.flatnonzero(columns.label != NO_LABEL).tolist():
        account, time = accounts[columns.account[row]], float(columns.time[row])
        entered[account] = min(time, entered.get(account, time))
    return entered


def _first_occurrences(identity: NDArray[np.int64]) -> Indices:
    _, first, inverse = np.unique(identity, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def _hijacks(ledger: Ledger, rows: Columns, order: Indices) -> tuple[list[Hijack], Indices]:
    """Group labelled events by account and campaign; and when each account was first entered.

    `rows` are in the order of time. Of an account never entered, access is after the last row.
    """
    labels = ledger.labels
    accounts = ledger.accounts
    campaigns = {label.campaign: number for number, label in enumerate(labels)}
    access = np.full(len(accounts), len(rows.time), dtype=np.int64)
    groups: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(rows.label != NO_LABEL).tolist():
        account = int(rows.account[row])
        access[account] = min(access[account], row)
        groups.setdefault((account, campaigns[labels[rows.label[row]].campaign]), []).append(row)

    own = (rows.kind == SIGNED_IN) & (rows.label == NO_LABEL)
    victims = np.isin(rows.account, [account for account, _ in groups])
    sign_ins = np.flatnonzero(own & victims)
    hijacks = []
    for (account, _), members in groups.items():
        events = np.array(members)
        label = labels[rows.label[events[0]]]
        mine = sign_ins[rows.account[sign_ins] == account]
        hijacks.append(
            Hijack(
                account=accounts[account],
                campaign=label.campaign,
                family=label.family,
                depth=int(np.searchsorted(mine, events[0])),
                events=order[events],
                times=rows.time[events],
                ordered=rows.kind[events] == ORDERED,
                amounts=rows.amount[events],
            )
        )
    return hijacks, access

"""What a case is known to have had and its topics no longer have: retention goes by the record.

A campaign lives for as long as it is told of, and its alerts for a month each: the first of them go
before it does. An alert's revisions are counted from 1, so that those before the first that is
there have been.
"""

from collections.abc import Iterable
from typing import NamedTuple

from detectors.assessments import Alert
from detectors.campaigns import Campaign
from streams.codec import decode_published


class Gaps(NamedTuple):
    """What is missing.

    `alerts` of the campaign, and `accounts` that no other alert is on; `unlisted` is how many more
    alerts a large campaign counts than it lists; `revisions` how many of which alert.
    """

    alerts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    unlisted: int = 0
    revisions: tuple[tuple[str, int], ...] = ()


def gaps_of(campaign: bytes | None, alerts: Iterable[Alert]) -> Gaps:
    """Return what is missing of all the revisions of a case, and of its campaign where it is one's.

    Raises InvalidEvent for a campaign that cannot be read.
    """
    accounts: set[str] = set()
    there: dict[str, set[int]] = {}
    for alert in alerts:
        accounts.add(alert.account_id)
        there.setdefault(alert.alert_id, set()).add(alert.revision)
    # Counted, not listed: what a stranger's pack calls its last revision may be any number.
    fewer = {alert_id: max(numbers) - len(numbers) for alert_id, numbers in sorted(there.items())}
    revisions = tuple((alert_id, count) for alert_id, count in fewer.items() if count > 0)
    told = None if campaign is None else decode_published(campaign)
    if not isinstance(told, Campaign):
        return Gaps(revisions=revisions)
    unnoticed = frozenset(told.unnoticed)
    return Gaps(
        tuple(alert_id for alert_id in told.alert_ids if alert_id not in there),
        tuple(a for a in told.accounts if a not in accounts and a not in unnoticed),
        max(0, told.alerts - len(told.alert_ids)),
        revisions,
    )

"""What is published about a campaign."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

MEMBERS: Final = 2_000


class SharedIndicator(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator that alerts of a campaign share: its id, its value where it may be told.

    `alerts` counts the hijacks that no alert was raised for as well, `accounts` whose all of these
    are; a record of an earlier version has 0 of them.
    """

    indicator: str
    value: str | None = None
    alerts: int
    accounts: int = 0


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a campaign: published on `campaigns` under `campaign_id`.

    The id follows from the older of the two alerts that were linked first, and stays, also when an
    older alert joins later. Two that turn out to be one go on under the id of the one whose first
    alert is older: that one names the other in `merged_from`, and the other's last revision names
    it in `merged_into` and has nothing else to say. Times are UTC epoch seconds.

    Of a large campaign only the first `MEMBERS` alerts are listed, summed up and kept up to date;
    `alerts` counts them all. `indicators` are those that most of the listed share, and
    `merged_from` the latest that went into it.

    `unnoticed` are the accounts of hijacks that a verdict told of, and no alert was raised for:
    they are among the `accounts`, and what the campaign has in common is theirs too. `alerts`,
    `alert_ids` and `amount_at_risk` know nothing of them.
    """

    kind: Literal["campaign"] = "campaign"
    campaign_id: str
    revision: int
    first_seen: float
    last_seen: float
    alerts: int
    accounts: tuple[str, ...]
    alert_ids: tuple[str, ...]
    indicators: tuple[SharedIndicator, ...]
    techniques: tuple[str, ...]
    amount_at_risk: Decimal = Decimal(0)
    currency: str | None = None
    merged_from: tuple[str, ...] = ()
    merged_into: str | None = None
    unnoticed: tuple[str, ...] = ()

"""What a bulletin publishes: its JSON file is exactly this, its pages say it in words.

Nothing here is of fewer accounts than `minimum`: a count or an amount that would be is None. Money
is in whole units of its currency (ISO 4217; `-` where the orders told none), times are UTC.
"""

from collections.abc import Mapping

import msgspec

VERSION = 1


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts that have something in common, and what became of them.

    `stopped` and `lost` are orders, `saved` and `at_loss` their value by currency. `rows` is how
    many rows were folded into this one because each was of too few accounts, 0 for all others.
    """

    name: str
    attempts: int | None
    takeovers: int | None
    stopped: int | None
    lost: int | None
    saved: Mapping[str, int | None] = {}
    at_loss: Mapping[str, int | None] = {}
    rows: int = 0


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The whole month. `held_in_error` are customers' orders that were asked to be held.

    `takeovers`, `customers` and `open` are the attempts by their verdicts; `unalerted` accounts
    were told to have been taken over without an alert on what happened. `open_orders` and
    `open_value` are of attempts that nobody has given a verdict on.
    """

    attempts: int | None
    accounts: int | None
    takeovers: int | None
    customers: int | None
    open: int | None
    unalerted: int | None
    stopped: int | None
    lost: int | None
    held_in_error: int | None
    open_orders: int | None
    saved: Mapping[str, int | None]
    at_loss: Mapping[str, int | None]
    open_value: Mapping[str, int | None]


class CampaignRow(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign with attempts in the month: what is in `row` is of the month alone.

    `accounts` are all that it has by now. Dates are ISO 8601 days. `shared` names the kinds of what
    its alerts have in common. `sources` is how many others have told of its indicators, None
    where nothing was compared.
    """

    row: Row
    first_seen: str
    last_seen: str
    accounts: int | None
    techniques: tuple[str, ...]
    shared: tuple[str, ...]
    sources: int | None = None


class AttackRow(msgspec.Struct, frozen=True, kw_only=True):
    """Passwords tried in the month, by how: attacks of at least `minimum` accounts each.

    An account that two attacks tried counts for both.
    """

    technique: str
    attacks: int
    accounts: int
    entered: int | None


class Span(msgspec.Struct, frozen=True):
    """Records of one partition: from offset `begin` to before `end`."""

    partition: int
    begin: int
    end: int


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where figures come from: a topic with its spans, or a file with its SHA-256.

    `unreadable` records were no such thing; `missing_before` says (RFC 3339) that what was written
    earlier is not kept any more. `latest` is the time of the newest record.
    """

    what: str
    name: str
    records: int
    unreadable: int = 0
    spans: tuple[Span, ...] = ()
    sha256: str | None = None
    missing_before: str | None = None
    latest: str | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A month's figures, as they may be shown, and what they were counted by."""

    version: int = VERSION
    month: str
    country: str | None
    minimum: int
    totals: Totals
    weeks: tuple[Row, ...]
    techniques: tuple[Row, ...]
    areas: tuple[Row, ...]
    campaigns: tuple[CampaignRow, ...]
    other_campaigns: Row | None
    attacks: tuple[AttackRow, ...]


class Bulletin(Figures, frozen=True, kw_only=True):
    """A month's bulletin: its figures, whose they are, and where they come from.

    `as_of` is the time of the newest record that was read, None without any. `assessed` counts the
    events of the month that were scored, as far as the scores are published and kept.
    """

    retailer: str | None
    as_of: str | None
    assessed: int
    sources: tuple[Source, ...]

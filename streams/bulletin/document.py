"""A bulletin in words, tables and plots."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from detectors.bulletin.contents import Bulletin, CampaignRow, Row, Source
from detectors.bulletin.months import Month
from streams.bulletin import plots
from streams.bulletin.wording import (
    NOT_SHOWN,
    area,
    days,
    kind,
    money,
    number,
    others,
    technique,
    week,
)
from streams.documents import Block, Document, Figures, Heading, Listing, Paragraph, Plot, Table

_MOST_ROWS: Final = 30
_FIGURE_COLUMNS: Final = (
    "attempts", "takeovers", "orders stopped", "orders lost", "saved", "lost",
)  # fmt: skip
_NUMBERS: Final = frozenset(range(1, 7))
_ATTACKS: Final = {
    "fast_stuffing": "many tries from few addresses",
    "spraying": "few tries an account, from many addresses",
    "slow_stuffing": "one try an address, spread over days",
}
_DEFINITIONS: Final = (
    "Attempt: a case, whatever its revisions, in the month of its first alert (event time).",
    (
        "Takeover: an attempt of which the latest verdict says so. A customer's own word that it "
        "was the customer counts only where nobody else has said anything."
    ),
    (
        "Stopped: an order of a takeover for which an alert at or before it asked for a hold or a "
        "lock, and which no bank has charged back since. Whether the retailer's systems did what "
        "was asked is not recorded, so this is the most that can have been stopped."
    ),
    "Lost: every other order of a takeover, whether an alert came later or never.",
    (
        "Takeovers nobody was alerted to: accounts told to be taken over, by verdicts of the month "
        "on events that no alert names."
    ),
    (
        "An order that the topics keep no more is known by what it added to its alert: its value, "
        "not its postcode."
    ),
)


def document(bulletin: Bulletin, previous: Bulletin | None) -> Document:
    """Return the report; `previous` is the bulletin of the month before, where there is one."""
    month = Month.of(bulletin.month)
    of = f"{bulletin.retailer} · " if bulletin.retailer else ""
    return Document(
        title=f"Account takeover in {month.first:%B %Y}",
        subtitle=f"{of}times in UTC, by what was recorded until {_until(bulletin)}",
        blocks=[*_blocks(bulletin, previous, month)],
        made_at=datetime.fromtimestamp(month.end, UTC),
    )


def _blocks(bulletin: Bulletin, previous: Bulletin | None, month: Month) -> Iterator[Block]:
    for sentence in gaps(bulletin, month):
        yield Paragraph(sentence, "strong")
    if bulletin.totals.attempts == 0 and bulletin.totals.unalerted == 0:
        yield Paragraph(
            f"Nothing to report: no attempt was first alerted in {month.first:%B %Y} in what was "
            "read, and no takeover was told of that had not been."
        )
    else:
        yield from _overview(bulletin)
        yield from _changes(bulletin, previous)
        yield from _weeks(bulletin)
        yield from _groups("Techniques", "technique", bulletin.techniques, technique, _TECHNIQUES)
        yield from _groups(
            "Where orders were to go", "area", bulletin.areas, area, _areas(bulletin)
        )
        yield from _campaigns(bulletin)
    yield from _attacks(bulletin)
    yield from _method(bulletin)


def gaps(bulletin: Bulletin, month: Month) -> Iterator[str]:
    """Say in sentences what of the month is not covered."""
    if bulletin.as_of is None:
        yield "Nothing is covered: there is no record of the time."
    elif datetime.fromisoformat(bulletin.as_of).timestamp() < month.end:
        yield (
            f"The month is not wholly covered: the newest record is of {_moment(bulletin.as_of)}. "
            "What came later is not in it."
        )
    for source in bulletin.sources:
        if source.missing_before is not None:
            yield (
                f"The month is not wholly covered: {source.name} is kept from "
                f"{_moment(source.missing_before)} on, and what it held before is gone."
            )


def _overview(bulletin: Bulletin) -> Iterator[Block]:
    totals = bulletin.totals
    yield Figures(
        [
            (number(totals.attempts), "attempts alerted"),
            (number(totals.takeovers), "of them takeovers by now"),
            (number(totals.stopped), "hijackers' orders stopped"),
            (number(totals.lost), "hijackers' orders lost"),
            (money(totals.saved), "saved"),
            (money(totals.at_loss), "lost"),
            (number(totals.open), "attempts without a verdict"),
            (number(totals.unalerted), "takeovers nobody was alerted to"),
        ]
    )
    yield Paragraph(
        f"{number(totals.attempts)} attempts on {number(totals.accounts)} accounts were alerted. "
        f"By the verdicts that have come so far {number(totals.takeovers)} of them were takeovers "
        f"and {number(totals.customers)} were the customers themselves; {number(totals.open)} have "
        f"no verdict yet, with {number(totals.open_orders)} orders of {money(totals.open_value)}. "
        f"{number(totals.held_in_error)} orders of customers were asked to be held in error."
        + (f" {bulletin.assessed:,} events were scored." if bulletin.assessed else "")
    )
    yield Paragraph(
        f"{NOT_SHOWN}: not shown, since it is of fewer than {bulletin.minimum} accounts, or would "
        "give such a figure away by subtraction.",
        "soft",
    )


def _changes(bulletin: Bulletin, previous: Bulletin | None) -> Iterator[Block]:
    yield Heading("What changed since the month before")
    if previous is None:
        yield Paragraph("No bulletin of the month before was there to compare with.", "soft")
        return
    now, then = bulletin.totals, previous.totals
    rows = [
        (words, number(before), number(after), _difference(before, after))
        for words, before, after in (
            ("attempts", then.attempts, now.attempts),
            ("takeovers", then.takeovers, now.takeovers),
            ("takeovers nobody was alerted to", then.unalerted, now.unalerted),
            ("hijackers' orders stopped", then.stopped, now.stopped),
            ("hijackers' orders lost", then.lost, now.lost),
            ("customers' orders held in error", then.held_in_error, now.held_in_error),
            *(
                (f"{words}, {currency}", before.get(currency, 0), after.get(currency, 0))
                for words, before, after in (
                    ("saved", then.saved, now.saved),
                    ("lost", then.at_loss, now.at_loss),
                )
                for currency in sorted({*before, *after})
            ),
            *_changed_techniques(previous, bulletin),
        )
    ]
    yield Table(("", previous.month, bulletin.month, "change"), rows, numbers=frozenset({1, 2, 3}))
    old = {row.row.name for row in previous.campaigns}
    known = {row.row.name for row in bulletin.campaigns}
    yield Paragraph(
        f"Campaigns: {len(known - old)} new, {len(known & old)} that went on, "
        f"{len(old - known)} of the month before without an attempt in this one. "
        f"{previous.month} is as it was counted by what there was until {_until(previous)}: later "
        "verdicts are not in it.",
        "soft",
    )


def _changed_techniques(
    previous: Bulletin, bulletin: Bulletin
) -> Iterator[tuple[str, int | None, int | None]]:
    """Attempts by technique. One that is in the others' row is not known to be none."""
    then, now = (
        {row.name: row for row in of.techniques if not row.rows} for of in (previous, bulletin)
    )
    folded = [any(row.rows for row in of.techniques) for of in (previous, bulletin)]
    for name in sorted({*then, *now}):
        before, after = (
            rows[name].attempts if name in rows else None if hidden else 0
            for rows, hidden in zip((then, now), folded, strict=True)
        )
        yield f"attempts, {technique(now.get(name) or then[name])}", before, after


def _difference(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return NOT_SHOWN
    share = f" ({(after - before) / before:+.0%})" if before else ""
    return f"{after - before:+,}{share}" if after != before else "as before"


def _weeks(bulletin: Bulletin) -> Iterator[Block]:
    yield Heading("Week by week")
    yield Plot(
        plots.attempts_by_week(bulletin.weeks),
        "Attempts by the week in which they were first alerted, and those of them that were "
        "takeovers by now.",
        0.6,
    )
    for currency in sorted({*bulletin.totals.saved, *bulletin.totals.at_loss}):
        if any(row.saved.get(currency) or row.at_loss.get(currency) for row in bulletin.weeks):
            yield Plot(
                plots.money_by_week(bulletin.weeks, currency),
                f"Value of hijackers' orders in {currency}: stopped above, lost below.",
                0.6,
            )
    yield _table("week", bulletin.weeks, lambda row: week(row.name))


def _groups(
    title: str, what: str, rows: Sequence[Row], name: Callable[[Row], str], remark: str
) -> Iterator[Block]:
    yield Heading(title)
    if not rows:
        yield Paragraph("None was told.", "soft")
        return
    if any(row.attempts and not row.rows for row in rows):
        yield Plot(plots.by_group(rows, name), f"{title}: the largest groups.")
    shown = rows[:_MOST_ROWS]
    yield _table(what, shown, name)
    if len(rows) > len(shown):
        yield Paragraph(f"{len(rows) - len(shown)} more are in the CSV file.", "soft")
    yield Paragraph(remark, "soft")


_TECHNIQUES: Final = (
    "An attempt may show several techniques and counts for each: the rows add up to more than the "
    "month. T: MITRE ATT&CK; F: MITRE Fight Fraud Framework."
)


def _areas(bulletin: Bulletin) -> str:
    land = f" An order that tells no country counts as {bulletin.country}'s." * bool(
        bulletin.country
    )
    return (
        "By the orders of attempts: the letters at the start of a postcode of the United Kingdom, "
        "elsewhere the country and two digits. An attempt with orders to two areas counts for both."
        f"{land} An order that is not kept any more has no postcode."
    )


def _campaigns(bulletin: Bulletin) -> Iterator[Block]:
    yield Heading("The campaigns behind them")
    if not bulletin.campaigns and bulletin.other_campaigns is None:
        yield Paragraph("No two attempts of the month were linked to one another.", "soft")
        return
    compared = any(row.sources is not None for row in bulletin.campaigns)
    if bulletin.campaigns:
        columns = ["campaign", "seen", "accounts in all", "attempts", "takeovers", "saved", "lost"]
        columns += ["other sources"] * compared
        yield Table(
            columns,
            [_campaign_cells(row, compared=compared) for row in bulletin.campaigns],
            numbers=frozenset(range(2, len(columns))),
            codes=frozenset({0}),
        )
        yield Listing([_campaign_words(row) for row in bulletin.campaigns])
    other = bulletin.other_campaigns
    if other is not None:
        yield Paragraph(
            f"{others(other, 'campaign')}: {number(other.attempts)} attempts, "
            f"{number(other.takeovers)} takeovers, {money(other.saved)} saved, "
            f"{money(other.at_loss)} lost."
        )
    if not compared:
        yield Paragraph(
            "Which of them other retailers saw too is not known: nothing that others have shared "
            "was there to compare with.",
            "soft",
        )
    else:
        yield Paragraph(
            "Other sources: how many have shared an address range, a device, a delivery address, a "
            "payment or a contact that the campaign's alerts have in common.",
            "soft",
        )


def _campaign_cells(campaign: CampaignRow, *, compared: bool) -> list[str]:
    row = campaign.row
    cells = [row.name, days(campaign.first_seen, campaign.last_seen)]
    cells += map(number, (campaign.accounts, row.attempts, row.takeovers))
    cells += [money(row.saved), money(row.at_loss)]
    return [*cells, number(campaign.sources)] if compared else cells


def _campaign_words(campaign: CampaignRow) -> str:
    shared = ", ".join(kind(name) for name in campaign.shared)
    linked = f"linked by {shared}" if shared else "what links them is not kept any more"
    return f"{campaign.row.name}: {linked}; {' '.join(campaign.techniques) or 'no technique'}"


def _attacks(bulletin: Bulletin) -> Iterator[Block]:
    if not bulletin.attacks:
        return
    yield Heading("Passwords tried on many accounts")
    yield Table(
        ("how", "attacks", "accounts tried", "accounts entered"),
        [
            (
                f"{row.technique.replace('_', ' ')}: {_ATTACKS[row.technique]}",
                f"{row.attacks:,}",
                f"{row.accounts:,}",
                number(row.entered),
            )
            for row in bulletin.attacks
        ],
        numbers=frozenset({1, 2, 3}),
    )
    yield Paragraph(
        "Attacks that were under way in the month, whether they opened an account or none. "
        "An account that two of them tried counts twice.",
        "soft",
    )


def _table(what: str, rows: Sequence[Row], name: Callable[[Row], str]) -> Table:
    return Table(
        (what, *_FIGURE_COLUMNS), [(name(row), *_cells(row)) for row in rows], numbers=_NUMBERS
    )


def _cells(row: Row) -> list[str]:
    counts = [number(n) for n in (row.attempts, row.takeovers, row.stopped, row.lost)]
    return [*counts, money(row.saved), money(row.at_loss)]


def _method(bulletin: Bulletin) -> Iterator[Block]:
    yield Heading("How it was counted")
    yield Listing(_DEFINITIONS)
    yield Table(
        ("counted from", "what", "records", "unreadable", "offsets"),
        [
            (source.name, source.what, f"{source.records:,}", f"{source.unreadable:,}", _at(source))
            for source in bulletin.sources
        ],
        numbers=frozenset({2, 3}),
        codes=frozenset({4}),
    )
    yield Paragraph(
        "The same records give the same bulletin (option --again), for as long as they are kept.",
        "soft",
    )


def _at(source: Source) -> str:
    if source.sha256 is not None:
        return f"SHA-256 {source.sha256}"
    return " ".join(f"{span.partition}:{span.begin}-{span.end}" for span in source.spans)


def _until(bulletin: Bulletin) -> str:
    return _moment(bulletin.as_of) if bulletin.as_of else "never"


def _moment(rfc3339: str) -> str:
    return f"{datetime.fromisoformat(rfc3339):%Y-%m-%d %H:%M}"

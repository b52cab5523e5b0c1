"""An alert as an analyst reads it, at two in the morning too: what to do, why, and on what.

Words carry everything; colour only helps. Whatever came from outside is shown without control
characters: an alert quotes what an attacker sent, and must not steer the terminal it is read on.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from msgspec import UNSET
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detectors.assessments import Action, Alert, Evidence, Reason, Severity, Stage
from detectors.campaigns import Campaign
from detectors.heat import Attack
from detectors.markings import label

STYLES: Final[dict[Severity, str]] = {
    "low": "cyan",
    "medium": "yellow",
    "high": "bold red",
    "critical": "bold white on red",
}
ACTIONS: Final[dict[Action, str]] = {
    "monitor": "Watch the account",
    "step_up": "Ask for a second factor",
    "hold_order": "Hold the order",
    "lock_account": "Lock the account",
}
STAGES: Final[dict[Stage, str]] = {
    "probe": "trying the door",
    "access": "inside the account",
    "entrench": "making it theirs",
    "cash_out": "taking the goods",
}
_MOST_SHOWN: Final = 8
_NOT_SHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def alert_view(alert: Alert) -> RenderableType:
    """Return an alert as something rich prints, about eight lines."""
    indented = Padding(_circumstances(alert), (0, 0, 0, 2))
    return Group(_headline(alert), indented, Padding(_reasons(alert), (0, 0, 1, 2)))


def campaign_view(content: Campaign | Attack) -> RenderableType:
    """Return a campaign or an attack as something rich prints, some lines."""
    lines = _attack(content) if isinstance(content, Attack) else _campaign(content)
    headline, *rest = lines
    return Group(headline, *(Padding(line, (0, 0, 0, 2)) for line in rest), Text())


def printable(text: str) -> str:
    """Return text that cannot move a cursor, turn a line around or break it."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(c if unicodedata.category(c) not in _NOT_SHOWN else "\N{REPLACEMENT CHARACTER}"
                   for c in text)  # fmt: skip


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, `1 account`, `1,204 accounts`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def moment(seconds: float) -> str:
    """Return UTC epoch seconds as an analyst writes them, `2026-11-24 06:08:40 UTC`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _headline(alert: Alert) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f" {alert.severity.upper()} ", STYLES[alert.severity])
    line.append(f"  {ACTIONS[alert.action]}", "bold")
    line.append("  account ", "dim").append(printable(alert.account_id), "bold")
    line.append("  risk ", "dim").append(f"{alert.risk:.2f}", "bold")
    return line


def _campaign(campaign: Campaign) -> Iterator[Text]:
    yield Text.assemble(
        (" CAMPAIGN ", "bold white on magenta"),
        ("  " + printable(campaign.campaign_id), "bold"),
        f"  {counted(len(campaign.accounts), 'account')}",
    )
    parts = [_period(campaign), counted(campaign.alerts, "alert"), f"revision {campaign.revision}"]
    if campaign.unnoticed:
        parts.insert(2, f"{len(campaign.unnoticed)} more told by verdicts alone")
    if campaign.amount_at_risk:
        parts.insert(1, _money(campaign.amount_at_risk, campaign.currency))
    parts += map(printable, campaign.techniques)
    yield Text(" · ".join(parts), "dim")
    yield from _merges(campaign)
    for shared in campaign.indicators[:_MOST_SHOWN]:
        value = shared.indicator if shared.value is None else shared.value
        kind = shared.indicator.partition(":")[0].replace("_", " ")
        yield Text.assemble(
            (f"{shared.alerts} cases share the {printable(kind)} ", "dim"), printable(value)
        )
    yield Text("Accounts " + _some(campaign.accounts))


def _attack(attack: Attack) -> Iterator[Text]:
    yield Text.assemble(
        (" ATTACK ", "bold white on blue"),
        ("  " + printable(attack.technique.replace("_", " ")), "bold"),
        f"  through {through(attack)}",
    )
    parts = [_period(attack), f"attack {printable(attack.campaign_id)}"]
    parts += [f"revision {attack.revision}", *attack.techniques]
    yield Text(" · ".join(parts), "dim")
    yield from _merges(attack)
    entered = f"{attack.entered:,} entered" if attack.entered else "none was entered"
    yield Text(
        f"{attack.failed:,} of the latest {attack.tried:,} tries failed; "
        f"{counted(attack.accounts, 'account')} tried within days: {entered}."
    )
    for kind, values in _by_kind(attack):
        yield Text.assemble((f"By {kind} ", "dim"), _some(values))


def through(attack: Attack) -> str:
    """Return what an attack was first seen through, and how much else it comes by."""
    first = printable(attack.value or attack.indicator)
    more = attack.ranges - attack.indicator.startswith("address_prefix:")
    return f"{first} and {counted(more, 'other address range')}" if more > 0 else first


def _by_kind(attack: Attack) -> Iterator[tuple[str, list[str]]]:
    """What is listed of an attack beside what it was first seen through."""
    found: dict[str, list[str]] = {}
    for one in attack.indicators:
        if one.indicator != attack.indicator:
            kind = one.indicator.partition(":")[0].replace("_", " ")
            found.setdefault(printable(kind), []).append(one.value or one.indicator)
    yield from found.items()


def _merges(content: Campaign | Attack) -> Iterator[Text]:
    if content.merged_into is not None:
        yield Text(f"Goes on as {printable(content.merged_into)}.")
    if content.merged_from:
        yield Text(f"Took over {', '.join(map(printable, content.merged_from))}.")


def _period(content: Campaign | Attack) -> str:
    return f"{moment(content.first_seen)} to {moment(content.last_seen)}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(printable, names[:_MOST_SHOWN]))
    more = len(names) - _MOST_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{amount:,.2f} {printable(currency or '')} at risk".replace("  ", " ")


def _circumstances(alert: Alert) -> Text:
    parts = [moment(alert.updated_at), STAGES[alert.stage]]
    if alert.amount_at_risk:
        parts.append(_money(alert.amount_at_risk, alert.currency))
    if alert.order_ids:
        parts.append("order " + ", ".join(map(printable, alert.order_ids[:3])))
        if len(alert.order_ids) > 3:
            parts[-1] += f" and {len(alert.order_ids) - 3} more"
    case = f"case {printable(alert.alert_id)}"
    if alert.revision > 1:
        case += f", revision {alert.revision}"
    parts.append(case)
    if alert.suppressed:
        parts.append(f"{counted(alert.suppressed, 'repeat')} folded in")
    if alert.campaign_id:
        parts.append(f"campaign {printable(alert.campaign_id)}")
    if alert.techniques:
        parts.append(" ".join(map(printable, alert.techniques)))
    return Text(" · ".join(parts), "dim")


def _reasons(alert: Alert) -> Table:
    """Each reason with its share of the risk, and beneath it what was usual beside what is new."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for reason in alert.reasons:
        table.add_row(Text(f"{reason.contribution:.0%}", "bold"), _sentence(reason))
    return table


def _sentence(reason: Reason) -> Text:
    text = Text(printable(reason.summary))
    if reason.tlp is not UNSET:
        text.append(f" {label(reason.tlp)}", "bold")
    if reason.evidence is not None and not _is_said(reason.evidence, reason.summary):
        text.append("\n").append_text(_comparison(reason.evidence))
    return text


def _is_said(evidence: Evidence, summary: str) -> bool:
    """Whether the sentence says it: no "now 10 minutes" under "changed 10 minutes before this"."""
    return evidence.usual is None and evidence.seen in summary


def _comparison(evidence: Evidence) -> Text:
    line = Text("now ", "dim").append(printable(evidence.seen), "not dim red")
    if evidence.usual is not None:
        line.append("   usually ", "dim").append(printable(evidence.usual), "not dim green")
    return line

"""The case as a report for people: what a police officer reads in a minute, then the rest."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from detectors import __version__
from detectors.markings import label
from streams.documents import Block, Document, Figures, Heading, Listing, Paragraph, Table
from streams.evidence.case import Case, Kind, money, risk
from streams.evidence.crime_record import KIND, Reporter
from streams.presentation import moment, printable

_MOST_ROWS: Final = 400
_MOST_SAID: Final = 5
_DEEDS: Final[dict[Kind, tuple[str, ...]]] = {
    "sign-in": ("sign-in",),
    "refused sign-in": ("refused sign-in",),
    "change": ("change of the account", "changes of the account"),
    "order": ("order",),
}
_CERTAINTY: Final = (
    "Risk is a calibrated probability: of the events scored near 0.80, about four in five are "
    "takeovers. It is the detector's judgement, not proof; the events themselves are in the pack."
)
_FILES: Final = (
    "events.ndjson: every event of the case as it was received, with topic, partition and offset",
    "events.chain: a SHA-256 hash chain over them",
    "alerts.ndjson: every revision of the alerts as it was published",
    "snapshots: what each revision's score stood on",
    "crime-record.json: the fields that a fraud report asks for",
    "manifest.json: the SHA-256 of every file; manifest.sig: its Ed25519 signature",
    "public-key.pem: the key that the signature is checked with",
)


def describe(case: Case, reporter: Reporter, made_at: datetime) -> Document:
    """Return the report."""
    what = "Campaign" if case.is_campaign else "Alert"
    whose = reporter.organisation or "an online retailer"
    return Document(
        title=f"Takeover of {'a customer account' if len(case.accounts) == 1 else 'accounts'}",
        subtitle=f"{what} {case.gathered.id} · evidence by {whose} · made "
        f"{moment(made_at.timestamp())} by Nightlatch {__version__} · all times UTC",
        blocks=[*_summary(case, reporter), *_details(case), *_proof(case)],
        made_at=made_at,
    )


def _summary(case: Case, reporter: Reporter) -> Iterator[Block]:
    highest = max(case.last, key=lambda alert: alert.risk)
    yield Figures(
        [
            (_count(len(case.accounts), "account"), "entered or attacked"),
            (_at_risk(case), "in orders of the case"),
            (highest.severity, f"severity; risk {risk(highest.risk)}"),
            (moment(case.first_seen)[:10], f"first event, {moment(case.first_seen)[11:]}"),
        ]
    )
    yield Heading("In a minute")
    yield Paragraph(_story(case))
    yield Listing(_most_telling(case))
    yield Paragraph(_money_said(case, reporter))
    yield Paragraph(_leads(case))
    confirmed = [verdict for verdict in case.verdicts if verdict.verdict == "takeover"]
    if confirmed:
        sources = sorted({verdict.source or "the retailer" for verdict in confirmed})
        yield Paragraph(f"Confirmed as a takeover by: {', '.join(sources)}.", "strong")
    if any(verdict.verdict == "legitimate" for verdict in case.verdicts):
        yield Paragraph(
            "A verdict on this case says that it was the customer: see the timeline's accounts and "
            "crime-record.json.",
            "strong",
        )
    yield from (Paragraph(sentence, "strong") for sentence in (*marked(case), *gone(case)))
    if case.unalerted:
        yield Paragraph(
            f"{_count(len(case.unalerted), 'more account')} of this campaign had no alert and "
            f"{_is(len(case.unalerted))} told by verdicts alone: campaign.json "
            "has the names, and nothing else here is about them.",
            "strong",
        )
    if reporter.contact:
        yield Paragraph(f"Questions to: {reporter.contact}")


def marked(case: Case) -> Iterator[str]:
    """Say what of others is in a case, and what is not, by their markings."""
    if case.marking is not None:
        yield (
            f"{label(case.marking)}: reasons and snapshots tell what others reported to the "
            "retailer. Give them to nobody whom that marking (Traffic Light Protocol 2.0) shuts "
            "out, unless the source allows it."
        )
    if case.withheld is not None:
        count = sum(revision.withheld is not None for revision in case.gathered.revisions)
        yield (
            f"{_count(count, 'revision')} of the alerts stood on what others told under "
            f"{label(case.withheld)} as well: that is not in this pack, and so these scores cannot "
            "be worked out again."
        )


def gone(case: Case) -> Iterator[str]:
    """Say what of a case is known to have been and is not in the topics (any more)."""
    alerts, accounts, unlisted, revisions = case.gaps
    if alerts:
        on = f", and {_count(len(accounts), 'account')} with them" if accounts else ""
        yield (
            f"{_count(len(alerts), 'alert')} of this campaign {_is(len(alerts))} no longer in the "
            f"retailer's topics{on}: campaign.json has the names, and nothing else here is about "
            "them."
        )
    if unlisted:
        yield (
            f"{_count(unlisted, 'more alert')} of this campaign {_is(unlisted)} counted in "
            "campaign.json and not listed: nothing here is about them."
        )
    if count := sum(missing for _, missing in revisions):
        yield (
            f"{_count(count, 'earlier revision')} of the alerts {_is(count)} no longer in "
            "the retailer's topics: they may have asked to hold orders, or to lock the account, "
            "before the first that is here did."
        )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _story(case: Case) -> str:
    whose = f"the account {case.accounts[0]}" if len(case.accounts) == 1 else "the accounts below"
    if case.is_campaign:
        share = "shares" if len(case.accounts) == 1 else "share"
        whose = f"{_count(len(case.accounts), 'account')} that {share} what few customers do"
    counts = Counter(happening.kind for happening in case.timeline)
    did = ", ".join(_count(counts[kind], *words) for kind, words in _DEEDS.items() if counts[kind])
    used = "used" if counts.keys() - {"alert", "refused sign-in"} else "tried to get into"
    return printable(
        f"{KIND}: between {moment(case.first_seen)} and {moment(case.last_seen)} somebody who is "
        f"probably not the customer {used} {whose}{f': {did}' if did else ''}. The first alert was "
        f"raised on what happened at {moment(case.detected_at)}. What spoke for it most:"
    )


def _most_telling(case: Case) -> list[str]:
    weights: dict[str, float] = {}
    for alert in case.last:
        for reason in alert.reasons:
            weights[reason.summary] = weights.get(reason.summary, 0.0) + reason.contribution
    best = sorted(weights, key=lambda summary: -weights[summary])[:_MOST_SAID]
    return [printable(summary) for summary in best]


def _money_said(case: Case, reporter: Reporter) -> str:
    parts = [
        f"Orders worth {money(of.before, of.currency)} were placed before an alert asked to hold "
        f"orders or to lock the account, and {money(of.held, of.currency)} when they could be held."
        for of in case.money
    ] or ["No order is part of the case."]
    if reporter.loss is not None:
        parts.append(f"The retailer reports a loss of {reporter.loss}.")
    if reporter.prevented is not None:
        parts.append(f"The retailer reports that {reporter.prevented} was prevented.")
    return " ".join(parts)


def _leads(case: Case) -> str:
    counts: dict[str, int] = {}
    for trace in case.traces:
        counts[trace.kind] = counts.get(trace.kind, 0) + 1
    if not counts:
        return "The pack holds no address, device or delivery that could be followed."
    found = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    return f"What can be followed (number of different values): {found}. They are listed below."


def _at_risk(case: Case) -> str:
    return " + ".join(money(of.before + of.held, of.currency) for of in case.money) or money(
        Decimal(0), None
    )


def _details(case: Case) -> Iterator[Block]:
    yield Heading("What happened")
    yield Table(
        ("Time (UTC)", "Account", "What", "From"),
        [
            (moment(h.at)[:-4], printable(h.account_id), printable(h.what), printable(h.by))
            for h in case.timeline[:_MOST_ROWS]
        ],
        _first_of(len(case.timeline)),
    )
    if case.gathered.missing:
        yield Paragraph(
            f"{len(case.gathered.missing)} of the case's events are no longer in the retailer's "
            "topics and so not in the pack: " + ", ".join(map(printable, case.gathered.missing)),
            "strong",
        )
    yield Heading("What may lead to whoever did it")
    yield Table(
        ("Kind", "Value", "First seen (UTC)", "Last seen (UTC)", "Times", "Network and place"),
        [
            (
                trace.kind,
                printable(trace.value),
                moment(trace.first)[:-4],
                moment(trace.last)[:-4],
                str(trace.times),
                printable(trace.place),
            )
            for trace in case.traces[:_MOST_ROWS]
        ],
        "Source ports are not recorded here: the retailer's edge may have them. Places are those "
        "of the network, which may be a relay's. Addresses and means of payment may be the "
        "customer's own. " + (_first_of(len(case.traces)) or ""),
        numbers=frozenset({4}),
        codes=frozenset({1}),
    )
    yield Heading("How it was done")
    yield Table(
        ("Technique", "Name", "In plain words", "Framework"),
        [(t.id, t.name, t.meaning, t.framework) for t in case.techniques],
    )
    yield Heading("Why it was taken for a takeover")
    yield Table(
        ("Account", "Share", "Reason", "Now", "Usual before"),
        [
            (
                printable(alert.account_id),
                f"{reason.contribution:.0%}",
                printable(reason.summary),
                printable(reason.evidence.seen) if reason.evidence else "",
                printable(reason.evidence.usual or "") if reason.evidence else "",
            )
            for alert in case.last
            for reason in alert.reasons
        ][:_MOST_ROWS],
        numbers=frozenset({1}),
    )


def _proof(case: Case) -> Iterator[Block]:
    yield Heading("How sure, and how it can be checked")
    yield Paragraph(_CERTAINTY)
    yield Table(
        ("Alert", "Revision", "Risk published", "Recomputed", "Judged by", "Result"),
        [
            (
                score.alert_id,
                str(score.revision),
                f"{score.published:.6f}",
                "-" if score.recomputed is None else f"{score.recomputed:.6f}",
                score.basis,
                score.detail if score.verdict == "not kept" else f"{score.verdict}: {score.detail}",
            )
            for score in case.scores[:_MOST_ROWS]
        ],
        "The detector was run again over what each revision stood on (the folder snapshots). "
        + (_first_of(len(case.scores)) or ""),
        numbers=frozenset({2, 3}),
        codes=frozenset({0}),
    )
    yield Paragraph(
        "Scored again is what the retailer's own events led to. That an attack was under way, or "
        "that alerts belong to one campaign, was found by comparing many accounts: it is told "
        "here, and cannot be worked out from this pack, which holds nobody else's data.",
        "soft",
    )
    yield Heading("What is in the pack")
    yield Listing(_FILES)
    yield Paragraph(
        "The command “nightlatch verify” checks all of it, the scores included; README.txt says "
        "how to check the signature and the hashes without it.",
    )


def _first_of(count: int) -> str | None:
    return f"The first {_MOST_ROWS} of {count:,}." if count > _MOST_ROWS else None


def _count(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"

"""The case as a record of a crime: the fields that the forms of Report Fraud and IC3 ask for.

What the forms ask and the retailer's topics cannot tell is named in `not_known`, so that nobody
takes an empty field for an answer.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from detectors import __version__
from detectors.markings import label
from streams.codec import rfc3339
from streams.evidence.case import Case, Trace

FORMAT: Final = 1
KIND: Final = "Takeover of customers' online shopping accounts"
_NOT_KNOWN: Final = (
    "the source ports of the connections: the retailer's edge may have logs of them",
    "names and addresses of the account holders: the retailer has them under the references",
    "whether a held order was in the end stopped, unless the retailer has said so",
)


class Reporter(NamedTuple):
    """Who reports, and what they have said of the money: amounts as text, None where nothing."""

    organisation: str | None = None
    contact: str | None = None
    loss: str | None = None
    prevented: str | None = None


def crime_record(case: Case, reporter: Reporter) -> dict[str, Any]:
    """Return the record as plain JSON values."""
    return {
        "format": FORMAT,
        "written_by": f"nightlatch {__version__}",
        "case": case.gathered.id,
        "reported_by": {
            "organisation": reporter.organisation,
            "contact": reporter.contact,
            "is": "the retailer whose customers' accounts were entered",
        },
        "kind_of_fraud": KIND,
        "when": {
            "first_event": rfc3339(case.first_seen),
            "last_event": rfc3339(case.last_seen),
            "detected": rfc3339(case.detected_at),
        },
        "where": {
            "channel": "online",
            "places_of_the_networks_used": sorted({t.place for t in case.traces if t.place}),
        },
        "how": {
            "techniques": [
                {"id": t.id, "name": t.name, "framework": t.framework, "url": t.url}
                for t in case.techniques
            ],
            "what_spoke_for_it": sorted({r.summary for a in case.last for r in a.reasons}),
        },
        "victims": [
            {
                "reference": alert.account_id,
                "alert": alert.alert_id,
                "severity": alert.severity,
                "risk": alert.risk,
                "orders": list(alert.order_ids),
                "sessions": list(alert.session_ids),
            }
            for alert in case.last
        ],
        "money": {
            "orders": [
                {
                    "currency": money.currency,
                    "placed_before_a_warning": f"{money.before:.2f}",
                    "placed_when_they_could_be_held": f"{money.held:.2f}",
                }
                for money in case.money
            ],
            "loss_as_reported_by_the_retailer": reporter.loss,
            "prevented_as_reported_by_the_retailer": reporter.prevented,
        },
        "suspects": {
            "known_by_name": False,
            "identifiers_are": "of all that the case's events came with: some may be the "
            "customer's own",
            "identifiers": [_identifier(trace) for trace in case.traces],
        },
        "certainty": {
            "highest_risk": max(alert.risk for alert in case.last),
            "risk_means": "0 to 1: of the events scored near 0.8 about four in five are takeovers",
            "verdicts": [
                {
                    "account": verdict.account_id,
                    "verdict": verdict.verdict,
                    "source": verdict.source,
                    "at": rfc3339(verdict.occurred_at),
                }
                for verdict in case.verdicts
            ],
        },
        "others_information": {
            "marking": None if case.marking is None else label(case.marking),
            "withheld_under": None if case.withheld is None else label(case.withheld),
        },
        "not_known": [*_NOT_KNOWN, *_gone(case)],
    }


def _gone(case: Case) -> Iterator[str]:
    """What the topics no longer have, so that nobody takes the rest for all."""
    if case.gathered.missing:
        yield "events that the topics no longer have: case.json names them"
    if case.gaps.alerts or case.gaps.unlisted:
        yield "victims whose alerts the topics no longer have: campaign.json names them"
    if case.gaps.revisions:
        yield "what earlier revisions of the alerts asked for: case.json names them"


def _identifier(trace: Trace) -> dict[str, Any]:
    identifier: dict[str, Any] = {
        "kind": trace.kind,
        "value": trace.value,
        "first_seen": rfc3339(trace.first),
        "last_seen": rfc3339(trace.last),
        "times": trace.times,
    }
    if trace.kind == "IP address":
        identifier |= {"source_ports": "not recorded", "place": trace.place or None}
    return identifier

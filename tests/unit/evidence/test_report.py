"""What a pack says to people and to forms: all that was done, and what is not known."""

import html
from io import BytesIO
from typing import Any

import msgspec
import orjson
from pypdf import PdfReader

from detectors.campaigns import Campaign
from detectors.events import EventType
from streams.codec import encode_published
from streams.evidence.case import case_of
from streams.evidence.contents import (
    EVENTS,
    files_of,
    lines_of,
)
from streams.evidence.crime_record import Reporter
from streams.evidence.gathering import Gathered, Received, event_of
from streams.evidence.packing import signed
from streams.evidence.verifying import Check, verify
from streams.runtime.interfaces import Record
from tests.integration.shop_traffic import VICTIM
from tests.support.evidence import KEY, MADE_AT, case, gathered, pack_files


def _checks(of: Gathered, files: dict[str, bytes]) -> dict[str, Check]:
    return {check.name: check for check in verify(signed(files, of.id, KEY, MADE_AT))}


def campaign_of(**fields: Any) -> Campaign:
    """A campaign that the case's alert belongs to."""
    told: dict[str, Any] = {"accounts": (VICTIM,), "alert_ids": (gathered().id,), "alerts": 1}
    told |= {"first_seen": 0.0, "last_seen": 1.0, "indicators": (), "techniques": ()}
    return Campaign(campaign_id="gang-1", revision=1, **told | fields)


def test_accounts_of_a_campaign_without_an_alert_are_not_passed_over() -> None:
    """A pack that says "1 account" of a campaign of two says where the other is."""
    campaign = campaign_of(accounts=("unalerted", VICTIM), unnoticed=("unalerted",))
    of_gang = case_of(gathered()._replace(campaign=encode_published(campaign)))
    assert of_gang.accounts == (VICTIM,)
    page = files_of(of_gang, Reporter(None, None), MADE_AT)["report.html"].decode()
    assert "1 account that shares what few customers do" in page
    assert "1 more account of this campaign had no alert and is told by verdicts alone" in page
    assert "more account" not in pack_files()["report.html"].decode()


def test_alerts_that_the_topics_no_longer_have_are_not_taken_for_none() -> None:
    """A campaign outlives the first of its alerts: those accounts had one."""
    campaign = campaign_of(
        accounts=("unalerted", "early", VICTIM),
        alert_ids=("0early", gathered().id),
        alerts=5,
        unnoticed=("unalerted",),
    )
    of_gang = gathered()._replace(campaign=encode_published(campaign))
    files = files_of(case_of(of_gang), Reporter(None, None), MADE_AT)
    page = html.unescape(files["report.html"].decode())
    assert "1 more account of this campaign had no alert" in page
    assert "1 alert of this campaign is no longer in the retailer's topics, and 1 account" in page
    assert "3 more alerts of this campaign are counted in campaign.json and not listed" in page
    assert orjson.loads(files["case.json"])["alerts_no_longer_kept"] == ["0early"]
    assert "campaign.json names them" in str(orjson.loads(files["crime-record.json"])["not_known"])
    missing = _checks(of_gang, files)["alerts missing"]
    assert missing.unchecked == "what they say"
    assert missing.detail.startswith("4 of the campaign")


def test_revisions_that_the_topics_no_longer_have_are_told() -> None:
    """They are counted from 1: one that is gone may have asked to hold orders before."""
    late = gathered()._replace(revisions=gathered().revisions[-1:])
    files = files_of(case_of(late), Reporter(None, None), MADE_AT)
    assert "2 earlier revisions of the alerts are no longer in" in files["report.html"].decode()
    assert orjson.loads(files["case.json"])["revisions_no_longer_kept"] == {gathered().id: 2}
    checks = _checks(late, files)
    assert checks["revisions missing"].unchecked == "what they asked for"
    assert all(check.ok for check in checks.values())
    whole = orjson.loads(pack_files()["case.json"])
    assert not whole["revisions_no_longer_kept"] | dict.fromkeys(whole["alerts_no_longer_kept"])
    assert not {"revisions missing", "alerts missing", "events missing"} & {
        check.name for check in verify(pack_files())
    }


def test_the_report_says_what_an_officer_needs() -> None:
    """Who, when, how much, from where, in the page and in the PDF."""
    text = " ".join(
        page.extract_text() for page in PdfReader(BytesIO(pack_files()["report.pdf"])).pages
    )
    page = pack_files()["report.html"].decode()
    for said in (
        VICTIM,
        "934.21 GBP",
        "188.26.4.9",
        "2026-10-18 03:04:00",
        "F1028",
        "device-thief",
    ):
        assert said in text, said
        assert said in page, said
    assert "The e-mail address was changed" in page
    assert "Fernwick &amp; Sons" in page


def _page(of: Gathered) -> str:
    return html.unescape(files_of(case_of(of), Reporter(), MADE_AT)["report.html"].decode())


def _told(**fields: Any) -> Received:
    """Something else that happened to the victim, as it was received."""
    told = {"account_id": VICTIM, "event_id": "more", "occurred_at": "2026-10-18T03:05:00Z"}
    type_: EventType = fields.pop("type")
    record = Record("topic", 0, 7, 1.0, None, orjson.dumps({**told, **fields}))
    event = event_of(record, type_, limit=10**6)
    assert event is not None
    return Received(record, type_, event)


def test_the_summary_counts_what_was_done_by_what_it_is() -> None:
    """A second factor taken away is a change; an order that is called one is none."""
    assert "used the account customer-7: 3 sign-ins, 3 changes of the account, 2 orders" in _page(
        gathered()
    )
    more = (
        _told(type="account_change", change="mfa_removed"),
        _told(type="order", order_id="changed-1", amount="1.00", currency="GBP"),
        _told(type="login", ip="188.26.4.9", outcome="failure"),
    )
    said = _page(gathered()._replace(events=(*gathered().events, *more)))
    assert "3 sign-ins, 1 refused sign-in, 4 changes of the account, 3 orders" in said
    assert "tried to get into the account customer-7: 1 refused sign-in." in _page(
        gathered()._replace(events=more[-1:])
    )


def test_an_event_that_a_producer_sent_again_happened_once() -> None:
    """Both are in the pack as received; the timeline and the counts have the one judged."""
    first = gathered().events[-1]
    again = first._replace(record=first.record._replace(offset=10**6))
    twice = case_of(gathered()._replace(events=(*gathered().events, again)))
    assert (twice.timeline, twice.traces) == (case().timeline, case().traces)
    files = files_of(twice, Reporter(), MADE_AT)
    assert len(lines_of(files[EVENTS])) == len(gathered().events) + 1
    assert all(check.ok for check in _checks(twice.gathered, files).values())


def test_an_account_id_does_not_turn_the_report_around() -> None:
    """It is anybody's text: no control characters in the summary, as nowhere else."""
    odd = "customer\u202e7"
    revisions = tuple(
        one._replace(alert=msgspec.structs.replace(one.alert, account_id=odd))
        for one in gathered().revisions
    )
    page = _page(gathered()._replace(revisions=revisions))
    assert "\u202e" not in page
    assert "used the account customer\N{REPLACEMENT CHARACTER}7:" in page
    assert "risk 1.00" not in page


def test_whose_the_identifiers_are_is_said_in_the_record() -> None:
    """The customer signed in while the case was open: his own address is among them."""
    suspects = orjson.loads(pack_files()["crime-record.json"])["suspects"]
    assert "81.2.7.17" in {found["value"] for found in suspects["identifiers"]}
    assert "may be the customer's own" in suspects["identifiers_are"]


def test_the_crime_record_has_the_fields_that_a_form_asks_for() -> None:
    """Who reports, what, when, where, how, whose loss, what leads to whom."""
    record = orjson.loads(pack_files()["crime-record.json"])
    assert record["reported_by"]["organisation"] == "Fernwick & Sons"
    assert record["when"]["first_event"] == "2026-10-18T03:00:00.000Z"
    assert record["victims"][0]["reference"] == VICTIM
    assert record["money"]["orders"] == [
        {
            "currency": "GBP",
            "placed_before_a_warning": "0.00",
            "placed_when_they_could_be_held": "934.21",
        }
    ]
    found = {(trace["kind"], trace["value"]) for trace in record["suspects"]["identifiers"]}
    assert {("IP address", "188.26.4.9"), ("new e-mail (hash)", "hash-thief")} <= found


def test_a_place_is_of_the_events_own_account() -> None:
    """Another account's event may be called the same and have come from elsewhere."""
    first = next(one for one in gathered().snapshots.values() if one.given.event is not None)
    assert first.given.event is not None
    assert first.given.facts is not None
    event = msgspec.structs.replace(first.given.event, account_id="other")
    facts = msgspec.structs.replace(first.given.facts, city="Elsewhere")
    name = "login" if first.given.login else "order" if first.given.order else "change"
    given = msgspec.structs.replace(first.given, facts=facts, **{name: event})
    other = msgspec.structs.replace(first, given=given)
    more = gathered()._replace(snapshots={**gathered().snapshots, ("other", 1): other})
    assert case_of(more).traces == case().traces

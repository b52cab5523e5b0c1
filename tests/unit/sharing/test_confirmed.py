"""What may leave the house: confirmed campaigns, of groups, with nothing that is a person's."""

from typing import get_args

import msgspec
import pytest

from detectors.campaigns.records import Campaign
from detectors.heat.indicators import Indicator, Kind, key_of
from detectors.intelligence import keyed_hash
from detectors.markings import Marking
from streams.sharing.confirmed import confirmed
from streams.sharing.staying import TakenBack
from tests.support.intelligence import (
    AGENT,
    CAMPAIGN,
    DAY,
    HOME,
    HOSTED,
    KEY,
    START,
    TERMS,
    VERDICT,
    findings,
    kind_of,
    report,
)


def test_only_a_takeover_verdict_confirms() -> None:
    """Alerts alone do not, unless the retailer says how many are enough."""
    assert not findings(CAMPAIGN)
    assert len(findings(CAMPAIGN, VERDICT)) == 1
    assert not findings(CAMPAIGN, terms=TERMS._replace(unverified=5))
    [finding] = findings(CAMPAIGN, terms=TERMS._replace(unverified=4))
    assert (finding.verdicts, finding.confirmed_at) == (0, CAMPAIGN.last_seen)


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": "legitimate"},
        {"alert_id": "another"},
        {"account_id": "another"},
        {"alert_id": None, "occurred_at": START - DAY},
    ],
)
def test_a_verdict_on_something_else_confirms_nothing(changed: dict[str, object]) -> None:
    """It must say of the campaign's own alert, or of its account since then, that it was a thief"""
    assert not findings(CAMPAIGN, msgspec.structs.replace(VERDICT, **changed))


def test_who_was_cleared_does_not_count() -> None:
    """Where analysts have cleared so many that the group is too small, nothing is told."""
    cleared = [
        msgspec.structs.replace(
            VERDICT, account_id=f"account-{n}", alert_id=f"alert-{n}", verdict="legitimate"
        )
        for n in (2, 3)
    ]
    [finding] = findings(CAMPAIGN, VERDICT, cleared[0])
    assert finding.accounts == 3
    assert {report.confidence for report in finding.indicators} == {50}
    assert not findings(CAMPAIGN, VERDICT, *cleared)
    # Whoever holds an account can say so in its customer's name: that clears nobody.
    own = [msgspec.structs.replace(one, source="customer") for one in cleared]
    assert len(findings(CAMPAIGN, VERDICT, *own)) == 1


def test_a_verdict_that_was_taken_back_confirms_no_more() -> None:
    """The latest on an account counts, in whatever order they are read."""
    later = msgspec.structs.replace(
        VERDICT, verdict="legitimate", source="analyst", occurred_at=VERDICT.occurred_at + DAY
    )
    assert not findings(CAMPAIGN, VERDICT, later)
    assert not findings(CAMPAIGN, later, VERDICT)


def test_nothing_is_told_of_a_small_group() -> None:
    """Neither of a campaign of few, nor of an indicator that few of its alerts came with."""
    small = msgspec.structs.replace(CAMPAIGN, accounts=CAMPAIGN.accounts[:2])
    assert not findings(small, VERDICT)
    [finding] = findings()
    assert "device" not in {report.kind for report in finding.indicators}
    [more] = findings(terms=TERMS._replace(minimum=2))
    assert "device" in {report.kind for report in more.indicators}
    assert not findings(terms=TERMS._replace(minimum=5))


def test_one_account_s_alerts_and_a_cleared_one_s_make_no_group() -> None:
    """Three alerts may be one customer's three cases, or of customers who were cleared since."""
    again = msgspec.structs.replace(
        CAMPAIGN,
        alerts=6,
        alert_ids=(*CAMPAIGN.alert_ids, "alert-1-again", "alert-1-once-more"),
        indicators=tuple(
            msgspec.structs.replace(one, accounts=one.alerts - 2) for one in CAMPAIGN.indicators
        ),
    )
    kinds = {report.kind for report in findings(CAMPAIGN, VERDICT)[0].indicators}
    assert {"user_agent", "payment"} <= kinds
    assert not findings(again, VERDICT)
    cleared = msgspec.structs.replace(
        VERDICT, account_id="account-2", alert_id="alert-2", verdict="legitimate"
    )
    [finding] = findings(CAMPAIGN, VERDICT, cleared)
    assert not {"user_agent", "payment"} & {report.kind for report in finding.indicators}


def test_what_concerns_a_person_is_a_keyed_hash_and_the_rest_is_plain() -> None:
    """A home's range is hashed and a hosting company's is not; operators of homes are not told."""
    [finding] = findings()
    plain = {(report.kind, report.value) for report in finding.indicators if report.value}
    assert plain == {("address_prefix", HOSTED), ("asn", "14061"), ("user_agent", AGENT)}
    hashed = {(report.kind, report.hash) for report in finding.indicators if report.hash}
    expected = {
        (name, keyed_hash(KEY, Indicator(kind, key_of(kind, value)).id))
        for name, kind, value in (
            ("address_prefix", Kind.PREFIX, HOME),
            ("delivery_address", Kind.DELIVERY, "drop-address-77"),
            ("payment", Kind.PAYMENT, "card-token-5"),
        )
    }
    assert hashed == expected
    assert {report.key_id for report in finding.indicators if report.hash} == {KEY.key_id}
    assert finding.withheld == len(CAMPAIGN.indicators) - len(finding.indicators)


def test_without_a_key_nothing_hashed_is_told() -> None:
    """What would have to be hashed is kept back, never told plain."""
    [finding] = findings(terms=TERMS._replace(key=None))
    assert {report.kind for report in finding.indicators} == {
        "address_prefix", "asn", "user_agent",
    }  # fmt: skip
    assert all(report.hash is None for report in finding.indicators)


def test_a_campaign_that_was_merged_is_told_once() -> None:
    """Under the id of the one that it went into."""
    merged: Campaign = msgspec.structs.replace(CAMPAIGN, merged_into="other", revision=9)
    assert not findings(CAMPAIGN, VERDICT, merged)


@pytest.mark.parametrize("marking", get_args(Marking))
def test_what_came_in_to_stay_does_not_go_out(marking: Marking) -> None:
    """Plain or hashed, what is told here under TLP:RED or AMBER+STRICT is not told on."""
    said = (
        report(Kind.PREFIX, HOSTED, tlp=marking),
        report(Kind.PAYMENT, "card-token-5", tlp=marking),
    )
    hashed = report(Kind.PREFIX, HOME, keyed=True, tlp=marking)
    [finding] = confirmed(TERMS, kind_of, [CAMPAIGN, VERDICT, *said, hashed], [KEY])
    [free] = findings()
    stays = marking in {"red", "amber+strict"}
    assert len(free.indicators) - len(finding.indicators) == (3 if stays else 0)
    assert finding.withheld - free.withheld == (3 if stays else 0)
    assert finding.staying == (("shop-b",) if stays else ())
    if stays:
        kinds = {(one.kind, one.value or "") for one in finding.indicators}
        assert not kinds & {("address_prefix", HOSTED), ("address_prefix", ""), ("payment", "")}


def test_who_keeps_all_of_a_campaign_here_is_named() -> None:
    """Nothing of it is told, and whoever exports learns whom to ask."""
    [free] = findings()
    said = [
        msgspec.structs.replace(one, source="shop-b", tlp="red", indicator_id=f"theirs-{number}")
        for number, one in enumerate(free.indicators)
    ]
    [finding] = confirmed(TERMS, kind_of, [CAMPAIGN, VERDICT, *said], [KEY])
    assert not finding.indicators
    assert finding.staying == ("shop-b",)


def test_what_is_taken_back_or_ones_own_stays_no_longer() -> None:
    """The source has changed its mind; and what one told oneself one may tell again."""
    said = report(Kind.PREFIX, HOSTED, tlp="red")
    own = report(Kind.PREFIX, HOSTED, TERMS.source, tlp="red")
    for told in ([said, TakenBack(said.indicator_id)], [own]):
        assert confirmed(TERMS, kind_of, [CAMPAIGN, VERDICT, *told], [KEY]) == findings()
    assert confirmed(TERMS, kind_of, [said, CAMPAIGN, VERDICT], [KEY]) != findings()


def test_an_older_revision_takes_nothing_back() -> None:
    """Files may come in any order."""
    older = msgspec.structs.replace(CAMPAIGN, revision=1, accounts=CAMPAIGN.accounts[:1])
    assert findings(CAMPAIGN, VERDICT, older) == findings()

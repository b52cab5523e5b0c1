"""What a hijack came with that nobody was alerted for is told when a verdict says what it was."""

from typing import Any

import pytest

from detectors.campaigns import Campaign
from detectors.engine import Observed, Outcome
from detectors.events import EventType, Feedback, Verdict
from detectors.facts import NOTHING_KNOWN, Facts
from detectors.heat.indicators import Indicator, Kind, key_of
from detectors.parsing import parse_event
from detectors.policy import Policy
from streams.backtesting import PrequentialEngine
from streams.sharing.confirmed import Terms, confirmed
from tests.support.intelligence import KEY

START = 1_790_812_800.0
DAY = 86_400.0
VICTIMS = ("c3", "c7", "c11")
DROP = Indicator(Kind.DELIVERY, key_of(Kind.DELIVERY, "drop"))


def visit(number: int, at: float, *, address: str) -> list[Observed]:
    """A customer signs in at home, with the device that they always have, and orders."""
    who = f"c{number}"
    facts = Facts(prefix=f"10.0.{number}.0/24", asn=64_500, browser="Firefox", os="Linux")
    shared = {
        "account_id": who,
        "ip": f"10.0.{number}.7",
        "device_id": f"device of {who}",
        "session_id": f"s-{who}-{at:.0f}",
    }
    told: list[tuple[EventType, dict[str, Any]]] = [
        ("login", {"outcome": "success"}),
        (
            "order",
            {"order_id": f"o-{who}-{at:.0f}", "amount": "40", "currency": "GBP",
             "shipping_address_id": address, "payment_id": f"card of {who}"},
        ),
    ]  # fmt: skip
    return [
        Observed(
            parse_event(
                {"event_id": f"{type_}-{who}-{at:.0f}", "occurred_at": int(1000 * at), **shared}
                | fields,
                type_=type_,
                timestamp=at,
                fallback_id="none",
            ),
            facts,
        )
        for type_, fields in told
    ]


def judged(who: str, verdict: Verdict, at: float) -> Observed:
    """Somebody says whose the order to the drop was."""
    order = f"order-{who}-{START + 20 * DAY + 600 * int(who[1:]):.0f}"
    told = Feedback(
        account_id=who, event_id=f"{verdict} of {who}", occurred_at=at, verdict=verdict,
        event_ids=(order,), source="chargeback",
    )  # fmt: skip
    return Observed(told, NOTHING_KNOWN)


class Shop:
    """Three weeks of forty customers; then three of them order to one address, as it seems."""

    def __init__(self, every: int = 20_000) -> None:
        self.engine = PrequentialEngine(Policy(), hand_over_every=every)
        self.outcomes: list[Outcome] = []
        self.campaigns: list[Campaign] = []
        for day in range(20):
            for number in range(40):
                self.take(
                    *visit(number, START + day * DAY + 600 * number, address=f"home {number}")
                )
        for who in VICTIMS:
            number = int(who[1:])
            self.take(*visit(number, START + 20 * DAY + 600 * number, address="drop"))

    def take(self, *events: Observed) -> "Shop":
        """Let something happen."""
        self.outcomes += self.engine.process(list(events))
        self.campaigns += [one for one in self.engine.published() if isinstance(one, Campaign)]
        return self

    def judge(self, verdict: Verdict, *accounts: str, after: float = 30.0) -> "Shop":
        """Somebody says whose the orders were, days after them."""
        for who in accounts:
            self.take(judged(who, verdict, START + (20 + after) * DAY))
        return self


@pytest.mark.parametrize("every", [20_000, 1])
def test_verdicts_bring_victims_whom_nobody_was_alerted_for(every: int) -> None:
    """They make a campaign, which says who they are, and is told of what they have in common."""
    shop = Shop(every).judge("takeover", *VICTIMS)
    assert not any(outcome.alert for outcome in shop.outcomes)
    latest = shop.campaigns[-1]
    assert latest.accounts == latest.unnoticed == tuple(sorted(VICTIMS))
    assert (latest.alerts, latest.alert_ids) == (0, ())
    assert {one.indicator: one.alerts for one in latest.indicators} == {DROP.id: 3}
    assert START + 20 * DAY < latest.first_seen < latest.last_seen < START + 21 * DAY
    assert len({campaign.campaign_id for campaign in shop.campaigns}) == 1


def test_a_verdict_for_the_customer_or_one_told_again_brings_nobody() -> None:
    """Only what has become a hijacker's by it is told."""
    assert not Shop().judge("legitimate", *VICTIMS).campaigns
    shop = Shop().judge("takeover", *VICTIMS)
    told = len(shop.campaigns)
    assert len(shop.judge("takeover", *VICTIMS, after=31).campaigns) == told


def test_what_verdicts_confirm_is_shared() -> None:
    """Three accounts that only verdicts told of are a group as three alerted ones are."""
    shop = Shop().judge("takeover", *VICTIMS)
    verdicts = [
        one.event
        for one in (judged(who, "takeover", START + 50 * DAY) for who in VICTIMS)
        if isinstance(one.event, Feedback)
    ]
    terms = Terms("shop-a", KEY)
    [finding] = confirmed(terms, lambda _prefix: None, [*shop.campaigns, *verdicts])
    assert (finding.accounts, finding.verdicts) == (3, 3)
    assert [report.kind for report in finding.indicators] == ["delivery_address"]
    # Of two of them nothing is told: it would be theirs.
    taken_back = judged(VICTIMS[0], "legitimate", START + 51 * DAY).event
    assert isinstance(taken_back, Feedback)
    assert not confirmed(terms, lambda _prefix: None, [*shop.campaigns, *verdicts, taken_back])

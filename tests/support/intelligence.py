"""A confirmed campaign, and reports on indicators, as tests need them."""

from typing import Any

from detectors.campaigns.records import Campaign, SharedIndicator
from detectors.events import Feedback
from detectors.facts import NetworkKind
from detectors.heat.indicators import KINDS, Indicator, Kind, key_of
from detectors.intelligence import GroupKey, IndicatorReport, report_id
from streams.sharing.confirmed import Finding, Terms, confirmed

KEY = GroupKey("2026-11", bytes(range(32)))
START = 1_790_812_800.0
DAY = 86_400.0
HOSTED, HOME = "203.0.113.0/24", "198.51.100.0/24"
AGENT = "Mozilla/5.0 (it's; 5\\6) likely"
SECRETS = ("account-1", "alert-1", "drop-address-77", "card-token-5", "device-9", HOME, "198.51")


def shared(kind: Kind, value: str, alerts: int = 4) -> SharedIndicator:
    """An indicator of a campaign, as it is published: each of its alerts is another account's."""
    return SharedIndicator(
        indicator=Indicator(kind, key_of(kind, value)).id,
        value=value if KINDS[kind].shown else None,
        alerts=alerts,
        accounts=alerts,
    )


CAMPAIGN = Campaign(
    campaign_id="c0ffee" * 4,
    revision=3,
    first_seen=START,
    last_seen=START + DAY,
    alerts=4,
    accounts=tuple(f"account-{n}" for n in range(4)),
    alert_ids=tuple(f"alert-{n}" for n in range(4)),
    indicators=(
        shared(Kind.PREFIX, HOSTED),
        shared(Kind.PREFIX, HOME),
        shared(Kind.OPERATOR, "14061"),
        shared(Kind.OPERATOR, "2856"),
        shared(Kind.AGENT, AGENT, 3),
        shared(Kind.SHAPE, "Firefox on Linux"),
        shared(Kind.DELIVERY, "drop-address-77"),
        shared(Kind.PAYMENT, "card-token-5", 3),
        shared(Kind.DEVICE, "device-9", 2),
    ),
    techniques=("T1110.004", "F1028"),
)
VERDICT = Feedback(
    event_id="v1",
    occurred_at=START + 2 * DAY,
    account_id="account-1",
    verdict="takeover",
    alert_id="alert-1",
    source="chargeback",
)
TERMS = Terms("shop-a", KEY)


def kind_of(prefix: str) -> NetworkKind | None:
    """One range is a hosting company's; of the others nobody knows."""
    return "hosting" if prefix == HOSTED else None


def findings(*told: Campaign | Feedback, terms: Terms = TERMS) -> list[Finding]:
    """What is confirmed of a campaign with a verdict on it, or of what is given."""
    return confirmed(terms, kind_of, told or (CAMPAIGN, VERDICT))


def report(
    kind: Kind, value: str, source: str = "shop-b", *, keyed: bool = False, **said: Any
) -> IndicatorReport:
    """A source's report on a value: a keyed hash where it has to be, or is to be, one."""
    from detectors.intelligence import keyed_hash

    name = KINDS[kind].name
    given: dict[str, Any] = {"value": value}
    if keyed or not KINDS[kind].shown:
        hashed = keyed_hash(KEY, Indicator(kind, key_of(kind, value)).id)
        given = {"hash": hashed, "key_id": KEY.key_id}
    fields: dict[str, Any] = {
        "indicator_id": report_id(source, name, str(given)),
        "source": source,
        "kind": name,
        "valid_from": START - 30 * DAY,
        "valid_until": START + 300 * DAY,
        "confidence": 100,
        **given,
        **said,
    }
    return IndicatorReport(**fields)

"""A month by hand, of which every figure can be worked out on paper."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from detectors.assessments import Alert
from detectors.bulletin.standing import Recorded
from detectors.campaigns.records import Campaign, SharedIndicator
from detectors.events import Feedback, Order
from tests.support.alerts import ALERT

ACCOUNT = "customer-of-ours-"
ADDRESS = "203.0.113.77"
STREET = "address-token-9"


def at(day: int, hour: float = 12.0, month: int = 11) -> float:
    """UTC epoch seconds of a moment in 2026."""
    return datetime(2026, month, day, tzinfo=UTC).timestamp() + hour * 3600


def account(number: int) -> str:
    """An account's id."""
    return f"{ACCOUNT}{number}"


def alert(number: int, when: float, **fields: Any) -> Alert:
    """The first revision of an account's case, which asks for a hold of its order."""
    alert_id = f"case-{number}"
    given: dict[str, Any] = {
        "alert_id": alert_id,
        "revision": 1,
        "account_id": account(number),
        "raised_at": when,
        "updated_at": when,
        "action": "hold_order",
        "techniques": ("T1110.004",),
        "trigger_event_id": f"order-event-{number}",
        "event_ids": (f"order-event-{number}",),
        "order_ids": (f"order-{number}",),
        "session_ids": (f"session-{number}",),
        "amount_at_risk": Decimal(100),
        "currency": "GBP",
        "campaign_id": None,
    }
    return msgspec.structs.replace(ALERT, **(given | fields))


def order(number: int, when: float, **fields: Any) -> Order:
    """An account's order of 100 pounds to London."""
    given: dict[str, Any] = {
        "account_id": account(number),
        "event_id": f"order-event-{number}",
        "occurred_at": when,
        "session_id": f"session-{number}",
        "ip": ADDRESS,
        "order_id": f"order-{number}",
        "amount": Decimal(100),
        "currency": "GBP",
        "shipping_address_id": STREET,
        "shipping_postcode": "SW1A 1AA",
        "shipping_country": "GB",
    }
    return Order(**(given | fields))


def verdict(number: int, when: float, said: str = "takeover", **fields: Any) -> Feedback:
    """A verdict on an account's case, by an analyst."""
    given: dict[str, Any] = {
        "account_id": account(number),
        "event_id": f"verdict-{number}-{when}",
        "occurred_at": when,
        "verdict": said,
        "alert_id": f"case-{number}",
        "source": "analyst",
    }
    return Feedback(**(given | fields))


def campaign(name: str, numbers: range, **fields: Any) -> Campaign:
    """A campaign of these accounts' cases."""
    given: dict[str, Any] = {
        "campaign_id": name,
        "revision": 1,
        "first_seen": at(3),
        "last_seen": at(20),
        "alerts": len(numbers),
        "accounts": tuple(account(number) for number in numbers),
        "alert_ids": tuple(f"case-{number}" for number in numbers),
        "indicators": (
            SharedIndicator(indicator="address_prefix:0011223344556677", value=ADDRESS, alerts=2),
        ),
        "techniques": (),
    }
    return Campaign(**(given | fields))


def busy_month() -> Recorded:
    """Twenty attempts: twelve takeovers (six stopped), five customers, three open; a campaign."""
    numbers = range(20)
    return Recorded(
        # The last six takeovers' alerts come an hour after the order.
        alerts=[alert(n, at(2 + n, 13 if 6 <= n < 12 else 12)) for n in numbers],
        orders=[
            order(n, at(2 + n), shipping_postcode="SW1A 1AA" if n < 15 else "M1 1AE")
            for n in numbers
        ],
        verdicts=[
            *(verdict(n, at(28)) for n in range(12)),
            *(verdict(n, at(28), "legitimate") for n in range(12, 17)),
        ],
        campaigns=[campaign("gang", range(7))],
    )


def moved(recorded: Recorded, seconds: float) -> Recorded:
    """The same so many seconds later."""
    replace = msgspec.structs.replace
    return Recorded(
        [
            replace(a, raised_at=a.raised_at + seconds, updated_at=a.updated_at + seconds)
            for a in recorded.alerts
        ],
        [replace(v, occurred_at=v.occurred_at + seconds) for v in recorded.verdicts],
        [replace(o, occurred_at=o.occurred_at + seconds) for o in recorded.orders],
        [
            replace(c, first_seen=c.first_seen + seconds, last_seen=c.last_seen + seconds)
            for c in recorded.campaigns
        ],
    )

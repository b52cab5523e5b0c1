"""What a retailer's pipeline tells us, typed. The wire contract's fields under their own names.

Every field that the contract does not require may be absent, and is then None (or empty): an
absent field costs accuracy, never correctness. Times are UTC seconds since the epoch; money is
`Decimal` in the order's currency; countries are ISO 3166-1 alpha-2 in upper case.
"""

from decimal import Decimal
from typing import Literal

import msgspec

EventType = Literal["login", "order", "account_change", "feedback"]
Outcome = Literal["success", "failure"]
FailureReason = Literal["bad_password", "unknown_account", "locked", "mfa_failed", "blocked"]
Method = Literal["password", "otp", "passkey", "social", "remembered"]
MfaResult = Literal["none", "passed", "failed"]
Delivery = Literal["home", "click_and_collect", "locker", "digital"]
Change = Literal[
    "email",
    "phone",
    "password",
    "password_reset_requested",
    "password_reset_completed",
    "address",
    "payment",
    "mfa_enrolled",
    "mfa_removed",
    "sessions_revoked",
]
Actor = Literal["customer", "support", "system"]
Verdict = Literal["takeover", "legitimate"]
VerdictSource = Literal["analyst", "customer", "chargeback", "police"]


class _Common(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that every event may carry. `latitude` is -90 to 90, `longitude` -180 to 180."""

    account_id: str
    event_id: str
    occurred_at: float
    session_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    asn: int | None = None


class Login(_Common, frozen=True, kw_only=True):
    """A sign-in attempt, failed ones too. `ip` is always there; `rtt_ms` is in milliseconds."""

    outcome: Outcome
    failure_reason: FailureReason | None = None
    method: Method | None = None
    mfa: MfaResult | None = None
    rtt_ms: float | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order; `quantity` is at least 1, `unit_price` in the order's currency."""

    sku: str | None = None
    category: str | None = None
    quantity: int = 1
    unit_price: Decimal | None = None


class Order(_Common, frozen=True, kw_only=True):
    """An order placed. `gift_card_amount` is in the order's currency, points in points."""

    order_id: str
    amount: Decimal
    currency: str | None = None
    items: tuple[Item, ...] = ()
    delivery: Delivery | None = None
    shipping_address_id: str | None = None
    shipping_postcode: str | None = None
    shipping_country: str | None = None
    payment_id: str | None = None
    gift_card_amount: Decimal | None = None
    loyalty_points: int | None = None


class AccountChange(_Common, frozen=True, kw_only=True):
    """A change of contact, credential, address, payment or MFA, or a step of a reset."""

    change: Change
    actor: Actor | None = None
    value_hash: str | None = None


class Feedback(_Common, frozen=True, kw_only=True):
    """A verdict, late, repeated and sometimes wrong. It names the events or the alert it is on."""

    verdict: Verdict
    alert_id: str | None = None
    event_ids: tuple[str, ...] = ()
    source: VerdictSource | None = None


Event = Login | Order | AccountChange | Feedback

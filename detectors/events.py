"""What a retailer's pipeline tells us, typed. The wire contract's fields under their own names.

Every field that the contract does not require may be absent, and is then None (or empty): an
absent field costs accuracy, never correctness. Times are UTC seconds since the epoch; money is
`Decimal` in the order's currency; countries are ISO 3166-1 alpha-2 in upper case. The bounds are
held where events are read (`detectors.parsing`), so that nobody can send a profile out of size.
"""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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

MAX_TEXT = 256
MAX_USER_AGENT = 512
MAX_LIST = 1000

Text = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_TEXT, description=f"a string of 1 to {MAX_TEXT} characters"),
]
UserAgent = Annotated[str, Meta(min_length=1, max_length=MAX_USER_AGENT, description="a string")]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="a number from -90 to 90")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="a number from -180 to 180")]
AutonomousSystem = Annotated[
    int, Meta(ge=1, le=4_294_967_295, description="an integer from 1 to 4294967295")
]
Milliseconds = Annotated[
    float, Meta(ge=0, le=86_400_000, description="a number from 0 to 86400000")
]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000, description="an integer from 1 to 1000000")]
Points = Annotated[
    int, Meta(ge=0, le=1_000_000_000_000, description="an integer from 0 to 1000000000000")
]


class _Common(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Fields that every event may carry. `latitude` is -90 to 90, `longitude` -180 to 180."""

    account_id: Text
    event_id: Text
    occurred_at: float
    session_id: Text | None = None
    ip: Text | None = None
    user_agent: UserAgent | None = None
    device_id: Text | None = None
    country: Text | None = None
    region: Text | None = None
    city: Text | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    asn: AutonomousSystem | None = None


class Login(_Common, frozen=True, kw_only=True, gc=False):
    """A sign-in attempt, failed ones too. `ip` is always there; `rtt_ms` is in milliseconds."""

    outcome: Outcome
    failure_reason: FailureReason | None = None
    method: Method | None = None
    mfa: MfaResult | None = None
    rtt_ms: Milliseconds | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of an order; `quantity` is at least 1, `unit_price` in the order's currency."""

    sku: Text | None = None
    category: Text | None = None
    quantity: Quantity = 1
    unit_price: Decimal | None = None


class Order(_Common, frozen=True, kw_only=True, gc=False):
    """An order placed. `gift_card_amount` is in the order's currency, points in points."""

    order_id: Text
    amount: Decimal
    currency: Text | None = None
    items: Annotated[tuple[Item, ...], Meta(max_length=MAX_LIST)] = ()
    delivery: Delivery | None = None
    shipping_address_id: Text | None = None
    shipping_postcode: Text | None = None
    shipping_country: Text | None = None
    payment_id: Text | None = None
    gift_card_amount: Decimal | None = None
    loyalty_points: Points | None = None


class AccountChange(_Common, frozen=True, kw_only=True, gc=False):
    """A change of contact, credential, address, payment or MFA, or a step of a reset."""

    change: Change
    actor: Actor | None = None
    value_hash: Text | None = None


class Feedback(_Common, frozen=True, kw_only=True, gc=False):
    """A verdict, late, repeated and sometimes wrong. It names the events or the alert it is on.

    `legitimate` by `customer` counts for the account alone: a thief's session can say so, too.
    """

    verdict: Verdict
    alert_id: Text | None = None
    event_ids: Annotated[tuple[Text, ...], Meta(max_length=MAX_LIST)] = ()
    source: VerdictSource | None = None


Event = Login | Order | AccountChange | Feedback

"""From what somebody did to what the shop's pipeline says about it: the contract's objects.

Everything anybody does, customer or thief, passes through here, so that ids, clocks and missing
fields tell nothing about who it was. Each method draws equally often whatever is left out: how
much a pipeline tells changes nothing of what happens.
"""

import math
from datetime import UTC, datetime
from typing import Any, NamedTuple

from detectors.simulation.calendar import Calendar
from detectors.simulation.chance import Chance
from detectors.simulation.customers import Address
from detectors.simulation.devices import Device, user_agent
from detectors.simulation.goods import Basket, delivery_fee, money
from detectors.simulation.internet import Line
from detectors.simulation.shop import Telemetry

Record = dict[str, Any]


class Scene(NamedTuple):
    """Who acts from where. `line` is None where the shop sees no address (a support console)."""

    account_id: str
    device: Device | None
    line: Line | None
    session: str | None = None

    def signed_in(self, chance: Chance) -> "Scene":
        """Return the same scene in a new session."""
        return self._replace(session="s" + chance.token(16))


class Checkout(NamedTuple):
    """How an order is paid and delivered. `gift_card` is in pence."""

    basket: Basket
    delivery: str
    address: Address | None
    payment_id: str | None
    gift_card: int = 0
    points: int = 0


class Recorder:
    """Writes the contract's objects with the retailer's usual gaps."""

    def __init__(self, telemetry: Telemetry, calendar: Calendar) -> None:
        self._telemetry, self._calendar = telemetry, calendar

    def login(
        self,
        scene: Scene,
        time: float,
        chance: Chance,
        *,
        outcome: str = "success",
        reason: str | None = None,
        method: str = "password",
        mfa: str = "none",
    ) -> Record:
        """A sign-in attempt; only a success has a session."""
        record = self._common("login", scene, time, chance)
        record["outcome"] = outcome
        if reason is not None:
            record["failure_reason"] = reason
        if chance.random() < self._telemetry.method:
            record["method"] = method
            record["mfa"] = mfa
        if scene.line is not None:
            round_trip = _round_trip(scene.line, chance)
            if chance.random() < self._telemetry.rtt_ms:
                record["rtt_ms"] = round_trip
        return record

    def order(self, scene: Scene, time: float, chance: Chance, checkout: Checkout) -> Record:
        """An order placed."""
        record = self._common("order", scene, time, chance)
        basket = checkout.basket
        pence = basket.pence + (
            delivery_fee(basket.pence, chance) if checkout.delivery == "home" else 0
        )
        record["order_id"] = "o" + chance.token(12)
        record["amount"] = money(pence)
        record["currency"] = "GBP"
        if chance.random() < self._telemetry.items:
            record["items"] = basket.items
        record["delivery"] = checkout.delivery
        if checkout.address is not None:
            record["shipping_address_id"] = checkout.address.token
            record["shipping_postcode"] = checkout.address.postcode
            record["shipping_country"] = checkout.address.country
        if checkout.payment_id is not None and chance.random() < self._telemetry.payment_id:
            record["payment_id"] = checkout.payment_id
        if checkout.gift_card:
            record["gift_card_amount"] = money(min(checkout.gift_card, pence))
        if checkout.points:
            record["loyalty_points"] = checkout.points
        return record

    def change(
        self,
        scene: Scene,
        time: float,
        chance: Chance,
        what: str,
        *,
        actor: str = "customer",
        value: str | None = None,
    ) -> Record:
        """A change of the account; `value` is the hash of the new value where there is one."""
        record = self._common("account_change", scene, time, chance)
        if actor == "support" and chance.random() >= self._telemetry.console:
            for name in _WHERE:
                record.pop(name, None)
        record["change"] = what
        record["actor"] = actor
        if value is not None and chance.random() < self._telemetry.value_hash:
            record["value_hash"] = value
        return record

    def _common(self, kind: str, scene: Scene, time: float, chance: Chance) -> Record:
        telemetry = self._telemetry
        record: Record = {
            "type": kind,
            "event_id": chance.token(16),
            "occurred_at": timestamp(time),
            "account_id": scene.account_id,
        }
        if scene.session is not None and chance.random() < telemetry.session_id:
            record["session_id"] = scene.session
        line, device = scene.line, scene.device
        if line is not None:
            record["ip"] = line.address
        if device is not None:
            share = telemetry.order_user_agent if kind == "order" else telemetry.user_agent
            if chance.random() < share:
                version = self._calendar.app_version(time, device.lag)
                record["user_agent"] = user_agent(device, time, version)
            if chance.random() < telemetry.device_id:
                cookie = device.device_id(time)
                if cookie is not None:
                    record["device_id"] = cookie
        if line is not None:
            self._locate(record, line, chance)
        return record

    def _locate(self, record: Record, line: Line, chance: Chance) -> None:
        telemetry, place = self._telemetry, line.site.place
        told, placed = chance.random(), chance.random()
        if told < telemetry.country:
            record["country"] = place.country
            if placed < telemetry.place:
                record["region"] = place.region
                record["city"] = place.city
                record["latitude"] = place.latitude
                record["longitude"] = place.longitude
        if chance.random() < telemetry.asn:
            record["asn"] = line.site.operator.asn


# What is unknown of a change made where no customer was.
_WHERE = (
    "ip", "user_agent", "device_id", "country", "region", "city", "latitude", "longitude", "asn",
)  # fmt: skip
# How the hash of a new value begins, for the changes that have one.
_VALUES = {"phone": "n", "email": "m", "payment": "p", "address": "a"}


def new_value(change: str, chance: Chance) -> str | None:
    """The hash of a value never seen before; None for a change that has no value."""
    kind = _VALUES.get(change)
    return None if kind is None else kind + chance.token(12)


def timestamp(time: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


# Milliseconds between the shop's edge and the address it talks to, before distance.
_LAST_MILE = {"mobile": 45.0, "relay": 18.0, "vpn": 22.0, "hosting": 12.0}


def _round_trip(line: Line, chance: Chance) -> int:
    """To the address the shop sees: what lies behind a proxy or a relay does not show."""
    place = line.site.place
    far = 1.6 * math.hypot(place.latitude - 51.5, 0.63 * place.longitude)
    last_mile = _LAST_MILE.get(line.site.operator.kind, 18.0)
    return max(2, round(far + chance.around(last_mile, 0.45)))

"""Two months of a small shop, by hand: its customers, one hijack, and records nobody can use."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from streams.settings import SourceTopic

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 50
CUSTOMERS = 80
VICTIM = "customer-7"


class Happening(NamedTuple):
    """Something that happened, and the contract's topic it is told on (`account_changes`)."""

    source: SourceTopic
    moment: datetime
    fields: dict[str, Any]

    @property
    def key(self) -> bytes:
        """The record's key."""
        return str(self.fields["account_id"]).encode()

    @property
    def value(self) -> bytes:
        """The record's value."""
        moment = self.moment.isoformat().replace("+00:00", "Z")
        return orjson.dumps({**self.fields, "occurred_at": moment})


class Customer:
    """Somebody with one device at home, who signs in now and then and buys a little."""

    def __init__(self, number: int) -> None:
        self.account_id = f"customer-{number}"
        self._chance = random.Random(number)
        city = number % 12
        self._home = {
            "ip": f"81.2.{city}.{10 + number}",
            "user_agent": (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                f"Chrome/1{20 + number % 4}.0.0.0 Safari/537.36"
            ),
            "device_id": f"device-{number}",
            "country": "GB",
            "asn": 2856 + city % 3,
        }

    def life(self) -> Iterator[Happening]:
        """Sign-ins every day or two, an order on every fourth."""
        day = self._chance.uniform(0, 2)
        visit = 0
        while day < DAYS:
            moment = START + timedelta(days=day, hours=self._chance.uniform(8, 20))
            yield self._event("logins", moment, visit, outcome="success", method="password")
            if visit % 4 == 3:
                yield self._event(
                    "orders",
                    moment + timedelta(minutes=self._chance.uniform(5, 30)),
                    visit,
                    order_id=f"order-{self.account_id}-{visit}",
                    amount=f"{self._chance.uniform(15, 60):.2f}",
                    currency="GBP",
                    delivery="home",
                    shipping_address_id=f"address-{self.account_id}",
                    payment_id=f"card-{self.account_id}",
                )
            day += self._chance.uniform(0.7, 2.2)
            visit += 1

    def _event(self, source: SourceTopic, moment: datetime, visit: int, **fields: Any) -> Happening:
        common = {
            "event_id": f"{source}-{self.account_id}-{visit}",
            "account_id": self.account_id,
            "session_id": f"session-{self.account_id}-{visit}",
        }
        return Happening(source, moment, {**common, **self._home, **fields})


def hijack() -> Iterator[Happening]:
    """A thief resets the victim's password from abroad and orders to an address of his own."""
    begins = START + timedelta(days=DAYS - 3, hours=3)
    there = {
        "account_id": VICTIM,
        "session_id": "session-thief",
        "ip": "188.26.4.9",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
        "device_id": "device-thief",
        "country": "RO",
        "asn": 8708,
    }
    steps: list[tuple[SourceTopic, float, dict[str, Any]]] = [
        ("account_changes", 0, {"change": "password_reset_requested"}),
        ("account_changes", 3, {"change": "password_reset_completed"}),
        ("logins", 4, {"outcome": "success", "method": "password"}),
        ("account_changes", 7, {"change": "email", "value_hash": "hash-thief"}),
        (
            "orders",
            12,
            {
                "order_id": "order-thief",
                "amount": "899.00",
                "currency": "GBP",
                "delivery": "home",
                "shipping_address_id": "address-thief",
                "payment_id": f"card-{VICTIM}",
            },
        ),
    ]
    for number, (source, minutes, fields) in enumerate(steps):
        moment = begins + timedelta(minutes=minutes)
        yield Happening(source, moment, {"event_id": f"hijack-{number}", **there, **fields})


def everything() -> list[Happening]:
    """All that happened, in the order in which it did."""
    lives = [happening for n in range(CUSTOMERS) for happening in Customer(n).life()]
    return sorted([*lives, *hijack()], key=lambda happening: happening.moment)

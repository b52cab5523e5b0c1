"""The small shop's two months, and in the last days of them a gang that tries leaked passwords.

From one server it tries a name every few seconds. A few passwords fit; the accounts are emptied
some hours later, from elsewhere, to one address. Beside it an office of customers comes back from a
holiday: many sign-ins through one address, some of them mistyped.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from streams.settings import SourceTopic
from tests.integration import shop_traffic
from tests.integration.shop_traffic import DAYS, START, Customer, Happening

VICTIMS: Final = tuple(f"customer-{number}" for number in (3, 11, 19, 28, 42, 55))
QUIET: Final = tuple(f"customer-{number}" for number in (5, 17, 33))
OFFICE: Final = range(60, 80)
TRIES: Final = 120
ATTACK: Final = START + timedelta(days=DAYS - 2, hours=2)
SERVER: Final = {
    "ip": "45.131.7.20",
    "asn": 9009,
    "country": "NL",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/109.0.0.0",
}
NETWORK: Final = str(SERVER["ip"]).rpartition(".")[0]
_DROP: Final = {
    "ip": "86.104.22.9",
    "asn": 9050,
    "country": "RO",
    "user_agent": "Mozilla/5.0 (Windows NT 10.0; rv:115.0) Gecko/20100101 Firefox/115.0",
    "device_id": "device-drop",
}


def everything() -> list[Happening]:
    """All that happened, in the order in which it did."""
    all_of_it = [*shop_traffic.everything(), *_tries(), *_entries(), *_office()]
    return sorted(all_of_it, key=lambda happening: happening.moment)


def unnoticed() -> list[Happening]:
    """The shop's two months, in which three customers' sessions at home order to one address.

    Nobody is alerted for so little; a bank says so of each order ten days later.
    """
    quiet: list[Happening] = []
    for number, victim in enumerate(QUIET):
        at = START + timedelta(days=DAYS - 20, hours=number)
        home = next(Customer(int(victim.partition("-")[2])).life()).fields
        order = f"quiet-order-{number}"
        told = {**home, "session_id": f"quiet-{number}"}
        bought = {
            "order_id": order,
            "amount": "45.00",
            "currency": "GBP",
            "delivery": "home",
            "shipping_address_id": "address-quiet",
            "payment_id": f"card-{victim}",
        }
        verdict = {
            "event_id": f"verdict-{number}",
            "account_id": victim,
            "verdict": "takeover",
            "event_ids": [order],
            "source": "chargeback",
        }
        quiet += [
            Happening("logins", at, {**told, "event_id": f"quiet-entry-{number}"}),
            Happening("orders", at + timedelta(minutes=9), {**told, **bought, "event_id": order}),
            Happening("feedback", at + timedelta(days=10), verdict),
        ]
    return sorted([*shop_traffic.everything(), *quiet], key=lambda happening: happening.moment)


def _tries() -> Iterator[Happening]:
    chance = random.Random(5)
    others = [n for n in range(shop_traffic.CUSTOMERS) if f"customer-{n}" not in VICTIMS]
    # Each once: whether a second try of the same name counts depends on when heat arrives.
    customers = iter(chance.sample(others, TRIES // 4))
    for number in range(TRIES):
        known = number % 4 == 0
        account = f"customer-{next(customers)}" if known else f"somebody-{number}"
        yield Happening(
            "logins",
            ATTACK + timedelta(seconds=7 * number),
            {
                "event_id": f"try-{number}",
                "account_id": account,
                "outcome": "failure",
                "failure_reason": "bad_password" if known else "unknown_account",
                **SERVER,
            },
        )


def _entries() -> Iterator[Happening]:
    for number, victim in enumerate(VICTIMS):
        entered = ATTACK + timedelta(seconds=7 * 20 * number + 3)
        yield Happening(
            "logins",
            entered,
            {
                "event_id": f"entry-{number}",
                "account_id": victim,
                "session_id": f"session-entry-{number}",
                "outcome": "success",
                **SERVER,
            },
        )
        back = entered + timedelta(hours=5)
        order = {
            "order_id": f"order-gang-{number}",
            "amount": "420.00",
            "currency": "GBP",
            "delivery": "home",
            "shipping_address_id": "address-drop",
        }
        steps: list[tuple[SourceTopic, int, dict[str, Any]]] = [
            ("logins", 0, {"outcome": "success"}),
            ("orders", 6, order),
        ]
        for source, later, fields in steps:
            common = {
                "event_id": f"{source}-gang-{number}",
                "account_id": victim,
                "session_id": f"session-gang-{number}",
            }
            moment = back + timedelta(minutes=later)
            yield Happening(source, moment, {**common, **_DROP, **fields})


def _office() -> Iterator[Happening]:
    """Twenty customers sign in through one address, with their own devices, a third mistyping."""
    for number in OFFICE:
        first = next(Customer(number).life()).fields
        for attempt, outcome in enumerate(
            ("failure", "success") if number % 3 == 0 else ("success",)
        ):
            yield Happening(
                "logins",
                ATTACK + timedelta(minutes=number - OFFICE.start, seconds=20 * attempt),
                {
                    "event_id": f"office-{number}-{attempt}",
                    "account_id": f"customer-{number}",
                    "session_id": f"session-office-{number}",
                    "outcome": outcome,
                    "device_id": first["device_id"],
                    "user_agent": first["user_agent"],
                    "ip": "62.24.9.1",
                    "asn": 2856,
                    "country": "GB",
                },
            )

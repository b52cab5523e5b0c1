"""What is sent while something goes wrong: customers, thieves, and records nobody can use.

First a shop's past over all topics, read before anything goes wrong, with orders, changes and a
hijack in it. Then sign-ins alone, live: one topic has one order, so that what should come of them
is known. Some are told twice, some come minutes or days late, some are from the future.
"""

import itertools
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import orjson

from tests.integration import shop_traffic
from tests.integration.shop_traffic import DAYS, START

ACCOUNTS: Final = 300
_MINUTES_LATE: Final = 45
_DAYS_LATE: Final = 9
_UNUSABLE: Final = (b"\xff\xfe", b"[" * 5000, b'{"outcome":"success"}', b'{"account_id":7}', b"")


def past() -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the source, key and value of what the shop has seen so far."""
    for happening in shop_traffic.everything():
        yield happening.source, happening.key, happening.value


def sign_ins(seed: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of sign-ins without end, a second of the shop's time apart."""
    chance = random.Random(seed)
    last: tuple[bytes, bytes] | None = None
    for number in itertools.count():
        account = f"customer-{chance.randrange(ACCOUNTS)}"
        what = chance.random()
        if what < 0.01:
            yield account.encode(), chance.choice(_UNUSABLE)
        elif what < 0.03 and last is not None:
            yield last
        else:
            last = account.encode(), _sign_in(chance, seed, number, account)
            yield last


def _sign_in(chance: random.Random, seed: int, number: int, account: str) -> bytes:
    moment = START + timedelta(days=DAYS + 1, seconds=number)
    late = chance.random()
    if late < 0.05:
        moment -= timedelta(minutes=chance.uniform(1, _MINUTES_LATE))
    elif late < 0.07:
        moment -= timedelta(days=chance.uniform(1, _DAYS_LATE))
    elif late < 0.071:
        moment += timedelta(days=400)
    fields: dict[str, Any] = {
        "event_id": f"live-{seed}-{number}",
        "account_id": account,
        "occurred_at": moment.isoformat(),
        "outcome": "success" if chance.random() < 0.9 else "failure",
        "ip": f"81.2.{hash_of(account) % 12}.{hash_of(account) % 250}",
        "device_id": f"device-{account}",
        "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1",
        "country": "GB",
        "asn": 2856,
    }
    if chance.random() < 0.02:
        fields |= {
            "ip": f"188.26.{chance.randrange(4)}.9",
            "device_id": f"thief-{chance.randrange(50)}",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "country": "RO",
            "asn": 8708,
            "outcome": "success",
        }
    return orjson.dumps(fields)


def hash_of(account: str) -> int:
    """Return a number that stays an account's."""
    return int(account.rpartition("-")[2]) * 7919

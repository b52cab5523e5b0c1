"""What is sent while something goes wrong: customers, thieves, and records nobody can use.

First a shop's past over all topics, read before anything goes wrong, with orders, changes and a
hijack in it. Then sign-ins alone, live: one topic has one order, so that what should come of them
is known. Some are told twice, some come minutes or days late, some are from the future.

Where a gang is at it, all topics go on meanwhile.
"""

import itertools
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple, get_args

import orjson

from streams.settings import SourceTopic
from tests.integration import gang_traffic, shop_traffic
from tests.integration.shop_traffic import DAYS, START, Happening

ACCOUNTS: Final = 300
_MINUTES_LATE: Final = 45
_DAYS_LATE: Final = 9
_TROUBLE: Final = ("try-", "entry-", "office-", "hijack-")
_UNUSABLE: Final = (b"\xff\xfe", b"[" * 5000, b'{"outcome":"success"}', b'{"account_id":7}', b"")


class Told(NamedTuple):
    """A record, and the source topic that it is told on."""

    source: SourceTopic
    key: bytes
    value: bytes


def past() -> Iterator[Told]:
    """Yield what the shop has seen so far."""
    return map(_told, shop_traffic.everything())


def gang(seed: int) -> tuple[list[Told], list[Told]]:
    """Return what comes before the gang does, and what comes from then on."""
    chance = random.Random(seed)
    happenings = gang_traffic.everything()
    begins = next(n for n, h in enumerate(happenings) if h.moment >= gang_traffic.ATTACK)
    # Of whom the gang has tried, a new card may be suspect, and a verdict may end a case.
    troubled = {
        h.fields["account_id"] for h in happenings if h.fields["event_id"].startswith(_TROUBLE)
    }
    meanwhile: list[Told] = []
    for happening in happenings[begins:]:
        meanwhile.append(_told(happening))
        at_home = happening.fields["event_id"].startswith("logins-customer-")
        if at_home and happening.fields["account_id"] not in troubled:
            meanwhile += map(_told, _errands(happening))
        what = chance.random()
        if what < 0.05:
            source = chance.choice(get_args(SourceTopic))
            meanwhile.append(Told(source, happening.key, chance.choice(_UNUSABLE)))
        elif what < 0.1 and happening.fields.get("failure_reason") != "unknown_account":
            # Of a name that it does not know the shop remembers nothing, so not that it was told.
            meanwhile.append(_told(happening))
    return [_told(happening) for happening in happenings[:begins]], meanwhile


def _told(happening: Happening) -> Told:
    return Told(happening.source, happening.key, happening.value)


def _errands(sign_in: Happening) -> Iterator[Happening]:
    """Who has signed in at home leaves a new card there; an analyst says that it was them."""
    fields, moment = sign_in.fields, sign_in.moment + timedelta(minutes=5)
    card = {"change": "payment", "value_hash": f"new-card-{fields['account_id']}"}
    common = {name: value for name, value in fields.items() if name not in ("outcome", "method")}
    change = {**common, **card, "event_id": f"change-{fields['event_id']}"}
    yield Happening("account_changes", moment, change)
    verdict = {
        "event_id": f"verdict-{fields['event_id']}",
        "account_id": fields["account_id"],
        "verdict": "legitimate",
        "source": "analyst",
        "event_ids": [fields["event_id"], change["event_id"]],
    }
    yield Happening("feedback", moment, verdict)


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

"""Raw columns of single events: all that could give a thief away without any history."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.simulation import SimulatedEvent

Columns = dict[str, float]
_IDS = ("event_id", "account_id", "session_id", "device_id", "order_id", "payment_id", "value_hash")
# Fields that a pipeline may drop. What is absent for a reason that tells (no address on a digital
# order, no cookie in a script) is content, and in `content` below.
_DROPPED = ("session_id", "user_agent", "country", "region", "city", "latitude", "asn", "rtt_ms")
_TEXTS = ("country", "city", "outcome", "method", "mfa", "delivery", "change", "actor")
_CLIENTS = ("Windows", "Macintosh", "iPhone", "iPad", "Android", "Edg/", "Firefox", "CriOS", "App")
_CATEGORIES = ("electronics", "giftcard", "fashion", "home", "beauty", "toys", "sports", "grocery")


def form(simulated: SimulatedEvent) -> Columns:
    """What carries no meaning: ids' shapes, clock digits, gaps, last digits, decimals."""
    event = simulated.event
    clock = event["occurred_at"]
    columns: Columns = {
        "second": float(clock[17:19]),
        "millisecond": float(clock[20:23]),
        "last digit of the clock": float(clock[22]),
    }
    for name in _DROPPED:
        columns[f"has {name}"] = name in event
    for name in _IDS:
        columns |= _shape(name, event.get(name))
    columns |= _shape("shipping_address_id", event.get("shipping_address_id"))
    columns["decimals"] = len(str(event.get("latitude", "")).partition(".")[2])
    columns["last of ip"] = ord(event["ip"][-1]) if "ip" in event else 0
    return columns


def _shape(name: str, text: str | None) -> Columns:
    """Length and characters of an id; what has none is shaped like the usual one."""
    if text is None:
        return {}
    return {
        f"length of {name}": len(text),
        f"digits in {name}": sum(letter.isdigit() for letter in text),
        f"first of {name}": ord(text[1]),
        f"last of {name}": ord(text[-1]),
    }


def content(simulated: SimulatedEvent) -> Columns:
    """Everything in the event, by itself: where from, with what, when, what and how much."""
    event = simulated.event
    agent = event.get("user_agent", "")
    chrome = re.search(r"Chrome/(\d+)", agent)
    columns = form(simulated) | {
        "hour": simulated.time % 86400 / 3600,
        "weekday": simulated.time // 86400 % 7,
        "minute": simulated.time % 3600 // 60,
        "length of user_agent": len(agent),
        "chrome": float(chrome[1]) if chrome else -1,
        "v6": ":" in event.get("ip", ""),
        "length of ip": len(event.get("ip", "")),
    }
    for number, octet in enumerate(event.get("ip", "").split(".")[:3]):
        columns[f"octet {number}"] = float(octet) if octet.isdigit() else -1
    for name in _CLIENTS:
        columns[f"client {name}"] = name in agent
    for name in _TEXTS:
        # Any fixed number for a text will do: a tree can single out each.
        columns[name] = sum(map(ord, event.get(name, "")))
    for name in ("asn", "latitude", "longitude", "rtt_ms", "loyalty_points", "gift_card_amount"):
        columns[name] = float(event.get(name, -1))
    for name in ("device_id", "session_id", "payment_id", "value_hash", "items", "failure_reason"):
        columns[f"with {name}"] = name in event
    return columns | _order(event)


def _order(event: Mapping[str, Any]) -> Columns:
    if "amount" not in event:
        return {}
    items = event.get("items", [])
    columns: Columns = {
        "amount": float(event["amount"]),
        "pence": float(event["amount"][-2:]),
        "lines": len(items),
        "quantity": sum(item["quantity"] for item in items),
        "dearest": max((float(item["unit_price"]) for item in items), default=0.0),
        "first of postcode": ord(event.get("shipping_postcode", "?")[0]),
        "length of postcode": len(event.get("shipping_postcode", "")),
        "abroad": event.get("shipping_country", "GB") != "GB",
    }
    for category in _CATEGORIES:
        columns[f"of {category}"] = sum(item["category"] == category for item in items)
    return columns


def matrix(
    events: Sequence[SimulatedEvent],
    read: Callable[[SimulatedEvent], Columns],
    names: Sequence[str],
) -> NDArray[np.float32]:
    """A row an event, a column a name; -1 where an event has no such column."""
    rows = [[float(columns.get(name, -1)) for name in names] for columns in map(read, events)]
    return np.array(rows, dtype=np.float32)

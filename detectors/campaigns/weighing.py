"""How much it tells that two alerts share something.

Record linkage as Fellegi and Sunter (1969) put it: the log of how often alerts of one gang share an
indicator over how often two accounts share it by chance. The first is what is known of gangs; the
second is how many accounts the indicator has been new to without an alert, which makes a carrier's
address, a forwarder's, a locker and a popular client as common as they are. Kinds of a group tell
the same thing at different sizes, so only the most telling of a group counts.
"""

from collections.abc import Callable
from math import log
from typing import Final, NamedTuple

from detectors.heat.indicators import KINDS, Kind
from detectors.heat.records import AlertMark

LINKED: Final = 6.0
"""Nats from which two alerts are one gang's: of two alerts at random about one pair in 400 is."""

_SHARED: Final = {
    Kind.PREFIX: 0.3, Kind.OPERATOR: 0.3, Kind.DEVICE: 0.3, Kind.AGENT: 0.2, Kind.DELIVERY: 0.3,
    Kind.PAYMENT: 0.1, Kind.CONTACT: 0.1, Kind.POSTCODE: 0.3,
}  # fmt: skip
"""How often two hijacks of one gang share an indicator of a kind. A client's shape names the kind
of network too, so that it would tell the network twice: it links nobody."""
_BACKING: Final = 1.0
_RARE: Final = 4.0
"""Nats below which sharing an indicator is chance: people of one town or trade share such things,
several of them at once. A delivery address that one account in 180 has used is not rare."""
_MOST: Final = 9.0
"""Nats that one indicator can tell. An operator and a client tell `_RARE` at most, both together,
which links nobody: what alerts at all is drawn to the same few hosting networks and scripts.
"""
_CUSTOMERS: Final = 3
"""Accounts that used a thing in peace, of which no gang is likely to have missed so many."""
_ATTACKED: Final = 2.0
"""Nats of heat from which six of seven hijackers among strangers are the attack's."""
_RAID: Final = 2.5
"""Nats that two tell who come within an hour by what is under attack: most victims of a raid do,
and where a raid is on every other day, one in twenty of two raids' does. It counts only beside a
rare client or operator: raids overlap, and who is alerted for what is hot may be a customer."""
_HOUR, _DAY = 3_600.0, 86_400.0


class Tie(NamedTuple):
    """An indicator of an alert: how common, how hot, and the attack it was hot with."""

    kind: int
    key: int
    users: int
    everybody: int
    hot: float


def weight_of(one: Tie, other: Tie, alerts: int) -> float:
    """Return what it tells that two alerts share this indicator, nats; 0 where it is common.

    `alerts` is how many alerts came with it. A device or range that more customers use in peace is
    a terminal, a tablet in a shop, an office: no gang's, however few they are, unless an attack is
    seen to come by it. That it is hot says no more than that: of those who are alerted behind a
    carrier's gateway under attack many are its customers, alerted because it is hot.
    """
    users = max(one.users, other.users)
    everybody = max(one.everybody, other.everybody, 1000)
    if one.kind not in _SHARED:
        return 0.0
    coarse = KINDS[one.kind].coarse
    told = log(_SHARED[Kind(one.kind)] * everybody / (users + _BACKING))
    attacked = min(one.hot, other.hot) >= _ATTACKED
    if users >= _CUSTOMERS and users >= alerts and not coarse and not attacked:
        told = 0.0
    if told < _RARE:
        return 0.0
    return min(told, _RARE if coarse else _MOST)


def pair_weight(
    ties: dict[tuple[int, int], Tie],
    others: dict[tuple[int, int], Tie],
    one: AlertMark,
    other: AlertMark,
    alerts: Callable[[int, int], int],
) -> float:
    """Return what speaks for two alerts being one gang's, nats.

    `alerts` tells how many alerts came with an indicator.
    That they are near in time or alike in technique counts only beside something shared.
    """
    best: dict[str, float] = {}
    coarse: dict[str, float] = {}
    for at in ties.keys() & others.keys():
        facts = KINDS[at[0]]
        told_by = coarse if facts.coarse else best
        weight = weight_of(ties[at], others[at], alerts(*at))
        told_by[facts.group] = max(told_by.get(facts.group, 0.0), weight)
    apart = abs(one.raised_at - other.raised_at)
    for told_by in (best, coarse):
        if "network" in told_by:
            # A rented server and a VPN's exit change hands: three days between tell a nat less.
            told_by["network"] = max(told_by["network"] - apart / (3 * _DAY), 0.0)
    shared = sum(max(more - best.get(group, 0.0), 0.0) for group, more in coarse.items())
    told = sum(best.values()) + min(shared, _RARE)
    if shared and apart < _HOUR and _is_attacked(ties) and _is_attacked(others):
        told += _RAID
    if told < 1.0:
        return 0.0
    told += 1.0 if apart < _HOUR else 0.5 if apart < _DAY else 0.0 if apart < 14 * _DAY else -1.0
    return told + (0.5 if set(one.techniques) & set(other.techniques) else 0.0)


def _is_attacked(ties: dict[tuple[int, int], Tie]) -> bool:
    """Return whether an alert came by an address range or device that is under attack."""
    return any(tie.hot >= _ATTACKED and not KINDS[tie.kind].coarse for tie in ties.values())

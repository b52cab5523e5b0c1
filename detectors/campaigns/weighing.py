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

from detectors.campaigns.pace import HOUR
from detectors.heat.indicators import KINDS, Kind
from detectors.heat.records import AlertMark

_APART: Final = 4.0
"""Nats from which two hijacks are one gang's: of two hijacks at random about one pair in 50 is."""
_DOUBTFUL: Final = 0.05
"""The risk that an alert has at least: it was worth an alert."""

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
_TOOL: Final = 3.0
"""The same of a client that an attack comes by: no more than one account in a hundred uses it."""
_MOST: Final = 9.0
"""Nats that one indicator can tell. An operator and a client tell `_RARE` at most, both together,
which links nobody: what alerts at all is drawn to the same few hosting networks and scripts.
"""
_CUSTOMERS: Final = 3
"""Accounts that used a thing in peace, of which no gang is likely to have missed so many."""
_UNNOTICED: Final = 2
"""Accounts that a gang takes unnoticed for each that is alerted, and that look like customers'."""
_ATTACKED: Final = 2.0
"""Nats of heat from which six of seven hijackers among strangers are the attack's."""
_LIKELY: Final = 0.2
"""The risk from which what is under attack tells of hijacks: customers are alerted for it too."""
_RAIDS: Final = frozenset({"fast_stuffing", "spraying"})
"""Of the techniques those of a raid. What is slow goes on for days: that two came by it within an
hour tells nothing, least of all beside a raid by others."""
_NEIGHBOURS: Final = 2.0
"""Nats that a range tells at most of two who came by different addresses in it: a hosting company's
neighbours are strangers, of whom many are out for the same."""
_HOSTS: Final = 8
"""Addresses of a range that are told apart, and user agents of a shape."""
_ALERTED_FOR: Final = frozenset({"goods", "payment", "contact"})
"""Groups of which the engine itself asks whether others have the same (`features/changes.py`)."""
_DAY: Final = 86_400.0


class Tie(NamedTuple):
    """An indicator of an alert: how common, how hot, by which addresses of a range or user agents.

    `hosts` are the addresses that were met in a range, or the user agents of a client's shape, at
    most `_HOSTS`. `technique` is how passwords are tried by it where it is hot.
    """

    kind: int
    key: int
    users: int
    everybody: int
    hot: float
    hosts: tuple[int, ...] = ()
    technique: str | None = None

    def joined(self, other: "Tie") -> "Tie":
        """Return what both tell of one indicator of an alert."""
        hosts = tuple(dict.fromkeys((*self.hosts, *other.hosts)))[:_HOSTS]
        hottest = max(self, other, key=lambda tie: tie.hot)
        return hottest._replace(users=max(self.users, other.users), hosts=hosts)

    @property
    def is_raid(self) -> bool:
        """Whether an alert came by an address range or device through which a raid comes."""
        coarse = KINDS[self.kind].coarse
        return self.hot >= _ATTACKED and self.technique in _RAIDS and not coarse


Ties = dict[tuple[int, int], Tie]


def tools(ties: Ties) -> Ties:
    """Return the user agents of an alert that an attack is seen to come by, as hot as they are.

    Whichever of a client's two names an attack was found by first, what fails from then on counts
    as that one's doing, and the other cools: so a user agent is as hot as the shape it came with
    where that is hotter. What else came to the account, the customer's own phone, is not.
    """
    lent: dict[int, float] = {}
    for tie in ties.values():
        if tie.kind == Kind.SHAPE:
            lent.update({agent: max(tie.hot, lent.get(agent, 0.0)) for agent in tie.hosts})
    found: Ties = {}
    for at, tie in ties.items():
        hot = max(tie.hot, lent.get(tie.key, 0.0))
        if tie.kind == Kind.AGENT and hot >= _ATTACKED:
            found[at] = tie._replace(hot=hot)
    return found


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
    if users >= max(_CUSTOMERS, _UNNOTICED * alerts) and not coarse and not attacked:
        told = 0.0
    if told < (_TOOL if attacked and one.kind == Kind.AGENT else _RARE):
        return 0.0
    if one.hosts and other.hosts and set(one.hosts).isdisjoint(other.hosts):
        return min(told, _NEIGHBOURS)
    return min(told, _RARE if coarse else _MOST)


class Told(NamedTuple):
    """What speaks for two alerts being one gang's, nats: by all that they share, and by the rest.

    The rest is what there is beside contacts, payments and where the goods go.
    """

    whole: float
    rest: float


def are_one(told: Told, one: AlertMark, other: AlertMark) -> bool:
    """Return whether so many nats make two alerts one gang's: the more, the less likely hijacks.

    Whoever is a customer is no gang's, whatever is shared. Nor is a thing counted twice: an alert
    raised because its contact, payment or address is new to others too is as likely a hijack as
    it is without that, where it is linked by that.
    """
    hijacks = max(one.risk, _DOUBTFUL) * max(other.risk, _DOUBTFUL)
    unshared = max(unshared_risk(one), _DOUBTFUL) * max(unshared_risk(other), _DOUBTFUL)
    return told.whole >= _APART - log(unshared) or told.rest >= _APART - log(hijacks)


def unshared_risk(mark: AlertMark) -> float:
    """Return an alert's risk without what its contact, payment or address on others says."""
    return mark.risk if mark.unshared is None else mark.unshared


def pair_weight(
    of_one: tuple[Ties, AlertMark],
    of_other: tuple[Ties, AlertMark],
    *,
    alerts: Callable[[int, int], int],
    together: float,
) -> Told:
    """Return what speaks for two alerts being one gang's, nats: of each what it came with.

    `alerts` tells how many alerts came with an indicator, `together` what it tells that two came by
    what a raid comes through within an hour, nats.
    Else that they are near in time or alike in technique counts only beside something shared.
    """
    (ties, mark), (others, another) = of_one, of_other
    best: dict[str, float] = {}
    coarse: dict[str, float] = {}
    by_tools, by_others_tools = tools(ties), tools(others)
    for at in ties.keys() & others.keys():
        facts, is_tool = KINDS[at[0]], at in by_tools and at in by_others_tools
        told_by = best if not facts.coarse or is_tool else coarse
        one, other = (by_tools[at], by_others_tools[at]) if is_tool else (ties[at], others[at])
        weight = weight_of(one, other, alerts(*at))
        told_by[facts.group] = max(told_by.get(facts.group, 0.0), weight)
    apart = abs(mark.raised_at - another.raised_at)
    for told_by in (best, coarse):
        if "network" in told_by:
            # A rented server and a VPN's exit change hands: a day between tells a nat less.
            told_by["network"] = max(told_by["network"] - apart / _DAY, 0.0)
    likely = min(mark.risk, another.risk) >= _LIKELY
    raided = likely and apart < HOUR and bool(_raids(ties) & _raids(others))
    if raided:
        # Both say that the same network was used for the same attack.
        best["network"] = max(best.get("network", 0.0), together)
    near = 1.0 if apart < HOUR else 0.5 if apart < _DAY else 0.0 if apart < 14 * _DAY else -1.0
    alike = 0.5 if set(mark.techniques) & set(another.techniques) else 0.0
    # A raid has told how near they are.
    beside = alike + (0.0 if raided else near)
    whole = _sum(best, coarse, beside)
    for told_by in (best, coarse):
        for group in _ALERTED_FOR & told_by.keys():
            del told_by[group]
    return Told(whole, _sum(best, coarse, beside))


def _sum(best: dict[str, float], coarse: dict[str, float], beside: float) -> float:
    """Return what is told by group, and `beside` it where there is anything; 0 where not."""
    if max(best.values(), default=0.0) <= 0.0:
        return 0.0
    shared = sum(max(more - best.get(group, 0.0), 0.0) for group, more in coarse.items())
    return sum(best.values()) + min(shared, _RARE) + beside


def _raids(ties: Ties) -> set[str]:
    """Return how the raids that an alert came by try passwords."""
    return {tie.technique for tie in ties.values() if tie.technique is not None and tie.is_raid}

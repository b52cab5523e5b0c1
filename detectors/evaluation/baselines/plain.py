"""The plain features that a shop's first detector would have: seen before, how fast, how many.

Every value lies between 0 and 1 and every vector is full, which is what half-space trees ask for
(Tan et al. 2011). Where nothing is known a feature is 0; `experience` says how much is.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from math import asin, cos, exp, log, log1p, pi, radians, sin, sqrt
from typing import Final, NamedTuple

from detectors.engine import Observed
from detectors.events import AccountChange, Event, Login, Order
from detectors.facts import Facts

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
EARTH_RADIUS_KM: Final = 6371.0
AIRLINER_KMH: Final = 900.0
GEOLOCATION_ERROR_KM: Final = 500.0
"""Two well-known databases place a city 185 km apart at the median: less is no journey."""
MANY_ACCOUNTS: Final = 10
_KEPT_VALUES: Final = 12
_KEPT_FAILURES: Final = 30
_KEPT_SESSIONS: Final = 4
_HOSTED: Final = frozenset({"hosting", "vpn", "tor", "relay"})
_AWAY: Final = frozenset({"click_and_collect", "locker", "digital"})


class Plain(NamedTuple):
    """The features of one event, each from 0 to 1.

    Counts and measures are on logarithmic scales (`scaled`): `speed` since the event before is 1
    at 10^5 km/h, `silence` at about two years, `failures` at 30 within an hour, `velocity` at a
    thousand accounts failing from the network within an hour, `dear` at ten times the account's
    usual amount, `experience` at 400 events. `impossible` is a journey faster than an airliner
    and longer than geolocation's error, `crowded` a velocity of ten accounts or more.
    """

    ordered: float
    changed: float
    failed: float
    new_device: float
    new_network: float
    new_operator: float
    new_country: float
    new_client: float
    hosted: float
    speed: float
    impossible: float
    silence: float
    failures: float
    velocity: float
    crowded: float
    odd_hour: float
    recent_change: float
    moved_session: float
    dear: float
    new_destination: float
    new_payment: float
    collected: float
    rewards: float
    experience: float


@dataclass(slots=True)
class _Account:
    """What one account did: bounded, oldest values first out."""

    events: int = 0
    since: float = 0.0
    last: float = 0.0
    place: tuple[float, float] | None = None
    placed_at: float = 0.0
    devices: dict[Hashable, float] = field(default_factory=dict)
    networks: dict[Hashable, float] = field(default_factory=dict)
    operators: dict[Hashable, float] = field(default_factory=dict)
    countries: dict[Hashable, float] = field(default_factory=dict)
    clients: dict[Hashable, float] = field(default_factory=dict)
    destinations: dict[Hashable, float] = field(default_factory=dict)
    payments: dict[Hashable, float] = field(default_factory=dict)
    sessions: OrderedDict[str, tuple[Hashable, Hashable]] = field(default_factory=OrderedDict)
    failures: list[float] = field(default_factory=list)
    changed_at: float | None = None
    hour: tuple[float, float] = (0.0, 0.0)
    orders: int = 0
    log_amount: float = 0.0


class _Velocity:
    """Distinct accounts that failed from a network within the hour before."""

    def __init__(self) -> None:
        self._failing: dict[str, dict[str, float]] = {}
        self._last: deque[tuple[float, str, str]] = deque()

    def count(self, network: str | None) -> int:
        return len(self._failing.get(network, ())) if network else 0

    def failed(self, network: str | None, account: str, time: float) -> None:
        if network:
            self._failing.setdefault(network, {})[account] = time
            self._last.append((time, network, account))

    def forget(self, now: float) -> None:
        while self._last and self._last[0][0] < now - HOUR:
            time, network, account = self._last.popleft()
            accounts = self._failing.get(network, {})
            if accounts.get(account) == time:
                del accounts[account]
                if not accounts:
                    del self._failing[network]


class History:
    """Everything that plain features need to know of the past."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._velocity = _Velocity()

    def plain(self, observed: Observed) -> Plain:
        """Return the features of an event that is no verdict, from what came before it."""
        event, facts = observed.event, observed.facts
        self._velocity.forget(event.occurred_at)
        account = self._accounts.get(event.account_id) or _Account()
        order = event if isinstance(event, Order) else None
        session = account.sessions.get(event.session_id or "")
        known, now = account.events > 0, event.occurred_at
        crowd = self._velocity.count(facts.prefix)
        km, hours = _journey(account, event, facts)
        return Plain(
            ordered=float(order is not None),
            changed=float(isinstance(event, AccountChange)),
            failed=float(_failed(event)),
            new_device=_new(event.device_id, account.devices, account, now),
            new_network=_new(facts.prefix, account.networks, account, now),
            new_operator=_new(facts.asn, account.operators, account, now),
            new_country=_new(facts.country, account.countries, account, now),
            new_client=_new(_client(facts), account.clients, account, now),
            hosted=float(facts.network_kind in _HOSTED),
            speed=scaled(km / hours, 1e5),
            impossible=float(km / hours > AIRLINER_KMH and km > GEOLOCATION_ERROR_KM),
            silence=scaled((event.occurred_at - account.last) / HOUR, 2e4) if known else 0.0,
            failures=scaled(_recent(account.failures, event.occurred_at), 30),
            velocity=scaled(crowd, 1e3),
            crowded=float(crowd >= MANY_ACCOUNTS),
            odd_hour=_odd_hour(account, event.occurred_at),
            recent_change=_recency(account.changed_at, event.occurred_at),
            moved_session=float(session is not None and session != (event.device_id, facts.asn)),
            dear=_dear(order, account) if order else 0.0,
            new_destination=_new(order.shipping_address_id, account.destinations, account, now)
            if order
            else 0.0,
            new_payment=_new(order.payment_id, account.payments, account, now) if order else 0.0,
            collected=float(order is not None and order.delivery in _AWAY),
            rewards=float(bool(order and (order.gift_card_amount or order.loyalty_points))),
            experience=scaled(account.events, 400),
        )

    def learn(self, observed: Observed) -> None:
        """Take an event in; failed sign-ins teach no habit, they are only counted."""
        event, facts = observed.event, observed.facts
        account = self._accounts.setdefault(event.account_id, _Account())
        if _failed(event):
            account.failures.append(event.occurred_at)
            del account.failures[:-_KEPT_FAILURES]
            self._velocity.failed(facts.prefix, event.account_id, event.occurred_at)
            return
        _remember(account, event, facts)


def scaled(value: float, top: float) -> float:
    """A value from 0 upwards on a logarithmic scale from 0 to 1, which it reaches at `top`."""
    return min(1.0, log1p(max(0.0, value)) / log1p(top))


def _failed(event: Event) -> bool:
    return isinstance(event, Login) and event.outcome != "success"


def _client(facts: Facts) -> Hashable:
    return None if facts.browser is None else (facts.browser, facts.os)


def _new(value: Hashable, usual: dict[Hashable, float], account: _Account, now: float) -> float:
    """1 for a value first used within a day, unless it is as old as the account's history.

    What a hijacker brought along is still new when the order follows the sign-in.
    """
    if value is None or not usual:
        return 0.0
    first = usual.get(value, now)
    return float(now - first < DAY and first - account.since > 0)


def _journey(account: _Account, event: Event, facts: Facts) -> tuple[float, float]:
    """Kilometres (haversine) and hours, one minute at least, since the last known place."""
    if account.place is None or facts.latitude is None or facts.longitude is None:
        return 0.0, 1.0
    hours = max(abs(event.occurred_at - account.placed_at), 60.0) / HOUR
    return _kilometres(account.place, (facts.latitude, facts.longitude)), hours


def _kilometres(here: tuple[float, float], there: tuple[float, float]) -> float:
    if here == there:
        return 0.0
    phi, theta = radians(here[0]), radians(there[0])
    half = sin((theta - phi) / 2) ** 2
    half += cos(phi) * cos(theta) * sin(radians(there[1] - here[1]) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half)))


def _recent(times: list[float], now: float) -> int:
    return sum(now - HOUR <= time for time in times)


def _hour_angle(time: float) -> float:
    return 2 * pi * (time % DAY) / DAY


def _odd_hour(account: _Account, time: float) -> float:
    """How far the hour is from the account's mean direction on the clock: 1 at its opposite."""
    x, y = account.hour
    length = sqrt(x * x + y * y)
    if length == 0:
        return 0.0
    angle = _hour_angle(time)
    toward = (x * cos(angle) + y * sin(angle)) / length
    return (1 - toward) / 2 * length / account.events


def _recency(then: float | None, now: float) -> float:
    return 0.0 if then is None else exp(-abs(now - then) / (72 * HOUR))


def _dear(order: Order, account: _Account) -> float:
    if not account.orders:
        return 0.0
    over = log1p(float(order.amount)) - account.log_amount / account.orders
    return min(1.0, max(0.0, over / log(10)))


def _keep(values: dict[Hashable, float], value: Hashable, now: float) -> None:
    """Remember when a value was first used; of too many, the longest known goes."""
    if value is not None and value not in values:
        values[value] = now
        if len(values) > _KEPT_VALUES:
            del values[next(iter(values))]


def _remember(account: _Account, event: Event, facts: Facts) -> None:
    if not account.events:
        account.since = event.occurred_at
    account.events += 1
    account.last = event.occurred_at
    angle = _hour_angle(event.occurred_at)
    account.hour = account.hour[0] + cos(angle), account.hour[1] + sin(angle)
    if facts.latitude is not None and facts.longitude is not None:
        account.place, account.placed_at = (facts.latitude, facts.longitude), event.occurred_at
    _keep(account.devices, event.device_id, event.occurred_at)
    _keep(account.networks, facts.prefix, event.occurred_at)
    _keep(account.operators, facts.asn, event.occurred_at)
    _keep(account.countries, facts.country, event.occurred_at)
    _keep(account.clients, _client(facts), event.occurred_at)
    if event.session_id is not None:
        account.sessions[event.session_id] = event.device_id, facts.asn
        if len(account.sessions) > _KEPT_SESSIONS:
            account.sessions.popitem(last=False)
    if isinstance(event, AccountChange):
        account.changed_at = event.occurred_at
    elif isinstance(event, Order):
        account.orders += 1
        account.log_amount += log1p(float(event.amount))
        _keep(account.destinations, event.shipping_address_id, event.occurred_at)
        _keep(account.payments, event.payment_id, event.occurred_at)

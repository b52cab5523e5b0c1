"""The order against the account's habits and everybody's."""

from bisect import bisect_right
from math import log, sqrt
from typing import Final

from detectors.events import Order
from detectors.features.changes import GROUP
from detectors.features.reading import CHANGE, DAY, Reading, area_key, country_code
from detectors.features.registry import POSITION
from detectors.features.sessions import moved_abroad
from detectors.models.likelihood import Row, Rows, Table
from detectors.population import Population
from detectors.profiles import UNIT

DESTINATION: Final = POSITION["destination"]
DELIVERY: Final = POSITION["delivery"]
AMOUNT: Final = POSITION["amount"]
GOODS: Final = POSITION["goods"]
SPEED: Final = POSITION["speed"]
REWARDS: Final = POSITION["rewards"]
PACE: Final = POSITION["pace"]
FORWARDING: Final = POSITION["forwarding"]
LOCALITY: Final = POSITION["locality"]

# Outcomes: address known, only the postcode known, new, none, or a new place to pick up at; times
# payment known, new, none.
DESTINATION_CUSTOMER: Final[Rows] = (
    (0.05, 0.03, 0.01, 0.02, 0.02, 0.01, 0.10, 0.58, 0.03, 0.05, 0.09, 0.01, 0.02, 0.09, 0.01),
    (0.55, 0.10, 0.02, 0.02, 0.02, 0.01, 0.08, 0.09, 0.01, 0.07, 0.02, 0.01, 0.02, 0.01, 0.002),
    (0.68, 0.06, 0.02, 0.02, 0.01, 0.01, 0.07, 0.03, 0.01, 0.07, 0.01, 0.01, 0.02, 0.005, 0.002),
) * 3
DESTINATION_HIJACKER: Final[Row] = (
    0.12,
    0.06,
    0.03,
    0.01,
    0.01,
    0.01,
    0.14,
    0.22,
    0.02,
    0.13,
    0.10,
    0.04,
    0.05,
    0.06,
    0.01,
)

DELIVERIES: Final = {None: 0, "home": 1, "click_and_collect": 2, "locker": 3, "digital": 4}
DELIVERY_CUSTOMER: Final[Rows] = (
    (0.01, 0.01, 0.10, 0.66, 0.02, 0.11, 0.01, 0.04, 0.01, 0.03),
    (0.01, 0.01, 0.72, 0.05, 0.08, 0.04, 0.02, 0.02, 0.03, 0.02),
) * 3
DELIVERY_HIJACKER: Final[Row] = (0.01, 0.01, 0.36, 0.12, 0.05, 0.10, 0.02, 0.06, 0.09, 0.18)

AMOUNT_STEPS: Final[Row] = (-1.5, -0.5, 0.5, 1.0, 1.5, 2.5)
AMOUNT_CUSTOMER: Final[Rows] = ((0.07, 0.24, 0.38, 0.15, 0.09, 0.06, 0.01),)
AMOUNT_HIJACKER: Final[Row] = (0.05, 0.12, 0.25, 0.18, 0.16, 0.16, 0.08)

SPEED_STEPS: Final[Row] = (1.0, 2.0, 5.0, 15.0, 60.0, 360.0)
SPEED_CUSTOMER: Final[Rows] = ((0.02, 0.04, 0.20, 0.36, 0.20, 0.06, 0.07, 0.05),)
SPEED_HIJACKER: Final[Row] = (0.05, 0.10, 0.25, 0.26, 0.15, 0.06, 0.05, 0.08)

# Outcomes: none, gift card for less than half or for more, points: few, many, more, a hoard; first
# for goods, then for codes. How many points are many, everybody's redemptions tell: deviations of
# the logarithm from its mean.
POINTS_STEPS: Final[Row] = (0.0, 0.8, 1.6)
REWARDS_CUSTOMER: Final[Rows] = (
    (0.88, 0.03, 0.02, 0.018, 0.01, 0.005, 0.002, 0.02, 0.001, 0.002, 0.004, 0.002, 0.001, 0.0005),
    (0.57, 0.11, 0.08, 0.09, 0.05, 0.02, 0.006, 0.03, 0.004, 0.005, 0.012, 0.008, 0.003, 0.001),
) * 3
REWARDS_HIJACKER: Final[Row] = (
    *(0.62, 0.02, 0.06, 0.01, 0.02, 0.02, 0.03),
    *(0.07, 0.01, 0.03, 0.02, 0.03, 0.03, 0.03),
)

PACE_STEPS: Final[Row] = (10.0, 60.0, DAY, 7.0 * DAY)
PACE_CUSTOMER: Final[Rows] = ((0.01, 0.01, 0.05, 0.23, 0.70),)
PACE_HIJACKER: Final[Row] = (0.06, 0.05, 0.09, 0.18, 0.62)


def weigh_destination(reading: Reading, order: Order, table: Table) -> None:
    """Judge address and payment together: both new is more than one and one."""
    profile = reading.profile
    if not reading.address:
        address = 3
    elif reading.address in profile.addresses.keys:
        address = 0
    elif order.delivery in {"click_and_collect", "locker"}:
        address = 4
    else:
        address = 1 if reading.postcode in profile.postcodes.keys else 2
    payment = 2
    if reading.payment:
        payment = 0 if reading.payment in profile.payments.keys else 1
    outcome = address * 3 + payment
    known = bisect_right((1, 3), profile.bought)
    if known == 0:
        # Everything is new in a first order: counted, it would make new things look usual.
        return
    if address in {1, 2} and payment != 1 and _was_added(reading):
        # That an address is new was told when it was added: see the clocks.
        return
    context = reading.who * 3 + known
    reading.cells[DESTINATION] = context * 15 + outcome
    reading.weights[DESTINATION] = table.ratio(context, outcome)


def _was_added(reading: Reading) -> bool:
    """Return whether the order's address is the one that was added last, within a day."""
    profile = reading.profile
    added = profile.changed[GROUP["address"]]
    if added < 0 or not 0 <= reading.minute - added < DAY:
        return False
    return reading.address != 0 and profile.added == reading.address


def weigh_delivery(reading: Reading, order: Order, table: Table) -> None:
    """Judge how it is delivered, given whether there is a habit to judge by."""
    way = DELIVERIES[order.delivery]
    known = way + 1 in reading.profile.deliveries.keys
    context = reading.who * 2 + (1 if reading.profile.bought else 0)
    outcome = way * 2 + (0 if known else 1)
    reading.cells[DELIVERY] = context * 10 + outcome
    # What is delivered as a code is judged with what it was paid with: see weigh_rewards.
    if order.delivery != "digital":
        reading.weights[DELIVERY] = table.ratio(context, outcome)


def weigh_amount(reading: Reading, table: Table, population: Population) -> None:
    """Judge the logarithm of the amount in deviations from the account's mean.

    The account's mean and variance are shrunk to everybody's as if by two orders.
    """
    profile = reading.profile
    mean, deviation = population.amounts.moments()
    count = profile.orders
    own_mean = (profile.amount_mean * count + 2 * mean) / (count + 2)
    variance = (profile.amount_square * count + 4 * deviation * deviation) / (count + 4)
    score = (reading.amount - own_mean) / max(0.2, sqrt(variance))
    outcome = bisect_right(AMOUNT_STEPS, score)
    context = reading.who * 3 + bisect_right((1, 3), profile.bought)
    reading.cells[AMOUNT] = context * 7 + outcome
    reading.weights[AMOUNT] = table.ratio(context, outcome)


_CHOSEN: Final = -0.5
"""Nats that goods, and where they go, say for a customer at most: a thief may choose them so."""


def weigh_goods(reading: Reading, population: Population) -> None:
    """Judge the categories: a hijacker's pick, half at random, over the account's shrunk habit."""
    categories = reading.profile.categories
    total = sum(categories.rows[::4]) / UNIT
    weight = 0.0
    for key in reading.categories:
        everybody = population.categories.share(key)
        at = categories.find(key)
        held = categories.rows[4 * at] / UNIT if at >= 0 else 0.0
        own = (held + 4 * everybody) / (total + 4)
        weight += log((0.6 * everybody + 0.02) / own)
    if reading.categories:
        reading.weights[GOODS] = min(max(weight / len(reading.categories), _CHOSEN), 3.0)


# Of what goes to a new address. Three in ten hijackers order to one that the account knows.
FORWARDING_CUSTOMER: Final[Rows] = ((0.93, 0.04, 0.03),) * 3 + ((0.75, 0.20, 0.05),) * 3
FORWARDING_HIJACKER: Final[Row] = (0.81, 0.09, 0.10)


# Outcomes: how much more often goods go from a place that the account is seen in to this area than
# they go there at all, from far less to far more; then nothing is known of the place.
LOCALITY_STEPS: Final[Row] = (-1.2, -0.3, 0.3, 1.2)
LOCALITY_CUSTOMER: Final[Rows] = ((0.12, 0.13, 0.15, 0.12, 0.38, 0.10),)
LOCALITY_HIJACKER: Final[Row] = (0.30, 0.22, 0.17, 0.08, 0.13, 0.10)
_BACKING: Final = 3.0
"""Orders from a place that are taken to have gone where everybody's go."""


def weigh_locality(reading: Reading, order: Order, table: Table, population: Population) -> None:
    """Judge whether a new address lies where the account is seen, by where others' goods go.

    `log(share of the area among orders from the place / share among all orders)`, for the best of
    the places that the account has signed in from and of the one that the order came from.
    """
    profile = reading.profile
    if not order.shipping_postcode or order.delivery == "digital":
        return
    if reading.address in profile.addresses.keys:
        return
    area = area_key(order.shipping_postcode, order.shipping_country)
    everywhere = population.areas.share(area)
    best = None
    for place in {reading.city, *profile.cities.keys}:
        if place and (known := population.places.count(place)) >= 1:
            held = population.localities.count(place ^ area)
            told = log((held + _BACKING * everywhere) / (known + _BACKING) / everywhere)
            best = told if best is None else max(best, told)
    outcome = 5 if best is None else bisect_right(LOCALITY_STEPS, best)
    context = reading.who * 2 + (1 if profile.bought else 0)
    reading.cells[LOCALITY] = context * 6 + outcome
    reading.weights[LOCALITY] = min(max(table.ratio(context, outcome), _CHOSEN), 3.0)


def weigh_forwarding(reading: Reading, order: Order, table: Table) -> None:
    """Judge a new address's country: one the account signs in from, the order's own, or neither.

    Given whether the order itself comes from a country new to the account, for that was told of its
    network. Where no country of the account is known none is foreign, and an address that is known
    is no news. That nothing is sent anywhere is not this feature's to say: see destination and
    rewards.
    """
    code = country_code(order.shipping_country)
    known = reading.profile.countries.keys
    if code == 0 or not known or reading.address in reading.profile.addresses.keys:
        return
    outcome = 0 if code in known else 1 if code == reading.country else 2
    abroad = reading.country != 0 and reading.country not in known
    context = reading.who + (3 if abroad else 0)
    reading.cells[FORWARDING] = context * 3 + outcome
    reading.weights[FORWARDING] = table.ratio(context, outcome)


def weigh_speed(reading: Reading, table: Table) -> None:
    """Judge how soon after its session's sign-in the order or change came."""
    session = reading.session
    outcome = 7
    if session is not None and session.signed_in and not moved_abroad(reading, session):
        outcome = bisect_right(SPEED_STEPS, reading.minute - session.opened)
    context = reading.who + (3 if reading.type == CHANGE else 0)
    reading.cells[SPEED] = context * 8 + outcome
    reading.weights[SPEED] = table.ratio(context, outcome)


def weigh_rewards(reading: Reading, order: Order, table: Table, population: Population) -> None:
    """Judge points and gift cards spent, and whether on codes, given whether the account ever did.

    Codes need no address and cannot be called back: what an account holds is drained through them.
    """
    gift = float(order.gift_card_amount or 0)
    points = order.loyalty_points or 0
    outcome = 0
    if gift:
        outcome = 2 if gift * 2 >= float(order.amount) else 1
    if points:
        mean, deviation = population.points.moments()
        outcome = 3 + bisect_right(POINTS_STEPS, (log(1.0 + points) - mean) / deviation)
    if order.delivery == "digital":
        outcome += 7
    context = reading.who * 2 + (1 if reading.profile.rewards else 0)
    reading.cells[REWARDS] = context * 14 + outcome
    reading.weights[REWARDS] = table.ratio(context, outcome)


def weigh_pace(reading: Reading, table: Table) -> None:
    """Judge how soon after the last order this one came; of a first one that was seen, nothing.

    Every account that has not been watched for long seems to order for the first time.
    """
    last = reading.profile.ordered
    if last < 0:
        return
    # One that is told late was as near to the last one as that to it.
    outcome = bisect_right(PACE_STEPS, abs(reading.minute - last))
    reading.cells[PACE] = reading.who * 5 + outcome
    reading.weights[PACE] = table.ratio(reading.who, outcome)

"""What single features say of hand-written histories, where one thing differs."""

from bisect import bisect_right
from typing import Any

import pytest

from detectors.features.changes import DOUBT_STEPS, SHARED, SHARINGS
from detectors.features.orders import SPEED_HIJACKER
from detectors.features.reading import Reading
from detectors.features.registry import ACCESS, POSITION
from detectors.features.sessions import CONTINUITY
from detectors.features.story import STORY_CUSTOMER, STORY_HIJACKER, weigh_story
from detectors.models.likelihood import Table
from detectors.reasons import EXPLANATIONS
from tests.contracts.detectors.histories import (
    CARRIER,
    DAY,
    HOME,
    HOSTING,
    HOTEL,
    HOUR,
    LAPTOP,
    LEEDS,
    MINUTE,
    NEW_PHONE,
    PROXY,
    STRANGER,
    Device,
    History,
    Network,
)
from tests.unit.detectors import nothing

STRANGERS_LINE = Network("92.40.9", 206067, "mobile", LEEDS)


def weight_of(history: History, name: str) -> float:
    """Return a feature of the last event, nats, as it is read now."""
    return history.read_last().weights[POSITION[name]]


def moved_to(network: Network) -> float:
    """Return what continuity says of a session that goes on from another network.

    The customer often takes one along to the carrier, and signs in on the road to stay there.
    """
    history = History()
    for number in range(20):
        history.sign_in(LAPTOP, HOME).steal_session(LAPTOP, CARRIER).order("31").wait(DAY)
        road = Network(f"90.207.{number}", 6000 + number, "mobile", LEEDS)
        history.sign_in(LAPTOP, road).order("31").wait(DAY)
    history.sign_in(LAPTOP, HOME).wait(HOUR)
    return weight_of(history.steal_session(LAPTOP, network).order("31"), "continuity")


def test_a_session_taken_along_tells_less_than_one_that_turns_up_elsewhere() -> None:
    """The customer's own carrier is where a session goes by itself; a strange network is not."""
    assert moved_to(STRANGERS_LINE) > moved_to(CARRIER)


def test_a_session_that_turns_up_elsewhere_unchanged_tells() -> None:
    """Whoever sells a session sells the cookie of its device, and the user agent, with it."""
    assert moved_to(STRANGERS_LINE) > 0.1
    assert moved_to(CARRIER) < 0.0


@pytest.mark.parametrize("minutes", [0.5, 600.0])
def test_how_fast_an_order_comes_is_not_told_by_somebody_else_s_sign_in(minutes: float) -> None:
    """A thief who has a session elsewhere did not sign in to it, soon before or long ago."""
    history = History().months().sign_in(LAPTOP, HOME).wait(minutes * MINUTE)
    stolen = history.steal_session(LAPTOP, STRANGERS_LINE).order("31")
    assert stolen.read_last().cells[POSITION["speed"]] % len(SPEED_HIJACKER) == 7


def access_of_order(
    device: Device, network: Network, *, session: str | None = "given", **told: Any
) -> list[float]:
    """Return what the sign-in's features say of an order five minutes after a stranger's sign-in.

    It comes by a device and a network, in a session; both events are `told` with these fields.
    """
    history = History().months().sign_in(STRANGER, PROXY, session_id="given", **told)
    history.wait(5 * MINUTE).steal_session(device, network).order("31", session_id=session, **told)
    return history.read_last().weights[:ACCESS]


@pytest.mark.parametrize("session", [None, "another"])
@pytest.mark.parametrize(
    "told", [{}, {"device_id": None}], ids=["by its device", "by its client and range"]
)
def test_an_order_that_names_no_sign_in_s_session_is_judged_by_the_one_before_it(
    session: str | None, told: dict[str, Any]
) -> None:
    """Its device has been known for five minutes by then: that says nothing."""
    named = access_of_order(STRANGER, PROXY, **told)
    assert sum(named) > 6.0
    assert access_of_order(STRANGER, PROXY, session=session, **told) == named


def test_a_session_that_staff_changed_something_in_is_one_that_nobody_signed_in_to() -> None:
    """The support desk notes the caller's session; what it came with nobody has seen."""
    read = []
    for noted in (False, True):
        history = History().months().steal_session(STRANGER, PROXY)
        if noted:
            history.change("email", "theirs", actor="support", session_id="given")
        order = history.wait(5 * MINUTE).order("31", session_id="given").read_last()
        read.append((order.weights[:ACCESS], order.weights[CONTINUITY]))
    assert read[0] == read[1]
    assert sum(read[0][0]) > 6.0


def test_an_order_that_names_no_session_is_not_judged_by_another_s_sign_in() -> None:
    """The customer orders at home while a stranger is signed in."""
    assert sum(access_of_order(LAPTOP, HOME, session=None)) < -6.0


def test_a_session_that_nobody_names_ends_by_itself() -> None:
    """After a day without an event the next is another one's beginning."""
    history = History().months().sign_in(LAPTOP, HOME, session_id=None)
    signed_in = []
    for pause in (20 * HOUR, 20 * HOUR, 2 * DAY):
        session = history.wait(pause).order("31", session_id=None).read_last().session
        assert session is not None
        signed_in.append(session.signed_in)
    assert signed_in == [True, True, False]


def test_what_is_told_late_is_not_of_a_session_that_was_begun_after_it() -> None:
    """An order of two days ago, told after today's sign-in, did not come of that."""
    history = History().months().sign_in(LAPTOP, HOME, session_id=None)
    reading = history.wait(-2 * DAY).order("31", session_id=None).read_last()
    assert reading.session is not None
    assert (reading.session.opened, reading.session.signed_in) == (reading.minute, False)


def test_two_events_that_tell_nothing_of_their_doer_are_not_of_one_session() -> None:
    """That neither tells a device, a client or an address is nothing that they share."""
    history = History().months()
    keys = {
        history.order("31", bare=True, session_id=session).read_last().session_key
        for session in ("one", "two")
    }
    assert len(keys) == 2


def test_what_the_support_desk_changes_begins_no_session_that_others_go_on_in() -> None:
    """Whoever orders with the device that a change was told with is judged by it as ever."""
    history = History().months().steal_session(STRANGER, PROXY)
    history.change("email", "other", actor="support", bare=False).order("31", session_id=None)
    assert sum(history.read_last().weights[:ACCESS]) > 6.0


def paid(**fields: Any) -> float:
    """Return what is said of how an order was paid for."""
    history = History().months().sign_in(LAPTOP, HOME).wait(6 * MINUTE)
    return weight_of(history.order("31", payment=None, **fields), "rewards")


def test_points_that_become_codes_tell_more_than_points_off_a_parcel() -> None:
    """Codes cannot be called back; without points they are no great matter."""
    parcel = paid(loyalty_points=3000)
    codes = paid(loyalty_points=3000, address=None, delivery="digital")
    assert codes > parcel
    assert codes > paid(address=None, delivery="digital")


def test_a_first_order_that_was_seen_has_no_pace() -> None:
    """An account that has not been watched for long proves nothing by its first order."""
    history = History().sign_in(LAPTOP, HOME).wait(6 * MINUTE).order("31")
    reading = History().sign_in(LAPTOP, HOME).read_as_told(history.observed[-1])
    assert reading.weights[POSITION["pace"]] == 0.0


def delivered_to(postcode: str) -> float:
    """Return what is said of where a Londoner's first order from home goes."""
    told = History().sign_in(LAPTOP, HOME).wait(6 * MINUTE)
    order = told.order("31", address="somewhere", shipping_postcode=postcode).observed[-1]
    reading = History().sign_in(LAPTOP, HOME).read_as_told(order)
    return reading.weights[POSITION["locality"]]


def test_a_new_address_near_where_the_customer_is_seen_tells_less_than_one_far_away() -> None:
    """Where goods go that are ordered from London was counted, not written down."""
    assert delivered_to("SW4 7XX") < delivered_to("IV2 3EE")


def doubted(then: Device, where: Network) -> str:
    """Return what is said of a sign-in, the day after a stranger's, for what was before it."""
    history = History().months().forget_what_was_said()
    history.sign_in(STRANGER, PROXY).wait(DAY).sign_in(then, where)
    return EXPLANATIONS["story"].summary(history.read_last())


def test_somebody_else_s_doubts_are_told_from_those_one_left_oneself() -> None:
    """A customer on a journey comes again with what was new; hijackers sell what they opened."""
    elsewhere = Network("92.40.9", 206067, "mobile", LEEDS)
    assert "on another device, in another address range" in doubted(NEW_PHONE, elsewhere)
    assert "on the same device, in the same address range" in doubted(STRANGER, PROXY)


def test_a_first_sign_in_is_judged_by_where_everybody_lives() -> None:
    """An account without any history is not without evidence: few customers live out there."""
    history = History()
    home = history.read_of(LAPTOP, HOME).weights[POSITION["rarity"]]
    assert home < 0.0 < history.read_of(LAPTOP, HOTEL).weights[POSITION["rarity"]]


def hoard_where(usual: int) -> float:
    """Return what 3,000 points on codes tell where everybody else spends so many at a time."""
    history = History().months().forget_what_was_said()
    for number in range(80):
        other = History(f"spender-{number}").sign_in(LAPTOP, HOME)
        history.beside(other.order("31", loyalty_points=usual + number % 7))
    history.sign_in(STRANGER, PROXY).wait(6 * MINUTE)
    history.order("31", address=None, delivery="digital", loyalty_points=3000)
    return weight_of(history, "rewards")


def test_how_many_points_are_many_is_the_shop_s_own_matter() -> None:
    """A point is a penny in one shop and a tenth of one in the next."""
    assert hoard_where(usual=100) > hoard_where(usual=3000) + 0.1


def tunnel(own: bool) -> float:  # noqa: FBT001 - a test's own helper
    """Return what a hosting network tells where many customers tunnel with their own devices."""
    history = History().months()
    for number in range(40):
        other = History(f"tunnel-{number}")
        device = Device(f"own-{number}", "Chrome", "Windows")
        for _ in range(4):
            other.sign_in(device, HOME).wait(DAY)
        history.beside(other.sign_in(device, Network(f"3.80.{number}", 14618, "hosting", LEEDS)))
    history.wait(5 * DAY)
    reading = history.read_of(
        LAPTOP if own else STRANGER, Network("3.81.9", 14618, "hosting", LEEDS)
    )
    return reading.weights[POSITION["kind"]]


def test_a_tunnel_from_one_s_own_device_tells_less_than_from_a_new_one() -> None:
    """Who turns a VPN on still has the laptop; who bought a password has not."""
    assert tunnel(own=True) < tunnel(own=False)


def test_a_doubt_tells_less_of_whoever_always_comes_strangely() -> None:
    """Of two strangers after one doubt: customers who come so strangely were doubted before."""
    history = History().months().forget_what_was_said()
    history.sign_in(NEW_PHONE, HOTEL).wait(DAY)
    table = Table("story", 6, STORY_CUSTOMER, STORY_HIJACKER, nothing)
    odd, odder = history.read_of(LAPTOP, HOSTING), history.read_of(STRANGER, PROXY)
    assert odd.who == odder.who == 2
    at = POSITION["story"]
    for reading, doubted_ones in ((odd, 2), (odder, 20)):
        weigh_story(reading, table, 3 * DAY)
        cell = reading.cells[at]
        for number in range(1_000):
            table.learn(cell if number < doubted_ones else cell - cell % table.outcomes)
    for reading in (odd, odder):
        weigh_story(reading, table, 3 * DAY)
    assert odd.cells[at] % table.outcomes == odder.cells[at] % table.outcomes > 0
    assert odder.weights[at] < odd.weights[at]


def guessed_by_browser(networks: int) -> float:
    """Return what a stranger's browser tells of whoever tried 60 accounts with it elsewhere."""
    history = History().months()
    homes = [Network(f"45.9.{n}", 6000 + n, "access", LEEDS) for n in range(networks)]
    history.beside_tries(STRANGER, homes, 60)
    reading = history.read_of(STRANGER, PROXY)
    assert reading.weights[POSITION["client"]] > 0.0
    return reading.weights[POSITION["guessing"]]


def test_whoever_is_known_by_the_address_puts_no_other_user_of_a_browser_under_suspicion() -> None:
    """Three servers that try a list do it themselves; sixty homes may be anybody's."""
    assert guessed_by_browser(networks=60) > guessed_by_browser(networks=3) + 1.0


def test_who_gets_in_by_a_guilty_range_clears_no_browser() -> None:
    """What is not counted against the others is not counted for them."""
    history = History().months()
    homes = [Network(f"45.9.{n}", 6000 + n, "access", LEEDS) for n in range(60)]
    history.beside_tries(STRANGER, homes, 60)
    before = history.read_of(STRANGER, PROXY).weights[POSITION["guessing"]]
    history.beside_tries(NEW_PHONE, [HOSTING], 60)
    for number in range(40):
        history.beside(History(f"in-{number}").at(history.now).sign_in(STRANGER, HOSTING))
    after = history.read_of(STRANGER, PROXY).weights[POSITION["guessing"]]
    assert before > 1.0
    assert after == pytest.approx(before, abs=0.05)


def sent_to_a_new_address(added: float | None, which: str = "new-home") -> float:
    """Return what a new address tells at the order, one having been added so long before."""

    def until_then() -> History:
        history = History().months()
        if added is not None:
            history.sign_in(LAPTOP, HOME).change("address", which).wait(added)
        return history.sign_in(LAPTOP, HOME).wait(6 * MINUTE)

    order = until_then().order("35", address="new-home").observed[-1]
    return until_then().read_as_told(order).weights[POSITION["destination"]]


def test_an_address_that_was_added_just_now_is_not_new_once_more_at_the_order() -> None:
    """Moving house is one thing that happened, not two: the clock has told of it."""
    assert sent_to_a_new_address(added=None) > 0.5
    assert sent_to_a_new_address(added=3 * DAY) > 0.5
    assert sent_to_a_new_address(added=5 * MINUTE) == 0.0
    assert sent_to_a_new_address(added=5 * MINUTE, which="a-friend-s") > 0.5


def takes(what: str, number: int, device: Device, network: Network) -> History:
    """Return a customer's months, and then a new value that somebody gave the account."""
    account = History(f"{device.device_id}-{number}").months().wait(number * HOUR)
    account.sign_in(device, network).wait(3 * MINUTE)
    if what == "phone":
        return account.change("phone", "there")
    return account.order("61", **{"address": None, what: "there"})


def sharing(what: str, others: list[History]) -> Reading:
    """Return a new value on an account as it is read where others have taken it before."""
    history = History()
    for other in others:
        history.beside(other)
    return history.read_as_told(takes(what, 9, NEW_PHONE, PROXY).observed[-1])


@pytest.mark.parametrize("what", ["address", "payment", "phone"])
def test_a_family_that_moves_is_no_gang_and_a_drop_is(what: str) -> None:
    """What it shares tells as much as that others were given it by somebody doubtful."""
    family = sharing(what, [takes(what, number, LAPTOP, HOME) for number in range(3)])
    gang = sharing(what, [takes(what, number, STRANGER, PROXY) for number in range(3)])
    assert family.others == gang.others == 3
    assert 0.0 <= family.weights[SHARED] <= 1.0
    assert gang.weights[SHARED] > family.weights[SHARED] + 2.0


def test_one_stranger_among_the_others_is_enough() -> None:
    """A drop is one however many customers order there after the first."""
    victim = takes("address", 0, STRANGER, PROXY)
    neighbours = [takes("address", number, LAPTOP, HOME) for number in range(1, 5)]
    beside = sharing("address", neighbours).weights[SHARED]
    assert sharing("address", [victim, *neighbours]).weights[SHARED] > beside + 2.0


def test_what_others_tell_is_not_told_back_to_them() -> None:
    """Neighbours with new phones, each a little doubtful, do not talk each other into a gang."""
    phones = [Device(f"phone-{n}", "Mobile Safari", "iOS") for n in range(6)]
    neighbours = [takes("address", number, phone, HOME) for number, phone in enumerate(phones)]
    street, readings = History(), []
    for neighbour in neighbours:
        *before, last = neighbour.observed
        for told in before:
            street.hear(told)
        readings.append(street.read_as_told(last))
        street.hear(last)
    assert max(reading.doubt for reading in readings) > DOUBT_STEPS[-1]
    alone = max(reading.alone for reading in readings)
    outcome = sharing("address", neighbours).cells[SHARED] % SHARINGS
    assert outcome == 2 * bisect_right(DOUBT_STEPS, alone) + 2 < SHARINGS - 1

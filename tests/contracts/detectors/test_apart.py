"""Who comes by a device and a network that nothing ties to the account stays a stranger."""

from detectors.features.reading import Reading
from detectors.features.registry import POSITION
from detectors.profiles import decode, encode
from detectors.reasons import EXPLANATIONS
from tests.contracts.detectors.histories import (
    CARRIER,
    DAY,
    HOME,
    HOUR,
    LAPTOP,
    LONDON,
    MINUTE,
    NEW_PHONE,
    Device,
    History,
    Network,
)

LINE = Network("86.20.44", 5089, "access", LONDON)
NEXT_LINE = Network("86.21.12", 5089, "access", LONDON)
THIEF = Device("device-of-a-thief", "Chrome", "Windows")
BARE = Device(None, "Chrome", "Windows")


def came(device: Device = THIEF) -> History:
    """A quiet sign-in by a device and a network that are new to the account; nobody is alerted."""
    history = History().months().forget_what_was_said()
    history.sign_in(device, LINE)
    assert not history.alerts
    return history


def order(history: History, device: Device = THIEF, *, after: float = 12 * DAY) -> Reading:
    """Return a dear order to a new address, by the same device and network, as it is read."""
    history.wait(after).sign_in(device, LINE).wait(4 * MINUTE)
    history.order("260", address="drop", payment="another card")
    return history.read_last()


def story(reading: Reading) -> float:
    """Return what the days before an event say of it, nats."""
    return reading.weights[POSITION["story"]]


def test_who_waits_for_twelve_days_is_alerted_and_told() -> None:
    """A thief keeps his access warm, and orders by what is known by then, and still nobody's."""
    history = came()
    history.wait(5 * DAY).sign_in(THIEF, LINE)
    reading = order(history, after=7 * DAY)
    assert history.alerts
    assert reading.apart >= 0
    codes = {reason.code for reason in history.alerts[-1].reasons}
    assert "recent_doubts" in codes
    said = EXPLANATIONS["story"].summary(reading)
    assert "The device was new to this account" in said
    assert "12 days" in said
    assert "nothing to do with the rest of it" in said


def test_the_same_who_was_met_at_the_customer_s_home_is_the_customer() -> None:
    """A new phone is bought on a journey, and is at home a day later."""
    stranger = order(came())
    met = order(came().wait(DAY).sign_in(THIEF, HOME), after=11 * DAY)
    assert stranger.apart >= 0
    assert met.apart < 0
    assert story(stranger) > story(met) + 2.0


def test_a_line_that_the_customer_s_own_laptop_uses_too_is_the_customer_s() -> None:
    """The ties go both ways: the range was the stranger's alone until then."""
    history = came().wait(DAY).sign_in(LAPTOP, LINE).wait(HOUR).sign_in(THIEF, LINE)
    assert order(history, after=11 * DAY).apart < 0


def test_who_orders_to_the_customer_s_home_is_the_customer() -> None:
    """A thief has no use for it."""
    history = came().wait(DAY).sign_in(THIEF, LINE).wait(MINUTE).order("40", address="home")
    assert order(history, after=11 * DAY).apart < 0


def test_another_device_on_a_stranger_s_line_is_a_stranger_s_and_so_is_his_next_line() -> None:
    """What comes with what is apart is apart."""
    history = came().wait(DAY).sign_in(NEW_PHONE, LINE).wait(DAY).sign_in(NEW_PHONE, NEXT_LINE)
    profile = history.read_last().profile
    for memory, value in (
        (profile.devices, NEW_PHONE.device_id),
        (profile.prefixes, NEXT_LINE.prefix),
    ):
        reading = history.read_of(NEW_PHONE, NEXT_LINE)
        at = memory.find(reading.device if value == NEW_PHONE.device_id else reading.prefix)
        assert memory.is_apart(at)


def test_without_a_device_the_range_is_who_came() -> None:
    """A client that keeps no cookie is known by its line."""
    reading = order(came(BARE), BARE)
    assert reading.apart >= 0
    assert "The address range was new to this account" in EXPLANATIONS["story"].summary(reading)


def test_who_comes_again_and_again_for_weeks_is_less_and_less_a_thief() -> None:
    """A computer at work is never at home, and orders to nowhere that was known before it."""
    once, often = came(), came()
    for _ in range(16):
        often.wait(DAY).sign_in(THIEF, LINE)
    assert story(order(often, after=DAY)) < story(order(once, after=17 * DAY)) - 2.0


def test_a_customer_s_word_ties_what_came() -> None:
    """A verdict on the sign-in that brought it in settles it."""
    history = came().confirm()
    assert order(history).apart < 0


def test_what_is_apart_is_stored_so() -> None:
    """A profile read back is the profile that was written."""
    profile = came().read_last().profile
    again = decode(encode(profile))
    assert [again.devices.is_apart(at) for at in range(len(again.devices.keys))] == [
        profile.devices.is_apart(at) for at in range(len(profile.devices.keys))
    ]
    assert any(again.devices.is_apart(at) for at in range(len(again.devices.keys)))


def test_another_device_id_on_his_own_line_does_not_rid_a_thief_of_it() -> None:
    """Whoever clears his cookies before he orders comes by the range that he came by."""
    reading = order(came(), Device("cleared-cookies", "Chrome", "Windows"))
    assert reading.apart >= 0
    assert "The address range was new to this account" in EXPLANATIONS["story"].summary(reading)


def test_many_visits_in_a_minute_are_one() -> None:
    """What a script does in a minute is no habit of months."""
    history = came()
    for _ in range(20):
        history.wait(5).sign_in(THIEF, LINE)
    assert story(order(history, after=2 * DAY)) > story(order(came(), after=2 * DAY)) - 2.0


def test_what_an_account_s_first_minute_brought_is_not_apart() -> None:
    """A new customer signs in twice at once: the device is the only one there is."""
    history = History("newborn").sign_in(THIEF, LINE).sign_in(THIEF, LINE)
    devices = history.read_last().profile.devices
    assert not devices.is_apart(0)


def test_a_voucher_to_the_customer_s_address_ties_nobody() -> None:
    """It goes to whoever has the session."""
    history = came().wait(DAY).sign_in(THIEF, LINE).wait(MINUTE)
    history.order("25", address="home", delivery="digital")
    assert order(history, after=11 * DAY).apart >= 0


def test_a_thief_s_own_address_ties_none_of_his_devices() -> None:
    """What somebody brought who is apart is no part of the customer's."""
    history = came().wait(DAY).sign_in(THIEF, LINE).wait(MINUTE).order("5", address="drop")
    history.wait(DAY).sign_in(NEW_PHONE, LINE)
    history.wait(MINUTE).order("5", address="drop")
    devices = history.read_last().profile.devices
    assert devices.is_apart(devices.find(history.read_of(NEW_PHONE, LINE).device))


def test_a_gateway_where_strangers_meet_ties_nobody() -> None:
    """The customer has been behind the carrier's address; so has half the town."""
    history = came().wait(DAY).sign_in(THIEF, CARRIER)
    assert order(history, after=11 * DAY).apart >= 0


def test_whoever_is_said_to_be_the_customer_at_last_is_so_from_then_on() -> None:
    """The order is looked into: it is the customer's, and so is what it came by."""
    history = came()
    first = order(history)
    assert first.apart >= 0
    history.confirm()
    assert order(history, after=2 * DAY).apart < 0


def test_a_computer_s_networks_are_counted_apart_from_a_phone_s() -> None:
    """Phones go everywhere: what they do says nothing of what stays on a desk."""
    desk = Device("own-computer", "Chrome", "Windows")
    desk.kind = "desktop"
    contexts = {
        device.device_id: came().read_of(device, LINE).cells[POSITION["network"]] // 8
        for device in (desk, NEW_PHONE)
    }
    assert contexts[desk.device_id] == contexts[NEW_PHONE.device_id] + 32

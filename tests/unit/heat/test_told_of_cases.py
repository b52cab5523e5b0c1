"""What an alert's case came with is told for linking, before the alert, by it and after it."""

import pytest

from detectors.engine import Engine
from detectors.events import Login, Order
from detectors.heat.indicators import KINDS, Indicator, Kind, key_of
from detectors.heat.sightings import Sightings, host_of
from detectors.policy import Policy
from tests.contracts.detectors.histories import (
    DAY,
    HOME,
    HOSTING,
    LAPTOP,
    PROXY,
    STRANGER,
    Device,
    History,
)
from tests.contracts.detectors.traffic import customers


class Told:
    """A customer of ten weeks, and what is told of the alerts that follow."""

    def __init__(self) -> None:
        self.sightings = Sightings(1)
        self.history = History(sightings=self.sightings).months()
        self.sightings.batches()

    def alerted(self) -> set[Indicator]:
        """What was told of alerts since the last call."""
        return {
            Indicator(seen.kind, seen.key)
            for _, batch in self.sightings.batches()
            for seen in batch.sightings
            if seen.alerts
        }


def of(kind: Kind, value: str) -> Indicator:
    """An indicator by its value."""
    return Indicator(kind, key_of(kind, value))


def test_an_order_to_a_drop_tells_its_postcode_too() -> None:
    """One door is written in many ways; all of them have one postcode."""
    told = Told()
    told.history.sign_in(STRANGER, HOSTING).change("email", "theirs")
    told.history.order("900", address="drop", payment="stolen")
    order = told.history.observed[-1].event
    assert told.history.alerts
    assert isinstance(order, Order)
    assert of(Kind.POSTCODE, order.shipping_postcode or "") in told.alerted()


@pytest.mark.parametrize("neighbours", [0, 4])
def test_an_alert_tells_its_risk_without_what_others_have_as_well(neighbours: int) -> None:
    """Linking weighs a door that others share, too: what it was alerted for is told apart."""
    told = Told()
    for number in range(neighbours):
        other = History(f"neighbour {number}").at(told.history.now)
        told.history.beside(other.sign_in(LAPTOP, HOME).order("40", address="one door"))
    told.history.sign_in(STRANGER, HOSTING).order("300", address="one door")
    assert told.history.alerts
    latest = [
        mark
        for _, batch in told.sightings.batches()
        for seen in batch.sightings
        for mark in seen.alerts
        if mark.account_id == told.history.account_id
    ][-1]
    assert latest.unshared is not None
    assert latest.risk == round(told.history.alerts[-1].risk, 6)
    assert (latest.unshared < latest.risk) is bool(neighbours)


def test_a_range_is_told_with_the_address_in_it_and_a_shape_with_its_user_agent() -> None:
    """Linking tells neighbours in a hosting company's range apart, and whose shape is hot."""
    told = Told()
    event = told.history.sign_in(STRANGER, HOSTING).observed[-1].event
    assert isinstance(event, Login)
    hosts = {
        Kind(seen.kind): {alert.host for alert in seen.alerts}
        for _, batch in told.sightings.batches()
        for seen in batch.sightings
        if seen.alerts
    }
    assert hosts.pop(Kind.PREFIX) == {host_of(event.ip or "")}
    assert hosts.pop(Kind.SHAPE) == {key_of(Kind.AGENT, event.user_agent or "")}
    assert set().union(*hosts.values()) == {0}
    assert host_of("198.51.100.7") != host_of("198.51.100.8")
    assert host_of("2001:db8::7") == host_of("2001:db8::8")


def test_what_came_an_hour_before_the_alert_is_told_with_it() -> None:
    """A device that asked for a reset, and is known for it by the time that somebody looks."""
    told = Told()
    history = told.history.sign_in(STRANGER, HOSTING)
    known = [alert.revision for alert in history.alerts]
    told.alerted()
    history.wait(3_600).sign_in(STRANGER, HOSTING).order("900", address="drop", payment="stolen")
    assert len(history.alerts) > len(known)
    assert of(Kind.DEVICE, STRANGER.device_id or "") in told.alerted()


def test_a_contact_that_was_left_before_the_alert_is_told_with_it() -> None:
    """A stolen session changes the address for mails, which nobody minds, and then orders."""
    told = Told()
    history = told.history.change("email", "theirs")
    assert not told.alerted()
    history.wait(600).steal_session(STRANGER, HOSTING)
    history.order("900", address="drop", payment="stolen")
    assert history.alerts
    assert of(Kind.CONTACT, "theirs") in told.alerted()


def test_what_a_case_brings_after_its_alert_is_told_though_it_is_no_revision() -> None:
    """The second contact that the gang leaves links as the first does."""
    told = Told()
    history = told.history.sign_in(STRANGER, HOSTING).change("email", "theirs")
    history.order("900", address="drop", payment="stolen")
    revisions = len(history.alerts)
    told.alerted()
    history.wait(60).change("phone", "theirs as well")
    assert len(history.alerts) == revisions
    assert of(Kind.CONTACT, "theirs as well") in told.alerted()


def test_the_relay_that_a_session_was_phished_through_is_told_with_its_alert() -> None:
    """The sign-in passed, through what looks like home; the order comes from elsewhere."""
    told = Told()
    history = told.history.sign_in(Device(None, "Chrome", "Windows"), PROXY, mfa="passed")
    assert not history.alerts
    history.wait(600).steal_session(STRANGER, HOSTING)
    told.alerted()
    history.order("900", address="drop", payment="stolen")
    assert history.alerts
    assert of(Kind.PREFIX, "90.207.11.0/24") in told.alerted()


def _hijacked(session_id: str | None) -> Told:
    """A hijack that is alerted as the address for mails is changed, under another session's id."""
    told = Told()
    told.history.sign_in(STRANGER, HOME, failures=3, session_id=session_id)
    told.history.wait(60).change("email", "theirs", session_id="another")
    assert told.history.alerts
    told.alerted()
    return told


@pytest.mark.parametrize("first", ["at the sign-in", None])
@pytest.mark.parametrize("then", ["another at the checkout", None])
def test_what_comes_under_another_session_s_id_or_none_is_told_of_the_case(
    first: str | None, then: str | None
) -> None:
    """Ids are optional, and some shops change them: it goes on in what its device had begun."""
    told = _hijacked(first)
    told.history.wait(3600).order("5", payment="stolen", session_id=then)
    assert told.history.assessments[-1].alert_id is None
    assert of(Kind.PAYMENT, "stolen") in told.alerted()


def test_a_case_lists_every_id_that_its_session_goes_on_under() -> None:
    """Whoever looks for the orders of a hijacker's session goes by the ids in the alert."""
    history = _hijacked("at the sign-in").history
    history.wait(3600).order("5", session_id="at the checkout")
    assert history.assessments[-1].alert_id is None
    history.wait(60).order("900", address="drop", payment="stolen", session_id=None)
    assert history.alerts[-1].session_ids == ("another", "at the checkout")


def test_what_the_customer_does_at_home_after_an_alert_is_not_told_of_it() -> None:
    """Another session, their own device: no gang came with it."""
    told = Told()
    history = told.history.sign_in(STRANGER, HOSTING).change("email", "theirs")
    history.order("900", address="drop", payment="stolen")
    history.wait(DAY / 4)
    told.alerted()
    history.sign_in(LAPTOP, HOSTING).change("phone", "the customer's new one")
    assert of(Kind.PREFIX, "3.80.14.0/24") not in told.alerted()


def test_where_the_customer_has_long_had_goods_sent_is_not_told_of_the_hijack() -> None:
    """A household shares a door and a card, and no gang brought either."""
    told = Told()
    told.history.sign_in(STRANGER, HOSTING).change("email", "theirs").order("900", payment="stolen")
    order = told.history.observed[-1].event
    assert told.history.alerts
    assert isinstance(order, Order)
    alerted = told.alerted()
    assert of(Kind.PAYMENT, "stolen") in alerted
    assert of(Kind.DELIVERY, "home") not in alerted
    assert of(Kind.POSTCODE, order.shipping_postcode or "") not in alerted


def test_a_drop_that_was_tried_the_day_before_the_alert_is_told_with_it() -> None:
    """A small order goes through first; by the large one the account knows the address."""
    told = Told()
    history = told.history.order("9", address="drop", payment="stolen")
    told.alerted()
    history.wait(DAY).sign_in(STRANGER, HOSTING).change("email", "theirs")
    history.order("900", address="drop", payment="stolen")
    assert history.alerts
    assert {of(Kind.DELIVERY, "drop"), of(Kind.PAYMENT, "stolen")} <= told.alerted()


def test_what_no_operator_s_heat_would_alert_on_is_told_to_its_range_alone() -> None:
    """What an operator remembers of entries is for those that it could make an alert of."""
    sightings, store = Sightings(1), dict[bytes, bytes]()
    Engine(Policy(), store.get, None, sightings).process(customers())
    told: dict[bool, list[float]] = {True: [], False: []}
    for _, batch in sightings.batches():
        for seen in batch.sightings:
            told[KINDS[seen.kind].coarse] += [entry.logit for entry in seen.entries]
    assert min(told[False]) < -7.0 <= min(told[True])


def test_a_verdict_makes_what_an_alert_came_with_certain() -> None:
    """It is told once more, under the same alert, of which nobody doubts any longer."""
    told = Told()
    history = told.history.sign_in(STRANGER, HOSTING).order("900", address="drop", payment="stolen")
    told.alerted()
    history.wait(DAY).judge("takeover")
    marks = [
        (Kind(seen.kind), mark.alert_id, mark.risk, mark.unnoticed)
        for _, batch in told.sightings.batches()
        for seen in batch.sightings
        for mark in seen.alerts
    ]
    alert = history.alerts[-1].alert_id
    assert {kind for kind, *_ in marks} >= {Kind.DEVICE, Kind.PREFIX, Kind.DELIVERY, Kind.PAYMENT}
    assert {tuple(rest) for _, *rest in marks} == {(alert, 1.0, False)}
    history.judge("takeover")
    assert not told.sightings.batches()

"""What heat says of an attack can be true of its own figures."""

import pytest

from detectors.events import Login
from detectors.facts import Facts
from detectors.features.lessons import _client_shown
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import VERSION, Hot
from detectors.heat.sightings import came_with
from detectors.heat.wording import describe


def test_tries_and_accounts_are_not_of_the_same_time() -> None:
    """Tries fade, accounts are counted over days: nobody is told of 17 tries on 22 accounts."""
    hot = Hot(
        version=VERSION,
        kind=int(Kind.AGENT),
        key=7,
        technique="slow_stuffing",
        nats=4.0,
        since=0,
        at=3600,
        until=7200,
        tried=17,
        failed=9,
        accounts=22,
    )
    assert describe(hot).endswith(
        "9 of the latest 17 tries failed; about 22 accounts were tried within days."
    )


@pytest.mark.parametrize(
    ("facts", "counted_as", "shown"),
    [
        (
            Facts(browser="python-requests", network_kind="hosting"),
            "python-requests on None, no cookie, hosting network",
            "python-requests, no cookie, hosting network",
        ),
        (
            Facts(browser="Firefox", os="Linux"),
            "Firefox on Linux, no cookie, unknown network",
            "Firefox on Linux, no cookie",
        ),
        (
            Facts(),
            "None on None, no cookie, unknown network",
            "unknown client, no cookie",
        ),
    ],
)
def test_a_kind_of_client_is_shown_by_what_is_known_of_it(
    facts: Facts, counted_as: str, shown: str
) -> None:
    """Nobody reads of a client on None; what has been counted under its key is not begun anew."""
    login = Login(
        event_id="e", account_id="a", occurred_at=0.0, outcome="failure", ip="192.0.2.1",
        user_agent="a tool",
    )  # fmt: skip
    shape = next(one for one in came_with(login, facts) if one.kind == Kind.SHAPE)
    assert shape == (Kind.SHAPE, key_of(Kind.SHAPE, counted_as), shown)


def test_what_is_usual_for_an_account_is_shown_by_what_is_known_of_it() -> None:
    """Of an app that tells no system, its own name."""
    assert _client_shown("ShopApp", None) == "ShopApp"
    assert _client_shown("Firefox", "Linux") == "Firefox on Linux"

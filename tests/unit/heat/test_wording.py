"""What heat says of an attack can be true of its own figures."""

from detectors.heat.indicators import Kind
from detectors.heat.records import VERSION, Hot
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

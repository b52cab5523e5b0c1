"""What arrives late, early, twice or from a wrong clock must neither stop nor spoil a detector."""

from typing import Any

from detectors.engine import Engine, Observed
from detectors.events import Login
from detectors.facts import Facts
from detectors.policy import Policy

START, HOUR, DAY, YEAR = 1_780_000_000.0, 3600.0, 86400.0, 365 * 86400.0
HOME = {
    "device_id": "laptop",
    "user_agent": "browser",
    "asn": 1,
    "country": "DE",
    "ip": "81.2.69.1",
}
AWAY = {"device_id": "other", "user_agent": "tool", "asn": 9, "country": "RU", "ip": "46.1.7.9"}


def _login(account_id: str, at: float, shown: dict[str, Any], **fields: Any) -> Observed:
    given = {"event_id": f"login-{account_id}-{at}", "outcome": "success"} | shown | fields
    return _seen(Login(account_id=account_id, occurred_at=at, **given))


def _seen(event: Any) -> Observed:
    facts = Facts(
        address=event.ip,
        prefix=event.ip and event.ip.rpartition(".")[0],
        asn=event.asn,
        country=event.country,
        city=event.city,
        latitude=event.latitude,
        longitude=event.longitude,
        browser=event.user_agent and "Chrome",
        os=event.user_agent and "iOS",
    )
    return Observed(event, facts)


def _nothing(_: bytes) -> None:
    return None


def _engine(**policy: Any) -> Engine:
    return Engine(Policy(**policy), _nothing)


def _settled(**policy: Any) -> Engine:
    """Return an engine that knows one account, `a`: five days at home."""
    engine = _engine(**policy)
    for day in range(5):
        engine.process([_login("a", START + day * DAY, HOME)])
    return engine


def test_an_event_far_older_than_a_doubt_is_assessed() -> None:
    """A doubt does not grow without end backwards in time: at most it is as strong as it was."""
    for half_life, doubted, late in ((3.0, 9 * YEAR, 6 * DAY), (0.01, 20 * DAY, 9 * DAY)):
        engine = _settled(story_half_life_days=half_life)
        engine.process([_login("a", START + doubted, AWAY)])
        [outcome] = engine.process([_login("a", START + late, HOME)])
        assert outcome.assessment is not None
        assert 0.0 <= outcome.assessment.risk <= 1.0

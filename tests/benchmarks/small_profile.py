"""The small profile that the yardsticks fold: a count, and the last values of four attributes."""

from collections.abc import Mapping
from typing import Any, Final

REMEMBERED: Final = ("device_id", "country", "asn", "user_agent")
_KEPT: Final = 5


def learnt(event: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile after an event: how many, and the last few values of each attribute."""
    failed = event.get("outcome") == "failure"
    after: dict[str, Any] = {
        "events": profile.get("events", 0) + 1,
        "failures": profile.get("failures", 0) + 1 if failed else profile.get("failures", 0),
    }
    for name in REMEMBERED:
        seen = [value for value in profile.get(name, []) if value != event.get(name)]
        after[name] = [event.get(name), *seen][:_KEPT]
    return after

"""What the features of sign-in and session say in words: each sentence from its own outcome.

A feature that a session carries is of how the session began, not of the event at hand; it is told
so, and nothing of the event is shown beside it that belongs to somebody else.
"""

from collections.abc import Callable
from typing import Final

from detectors.assessments import Evidence
from detectors.events import Login
from detectors.facts import client_named
from detectors.features import access
from detectors.features.access import KNOWN, MISSING, NEW, RECENT
from detectors.features.reading import LOGIN, Reading
from detectors.features.registry import ACCESS, POSITION
from detectors.features.sessions import FOLLOWED, NONE, OUTCOMES, UNSEEN, moved_to_another
from detectors.features.signin import RTT_STEPS, failures_left
from detectors.stored_profiles import Session

Words = Callable[[Reading], str]
Shown = Callable[[Reading], Evidence | None]


def says(text: str) -> Words:
    """Return words that hold whatever the outcome."""
    return lambda _: text


def nothing(_: Reading) -> Evidence | None:
    """Return that there is nothing to compare."""
    return None


def outcome_of(reading: Reading, name: str, outcomes: int) -> int:
    """Return the outcome of a feature's table, of so many; -1 where it was not judged."""
    cell = reading.cells[POSITION[name]]
    return cell % outcomes if cell >= 0 else -1


def ago(minutes: int) -> str:
    """Return how long minutes are, in words."""
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{minutes // 60} hours" if minutes < 2880 else f"{minutes // 1440} days"


def carried_by(reading: Reading) -> Session | None:
    """Return the session whose beginning the access features tell of; None for the event itself."""
    session = reading.session
    if reading.type == LOGIN or session is None:
        return None
    carried = reading.weights[:ACCESS] == [value / 8.0 for value in session.access]
    return session if carried or not reading.fresh_access else None


def of_access(words: Words, began: str | Callable[[Session], str]) -> Words:
    """Return words for a feature of the sign-in: of the event, or of how its session began."""

    def told(reading: Reading) -> str:
        session = carried_by(reading)
        if session is None:
            return words(reading)
        return began if isinstance(began, str) else began(session)

    return told


def shown_of_access(shown: Shown) -> Shown:
    """Return evidence that is left out where the event has none of what its session began with."""

    def compared(reading: Reading) -> Evidence | None:
        if carried_by(reading) is not None and moved_to_another(reading):
            return None
        return shown(reading)

    return compared


def _device(reading: Reading) -> str:
    return _DEVICES[reading.device_class]


_DEVICES: Final = (
    "A device this account often uses.",
    "A device this account has used, but not often.",
    "A device this account has used only in the last days.",
    "A device this account has never used.",
    "No device identifier, which is nothing new with this account.",
    "No device identifier, although this account usually has one.",
)
_BEGAN_ON: Final = {
    KNOWN: "The session began on a device this account has not often used.",
    RECENT: "The session began on a device this account had used only for days.",
    NEW: "The session began on a device new to this account.",
    MISSING: "The session began without the device identifier that is usual with this account.",
}


def _began_on(session: Session) -> str:
    return _BEGAN_ON.get(session.device_class, "The session began on a device that proves little.")


def devices(reading: Reading) -> Evidence | None:
    """Compare the device with how many are known."""
    if carried_by(reading) is not None and not reading.device:
        return None
    known = len(reading.profile.devices.keys)
    return Evidence(
        seen=reading.event.device_id or "none",
        usual=f"{known} known device{'' if known == 1 else 's'}",
    )


def _client(reading: Reading) -> str:
    return _CLIENTS[outcome_of(reading, "client", 5)]


_CLIENTS: Final = (
    "A client this account has used, which proves little.",
    "Another version of a browser and system this account has used.",
    "A browser new to this account, on a system it has used.",
    "A browser or system new to this account.",
    "No browser or system is told.",
)


def _clients(reading: Reading) -> Evidence | None:
    facts, agent = reading.facts, reading.event.user_agent
    if carried_by(reading) is not None and not agent:
        return None
    if outcome_of(reading, "client", 5) == 1:
        versions = (facts.browser_version, facts.os_version)
        if any(versions):
            browser, system = (
                " ".join(part for part in pair if part)
                for pair in zip((facts.browser, facts.os), versions, strict=True)
            )
            return Evidence(seen=client_named(browser, system) or "none")
        return Evidence(seen=agent or "none")
    named = client_named(facts.browser, facts.os)
    return Evidence(seen=named or agent or "none", usual=reading.profile.client)


_NETWORKS: Final = (
    "An address range this account has used, which proves little.",
    "An address range this account has used only in the last days.",
    "An address range new to this account, of an operator it has used.",
    "An address range new to this account, of an operator it has used, in another city.",
    "A network operator new to this account.",
    "A network operator new to this account, in another city.",
    "A network in a country this account has not been seen in.",
    "An address range new to this account, whose operator is not told.",
)


def _began_at(session: Session) -> str:
    text = _NETWORKS[session.network]
    return f"The session began from {text[0].lower()}{text[1:]}"


def named_network(reading: Reading) -> str:
    """Return operator (or range) and country of the event's network."""
    facts = reading.facts
    operator = f"AS{facts.asn}" if facts.asn else facts.prefix or reading.event.ip or "unknown"
    return f"{operator} ({facts.country})" if facts.country else operator


def networks(reading: Reading) -> Evidence | None:
    """Compare the network with the last one that was used before this session."""
    if carried_by(reading) is not None and not reading.prefix:
        return None
    return Evidence(seen=named_network(reading), usual=reading.profile.network)


def _kind(reading: Reading) -> str:
    masked = {"hosting": "a hosting network", "vpn": "a VPN", "tor": "Tor", "relay": "a relay"}
    if reading.kind in masked:
        return f"The address belongs to {masked[reading.kind]}."
    kind = reading.kind or "unknown"
    return f"A new network of this kind ({kind}) is seen less with customers than with hijackers."


def _travel(reading: Reading) -> str:
    place = reading.profile.place
    if place is not None and reading.minute < place[2]:
        return "Far from a sign-in that happened later but was told first."
    return {
        1: "Near the place of the last sign-in.",
        2: "Some way from the last sign-in, within what geolocation errs by.",
        3: "Far from the last sign-in, though a journey may explain it.",
    }.get(outcome_of(reading, "travel", 5), "Farther from the last sign-in than travel explains.")


def _places(reading: Reading) -> Evidence | None:
    if carried_by(reading) is not None:
        return None
    return Evidence(seen=reading.facts.city or named_network(reading), usual=reading.profile.city)


def _method(reading: Reading) -> str:
    event, outcome = reading.event, outcome_of(reading, "method", 36)
    method = event.method if type(event) is Login else None
    if outcome % 6 == 2:
        return "The second factor that this account usually passes was not passed."
    if method is None:
        return "How the sign-in was proved is not told."
    if outcome % 6 >= 3:
        return f"The sign-in was proved in a way ({method}) new to this account."
    return f"This way to sign in ({method}) is seen less with customers than with hijackers."


def _methods(reading: Reading) -> Evidence | None:
    event = reading.event
    return Evidence(seen=event.method or "unknown") if type(event) is Login else None


def _round_trip(reading: Reading) -> str:
    if outcome_of(reading, "round_trip", len(RTT_STEPS) + 1) < 2:
        return "A round trip shorter than most that customers have."
    return "A round trip of this length is seen less with customers than with hijackers."


def _round_trips(reading: Reading) -> Evidence | None:
    event = reading.event
    if type(event) is not Login or event.rtt_ms is None:
        return None
    return Evidence(seen=f"{event.rtt_ms:.0f} ms")


def _failures(reading: Reading) -> str:
    if outcome_of(reading, "failures", 10) < 2:
        return "No attempt failed shortly before the success."
    return "Failed attempts shortly before the success."


def _failed(reading: Reading) -> Evidence | None:
    if carried_by(reading) is not None:
        return None
    return Evidence(seen=f"about {failures_left(reading):.0f} failures shortly before")


def _dormancy(reading: Reading) -> str:
    minutes = reading.minute - reading.profile.signed_in
    if minutes < 0:
        return "A later sign-in was told before this one."
    return f"The last sign-in that was seen before this one is {ago(minutes)} ago."


def others(name: str, outcomes: int, some: str, none: str) -> Words:
    """Return words that tell whether there were any: outcome 0 is none."""
    return lambda reading: none if outcome_of(reading, name, outcomes) == 0 else some


def moved(reading: Reading) -> str:
    """Tell what became of the session."""
    outcome = outcome_of(reading, "continuity", OUTCOMES)
    if outcome == NONE:
        return "No session was given."
    if outcome == UNSEEN:
        return "The session was never seen signing in."
    device, client, network = (
        (outcome - FOLLOWED) // 16, (outcome - FOLLOWED) // 4 % 4, (outcome - FOLLOWED) % 4
    )  # fmt: skip
    parts = [
        ("", "another device", "")[device],
        ("", "another version of its client", "another browser or system", "")[client],
        ("", "another address range", "another operator", "another country")[network],
    ]
    told = " and ".join(part for part in parts if part)
    if told:
        return f"The session moved to {told} midway."
    return "The session does not tell its device or client any more."


WORDS: Final[dict[str, Words]] = {
    "device": of_access(_device, _began_on),
    "client": of_access(
        _client, "The session began with a browser or system unusual for this account."
    ),
    "network": of_access(lambda reading: _NETWORKS[reading.network], _began_at),
    "rarity": of_access(
        says("A network or country rare among customers."),
        "The session began from a network or country rare among customers.",
    ),
    "kind": of_access(
        _kind, "The session began from a kind of network seen less with customers."
    ),
    "travel": of_access(_travel, "The session began away from the sign-in before it."),
    "hours": of_access(
        says("An hour at which this customer is active less than others are."),
        "The session began at an hour at which this customer is active less than others are.",
    ),
    "method": of_access(_method, "The session began with an unusual way to sign in."),
    "round_trip": of_access(_round_trip, "The session began with an unusual round trip."),
    "failures": of_access(_failures, "What failed before its session is seen less with customers."),
    "dormancy": of_access(
        _dormancy, "The session began after a silence seen less with customers."
    ),
    "guessing": of_access(
        says("The network or client is failing on many accounts at this moment."),
        "The session began from a network or client that was failing on many accounts.",
    ),
    "shared_device": of_access(
        others(
            "shared_device", len(access.SHARED_HIJACKER),
            "The same device turned up new on other accounts lately.",
            "The new device turned up on no other account lately.",
        ),
        "The session began on a new device that may be shared with other accounts.",
    ),
    "shared_range": of_access(
        others(
            "shared_range", len(access.RANGE_HIJACKER),
            "The same address range turned up new on other accounts lately.",
            "The new address range turned up on no other account lately.",
        ),
        "The session began from a new address range that may be shared with other accounts.",
    ),
    "churn": of_access(
        others(
            "churn", len(access.CHURN_HIJACKER),
            "Other devices were new to this account lately.",
            "No other device was new to this account lately.",
        ),
        "The session began while other devices were new to this account, or none was.",
    ),
    "continuity": moved,
}  # fmt: skip
"""By feature: what it says of an event."""

COMPARED: Final[dict[str, Shown]] = {
    "device": shown_of_access(devices),
    "client": shown_of_access(_clients),
    "network": shown_of_access(networks),
    "rarity": shown_of_access(networks),
    "kind": shown_of_access(networks),
    "travel": _places,
    "method": _methods,
    "round_trip": _round_trips,
    "failures": _failed,
    "guessing": shown_of_access(networks),
    "shared_device": shown_of_access(devices),
    "shared_range": shown_of_access(networks),
    "churn": shown_of_access(devices),
    "continuity": networks,
}
"""By feature: the values it compares, where there are any."""

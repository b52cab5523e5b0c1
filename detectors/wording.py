"""What the features of sign-in and session say in words: each sentence from its own outcome.

A feature that a session carries is of how the session began, not of the event at hand: it is told
so, with when that was, and what is shown beside it is what the session began with.

What was flagged teaches the account nothing: it is not "known", however often it has come by now.
"""

from collections.abc import Callable
from typing import Final

from msgspec import structs

from detectors.assessments import Evidence
from detectors.events import Login
from detectors.facts import client_named, network_named
from detectors.features import access
from detectors.features.access import KNOWN, MISSING, NEW, OPERATOR, OPERATOR_AWAY, RECENT
from detectors.features.reading import DAY, LOGIN, SESSIONS, Reading, country_named
from detectors.features.registry import ACCESS, POSITION
from detectors.features.sessions import FOLLOWED, NONE, OUTCOMES, UNSEEN
from detectors.features.signin import BY_RANGE, BY_TOOL, RTT_STEPS, failures_left
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
        return so_many(minutes, "minute")
    return f"{minutes // 60} hours" if minutes < 2880 else f"{minutes // 1440} days"


def so_many(count: int, noun: str, plural: str = "s") -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else plural}"


def carried_by(reading: Reading) -> Session | None:
    """Return the session whose beginning the access features tell of; None for the event itself."""
    session = reading.session
    if reading.type == LOGIN or session is None:
        return None
    carried = reading.weights[:ACCESS] == [value / 8.0 for value in session.access]
    return session if carried or not reading.fresh_access else None


def of_access(words: Words, began: str | Callable[[Reading, Session], str]) -> Words:
    """Return words for a feature of the sign-in: of the event, or of how its session began."""

    def told(reading: Reading) -> str:
        session = carried_by(reading)
        if session is None:
            return words(reading)
        how = began if isinstance(began, str) else began(reading, session)
        return f"{_opening(reading, session)} {how}."

    return told


def _opening(reading: Reading, session: Session) -> str:
    """Tell when a session began: days may lie between that and what is done in it."""
    begun = "The session began" if session.signed_in else "The session was first seen"
    minutes = reading.minute - session.opened
    return f"{begun} {ago(minutes)} before this" if minutes >= 0 else begun


def network_of(reading: Reading, session: Session) -> str | None:
    """Return operator (or range) and country of the network that a session began in."""
    if reading.prefix and reading.prefix == session.prefix:
        return named_network(reading)
    country = country_named(session.country)
    return network_named(f"AS{session.asn}", country) if session.asn else country


def _device(reading: Reading) -> str:
    return _DEVICES[reading.device_class]


_DEVICES: Final = (
    "A device this account often uses.",
    "A device this account has used, but not often.",
    "A device used only in the last days, or never with what the account had before.",
    "A device this account is not known to use.",
    "No device identifier, which is nothing new with this account.",
    "No device identifier, although this account usually has one.",
)
_BEGAN_ON: Final = {
    KNOWN: "on a device this account had not often used",
    RECENT: "on a device this account had used only for days, or never with what it had before",
    NEW: "on a device this account was not known to use",
    MISSING: "without the device identifier that is usual with this account",
}


def _began_on(_: Reading, session: Session) -> str:
    return _BEGAN_ON.get(session.device_class, "on a device that proves little")


def devices(reading: Reading) -> Evidence | None:
    """Compare the device with how many were known."""
    session, devices = carried_by(reading), reading.profile.devices
    if session is not None and reading.device != session.device:
        return None
    known = len(devices.keys)
    if session is not None:
        # What the session began on may have been learnt since.
        known = sum(devices.first(at) < session.opened for at in range(known))
    return Evidence(
        seen=reading.event.device_id or "none",
        usual=so_many(known, "known device"),
    )


def _client(reading: Reading) -> str:
    outcome = outcome_of(reading, "client", 5)
    if outcome in {2, 3} and reading.device and reading.device_class < NEW:
        # An app's own browser at the checkout, for one.
        return "A browser or system not known of this account, on a device that it has used."
    return _CLIENTS[outcome]


def _began_with(reading: Reading, session: Session) -> str:
    if not session.agent:
        return "with no browser or system told"
    clients = reading.profile.clients
    at = clients.find(session.client)
    if at >= 0 and clients.first(at) < session.opened:
        return "with a client this account had used, which proves little"
    if session.device and session.device_class < NEW:
        return "with a browser or system not known of this account, on a device that it had used"
    return "with a browser or system this account was not known to use"


_CLIENTS: Final = (
    "A client this account has used, which proves little.",
    "Another version of a browser and system this account has used.",
    "A browser this account is not known to use, on a system it has used.",
    "A browser or system this account is not known to use.",
    "No browser or system is told.",
)


def _clients(reading: Reading) -> Evidence | None:
    facts, agent = reading.facts, reading.event.user_agent
    session = carried_by(reading)
    if session is not None and reading.agent != session.agent:
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
    "An address range used only in the last days, or never with what the account had before.",
    "An address range not known of this account, of an operator it has used.",
    "An address range not known of this account, of an operator it has used, in another city.",
    "A network operator this account is not known to use.",
    "A network operator this account is not known to use, in another city.",
    "A network in a country this account is not known to have been in.",
    "An address range not known of this account, whose operator is not told.",
)


_BEGAN_AT: Final = (
    "an address range this account had used, which proves little",
    "an address range this account had used only for days, or never with what it had before",
    "an address range not known of this account, of an operator it had used",
    "an address range not known of this account, of an operator it had used, in another city",
    "a network operator this account was not known to use",
    "a network operator this account was not known to use, in another city",
    "a network in a country this account was not known to have been in",
    "an address range not known of this account, whose operator is not told",
)


def _began_at(_: Reading, session: Session) -> str:
    return f"from {_BEGAN_AT[session.network]}"


def named_network(reading: Reading) -> str:
    """Return operator (or range) and country of the event's network."""
    facts = reading.facts
    operator = f"AS{facts.asn}" if facts.asn else facts.prefix or reading.event.ip or "unknown"
    return network_named(operator, facts.country)


def networks(reading: Reading) -> Evidence | None:
    """Compare the network, or the one that the session began in, with the account's usual one."""
    session, profile = carried_by(reading), reading.profile
    if session is None:
        return Evidence(seen=named_network(reading), usual=profile.network)
    seen = network_of(reading, session)
    came, before, _ = profile.network_came
    # What the session began with may have become usual since.
    return (
        Evidence(seen=seen, usual=before if came >= session.opened else profile.network)
        if seen
        else None
    )


def _addresses(reading: Reading) -> Evidence | None:
    """Compare the networks, and the range and place where the operator is a known one."""
    session = carried_by(reading)
    shown = networks(reading)
    own = session is None or reading.prefix == session.prefix
    if shown is None or not own or reading.network not in {OPERATOR, OPERATOR_AWAY}:
        return shown
    parts = [_range(reading), shown.seen]
    if reading.network == OPERATOR_AWAY and reading.facts.city:
        parts.append(reading.facts.city)
    return structs.replace(shown, seen=", ".join(parts))


def _range(reading: Reading) -> str:
    return reading.facts.prefix or reading.event.ip or "unknown"


def _ranges(reading: Reading) -> Evidence | None:
    session = carried_by(reading)
    if session is not None and reading.prefix != session.prefix:
        return networks(reading)
    return Evidence(seen=_range(reading))


_MASKED: Final = {
    # Who rents a server may be a shop's scanner, a gang, or a VPN whose customers leave by it.
    "hosting": "a hosting network, where servers stand and many VPNs and proxies end",
    "vpn": "a VPN",
    "tor": "Tor",
    "relay": "a relay",
}


def _kind(reading: Reading) -> str:
    if reading.kind in _MASKED:
        return f"The address belongs to {_MASKED[reading.kind]}."
    kind = reading.kind or "unknown"
    return f"A new network of this kind ({kind}) is seen less with customers than with hijackers."


def _began_behind(reading: Reading, session: Session) -> str:
    # The kind is not kept with the session: it is known while the session stays where it began.
    if reading.prefix == session.prefix and reading.kind in _MASKED:
        return f"from {_MASKED[reading.kind]}"
    return "from a kind of network seen less with customers than with hijackers"


def _travel(reading: Reading) -> str:
    place = reading.profile.place
    if place is not None and reading.minute < place[2]:
        return "Far from a sign-in that happened later but was told first."
    # Where a sign-in that was flagged came from is not where the account was.
    last = f"a sign-in {ago(reading.minute - place[2])} before" if place else "the last sign-in"
    return {
        1: f"Near the place of {last}.",
        2: f"Some way from {last}, within what geolocation errs by.",
        3: f"Far from {last}, though a journey may explain it.",
    }.get(outcome_of(reading, "travel", 5), f"Farther from {last} than travel explains.")


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
    if outcome % 6 >= 3 and reading.depth:
        return f"The sign-in was proved in a way ({method}) that is not known of this account."
    return f"This way to sign in ({method}) is seen less with customers than with hijackers."


def _began_by(_: Reading, session: Session) -> str:
    # Which way it was is not kept with the session, nor whether that was new.
    how = "a way to prove it that is" if session.proved else "a password at most, which is"
    return f"with {how} seen less with customers than with hijackers"


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


def _hours(reading: Reading) -> Evidence | None:
    if carried_by(reading) is not None:
        return None
    begin = reading.weekhour % 24 // 3 * 3
    return Evidence(seen=f"{begin:02}:00 to {begin + 3:02}:00 UTC")


def _failures(reading: Reading) -> str:
    if outcome_of(reading, "failures", 10) < 2:
        return "No attempt failed shortly before the success."
    return "Failed attempts shortly before the success."


def _failed(reading: Reading) -> Evidence | None:
    if carried_by(reading) is not None:
        return None
    return Evidence(seen=f"about {failures_left(reading):.0f} failures shortly before")


def _guessing(reading: Reading) -> str:
    if reading.failing == BY_TOOL and not reading.client:
        return "Who tells no client at this operator is failing on many accounts at this moment."
    return f"{_FAILING[reading.failing]} is failing on many accounts at this moment."


_FAILING: Final = (
    "The network or client",
    "The address range",
    "This client at this operator",
    "The client",
)


def _guesses(reading: Reading) -> Evidence | None:
    if carried_by(reading) is not None or not reading.failing:
        return networks(reading)
    if reading.failing == BY_RANGE:
        operator = f", {named_network(reading)}" if reading.asn else ""
        return Evidence(seen=_range(reading) + operator)
    client = reading.event.user_agent
    if reading.failing == BY_TOOL:
        named = client_named(reading.facts.browser, reading.facts.os) or client
        network = named_network(reading)
        return Evidence(seen=f"{named} at {network}" if named else network)
    return Evidence(seen=client) if client else None


def _dormancy(reading: Reading) -> str:
    minutes = reading.minute - reading.profile.signed_in
    if minutes < 0:
        return "A later sign-in was told before this one."
    return f"The last sign-in that was seen before this one is {ago(minutes)} ago."


def others(name: str, outcomes: int, some: str, none: str) -> Words:
    """Return words that tell whether there were any: outcome 0 is none."""
    return lambda reading: none if outcome_of(reading, name, outcomes) == 0 else some


def _churned(reading: Reading) -> int:
    """Return how many other devices were new within a week when the session began, or now."""
    session, devices = carried_by(reading), reading.profile.devices
    device, at = (
        (reading.device, reading.minute) if session is None else (session.device, session.opened)
    )
    return sum(
        at - 7 * DAY <= devices.first(position) < (at if session is not None else at + 1)
        for position, key in enumerate(devices.keys)
        if key != device
    )


def _churn(reading: Reading) -> Evidence | None:
    churned = _churned(reading)
    return Evidence(seen=f"{so_many(churned, 'other device')} new within a week")


def unseen(reading: Reading) -> str:
    """Tell that the sign-in of an event's session is not known, and how far that goes."""
    if len(reading.profile.sessions) < SESSIONS:
        return "No sign-in was seen in its session so far."
    # What is older is forgotten: it may well have signed in.
    return f"Its session is none of the last {SESSIONS} that this account was seen to open."


def moved(reading: Reading) -> str:
    """Tell what became of the session."""
    outcome, session = outcome_of(reading, "continuity", OUTCOMES), reading.session
    if outcome == NONE:
        return "No session was given."
    if session is None:
        return unseen(reading)
    if outcome == UNSEEN:
        return "No sign-in gave its session this name, though one came the same way within the day."
    device, client, network = _moved(outcome)
    parts = [
        ("", "another device", "")[device],
        ("", "another version of its client", "another browser or system", "")[client],
        ("", "another address range", "another operator", "another country")[network],
    ]
    told = [part for part in parts if part]
    if told:
        *others, last = told
        whither = f"{', '.join(others)} and {last}" if others else last
        minutes = reading.minute - session.opened
        since = "its sign-in" if session.signed_in else "it was first seen"
        when = f"within {ago(minutes)} of {since}" if minutes >= 0 else "midway"
        return f"The session moved to {whither} {when}."
    if device == 2 or client == 3:
        return "The session tells less of its device or client than it did, or more."
    return "The session goes on with the device, client and network that it began with."


def _moved(outcome: int) -> tuple[int, int, int]:
    """Return what became of device, client and network."""
    followed = outcome - FOLLOWED
    return followed // 16, followed // 4 % 4, followed % 4


def _left(reading: Reading) -> Evidence | None:
    """Compare what the session came with now to what it began with."""
    outcome, session = outcome_of(reading, "continuity", OUTCOMES), reading.session
    if outcome < FOLLOWED or session is None:
        named = reading.event.session_id
        return Evidence(seen=named) if named else None
    device, client, network = _moved(outcome)
    if network == 1:
        operator = network_of(reading, session)
        of = f" of {operator}" if operator else ""
        return Evidence(seen=_range(reading), usual=f"another range{of}")
    if network:
        return Evidence(seen=named_network(reading), usual=network_of(reading, session))
    if device == 1:
        return Evidence(seen=reading.event.device_id or "none", usual="another device")
    if client in {1, 2}:
        return Evidence(seen=reading.event.user_agent or "none", usual="another client")
    return None


WORDS: Final[dict[str, Words]] = {
    "device": of_access(_device, _began_on),
    "client": of_access(_client, _began_with),
    "network": of_access(lambda reading: _NETWORKS[reading.network], _began_at),
    "rarity": of_access(
        says("A network or country rare among customers."),
        "from a network or country rare among customers",
    ),
    "kind": of_access(_kind, _began_behind),
    "travel": of_access(_travel, "away from the sign-in before it"),
    "hours": of_access(
        says("An hour at which this customer is active less than others are."),
        "at an hour at which this customer is active less than others are",
    ),
    "method": of_access(_method, _began_by),
    "round_trip": of_access(
        _round_trip, "with a round trip seen less with customers than with hijackers"
    ),
    "failures": of_access(
        _failures, "after so many failed attempts as are seen less with customers"
    ),
    "dormancy": of_access(_dormancy, "after a silence seen less with customers"),
    "guessing": of_access(
        _guessing,
        "from a network or client that was failing on many accounts",
    ),
    "shared_device": of_access(
        others(
            "shared_device", len(access.SHARED_HIJACKER),
            "The same device turned up new on other accounts lately.",
            "The new device turned up on no other account lately.",
        ),
        "on a new device that may be shared with other accounts",
    ),
    "shared_range": of_access(
        others(
            "shared_range", len(access.RANGE_HIJACKER),
            "The same address range turned up new on other accounts lately.",
            "The new address range turned up on no other account lately.",
        ),
        "from a new address range that may be shared with other accounts",
    ),
    "churn": of_access(
        others(
            "churn", len(access.CHURN_HIJACKER),
            "Other devices were new to this account lately.",
            "No other device was new to this account lately.",
        ),
        lambda reading, _: (
            "while other devices were new to this account"
            if _churned(reading)
            else "while no other device was new to this account"
        ),
    ),
    "continuity": moved,
}  # fmt: skip
"""By feature: what it says of an event."""

COMPARED: Final[dict[str, Shown]] = {
    "device": devices,
    "client": _clients,
    "network": _addresses,
    "rarity": networks,
    "kind": networks,
    "travel": _places,
    "hours": _hours,
    "method": _methods,
    "round_trip": _round_trips,
    "failures": _failed,
    "guessing": _guesses,
    "shared_device": devices,
    "shared_range": _ranges,
    "churn": _churn,
    "continuity": _left,
}
"""By feature: the values it compares, where there are any."""

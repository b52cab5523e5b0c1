"""Whether a session goes on as it began: a stolen cookie moves to another device or network."""

from typing import Final

from detectors.features.reading import LOGIN, Reading
from detectors.features.registry import POSITION
from detectors.models.likelihood import Row, Rows, Table
from detectors.stored_profiles import Session

CONTINUITY: Final = POSITION["continuity"]

NONE: Final = 0
UNSEEN: Final = 1
FOLLOWED: Final = 2
"""No session given; never seen signing in; from here on, what became of device, client, network:
device the same, another, or not told; client the same, another version, another system or
browser, or not told; network the same, another range, another operator, another country."""

_ANOTHER_OPERATOR: Final = 2

_DEVICES_CUSTOMER: Final[Row] = (0.80, 0.004, 0.196)
_CLIENTS_CUSTOMER: Final[Row] = (0.82, 0.02, 0.01, 0.15)
_NETWORKS_CUSTOMER: Final[Row] = (0.82, 0.10, 0.07, 0.01)
_LONE_THIEF: Final[Row] = (0.08, 0.22)
# A stolen cookie is put into a browser of the thief's own, or into one that is dressed up as the
# victim's: who sells sessions sells the identifiers and the user agent with them.
_DEVICES_THIEF: Final[Row] = (0.10, 0.60, 0.30)
_CLIENTS_THIEF: Final[Row] = (0.20, 0.12, 0.53, 0.15)
_DEVICES_COPIED: Final[Row] = (0.80, 0.03, 0.17)
_CLIENTS_COPIED: Final[Row] = (0.75, 0.08, 0.02, 0.15)
_COPIED: Final = 0.45
_NETWORKS_THIEF: Final[Row] = (0.03, 0.09, 0.60, 0.28)


def _joint(lone: tuple[float, ...], *parts: tuple[float, ...]) -> tuple[float, ...]:
    devices, clients, networks = parts
    rest = 1.0 - sum(lone)
    return (*lone, *(rest * d * c * n for d in devices for c in clients for n in networks))


CONTINUITY_CUSTOMER: Final[Rows] = (
    _joint((0.05, 0.05), _DEVICES_CUSTOMER, _CLIENTS_CUSTOMER, _NETWORKS_CUSTOMER),
)
CONTINUITY_HIJACKER: Final[Row] = tuple(
    (1.0 - _COPIED) * own + _COPIED * copied
    for own, copied in zip(
        _joint(_LONE_THIEF, _DEVICES_THIEF, _CLIENTS_THIEF, _NETWORKS_THIEF),
        _joint(_LONE_THIEF, _DEVICES_COPIED, _CLIENTS_COPIED, _NETWORKS_THIEF),
        strict=True,
    )
)
_ELSEWHERE: Final = 0.9
"""Of thieves who take a session to another operator, those to whose the account never was."""
CONTINUITY_TOLD: Final = 0.15
"""Share of hijackers who work in a session that its owner opened."""

OUTCOMES: Final = 2 + 48


def weigh_continuity(reading: Reading, table: Table) -> None:
    """Compare what the event came with to what its session began with."""
    # An implied one was found by what it would be compared with.
    session = None if reading.implied else reading.session
    if reading.type == LOGIN and session is None:
        return
    if session is None:
        outcome = UNSEEN if reading.event.session_id else NONE
    else:
        outcome = FOLLOWED + _moved(reading, session)
    context = (1 if reading.kind == "mobile" else 0) + (2 if reading.type == LOGIN else 0)
    elsewhere = session is not None and _is_elsewhere(reading, session)
    at = context + 4 if elsewhere else context
    reading.cells[CONTINUITY] = at * OUTCOMES + outcome
    if outcome >= FOLLOWED and (outcome - FOLLOWED) % 4 >= _ANOTHER_OPERATOR:
        # That it is not the account's operator is part of what is told.
        share = _ELSEWHERE if elsewhere else 1.0 - _ELSEWHERE
        beside = context if elsewhere else context + 4
        reading.weights[CONTINUITY] = table.ratio_within(at, beside, outcome, share)
    else:
        reading.weights[CONTINUITY] = table.ratio(at, outcome)


def _is_elsewhere(reading: Reading, session: Session) -> bool:
    """Whether the operator is one that the account used in no earlier session.

    Who leaves the house takes a session along to a network of theirs; a thief takes it to his.
    """
    if not reading.asn:
        return False
    asns = reading.profile.asns
    at = asns.find(reading.asn)
    return at < 0 or asns.first(at) >= session.opened


def _moved(reading: Reading, session: Session) -> int:
    device = 2
    if reading.device and session.device:
        device = 0 if reading.device == session.device else 1
    client = 3
    if reading.agent and session.agent:
        client = 2
        if reading.agent == session.agent:
            client = 0
        elif reading.client == session.client:
            client = 1
    network = 0
    if reading.prefix and session.prefix and reading.prefix != session.prefix:
        network = 1
        if _is_of_another_operator(reading, session):
            network = _ANOTHER_OPERATOR
        if reading.country and session.country and reading.country != session.country:
            network = 3
    return (device * 4 + client) * 4 + network


def moved_to_another(reading: Reading) -> bool:
    """Return whether the event must be judged by its own device and network."""
    session = reading.session
    if session is None:
        return True
    return bool(
        (reading.device and session.device and reading.device != session.device)
        or (reading.prefix and session.prefix and reading.prefix != session.prefix)
        or (reading.agent and session.agent and reading.agent != session.agent)
    )


def moved_abroad(reading: Reading, session: Session) -> bool:
    """Return whether a session went to an operator that the account was never with before it.

    Who has it there may have come by it without signing in.
    """
    return _is_of_another_operator(reading, session) and _is_elsewhere(reading, session)


def _is_of_another_operator(reading: Reading, session: Session) -> bool:
    return bool(reading.asn and session.asn) and reading.asn != session.asn

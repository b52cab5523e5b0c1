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

_DEVICES_CUSTOMER: Final[Row] = (0.80, 0.004, 0.196)
_CLIENTS_CUSTOMER: Final[Row] = (0.82, 0.02, 0.01, 0.15)
_NETWORKS_CUSTOMER: Final[Row] = (0.82, 0.10, 0.07, 0.01)
_DEVICES_THIEF: Final[Row] = (0.15, 0.55, 0.30)
_CLIENTS_THIEF: Final[Row] = (0.35, 0.10, 0.40, 0.15)
_NETWORKS_THIEF: Final[Row] = (0.03, 0.09, 0.60, 0.28)


def _joint(lone: tuple[float, ...], *parts: tuple[float, ...]) -> tuple[float, ...]:
    devices, clients, networks = parts
    rest = 1.0 - sum(lone)
    return (*lone, *(rest * d * c * n for d in devices for c in clients for n in networks))


CONTINUITY_CUSTOMER: Final[Rows] = (
    _joint((0.05, 0.05), _DEVICES_CUSTOMER, _CLIENTS_CUSTOMER, _NETWORKS_CUSTOMER),
)
CONTINUITY_HIJACKER: Final[Row] = _joint(
    (0.08, 0.22), _DEVICES_THIEF, _CLIENTS_THIEF, _NETWORKS_THIEF
)
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
    context += 4 if session is not None and _is_elsewhere(reading, session) else 0
    reading.cells[CONTINUITY] = context * OUTCOMES + outcome
    reading.weights[CONTINUITY] = table.ratio(context, outcome)


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
        if reading.asn and session.asn and reading.asn != session.asn:
            network = 2
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

"""Whether a session goes on as it began: a stolen cookie moves to another device or network."""

from typing import Final

from detectors.features.reading import LOGIN, Reading
from detectors.features.registry import POSITION
from detectors.models.likelihood import Table
from detectors.profiles import Session

CONTINUITY = POSITION["continuity"]

NONE, UNSEEN, SAME, RANGE, OPERATOR, COUNTRY, DEVICE, BOTH, CLIENT = range(9)
"""No session given; never seen signing in; as it began; another range, operator, country;
another device; device and network; another client on the device."""

CONTINUITY_CUSTOMER: Final = ((0.06, 0.04, 0.73, 0.08, 0.05, 0.005, 0.01, 0.005, 0.02),)
CONTINUITY_HIJACKER: Final = (0.07, 0.09, 0.55, 0.06, 0.06, 0.03, 0.02, 0.09, 0.03)


def weigh_continuity(reading: Reading, table: Table) -> None:
    """Compare what the event came with to what its session began with."""
    session = reading.session
    if reading.type == LOGIN and session is None:
        return
    if session is None:
        outcome = UNSEEN if reading.session_key else NONE
    else:
        outcome = _moved(reading, session)
    context = (1 if reading.kind == "mobile" else 0) + (2 if reading.type == LOGIN else 0)
    reading.cells[CONTINUITY] = context * 9 + outcome
    reading.weights[CONTINUITY] = table.ratio(context, outcome)


def _moved(reading: Reading, session: Session) -> int:
    device = bool(reading.device and session.device and reading.device != session.device)
    network = SAME
    if reading.prefix and session.prefix and reading.prefix != session.prefix:
        network = RANGE
        if reading.asn and session.asn and reading.asn != session.asn:
            network = OPERATOR
        if reading.country and session.country and reading.country != session.country:
            network = COUNTRY
    if device:
        return BOTH if network != SAME else DEVICE
    if network == SAME and reading.agent and session.agent and reading.agent != session.agent:
        return CLIENT
    return network


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

"""Changes of contact, credential, address, payment and MFA: what, by whom, how long ago."""

from array import array
from bisect import bisect_right
from typing import Any, Final

from detectors.events import AccountChange, Order
from detectors.features.reading import DAY, Reading
from detectors.features.registry import POSITION
from detectors.models.likelihood import Row, Rows, Table
from detectors.population import Newcomers, Population
from detectors.profiles import digest

ACT: Final = POSITION["act"]
SHARED: Final = POSITION["shared_value"]
CLOCKS: Final = tuple(
    POSITION[f"{group}_clock"]
    for group in ("contact", "credential", "reset", "address", "payment", "mfa")
)
GROUP: Final = {
    "email": 0, "phone": 0, "password": 1, "password_reset_completed": 1,
    "password_reset_requested": 2, "sessions_revoked": 2, "address": 3, "payment": 4,
    "mfa_enrolled": 5, "mfa_removed": 5,
}  # fmt: skip
KINDS: Final = tuple(GROUP)

CLOCK_STEPS: Final[Row] = (10.0, 60.0, DAY, 7.0 * DAY)
CONTEXTS: Final = 9
"""Contexts of the clocks: type of event times how familiar its doer is."""

CLOCK_CUSTOMER: Final[Rows] = ((0.008, 0.006, 0.012, 0.03, 0.944),)
CLOCK_HIJACKERS: Final[Rows] = (
    (0.10, 0.07, 0.05, 0.03, 0.75),
    (0.07, 0.06, 0.05, 0.02, 0.80),
    (0.06, 0.06, 0.05, 0.02, 0.81),
    (0.12, 0.07, 0.05, 0.03, 0.73),
    (0.11, 0.07, 0.05, 0.02, 0.75),
    (0.03, 0.02, 0.02, 0.02, 0.91),
)

# Outcomes: sign-in, order, then each kind of change by customer, support and system.
_CHANGED_BY_CUSTOMER = (0.002, 0.006, 0.002, 0.008, 0.010, 0.001, 0.015, 0.012, 0.001, 0.0005)
_CHANGED_BY_HIJACKER = (0.050, 0.055, 0.025, 0.045, 0.030, 0.004, 0.060, 0.050, 0.010, 0.010)
ACT_CUSTOMER: Final[Rows] = (
    (0.68, 0.24, *(share * by for share in _CHANGED_BY_CUSTOMER for by in (0.96, 0.02, 0.02))),
)
ACT_HIJACKER: Final[Row] = (
    0.42,
    0.24,
    *(share * by for share in _CHANGED_BY_HIJACKER for by in (0.93, 0.05, 0.02)),
)

# Outcomes: on no other account; then by the doubt that it came with on the most doubtful of the
# others, each for one other and for more. A gang's accounts were mostly doubtful when they were
# given the value, a family's were not.
SHARED_CUSTOMER: Final[Rows] = ((0.94, 0.028, 0.005, 0.013, 0.006, 0.004, 0.004),)
SHARED_HIJACKER: Final[Row] = (0.72, 0.006, 0.004, 0.025, 0.015, 0.08, 0.15)
SHARINGS: Final = len(SHARED_HIJACKER)
DOUBT_STEPS: Final[Row] = (1.0, 3.0)
"""Nats between others that were unremarkable, a little doubtful and doubtful."""

_UNREMARKABLE: Final = 1.0
"""Nats that sharing tells at most where the others were unremarkable: thieves are seldom so."""


def weigh_act(reading: Reading, table: Table) -> None:
    """Judge that this kind of thing is done at all, given how familiar its doer is."""
    event = reading.event
    if type(event) is AccountChange:
        by = 1 if event.actor == "support" else 2 if event.actor == "system" else 0
        outcome = 2 + KINDS.index(event.change) * 3 + by
    else:
        outcome = reading.type
    reading.cells[ACT] = reading.who * 32 + outcome
    reading.weights[ACT] = table.ratio(reading.who, outcome)


def weigh_clocks(reading: Reading, tables: tuple[Table, ...], quiet: "array[Any]") -> None:
    """Judge how long ago each group of details was changed.

    That nothing was changed says nothing, and is most of what happens: such events are counted
    together, in `quiet`, one number a context and their sum. Of what is told late, a change after
    it is as near or far as one before it.
    """
    event = reading.event
    changed, minute = reading.profile.changed, reading.minute
    context = reading.type * 3 + reading.who
    if not _is_near(changed, minute):
        reading.cells[CLOCKS[0]] = -2 - context
        return
    own = GROUP[event.change] if type(event) is AccountChange else -1
    cells, weights = reading.cells, reading.weights
    others, everywhere = quiet[context], quiet[CONTEXTS]
    for group, at in enumerate(CLOCKS):
        if group == own:
            continue
        since = changed[group]
        outcome = 4 if since < 0 else bisect_right(CLOCK_STEPS, abs(minute - since))
        cells[at] = context * 5 + outcome
        if outcome < 4:
            weight = tables[group].ratio_beside(context, outcome, others, everywhere)
            # What was changed is told by several clocks: none says it all.
            weights[at] = min(max(weight, -0.5), 4.0)


def _is_near(changed: list[int], minute: int) -> bool:
    """Whether any group of details was changed within the longest of the steps."""
    latest = max(changed)
    if latest <= minute:  # nearly always
        return latest >= 0 and minute - latest < CLOCK_STEPS[-1]
    return any(since >= 0 and abs(minute - since) < CLOCK_STEPS[-1] for since in changed)


def weigh_sharing(reading: Reading, table: Table, population: Population) -> None:
    """Judge a new contact, address or payment by the other accounts it was new on of late."""
    event, day = reading.event, reading.day
    if type(event) is AccountChange:
        if event.value_hash:
            _take_sharing(reading, table, 0, population.new_contacts, digest(event.value_hash))
    elif type(event) is Order:
        profile = reading.profile
        payment, address = reading.payment, reading.address
        if payment and payment not in profile.payments.keys:
            _take_sharing(reading, table, 1, population.new_payments, payment)
        # A shop where many collect is no address that many hijackers share.
        shared = reading.weights[SHARED] > 0
        if address and event.delivery in {None, "home"} and not shared:
            # Nor is one that has long been shared: a forwarder's, an office's.
            addresses = population.new_addresses
            if address not in profile.addresses.keys and not addresses.is_settled(address, day):
                _take_sharing(reading, table, 2, addresses, address)


def _take_sharing(
    reading: Reading, table: Table, context: int, newcomers: Newcomers, value: int
) -> None:
    account, day = reading.account, reading.day
    others, outcome = newcomers.others(value, account, day), 0
    if others:
        doubt = newcomers.doubt_of_others(value, account, day)
        outcome = 2 * bisect_right(DOUBT_STEPS, doubt) + (1 if others == 1 else 2)
    weight = table.ratio(context, outcome)
    if outcome:
        # A drop clears nobody, however many families share an address.
        weight = max(weight, 0.0)
        if outcome < 3:
            weight = min(weight, _UNREMARKABLE)
    reading.others = others
    reading.cells[SHARED] = context * SHARINGS + outcome
    reading.weights[SHARED] = weight

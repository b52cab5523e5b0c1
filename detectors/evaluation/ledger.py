"""What happened in a run, kept as columns of plain numbers: about forty bytes an event."""

from array import array
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.events import AccountChange, Event, EventType, Feedback, Login, Order
from detectors.parsing import EVENT_TYPES

SIGNED_IN: Final = 1
SIGN_IN_FAILED: Final = 2
NO_SUCH_ACCOUNT: Final = 3
ORDERED: Final = 4
CHANGED: Final = 5
NO_LABEL: Final = -1
_TYPE_OF: Final = {kind: name for name, kind in EVENT_TYPES.items()}


class Named(NamedTuple):
    """An event by its id, which is unique within its type only; None is whatever type has it."""

    type: EventType | None
    event_id: str


def named(event: Event) -> Named:
    """Return an event's own name."""
    return Named(_TYPE_OF[type(event)], event.event_id)


class Label(NamedTuple):
    """An event of a hijacker after access: the kind of attack and whose it was."""

    family: str
    campaign: str


@dataclass(frozen=True)
class Labels:
    """What is known about a run by the names of its events.

    `takeovers` holds every event of a hijacker after access; `attacks` the attackers' attempts
    that gained no access, which are neither takeovers nor legitimate. Both may fill up while the
    run is read, as long as an event's truth is there before the event.
    """

    takeovers: Mapping[Named, Label] = field(default_factory=dict)
    attacks: AbstractSet[Named] = frozenset()

    def takeover(self, event: Event) -> Label | None:
        """Return the label of an event that is a hijacker's."""
        name = _among(self.takeovers, named(event))
        return None if name is None else self.takeovers[name]

    def is_attack(self, event: Event) -> bool:
        """Return whether an event is an attempt that gained no access."""
        return _among(self.attacks, named(event)) is not None


def _among(names: Mapping[Named, object] | AbstractSet[Named], name: Named) -> Named | None:
    """Return by which name an event is there, its own or one without type; None for neither."""
    if name in names:
        return name
    untyped = Named(None, name.event_id)
    return untyped if untyped in names else None


class Columns(NamedTuple):
    """One entry an event, in the order in which the events came.

    `time` is UTC epoch seconds; `account` numbers the accounts from 0; `kind` is one of this
    module's codes; `amount` is an order's value, 0 for others; `label` indexes `Ledger.labels`,
    or is NO_LABEL; `attack` tells attempts that gained no access. `identity` is a 64-bit hash of
    the event's name, equal for repeats of one event.
    """

    identity: NDArray[np.int64]
    time: NDArray[np.float64]
    account: NDArray[np.int32]
    kind: NDArray[np.int8]
    amount: NDArray[np.float64]
    label: NDArray[np.int32]
    attack: NDArray[np.bool_]

    def taken(self, indices: NDArray[np.int64]) -> "Columns":
        """Return the columns of these events, in this order."""
        return Columns(
            self.identity[indices],
            self.time[indices],
            self.account[indices],
            self.kind[indices],
            self.amount[indices],
            self.label[indices],
            self.attack[indices],
        )


class Ledger:
    """Takes events as they come and what is known about them."""

    def __init__(self, labels: Labels) -> None:
        self._known = labels
        self._accounts: dict[str, int] = {}
        self._label_numbers: dict[Label, int] = {}
        self._labels_met: set[Named] = set()
        self._hijacked: dict[str, dict[str, Label]] = {}
        self._identity = array("q")
        self._time = array("d")
        self._account = array("i")
        self._kind = array("b")
        self._amount = array("d")
        self._label = array("i")
        self._attack = array("b")

    def __len__(self) -> int:
        return len(self._time)

    @property
    def labels(self) -> list[Label]:
        """The distinct labels met, in the order in which they were met."""
        return list(self._label_numbers)

    @property
    def accounts(self) -> list[str]:
        """The accounts met, in the order in which they were met."""
        return list(self._accounts)

    @property
    def labels_met(self) -> int:
        """How many of the known labels name an event that came."""
        return len(self._labels_met)

    def hijack(self, account_id: str, event_id: str) -> Label | None:
        """Return the label of an account's event where only its id is told, as alerts do.

        Of an account that is not told (empty) it is the first event of that id.
        """
        accounts = self._hijacked.get(event_id, {})
        return accounts.get(account_id) if account_id else next(iter(accounts.values()), None)

    def append(self, event: Event) -> None:
        """Record an event; a verdict is none of the events that are judged and is ignored."""
        if isinstance(event, Feedback):
            return
        name = named(event)
        label = self._take_label(event, name)
        self._identity.append(hash(name))
        self._time.append(event.occurred_at)
        self._account.append(self._accounts.setdefault(event.account_id, len(self._accounts)))
        self._kind.append(_kind(event))
        self._amount.append(float(event.amount) if isinstance(event, Order) else 0.0)
        self._label.append(NO_LABEL if label is None else self._number(label))
        self._attack.append(self._known.is_attack(event))

    def _take_label(self, event: Event, name: Named) -> Label | None:
        met = _among(self._known.takeovers, name)
        if met is None:
            return None
        label = self._known.takeovers[met]
        self._labels_met.add(met)
        self._hijacked.setdefault(event.event_id, {})[event.account_id] = label
        return label

    def _number(self, label: Label) -> int:
        return self._label_numbers.setdefault(label, len(self._label_numbers))

    def columns(self) -> Columns:
        """Return what was recorded so far, as copies."""
        return Columns(
            np.array(self._identity, dtype=np.int64),
            np.array(self._time, dtype=np.float64),
            np.array(self._account, dtype=np.int32),
            np.array(self._kind, dtype=np.int8),
            np.array(self._amount, dtype=np.float64),
            np.array(self._label, dtype=np.int32),
            np.array(self._attack, dtype=np.bool_),
        )


def _kind(event: Login | Order | AccountChange) -> int:
    if isinstance(event, Order):
        return ORDERED
    if isinstance(event, AccountChange):
        return CHANGED
    if event.outcome == "success":
        return SIGNED_IN
    return NO_SUCH_ACCOUNT if event.failure_reason == "unknown_account" else SIGN_IN_FAILED

"""What happened in a run, kept as columns of plain numbers: about forty bytes an event."""

from array import array
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.events import AccountChange, Event, Feedback, Login, Order

SIGNED_IN: Final = 1
SIGN_IN_FAILED: Final = 2
NO_SUCH_ACCOUNT: Final = 3
ORDERED: Final = 4
CHANGED: Final = 5
NO_LABEL: Final = -1


class Label(NamedTuple):
    """An event of a hijacker after access: the kind of attack and whose it was."""

    family: str
    campaign: str


@dataclass(frozen=True)
class Labels:
    """What is known about a run by `event_id`.

    `takeovers` holds every event of a hijacker after access; `attacks` the attackers' attempts
    that gained no access, which are neither takeovers nor legitimate. Both may fill up while the
    run is read, as long as an event's truth is there before the event.
    """

    takeovers: Mapping[str, Label] = field(default_factory=dict)
    attacks: AbstractSet[str] = frozenset()


class Columns(NamedTuple):
    """One entry an event, in the order in which the events came.

    `time` is UTC epoch seconds; `account` numbers the accounts from 0; `kind` is one of this
    module's codes; `amount` is an order's value, 0 for others; `label` indexes `Ledger.labels`,
    or is NO_LABEL; `attack` tells attempts that gained no access. `identity` is a 64-bit hash of
    the event id, equal for repeats of one event.
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
    def labelled(self) -> int:
        """How many different takeover events came."""
        columns = self.columns()
        return len(np.unique(columns.identity[columns.label != NO_LABEL]))

    def append(self, event: Event) -> None:
        """Record an event; a verdict is none of the events that are judged and is ignored."""
        if isinstance(event, Feedback):
            return
        identity = event.event_id
        label = self._known.takeovers.get(identity)
        self._identity.append(hash(identity))
        self._time.append(event.occurred_at)
        self._account.append(self._accounts.setdefault(event.account_id, len(self._accounts)))
        self._kind.append(_kind(event))
        self._amount.append(float(event.amount) if isinstance(event, Order) else 0.0)
        self._label.append(NO_LABEL if label is None else self._number(label))
        self._attack.append(identity in self._known.attacks)

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

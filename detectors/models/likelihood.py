"""How much more a thing is like a hijacker than like a customer, learnt online.

Each factor is a small contingency table: in which situation (context) which of a few outcomes
was seen. What customers do is counted from traffic; what hijackers do starts from how takeovers
work and is counted from verdicts. The weight of evidence is the log of the two shares' ratio
(I. J. Good, Probability and the Weighing of Evidence, 1950), in nats.

Customers' shares are shrunk: a context's towards the factor's, the factor's towards its prior,
each as if the prior had been seen `_BACKING` times.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from math import log
from typing import Final

from detectors.population import pack, unpack

_BACKING: Final = 30.0
_PRIOR_HIJACKS: Final = 25.0
HORIZON: Final = 60_000
"""Events of a context after which all counts are halved."""
_FULL: Final = HORIZON + _BACKING
LOWEST: Final = -4.0
HIGHEST: Final = 6.0
"""No single factor may say more than this, in nats."""

Row = tuple[float, ...]
"""Shares of a factor's outcomes, or the steps that part them."""
Rows = tuple[Row, ...]
"""Shares of a factor's outcomes: one row for all contexts, or one row each."""


class Table:
    """One factor's counts. `customer` and `hijacker` are prior shares of the outcomes.

    `customer` is one row for all contexts, or one row each. `told` is the share of hijackers
    that the factor tells at all: the others behave as customers do. Bytes: 4 per context and
    outcome.

    In memory customers' counts are fractions, as what they are added to: whole numbers would be
    made into such each time, which was nearly half of what a weight costs. `counts` are by cell,
    `totals` by context and `all` of them with what backs a share, `marginal` by outcome.
    """

    def __init__(
        self,
        name: str,
        contexts: int,
        customer: Rows,
        hijacker: Row,
        read: Callable[[bytes], bytes | None],
        *,
        told: float = 1.0,
    ) -> None:
        self.name = name
        self._told, self._untold = told, 1.0 - told
        self.outcomes = outcomes = len(hijacker)
        self.contexts = contexts
        rows = list(customer) if len(customer) == contexts else [customer[0]] * contexts
        self._backed = [_BACKING * (share / sum(row)) for row in rows for share in row]
        self._hijacker = [share / sum(hijacker) for share in hijacker]
        self.counts = [0.0] * (contexts * outcomes)
        self._seen = [0] * outcomes
        stored = read(self._key())
        if stored is not None:
            # An earlier release may have told fewer contexts apart: new ones come last.
            size = max(0, min(contexts, len(stored) // (4 * outcomes) - 1)) * outcomes
            both = array("I", [0]) * (size + outcomes)
            unpack(stored, both, 0, size + outcomes)
            self.counts[:size] = [float(count) for count in both[:size]]
            self._seen = both[size:].tolist()
        self.dirty = False
        self._count()

    def customer_share(self, context: int, outcome: int) -> float:
        """Return the share of customers' events in this context that have this outcome."""
        at = context * self.outcomes + outcome
        everywhere = (self.marginal[outcome] + self._backed[at]) / self.all
        return (self.counts[at] + _BACKING * everywhere) / self.totals[context]

    def ratio_beside(self, context: int, outcome: int, others: int, everywhere: int) -> float:
        """Return the weight of evidence where events without any outcome were counted apart.

        `others` is their number in the context, `everywhere` in all contexts.
        """
        at = context * self.outcomes + outcome
        share = (self.marginal[outcome] + self._backed[at]) / (self.all + everywhere)
        customers = (self.counts[at] + _BACKING * share) / (self.totals[context] + others)
        return self._weight(self._shares[outcome], customers)

    def ratio_within(self, context: int, beside: int, outcome: int, share: float) -> float:
        """Return the weight of evidence of an outcome, and of its context instead of another, nats.

        Of hijackers with this outcome, `share` (above 0, to 1) are in this context, and the others
        are in the one `beside` it. Customers were counted in both.
        """
        here, there = self.totals[context], self.totals[beside]
        customers = self.customer_share(context, outcome) * (here - _BACKING / 2)
        customers /= here + there - _BACKING
        return self._weight(self._shares[outcome] * share, customers)

    def _weight(self, hijackers: float, customers: float) -> float:
        value = log(self._untold + hijackers / customers)
        return LOWEST if value < LOWEST else min(value, HIGHEST)

    def ratio(self, context: int, outcome: int) -> float:
        """Return the weight of evidence for a hijacker, nats."""
        # customer_share and _weight once more, in place: half of what scoring an event costs.
        at = context * self.outcomes + outcome
        everywhere = (self.marginal[outcome] + self._backed[at]) / self.all
        customers = (self.counts[at] + _BACKING * everywhere) / self.totals[context]
        value = log(self._untold + self._shares[outcome] / customers)
        if value > HIGHEST:
            return HIGHEST
        return value if value > LOWEST else LOWEST  # noqa: FURB136 - a call less: this is done most

    def learn(self, at: int) -> None:
        """Count a customer's event at a cell (context times outcomes plus outcome)."""
        learn_each([self], [at])

    def unlearn(self, at: int) -> None:
        """Take back an event that turned out not to be a customer's."""
        if self.counts[at]:
            self.counts[at] -= 1.0
            self.totals[at // self.outcomes] -= 1.0
            self.marginal[at % self.outcomes] -= 1.0
            self.all -= 1.0
            self.dirty = True

    def learn_hijack(self, outcome: int) -> None:
        """Count an event that a verdict gave to a hijacker."""
        self._seen[outcome] += 1
        self._share()
        self.dirty = True

    def forget_hijack(self, outcome: int) -> None:
        """Take back an event that a verdict had given to a hijacker."""
        if self._seen[outcome]:
            self._seen[outcome] -= 1
            self._share()
            self.dirty = True

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the table where it changed."""
        if self.dirty:
            self.dirty = False
            yield self.stored()

    def stored(self) -> tuple[bytes, bytes]:
        """Return the table as it would be handed over now."""
        return self._key(), pack(array("I", [int(count) for count in self.counts] + self._seen))

    def _count(self) -> None:
        width = self.outcomes
        counts = self.counts
        # Whole numbers all of them, so that it is the same in whatever order they are added.
        self.totals = [
            sum(counts[start : start + width], _BACKING) for start in range(0, len(counts), width)
        ]
        self.marginal = [sum(counts[outcome::width], 0.0) for outcome in range(width)]
        self.all = sum(self.marginal, _BACKING)
        self._share()

    def _share(self) -> None:
        taken = sum(self._seen) + _PRIOR_HIJACKS
        self._shares = [
            self._told * (seen + _PRIOR_HIJACKS * prior) / taken
            for seen, prior in zip(self._seen, self._hijacker, strict=True)
        ]

    def fade(self) -> None:
        """Halve what customers were counted to do: the past weighs less."""
        self.dirty = True
        for at, count in enumerate(self.counts):
            self.counts[at] = count // 2.0
        self._count()

    def _key(self) -> bytes:
        return f"m:likelihood:{self.name}".encode()


def learn_each(tables: Sequence[Table | None], cells: list[int]) -> None:
    """Count a customer's event in many tables, at a cell each; one below 0 is none.

    A cell is the context times the table's outcomes, plus the outcome.
    """
    for cell, table in zip(cells, tables):  # noqa: B905 - checked, it is slow once compiled
        if cell >= 0 and table is not None:
            width = table.outcomes
            context = cell // width
            outcome = cell - context * width
            counts, totals, marginal = table.counts, table.totals, table.marginal
            total = totals[context] + 1.0
            # Written out: in place, compiled code would treat the numbers as any objects.
            counts[cell] = counts[cell] + 1.0
            totals[context] = total
            marginal[outcome] = marginal[outcome] + 1.0
            table.all += 1.0
            table.dirty = True
            if total > _FULL:
                table.fade()

"""What an alert's score stands on, kept so that it can be worked out again anywhere.

A snapshot holds what the engine was given (the event and what was looked up about it, or what
another flow told of the account) and, of its state, what it read to judge that: the account's own
records as they stood before, the models, and of the counts across accounts only the cells that
were looked at. Nothing in it is another account's: counts are counts, and where a count remembers
whom it counted last, everybody else is left out. `detectors.replaying` runs the engine over it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from detectors import __version__
from detectors.accounts import Accounts
from detectors.assessments import Alert
from detectors.events import AccountChange, Login, Order
from detectors.facts import Facts
from detectors.features.evidence import Evidence
from detectors.features.shared import Reported
from detectors.heat.records import Hot, Notice
from detectors.intelligence.records import IndicatorReport
from detectors.intelligence.trust import Trust
from detectors.models.budget import AlertBudget
from detectors.models.calibration import Calibration
from detectors.models.feedback import VerdictModel
from detectors.models.half_space import FlatHalfSpaceTrees
from detectors.models.prior import Prior
from detectors.policy import Policy
from detectors.population import Pages, Population
from detectors.profiles import digest
from detectors.watermark import Watermark

VERSION: Final = 1
_MOST_CELLS: Final = 100_000
_MOST_ARRAYS: Final = 64


Weights = tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]
"""A `models.prior.Prior`, spelt out: compiled, it no longer says what it is made of."""


class Cells(msgspec.Struct, frozen=True, array_like=True):
    """The cells of an array of counts that were looked at and are not nought, by position.

    `kind` is as for `population.Pages`; `length` that of the whole array.
    """

    kind: Annotated[str, Meta(pattern="^[If]$")]
    length: Annotated[int, Meta(ge=1, le=_MOST_CELLS)]
    values: dict[int, int | float]


class Told(msgspec.Struct, frozen=True, array_like=True):
    """An indicator that the event came with, and what others had reported of it."""

    kind: int
    key: int
    reports: tuple[IndicatorReport, ...]


class Given(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an engine was given: an event of one of three types with its facts, or a notice.

    `heat` is what was hot of what the event came with, `reported` what others had told of it.
    """

    login: Login | None = None
    order: Order | None = None
    change: AccountChange | None = None
    facts: Facts | None = None
    heat: tuple[Hot, ...] = ()
    reported: tuple[Told, ...] = ()
    notice: Notice | None = None

    @property
    def event(self) -> Login | Order | AccountChange | None:
        """The event, whichever its type; None for a notice."""
        return self.login or self.order or self.change


class State(NamedTuple):
    """Of an engine's state what it read: bytes by key, and cells by the name of their array."""

    entries: dict[str, bytes]
    cells: dict[str, Cells]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one revision of an alert stands on. `release` is the product's that scored it."""

    version: int
    release: str
    alert_id: str
    revision: int
    account_id: str
    policy: Policy
    prior: Weights
    given: Given
    entries: dict[str, bytes]
    cells: Annotated[dict[str, Cells], Meta(max_length=_MOST_ARRAYS)]


class Sources(NamedTuple):
    """The parts of an engine that have a state."""

    accounts: Accounts
    population: Population
    watermark: Watermark
    evidence: Evidence
    verdict_model: VerdictModel
    calibration: Calibration
    forest: FlatHalfSpaceTrees
    budget: AlertBudget
    trust: Trust


class _Consulted:
    """Reads an array of counts, and remembers where it was read."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells
        self.at: set[int] = set()

    def __getitem__(self, at: int) -> Any:
        self.at.add(at % len(self.cells))
        return self.cells[at]

    def __iter__(self) -> Iterator[Any]:
        self.at.update(range(len(self.cells)))
        return iter(self.cells)


class Recorder:
    """Takes down what an engine's parts hold, as far as a judgement depends on it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._arrays: tuple[Pages, ...] = (
            *sources.population.arrays,
            sources.evidence.quiet,
            sources.forest.masses,
        )

    @contextmanager
    def recording(self) -> Iterator[dict[str, Cells]]:
        """Give what will hold, when the context ends, the cells that were looked at within it."""
        consulted = {pages: _Consulted(pages.cells) for pages in self._arrays}
        found: dict[str, Cells] = {}
        for pages, cells in consulted.items():
            pages.cells = cells  # type: ignore[assignment]  # all that reading asks of an array
        try:
            yield found
        finally:
            for pages, cells in consulted.items():
                pages.cells = cells.cells
        for pages, cells in consulted.items():
            values = {at: pages.cells[at] for at in sorted(cells.at) if pages.cells[at]}
            if values:
                found[pages.name] = Cells(pages.kind, len(pages.cells), values)

    def state(
        self,
        account_id: str,
        cells: dict[str, Cells] | None = None,
        named: Collection[str] = (),
    ) -> State:
        """Return the state that a judgement of an account stands on: for one of an event, `cells`.

        Of the sources of what others reported those `named` are told, and no other.
        What is told by another flow is judged without the features' models.
        """
        s, account = self._sources, digest(account_id)
        entries = [
            *s.accounts.stored(account_id),
            s.watermark.stored(account),
            s.calibration.stored(),
            *s.budget.stored(),
        ]
        if cells is None:
            entries += s.accounts.stored_examples(account_id)
            return State({key.decode(): value for key, value in entries}, {})
        entries += [*s.evidence.stored(), s.verdict_model.stored(), *s.trust.stored(named)]
        personal = s.population.owners
        shown = {
            name: _without_others(held, account) if name in personal else held
            for name, held in cells.items()
        }
        return State({key.decode(): value for key, value in entries}, shown)


def snapshot_of(
    alert: Alert, *, given: Given, state: State, policy: Policy, prior: Prior
) -> Snapshot:
    """Return what a revision of an alert stands on."""
    return Snapshot(
        version=VERSION,
        release=__version__,
        alert_id=alert.alert_id,
        revision=alert.revision,
        account_id=alert.account_id,
        policy=policy,
        prior=(prior.weights, prior.bias),
        given=given,
        entries=state.entries,
        cells=state.cells,
    )


def given_event(
    event: Login | Order | AccountChange,
    facts: Facts,
    heat: Sequence[Hot],
    reported: Sequence[Reported],
) -> Given:
    """Return an event as what an engine was given."""
    return Given(
        login=event if isinstance(event, Login) else None,
        order=event if isinstance(event, Order) else None,
        change=event if isinstance(event, AccountChange) else None,
        facts=facts,
        heat=tuple(heat),
        reported=tuple(Told(one.met.kind, one.met.key, one.reports) for one in reported),
    )


def stored(cells: dict[str, Cells]) -> dict[bytes, bytes]:
    """Return arrays of counts as an engine reads them: noughts but for the cells.

    Raises IndexError, TypeError or OverflowError where the cells are not such an array's.
    """
    entries: dict[bytes, bytes] = {}
    for name, held in cells.items():
        pages = Pages(name, held.kind, held.length, lambda _key: None)
        for at, value in held.values.items():
            pages.cells[at] = value
        entries.update(pages.stored())
    return entries


def _without_others(held: Cells, account: int) -> Cells:
    """The same without whom it counted last, the account itself excepted."""
    kept = {at: v for at, v in held.values.items() if at % 4 < 2 or v == account}
    return Cells(held.kind, held.length, kept)

"""What the features say of simulated shops, event by event, with the truth beside it.

`collect(seed)` runs the engine over a shop with more hijacks than life has and keeps every feature
vector as it stood before it was learnt: all of the hijackers', all remarkable ones of customers,
and a sample of the rest. `Collected` is what a prior is fitted to and judged on. `collect_all` does
so for the shops that the shipped prior is fitted to.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import repeat, starmap
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.engine import Engine, Observed
from detectors.evaluation.judging import BUDGETS
from detectors.evaluation.thresholds import threshold
from detectors.evaluation.trial import SECONDS_A_DAY, WARM_UP
from detectors.events import Feedback, Order
from detectors.features.reading import Reading
from detectors.features.registry import WIDTH
from detectors.heat.sightings import Sightings
from detectors.models.prior import Prior
from detectors.parsing import parse_event
from detectors.policy import Policy
from detectors.simulation import (
    FAMILIES,
    Shop,
    SimulatedEvent,
    Telemetry,
    draw_telemetry,
    simulate,
)
from detectors.simulation.simulation import HIJACKS
from streams.across_accounts import AcrossAccounts
from streams.enrichment.enricher import Enricher

Floats = NDArray[np.float64]

FLAT: Final = Prior(((0.4,) * WIDTH,) * 3, (2.0,) * 3)
"""Every feature discounted alike: where a fit begins, so that it depends on no earlier one."""

SEEDS: Final = (201, 202, 204, 205, 206, 207, 208)
ACCOUNTS: Final = 15_000
TELLING: Final = Telemetry(asn=1.0, country=1.0, place=0.9, device_id=0.9, rtt_ms=0.3)

START: Final = 1_790_812_800.0
DAYS: Final = 60
MORE: Final = 8.0
"""Times as many hijacks as in life, so that there is something to learn from."""

CUSTOMER: Final = -1
_REMARKABLE = -7.5
_EVERY = 10
_ORDER = list(FAMILIES)


@dataclass(frozen=True)
class Collected:
    """Feature vectors, one row each, and what is known of them.

    `kind` is the type of event (0 sign-in, 1 order, 2 change); `family` the position in FAMILIES,
    -1 for a customer's; `weight` how many events a row stands for. `group` tells rows of one hijack
    or of one account-day of a customer from the others'; a row is `judged` where it lies after the
    warm-up and, if a hijacker's, at or before the hijack's first order. `depth` counts the
    account's sign-ins before. `days` is how many judged account-days there are in all.
    """

    features: NDArray[np.float32]
    kind: NDArray[np.int64]
    family: NDArray[np.int64]
    weight: Floats
    group: NDArray[np.int64]
    judged: NDArray[np.bool_]
    depth: NDArray[np.int64]
    days: NDArray[np.int64]

    @property
    def takeover(self) -> NDArray[np.bool_]:
        """Which rows are a hijacker's."""
        hijackers: NDArray[np.bool_] = self.family != CUSTOMER
        return hijackers

    def without(self, *families: str) -> "Collected":
        """Return what is left when families are."""
        return self._rows(~np.isin(self.family, [_ORDER.index(family) for family in families]))

    def save(self, path: Path) -> None:
        """Write an .npz."""
        np.savez_compressed(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as held:
            return cls(**{field.name: held[field.name] for field in fields(cls)})

    def _rows(self, chosen: NDArray[np.bool_]) -> "Collected":
        return Collected(
            **{name: rows if name == "days" else rows[chosen] for name, rows in vars(self).items()}
        )


def pooled(parts: Sequence[Collected]) -> Collected:
    """Return several shops as one; their groups stay apart."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])
    }
    begins = np.cumsum([0, *(part.group.max(initial=0) + 1 for part in parts[:-1])])
    columns["group"] = np.concatenate(
        [part.group + begin for part, begin in zip(parts, begins, strict=True)]
    )
    columns["days"] = columns["days"].sum(keepdims=True)
    return Collected(**columns)


class _Rows:
    """Collects the rows of one shop."""

    def __init__(self) -> None:
        self.rows: list[tuple[list[float], int, int, float, int, bool, int]] = []
        self._groups: dict[tuple[str, str | int], int] = {}
        self._ordered: set[int] = set()
        self._victims: set[str] = set()
        self._attacked: set[tuple[str, str | int]] = set()
        self._days: set[tuple[str, str | int]] = set()
        self._since = START + WARM_UP * DAYS * SECONDS_A_DAY

    def take(self, reading: Reading, simulated: SimulatedEvent, number: int) -> None:
        truth, account = simulated.truth, reading.event.account_id
        late = simulated.time >= self._since
        day = (account, reading.day)
        if truth is not None:
            self._attacked.add(day)
            if truth.takeover:
                self._victims.add(account)
                group = self._group((account, truth.campaign))
                family = _ORDER.index(truth.family)
                self._add(reading, family, 1.0, group, judged=late and group not in self._ordered)
                if type(reading.event) is Order:
                    self._ordered.add(group)
        elif reading.success and account not in self._victims:
            if late:
                self._days.add(day)
            remarkable = reading.logit > _REMARKABLE
            if remarkable or number % _EVERY == 0:
                weight = 1.0 if remarkable else float(_EVERY)
                self._add(reading, CUSTOMER, weight, self._group(day), judged=late)

    def collected(self) -> Collected:
        features, kind, family, weight, group, judged, depth = zip(*self.rows, strict=True)
        attacked = {self._groups[day] for day in self._attacked if day in self._groups}
        spoilt = np.isin(group, list(attacked)) & (np.array(family) == CUSTOMER)
        return Collected(
            np.array(features, np.float32),
            np.array(kind),
            np.array(family),
            np.array(weight),
            np.array(group),
            np.array(judged) & ~spoilt,
            np.array(depth),
            np.array([len(self._days - self._attacked)]),
        )

    def _add(
        self, reading: Reading, family: int, weight: float, group: int, *, judged: bool
    ) -> None:
        row = (reading.weights, reading.type, family, weight, group, judged, reading.depth)
        self.rows.append(row)

    def _group(self, key: tuple[str, str | int]) -> int:
        return self._groups.setdefault(key, len(self._groups))


def telemetry_of(position: int, seed: int) -> Telemetry:
    """Return what the shop at a position among the seeds sends: much, as usual, then as drawn."""
    return (TELLING, Telemetry())[position] if position < 2 else draw_telemetry(seed)


def collect_all(
    seeds: Sequence[int] = SEEDS,
    *,
    accounts: int = ACCOUNTS,
    families: Sequence[str] = tuple(FAMILIES),
    pool: Pool | None = None,
) -> Collected:
    """Return what the features say of a shop for each seed, in several processes where they are."""
    asked = zip(range(len(seeds)), seeds, repeat(accounts), repeat(families), strict=False)
    return pooled(list((starmap if pool is None else pool.starmap)(_at_a_position, asked)))


def _at_a_position(position: int, seed: int, accounts: int, families: Sequence[str]) -> Collected:
    telemetry = telemetry_of(position, seed)
    return collect(seed, accounts=accounts, telemetry=telemetry, families=families)


def collect(
    seed: int,
    *,
    accounts: int = ACCOUNTS,
    telemetry: Telemetry,
    families: Sequence[str] = tuple(FAMILIES),
    prior: Prior = FLAT,
) -> Collected:
    """Return what the features say of a shop; the same arguments give the same answer.

    `prior` only decides what the engine flags, and what doubts it leaves, along the way. What its
    accounts have in common goes round as in a backtest.
    """
    shop = Shop(accounts=accounts, visits=7.0, telemetry=telemetry)
    enricher, rows = Enricher(()), _Rows()
    store: dict[bytes, bytes | None] = {}
    across, sightings = AcrossAccounts(store.get), Sightings(shards=1)
    engine = Engine(Policy(), store.get, across.table, sightings, prior=prior)
    staged = simulate(
        shop, seed=seed, start=START, days=DAYS, families=families, hijacks=MORE * HIJACKS
    )
    for number, simulated in enumerate(staged):
        raw = msgspec.json.decode(msgspec.json.encode(simulated.event))
        event = parse_event(raw, type_=None, timestamp=simulated.time, fallback_id=f"f{number}")
        observed = Observed(event, enricher.facts(event))
        if not isinstance(event, Feedback):
            rows.take(engine.read(observed), simulated, number)
        across.process(engine, sightings, [observed])
        if number % 5000 == 0:
            store.update(engine.changes())
            store.update(across.changes())
    return rows.collected()


def scores(collected: Collected, prior: Prior) -> Floats:
    """Return the score of each row under a prior, nats."""
    weights, bias = np.array(prior.weights), np.array(prior.bias)
    kinds = collected.kind
    scored: Floats = (collected.features * weights[kinds]).sum(1) + bias[kinds]
    return scored


def recall(
    collected: Collected, scored: Floats, *families: str, budgets: Sequence[float] = BUDGETS
) -> Floats:
    """Return the share of hijacks (of these families, or of all) caught by their first order.

    One number a budget. What was not collected of customers is taken to score lowest.
    """
    judged = collected.judged
    best = np.full(int(collected.group.max()) + 1, -np.inf)
    np.maximum.at(best, collected.group[judged], scored[judged])
    customer = np.unique(collected.group[judged & ~collected.takeover])
    quiet = np.full(max(0, int(collected.days[0]) - len(customer)), -np.inf)
    days = np.concatenate([best[customer], quiet])
    chosen = judged & collected.takeover
    if families:
        chosen &= np.isin(collected.family, [_ORDER.index(family) for family in families])
    hijacks = best[np.unique(collected.group[chosen])]
    if not len(hijacks):
        return np.full(len(budgets), math.nan)
    return np.array([np.mean(hijacks > threshold(days, budget).risk) for budget in budgets])

"""Give-aways: nothing in the form of an event may tell a thief from a customer.

Detectors are judged on this simulator, so what it gives away by carelessness would be mistaken for
detection. A decision tree learns from the raw columns of single events of one run, without any
history, and is tried on another run (other thieves, other networks). Two things are asked of it:

- by the *form* alone (shapes of ids, digits of clocks, fields that a pipeline drops) it must not
  do better than guess: AUC at most 0.55;
- by *everything* in a single sign-in or order it may see what attacks honestly show (data centres,
  electronics, codes bought with points), which must not be enough to find takeovers: at one
  takeover in a thousand events, an average precision of at most 0.05 (guessing gives 0.001).
"""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from detectors.simulation import Shop, SimulatedEvent, simulate
from detectors.simulation.devices import SCRIPTS
from detectors.simulation.operators import OPERATORS
from tests.contracts.simulation.columns import Columns, content, form, matrix

START = 1_792_972_800.0  # 2026-10-26
BASE_RATE = 1e-3
Kind = str


def _run(seed: int) -> list[SimulatedEvent]:
    """A run with far more hijacks than any shop has, so that the figures are firm."""
    shop = Shop(accounts=12_000)
    run = simulate(shop, seed=seed, start=START, days=45, hijacks=0.04, tries=0.3)
    return [simulated for simulated in run if simulated.event["type"] != "feedback"]


@pytest.fixture(scope="module")
def runs() -> tuple[list[SimulatedEvent], list[SimulatedEvent]]:
    """One run to learn from and one to be tried on."""
    return _run(11), _run(12)


def _of(events: list[SimulatedEvent], kind: Kind) -> list[SimulatedEvent]:
    """Takeovers and honest events of a kind that got through; failed tries are not asked about."""
    return [
        e
        for e in events
        if e.event["type"] == kind
        and e.event.get("outcome") != "failure"
        and (e.truth is None or e.truth.takeover)
    ]


def _tried(
    runs: tuple[list[SimulatedEvent], list[SimulatedEvent]],
    kind: Kind,
    read: Callable[[SimulatedEvent], Columns],
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether each event of the second run is a takeover, and the first run's tree's score."""
    learnt, tried = (_of(run, kind) for run in runs)
    names = sorted({name for e in learnt for name in read(e)})
    tree = DecisionTreeClassifier(
        max_depth=6, min_samples_leaf=25, class_weight="balanced", random_state=0
    )
    tree.fit(matrix(learnt, read, names), [e.truth is not None for e in learnt])
    takeover = np.array([e.truth is not None for e in tried])
    assert takeover.sum() > 400
    return takeover, tree.predict_proba(matrix(tried, read, names))[:, 1]


@pytest.mark.parametrize("kind", ["login", "order"])
def test_form_tells_nothing(
    runs: tuple[list[SimulatedEvent], list[SimulatedEvent]], kind: Kind
) -> None:
    """A tree on form alone is no better than a guess."""
    takeover, score = _tried(runs, kind, form)
    assert roc_auc_score(takeover, score) < 0.55


@pytest.mark.parametrize("kind", ["login", "order"])
def test_a_single_event_does_not_give_a_takeover_away(
    runs: tuple[list[SimulatedEvent], list[SimulatedEvent]], kind: Kind
) -> None:
    """A tree on every column of one event finds hardly more than chance does."""
    takeover, score = _tried(runs, kind, content)
    share = takeover.mean()
    weight = np.where(takeover, BASE_RATE / share, (1 - BASE_RATE) / (1 - share))
    assert average_precision_score(takeover, score, sample_weight=weight) < 0.05
    assert roc_auc_score(takeover, score) < 0.85


def test_thieves_use_what_customers_use(
    runs: tuple[list[SimulatedEvent], list[SimulatedEvent]],
) -> None:
    """Hardly any user agent, or network but a data centre's, is seen with takeovers alone."""
    events = runs[0]
    # A script that says what it is gives itself away honestly; so do customers' own scripts.
    agents = {e.event.get("user_agent") for e in events if e.truth is None} | set(SCRIPTS)
    thieves = [e for e in events if e.truth is not None and e.truth.takeover]
    alone = sum(e.event.get("user_agent") not in agents for e in thieves)
    assert alone < 0.02 * len(thieves)
    networks = Counter(e.event.get("asn") for e in events if e.truth is None)
    homes = {o.asn for o in OPERATORS if o.kind not in {"hosting", "vpn"}}
    used = Counter(e.event.get("asn") for e in thieves)
    alone = sum(count for asn, count in used.items() if asn not in networks and asn in homes)
    assert alone < 0.03 * len(thieves)


def test_prefixes_of_thieves_homes_are_customers_too(
    runs: tuple[list[SimulatedEvent], list[SimulatedEvent]],
) -> None:
    """Thieves behind homes and carriers share their blocks with customers."""

    def block(simulated: SimulatedEvent) -> str:
        return str(simulated.event["ip"]).rpartition(".")[0]

    four = [e for e in runs[0] if "." in e.event.get("ip", "")]
    customers = {block(e) for e in four if e.truth is None}
    homes = {o.asn for o in OPERATORS if o.kind in {"access", "mobile"} and o.country == "GB"}
    thieves = [block(e) for e in four if e.truth is not None and e.event.get("asn") in homes]
    assert sum(b in customers for b in thieves) > 0.75 * len(thieves)

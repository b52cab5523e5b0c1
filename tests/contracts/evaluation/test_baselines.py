"""What every baseline must keep: each check, each baseline."""

from collections.abc import Iterator
from math import isfinite
from random import Random

import orjson
import pytest

from detectors.engine import Observed
from detectors.evaluation.baselines import BASELINES, Baseline, Baselines
from detectors.evaluation.baselines.plain import History, Plain
from detectors.events import AccountChange, Event, Feedback, Login, Order
from detectors.simulation import Shop, simulate
from streams.codec import decode
from streams.enrichment import Enricher

Row = tuple[Observed, Plain | None]

rivals = pytest.mark.parametrize("name", BASELINES)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """A simulated shop's first events with their plain features; some are judged a day later."""
    return list(_rows())


def _rows() -> Iterator[Row]:
    chance, history, enricher = Random(5), History(), Enricher()
    for number, simulated in enumerate(
        simulate(Shop(accounts=1000), seed=3, start=1.79e9, days=40)
    ):
        line = orjson.dumps(simulated.event)
        event = decode(line, type_=None, timestamp=0, fallback_id=f"e{number}")
        observed = Observed(event, enricher.facts(event))
        if isinstance(event, Feedback):
            yield observed, None
            continue
        yield observed, history.plain(observed)
        history.learn(observed)
        if chance.random() < 0.1:
            yield Observed(_verdict(event), observed.facts), None


def _verdict(event: Login | Order | AccountChange) -> Event:
    return Feedback(
        event_id=f"f-{event.event_id}",
        account_id=event.account_id,
        occurred_at=event.occurred_at,
        verdict="takeover" if isinstance(event, Order) else "legitimate",
        event_ids=(event.event_id,),
    )


def taught(name: str, rows: list[Row]) -> tuple[Baseline, list[float]]:
    """A baseline run over the rows, and the risks it gave."""
    rival, risks = BASELINES[name](), []
    for observed, plain in rows:
        if plain is not None:
            risks.append(rival.assess(observed, plain))
        rival.learn(observed, plain)
    return rival, risks


@rivals
def test_risks_are_finite_and_not_negative(name: str, rows: list[Row]) -> None:
    """From the very first event on: a cold start is no error."""
    _, risks = taught(name, rows)
    assert len({round(risk, 6) for risk in risks}) > 1
    assert len(risks) > 2000
    assert all(isfinite(risk) and risk >= 0 for risk in risks)


@rivals
def test_a_replay_gives_the_same_risks(name: str, rows: list[Row]) -> None:
    """No clock and no chance without a seed."""
    assert taught(name, rows)[1] == taught(name, rows)[1]


@rivals
def test_assessing_changes_nothing(name: str, rows: list[Row]) -> None:
    """Scored a hundred times or once, the next score is the same: only learning teaches."""
    rival, _ = taught(name, rows[:1500])
    observed, plain = next(row for row in rows[1500:] if row[1] is not None)
    assert plain is not None
    assert len({rival.assess(observed, plain) for _ in range(100)}) == 1


@rivals
def test_the_future_has_no_say(name: str, rows: list[Row]) -> None:
    """Prequential: what comes after an event changes nothing about its score."""
    short, long = taught(name, rows[:1500])[1], taught(name, rows)[1]
    assert long[: len(short)] == short


def test_together_they_give_what_each_gives_alone(rows: list[Row]) -> None:
    """The features that all share are computed once, before any of them learns the event."""
    together = Baselines()
    risks = [given for observed, _ in rows if (given := together.process(observed)) is not None]
    for number, name in enumerate(BASELINES):
        assert [given[number] for given in risks] == taught(name, rows)[1]


def test_plain_features_lie_between_nought_and_one(rows: list[Row]) -> None:
    """Half-space trees cut that range and no other."""
    assert all(0 <= value <= 1 for _, plain in rows if plain for value in plain)
    telling = {name for _, plain in rows if plain for name, v in plain._asdict().items() if v}
    assert telling >= {"ordered", "failed", "new_device", "silence", "experience", "dear"}

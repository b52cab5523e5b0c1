"""The rival models: each scores before it learns, from the features as they stood."""

from array import array

import numpy as np
import pytest

from detectors.features.registry import WIDTH
from tests.benchmarks.collecting import Collected
from tests.benchmarks.model_comparison import Source, compare, lines_of
from tests.benchmarks.rival_models import Lesson, Offline, Seen, models

ODD = 25


@pytest.fixture(scope="module")
def offline() -> Offline:
    """Return the one model that is fitted beforehand, on features that tell the truth."""
    takeover = np.arange(400) % 2 == 0
    features = np.where(takeover[:, None], 3.0, -1.0) * np.ones((1, WIDTH))
    rows = np.arange(400)
    ones = np.ones(400)
    return Offline(
        Collected(
            features=features.astype(np.float32),
            kind=rows % 3,
            family=np.where(takeover, 0, -1),
            weight=ones,
            group=rows,
            judged=ones > 0,
            depth=rows,
            days=np.array([200]),
        )
    )


def _seen(number: int, *, odd: bool) -> Seen:
    value = 3.0 if odd else -1.0 + (number % 7) / 10
    return Seen(f"e{number}", number % 3, array("f", [value] * WIDTH), 0.9 if odd else 0.001)


def _lesson_after(number: int) -> list[Seen | Lesson]:
    odd = number % ODD == 0
    seen = _seen(number, odd=odd)
    return [seen, Lesson(seen, takeover=odd)]


@pytest.mark.parametrize("name", models(1.0, None))  # type: ignore[arg-type]  # only the names
def test_a_model_tells_takeovers_once_it_has_learnt(name: str, offline: Offline) -> None:
    """A run has a score for every event and none for a lesson; in the end takeovers rank higher."""
    model = models(1.0, offline)[name]
    steps = [step for number in range(1_500) for step in _lesson_after(number)]
    scores = model.score(steps)
    assert len(scores) == 1_500
    takeovers, customers = scores[-ODD::ODD], scores[-ODD + 1 :]
    assert takeovers[0] > np.median(customers)


def test_a_lesson_changes_only_what_comes_after_it(offline: Offline) -> None:
    """Prequential: the event that a verdict names was scored without it."""
    odd = _seen(0, odd=True)
    before, after = models(1.0, offline)["logistic regression"].score(
        [odd, Lesson(odd, takeover=True), odd]
    )
    (alone,) = models(1.0, offline)["logistic regression"].score([odd])
    assert before == alone < after


def test_every_model_is_judged_on_the_same_hijacks(offline: Offline) -> None:
    """A shop of a hundred: all see every event that gained access, and take their time at it."""
    compared = compare(Source(seed=1, accounts=100), offline)
    hijacks = {
        tuple((hijack.account, hijack.campaign) for hijack in judgement.hijacks)
        for judgement in compared.judgements.values()
    }
    assert len(hijacks) == 1
    assert next(iter(hijacks))
    assert min(compared.seconds.values()) > 0
    assert [line.model for line in lines_of([compared])] == list(models(1.0, offline))

"""The alert threshold follows the budget."""

import random

from detectors.models.budget import AlertBudget, bin_of
from tests.unit.detectors import nothing


def days(count: int, seed: int) -> list[list[float]]:
    """Scores of so many account-days."""
    chance = random.Random(seed)
    return [[chance.gauss(-6.0, 2.0) for _ in range(chance.randint(1, 3))] for _ in range(count)]


def take(budget: AlertBudget, scores: list[float]) -> None:
    """Count an account-day as the engine does, score by score."""
    best = -1
    for score in scores:
        now = bin_of(score)
        if now > best:
            budget.take(best, now)
            best = now


def test_about_the_budgeted_share_of_account_days_alerts() -> None:
    """Of the account-days that follow, the budgeted share reaches the threshold."""
    budget = AlertBudget(0.01, nothing)
    for scores in days(5000, 1):
        take(budget, scores)
    reached = sum(max(scores) >= budget.threshold for scores in days(5000, 2))
    assert 0.005 < reached / 5000 < 0.012


def test_there_is_no_threshold_before_enough_was_seen() -> None:
    """A share of a handful of account-days says nothing."""
    budget = AlertBudget(0.01, nothing)
    for scores in days(200, 1):
        take(budget, scores)
    assert budget.threshold == float("-inf")


def test_a_threshold_read_back_is_the_same() -> None:
    """Wherever the hand-over falls between two findings of the threshold."""
    store: dict[bytes, bytes] = {}
    lived, restored = AlertBudget(0.01, nothing), AlertBudget(0.01, store.get)
    for number, scores in enumerate(days(3000, 3)):
        take(lived, scores)
        take(restored, scores)
        if number % 331 == 0:
            store.update(restored.changes())
            restored = AlertBudget(0.01, store.get)
        assert restored.threshold == lived.threshold
        assert restored.notable == lived.notable

"""Figures as people read them."""

import pytest

from detectors.evaluation.intervals import Interval
from detectors.evaluation.summary import Share
from streams.report.changes import moment
from streams.report.page import delay, money
from streams.report.text import figure, percent, share


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "at once"),
        (59.6, "1 min"),
        (179, "2 min 59 s"),
        (7500, "2 h 5 min"),
        (86_400 * 3 + 60, "3 d"),
        (86_400 * 3 + 7200, "3 d 2 h"),
    ],
)
def test_a_delay_has_its_two_largest_units(seconds: float | None, text: str) -> None:
    """Nobody reads 7500 s."""
    assert delay(seconds) == text


def test_figures_are_short_and_whole() -> None:
    """Shares with their intervals, budgets, amounts, moments."""
    assert share(Share(0.456, Interval(0.4, 1.0))) == ".46 [.40, 1.00]"
    assert share(None) == "-"
    assert figure(-0.021, signed=True) == "-.02"
    assert figure(0.0, 3, signed=True) == "+.000"
    assert percent(0.003) == "0.3 %"
    assert money("1234.50") == "1,234"
    assert moment(1_790_812_800.0) == "2026-10-01 00:00"

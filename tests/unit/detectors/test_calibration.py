"""Risk means what it says, however late, lopsided and incomplete the verdicts are."""

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from detectors.decisions import logistic
from detectors.errors import IncompatibleState
from detectors.evaluation.calibration import UPPER, expected_calibration_error, reliability
from detectors.models.calibration import Calibration, bin_of
from tests.unit.detectors import nothing

OVERSTATED = (1.5, 0.6)
"""The truth's log odds are six tenths of the score, less 1.5: what overlapping features do."""


def shop(days: int, *, reported: float, reviewed: float) -> Iterator[tuple[str, float, int, bool]]:
    """Twenty-five events a day; what is said of them comes when it is said.

    Yields what it is (event, takeover, legitimate), the event's score and day, and the truth.
    """
    chance = random.Random(4)
    coming: dict[int, list[tuple[str, float, int, bool]]] = {}
    for day in range(days):
        for _ in range(25):
            score = chance.gauss(-3.0, 2.5)
            takeover = chance.random() < logistic(OVERSTATED[1] * score - OVERSTATED[0])
            yield "event", score, day, takeover
            told = chance.random() < (reported if takeover else reviewed)
            if told:
                delay = 1 + int(chance.expovariate(1 / 9.0) if takeover else chance.uniform(1, 6))
                verdict = "takeover" if takeover != (chance.random() < 0.02) else "legitimate"
                coming.setdefault(day + delay, []).append((verdict, score, day, takeover))
        yield from coming.pop(day, ())


def error_after(warm_up: int, days: int, *, reported: float, reviewed: float) -> float:
    """Expected calibration error of the risks of 0.1 or more after the warm-up."""
    calibration = Calibration(nothing)
    risks: dict[bool, list[float]] = {True: [], False: []}
    today = 0
    for what, score, day, takeover in shop(days, reported=reported, reviewed=reviewed):
        if what == "event":
            today = day
            if day >= warm_up:
                risks[takeover].append(logistic(calibration.log_odds(score)))
            calibration.see(bin_of(score), day)
        elif what == "takeover":
            calibration.judge(bin_of(score), day, None, "takeover", today - day)
        else:
            calibration.judge(bin_of(score), day, None, "legitimate", today - day)
    bins = reliability(np.array(risks[True]), np.array(risks[False]))
    assert bins is not None
    error = expected_calibration_error(bins[UPPER:])
    assert error is not None
    return error


@pytest.mark.parametrize("reviewed", [0.02, 0.3])
def test_risk_means_what_it_says_once_verdicts_flow(reviewed: float) -> None:
    """A quarter of takeovers never reported, customers reviewed hardly ever or now and then."""
    silent = error_after(90, 300, reported=0.0, reviewed=0.0)
    assert silent > 0.2
    assert error_after(90, 300, reported=0.75, reviewed=reviewed) < 0.05


def test_where_everybody_is_reviewed_nothing_is_added_for_the_unreported() -> None:
    """A desk that looks at every alert has seen every takeover: its shares are the risks."""
    assert error_after(90, 300, reported=1.0, reviewed=1.0) < 0.05


def test_before_any_verdict_the_score_is_the_risk() -> None:
    """However many events pass, silence moves nothing until a takeover was once reported."""
    calibration = Calibration(nothing)
    for day in range(400):
        calibration.see(bin_of(day % 12 - 6.0), day)
    for score in (-11.0, -3.0, 0.0, 7.5):
        assert calibration.log_odds(score) == pytest.approx(score)


def test_what_was_scored_in_a_shop_still_unknown_says_nothing_of_later() -> None:
    """A fortnight of scores that overstate, for everything was new: nobody had been taken over."""
    lines = {}
    for strange in (1, 40):
        calibration = Calibration(nothing)
        for day in range(14):
            for _ in range(strange):
                calibration.see(bin_of(1.0), day)
        for day in range(14, 40):
            for _ in range(4):
                calibration.see(bin_of(1.0), day)
                calibration.judge(bin_of(1.0), day, None, "takeover", 1)
        lines[strange] = calibration.log_odds(1.0)
    assert lines[40] == pytest.approx(lines[1])


def test_a_first_clock_that_was_ahead_does_not_keep_it_from_learning() -> None:
    """The watermark finds back in hours; the fortnight is then of the days that were."""
    lines = []
    for first in (0, 365):
        calibration = Calibration(nothing)
        for day in (first, *range(1, 40)):
            calibration.see(bin_of(1.0), day)
            calibration.judge(bin_of(1.0), day, None, "takeover", 1)
        lines.append(calibration.log_odds(1.0))
    assert lines[0] != 1.0
    assert lines[1] == pytest.approx(lines[0], abs=0.1)


def test_ranking_stays_as_it_was_and_floors_are_found_back() -> None:
    """Whatever verdicts say, a higher score is a higher risk; `score` undoes `log_odds`."""
    for verdict, at in (("takeover", -9.0), ("legitimate", 6.0), ("takeover", 6.0)):
        calibration = Calibration(nothing)
        calibration.see(bin_of(at), 0)
        for _ in range(500):
            calibration.see(bin_of(at), 20)
            calibration.judge(bin_of(at), 20, None, verdict, 3)  # type: ignore[arg-type]  # a literal of two
        scores = [number / 10 for number in range(-150, 150)]
        odds = [calibration.log_odds(score) for score in scores]
        assert all(higher > lower + 0.005 for lower, higher in pairwise(odds))
        for score in scores:
            assert calibration.score(calibration.log_odds(score)) == pytest.approx(score)


@pytest.mark.parametrize("score", [-3.0, -5.0, -6.0])
def test_a_small_risk_means_next_month_what_it_meant_this_month(score: float) -> None:
    """A shop hit four times as often as was thought: its line follows thousands, not a hundred."""
    moved = []
    for takeovers in (100, 10_000):
        calibration = Calibration(nothing)
        # Of a score that stands for one in twenty, one in five is a takeover.
        share = logistic(score) * 4.0
        for number in range(round(takeovers / share)):
            day = 20 + number % 40
            calibration.see(bin_of(score), day)
            if number < takeovers:
                calibration.judge(bin_of(score), day, None, "takeover", 1)
        moved.append(calibration.log_odds(score) - score)
    few, many = moved
    assert 0.0 < few < 0.2
    assert many > 1.0


def test_a_verdict_taken_back_leaves_no_trace() -> None:
    """Takeover, then customer, then nothing: the line is again what it was, to the last bit."""
    calibration = Calibration(nothing)
    for day in range(60):
        calibration.see(bin_of(0.5), day)
    calibration.judge(bin_of(0.5), 23, None, "takeover", 9)
    before, state = calibration.log_odds(2.0), dict(calibration.changes())
    calibration.judge(bin_of(0.5), 41, None, "takeover", 14)
    assert calibration.log_odds(2.0) != before
    calibration.judge(bin_of(0.5), 41, "takeover", "legitimate", 14)
    calibration.judge(bin_of(0.5), 41, "legitimate", None, 14)
    assert calibration.log_odds(2.0) == before
    assert dict(calibration.changes()) == state


def test_a_calibration_read_back_goes_on_identically() -> None:
    """Restoring between any two days changes nothing."""
    store: dict[bytes, bytes] = {}
    lived, restored = Calibration(nothing), Calibration(store.get)
    for number, (what, score, day, _) in enumerate(shop(40, reported=0.8, reviewed=0.1)):
        for calibration in (lived, restored):
            if what == "event":
                calibration.see(bin_of(score), day)
            else:
                calibration.judge(bin_of(score), day, None, "takeover", 4)
        if number % 37 == 0:
            store.update(restored.changes())
            restored = Calibration(store.get)
        assert restored.log_odds(1.0) == lived.log_odds(1.0)
    assert math.isfinite(lived.log_odds(1.0))


def test_a_calibration_of_another_size_is_refused() -> None:
    """Other bins are another calibration."""
    with pytest.raises(IncompatibleState):
        Calibration({b"m:calibration": b"\x01" + bytes(80)}.get)

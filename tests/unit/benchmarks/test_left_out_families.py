"""Leaving families out: who judges what, and what holds."""

import msgspec
import pytest

from detectors.evaluation.baselines import BASELINES
from detectors.evaluation.judging import BUDGETS, Judgement
from detectors.simulation import FAMILIES
from tests.benchmarks.left_out_families import SHIPPED, Report, Size, never_seen, report_of
from tests.unit.evaluation.runs import Line, made


def _judgement(caught: set[str], customer: float = 0.5) -> Judgement:
    """Return a judgement of two hijacks of each family in which these families' are caught."""
    customers = [Line(2 + n / 100, f"c{n}", "in", customer) for n in range(50)]
    hijacks = [
        Line(
            1 + n / 100,
            f"v{n}{family}",
            "20",
            0.9 * (family in caught),
            f"k{family}",
            family=family,
        )
        for family in FAMILIES
        for n in range(2)
    ]
    return made(*hijacks, *customers).judged()


def _run(by_engine: dict[str, set[str]], baseline: set[str]) -> dict[str, Judgement]:
    """Return a run in which engines and shipped detector catch these families."""
    rivals = {name: _judgement(baseline) for name in BASELINES}
    engines = {family: _judgement(by_engine.get(family, set())) for family in FAMILIES}
    return {SHIPPED: _judgement(set(FAMILIES)), **engines, **rivals}


def _report(run: dict[str, Judgement]) -> Report:
    return report_of([run], [1], Size(20, 1.0, 1.0))


def _holding(report: Report) -> list[bool]:
    return [bar.holds for bar in report.bars]


def test_a_hijack_is_judged_by_the_engine_that_never_saw_its_family() -> None:
    """What the other engines, which were fitted with the family, catch of it does not count."""
    others = {family: {"insider"} for family in FAMILIES if family != "insider"}
    judged = never_seen(_run({**others, "spraying": {"spraying"}}, set()))
    caught = {hijack.family for hijack in judged if hijack.caught[0].in_time == 1}
    assert caught == {"spraying"}
    assert len(judged) == 2 * len(FAMILIES)


def test_every_bar_holds_where_all_is_caught_and_the_baselines_catch_little() -> None:
    """The rows count every hijack once, and the ratio is to the best baseline."""
    report = _report(_run({family: {family} for family in FAMILIES}, {"spraying"}))
    everything = report.rows[0]
    assert (everything.name, everything.hijacks, everything.campaigns) == ("all", 26, 13)
    assert everything.ratio == pytest.approx(len(FAMILIES))
    assert _holding(report) == [True, True, True, False]
    # The worst engine calls its 24 other hijacks customers, and the 50 customers one in two.
    assert report.calibration == pytest.approx((24 + 50 * 0.5 + 2 * 0.1) / 76)


def test_a_family_at_zero_is_told_by_name() -> None:
    """One family that nobody catches misses its bar, whatever the average says."""
    report = _report(_run({family: {family} for family in FAMILIES if family != "insider"}, set()))
    assert _holding(report)[:3] == [True, False, True]
    assert "insider" in report.bars[1].measured


def test_a_baseline_that_does_half_as_well_is_not_beaten_twice() -> None:
    """Seven families of thirteen are more than half of all."""
    half = set(list(FAMILIES)[:7])
    report = _report(_run({family: {family} for family in FAMILIES}, half))
    assert _holding(report)[0] is False


def test_the_report_can_be_written() -> None:
    """The JSON is the report: a recall for each of the budgets in every row."""
    report = _report(_run({}, set()))
    read = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    assert all(len(row.left_out) == len(BUDGETS) for row in read.rows)

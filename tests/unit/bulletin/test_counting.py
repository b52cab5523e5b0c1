"""A month added up, and what of it is withheld."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.bulletin.counting import count
from detectors.bulletin.disclosure import withheld
from detectors.bulletin.months import Month
from detectors.bulletin.standing import Recorded
from detectors.errors import ConfigurationError
from detectors.heat.records import Attack
from tests.support.months import alert, at, busy_month, campaign, order, verdict
from tests.unit.edges.test_campaigns import ATTACK

NOVEMBER = Month(2026, 11)


def test_a_month_in_figures() -> None:
    """Worked out on paper: see `busy_month`."""
    totals = count(busy_month(), [], NOVEMBER, minimum=3).totals
    assert (totals.attempts, totals.accounts) == (20, 20)
    assert (totals.takeovers, totals.customers, totals.open) == (12, 5, 3)
    assert (totals.stopped, totals.lost, totals.held_in_error, totals.open_orders) == (6, 6, 5, 3)
    assert (totals.saved, totals.at_loss, totals.open_value) == (
        {"GBP": 600},
        {"GBP": 600},
        {"GBP": 300},
    )


def test_weeks_are_cut_to_the_month_and_all_there() -> None:
    """Monday to Sunday; November 2026 begins on a Sunday."""
    weeks = count(busy_month(), [], NOVEMBER, minimum=3).weeks
    assert [week.name for week in weeks] == [
        "2026-11-01/2026-11-01",
        "2026-11-02/2026-11-08",
        "2026-11-09/2026-11-15",
        "2026-11-16/2026-11-22",
        "2026-11-23/2026-11-29",
        "2026-11-30/2026-11-30",
    ]
    assert [week.attempts for week in weeks] == [0, 7, 7, 6, 0, 0]
    # One loss in the second week, which the third's five would give away.
    assert [week.lost for week in weeks] == [0, None, None, 0, 0, 0]


def test_only_what_was_first_alerted_in_the_month_counts() -> None:
    """A case of October that goes on in November is October's; midnight is UTC's."""
    edges = [at(31, 23.99, month=10), at(1, 0), at(30, 23.99), at(1, 0, month=12)]
    alerts = [alert(10 * n + k, when) for n, when in enumerate(edges) for k in range(5)]
    late = alert(0, at(31, 23.99, month=10), revision=2, updated_at=at(4))
    read = Recorded(alerts=[*alerts, late], verdicts=[], orders=[], campaigns=[])
    assert count(read, [], NOVEMBER, minimum=3).totals.attempts == 10


def test_areas_come_from_the_orders() -> None:
    """An area has the attempts that ordered to it, and their money."""
    london, manchester = count(busy_month(), [], NOVEMBER, minimum=3).areas
    assert (london.name, london.attempts, london.stopped) == ("SW", 15, 6)
    assert (manchester.name, manchester.attempts, manchester.takeovers) == ("M", 5, 0)


def test_techniques_count_each_for_itself() -> None:
    """An attempt with two techniques is in both rows."""
    alerts = [alert(n, at(5), techniques=("T1557", "F1028")[: 1 + n % 2]) for n in range(10)]
    read = Recorded(alerts=alerts, verdicts=[], orders=[], campaigns=[])
    rows = count(read, [], NOVEMBER, minimum=3).techniques
    assert [(row.name, row.attempts) for row in rows] == [("T1557", 10), ("F1028", 5)]


def test_campaigns_have_the_month_and_their_whole() -> None:
    """What links them is told by kind; how many other retailers know them where it was compared."""
    counted = count(busy_month(), [], NOVEMBER, minimum=3, seen_elsewhere={"gang": 2})
    (gang,) = counted.campaigns
    assert (gang.row.name, gang.row.attempts, gang.accounts) == ("gang", 7, 7)
    assert (gang.shared, gang.sources) == (("address_prefix",), 2)
    assert (gang.first_seen, gang.last_seen) == ("2026-11-03", "2026-11-20")
    assert count(busy_month(), [], NOVEMBER, minimum=3).campaigns[0].sources is None


def test_small_campaigns_are_told_together() -> None:
    """A campaign of two accounts is not told by itself."""
    read = busy_month()
    small = [campaign("small", range(8, 10)), campaign("tiny", range(10, 12))]
    counted = count(read._replace(campaigns=[*read.campaigns, *small]), [], NOVEMBER, minimum=4)
    assert [row.row.name for row in counted.campaigns] == ["gang"]
    assert counted.other_campaigns is not None
    assert (counted.other_campaigns.rows, counted.other_campaigns.attempts) == (2, 4)


def test_nothing_is_shown_of_fewer_accounts_than_the_minimum() -> None:
    """Neither a count nor a sum; nought is nought."""
    read = Recorded(
        alerts=[alert(n, at(5)) for n in range(6)],
        verdicts=[verdict(n, at(9)) for n in range(2)],
        orders=[order(n, at(5)) for n in range(6)],
        campaigns=[],
    )
    totals = count(read, [], NOVEMBER, minimum=5).totals
    assert (totals.attempts, totals.customers, totals.lost) == (6, 0, 0)
    assert (totals.takeovers, totals.stopped, totals.saved) == (None, None, {"GBP": None})
    assert totals.open is None, "what is left after the takeovers would give them away"


def test_the_takeovers_are_the_last_to_be_withheld() -> None:
    """Two customers in error cost the month what is open, not what the bulletin is about."""
    read = busy_month()
    verdicts = [*read.verdicts[:12], *(verdict(n, at(28), "legitimate") for n in (12, 13))]
    totals = count(read._replace(verdicts=verdicts), [], NOVEMBER, minimum=5).totals
    assert (totals.takeovers, totals.customers, totals.open) == (12, None, None)


def test_one_account_with_many_cases_is_one_account() -> None:
    """Ten attempts on one customer are that customer's, and not shown."""
    alerts = [alert(1, at(2 + n), alert_id=f"case-{n}") for n in range(10)]
    read = Recorded(alerts=alerts, verdicts=[], orders=[], campaigns=[])
    assert count(read, [], NOVEMBER, minimum=5).totals.attempts is None


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(3, 9))
def test_what_is_withheld_cannot_be_had_by_subtraction(accounts: list[int], minimum: int) -> None:
    """Every shown figure is of enough accounts or none; so is all that is hidden, where it can."""
    rows = [{f"{row}-{n}" for n in range(number)} for row, number in enumerate(accounts)]
    hidden = withheld(rows, minimum)
    assert all(
        accounts[at_] == 0 or accounts[at_] >= minimum for at_ in {*range(len(accounts))} - hidden
    )
    left = sum(accounts[at_] for at_ in hidden)
    assert left == 0 or left >= minimum or left == sum(accounts)


def test_rows_of_the_same_accounts_do_not_hide_one_another() -> None:
    """Three accounts in two weeks are three: what is left after the others would be theirs."""
    few, many, more = {"a", "b", "c"}, set("defghi"), set("jklmnopq")
    assert withheld([few, few, many, more], 5) == {0, 1, 2}


def test_attacks_of_the_month() -> None:
    """Each by its latest revision; one that tried few accounts, or at another time, is not told.

    Nor is one that went into another, which counts what it had tried.
    """
    times = {"first_seen": at(4), "last_seen": at(5)}

    def attack(name: str, **fields: Any) -> Attack:
        given_ = {"technique": "spraying", "campaign_id": name, "accounts": 50, "entered": 9}
        return msgspec.structs.replace(ATTACK, **{**times, **given_, **fields})

    found = [
        attack("a", revision=2, accounts=80),
        attack("a", revision=1),
        attack("b", accounts=2),
        attack("d", merged_into="a"),
        attack("c", first_seen=at(1, month=12), last_seen=at(2, month=12)),
    ]
    (row,) = count(busy_month(), found, NOVEMBER, minimum=5).attacks
    assert (row.technique, row.attacks, row.accounts, row.entered) == ("spraying", 1, 80, 9)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "November", "1826-11", "2026-11-01"])
def test_no_month(text: str) -> None:
    """What names no month is a mistake in one sentence."""
    with pytest.raises(ConfigurationError, match="no month"):
        Month.of(text)


def test_months_follow_one_another() -> None:
    """The end of each is the beginning of the next, over the year's end too."""
    months = [Month.of("2026-11")]
    for _ in range(3):
        months.append(months[-1].next)
    assert [str(month) for month in months] == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert all(a.end == b.begin and b.previous == a for a, b in pairwise(months))

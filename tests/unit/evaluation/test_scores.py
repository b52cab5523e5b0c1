"""What a detector said, joined to what happened."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.assessments import Assessment
from detectors.evaluation.comparison import changed_budgets, changed_cases, leads
from detectors.evaluation.judging import judge
from detectors.evaluation.ledger import Label, Labels, Ledger, Named
from detectors.evaluation.scores import RaisedCase, Scores
from detectors.evaluation.trial import trial_of
from detectors.events import Login
from tests.unit.evaluation.runs import Line, event, made


def assessment(event_id: str, risk: float, alert_id: str | None = None) -> Assessment:
    """An assessment of ann's sign-in at the second that the event's number says."""
    return Assessment(
        event_id=event_id,
        account_id="ann",
        occurred_at=float(event_id.strip("e")),
        type="login",
        risk=risk,
        reasons=(f"because-{event_id}",),
        alert_id=alert_id,
    )


def sign_ins(*event_ids: str) -> NDArray[np.int64]:
    """The identities of these sign-ins."""
    return np.array([hash(Named("login", event_id)) for event_id in event_ids])


def test_scores_are_joined_to_events_whatever_their_order() -> None:
    """Repeats count by their highest; an event nobody assessed counts as 0 and is told."""
    scores = Scores()
    for event_id, risk in (("e3", 0.3), ("e1", 0.1), ("e3", 0.5), ("other", 0.9)):
        scores.add(Named("login", event_id), risk)
    risks, missing = scores.aligned(sign_ins("e1", "e2", "e3"))
    assert risks == pytest.approx([0.1, 0.0, 0.5])
    assert missing == 1


def test_no_scores_leave_every_event_unassessed() -> None:
    """An empty assessments file is a detector that says nothing."""
    risks, missing = Scores().aligned(sign_ins("e1"))
    assert (list(risks), missing) == ([0.0], 1)


def test_a_risk_that_is_no_number_says_nothing() -> None:
    """NaN must neither alert nor hide the other scores of the same event."""
    scores = Scores()
    scores.add(Named("login", "e1"), float("nan"))
    scores.add(Named("login", "e2"), float("nan"))
    scores.add(Named("login", "e2"), 0.4)
    risks, _ = scores.aligned(sign_ins("e1", "e2"))
    assert risks == pytest.approx([0.0, 0.4])


NUMBERED = (Line(0, "ann", "in", event_id="1001"), Line(1, "bob", "40", event_id="1001"))
"""A sign-in and somebody else's order: event ids are only told apart within a topic."""


def test_login_1001_and_order_1001_are_two_events() -> None:
    """Each has its own score, and the label that it is named by."""
    ledger = Ledger(Labels({Named("order", "1001"): Label("stuffing", "k")}))
    scores = Scores()
    for line, risk in zip(NUMBERED, (0.1, 0.7), strict=True):
        told = event(line, "1001")
        ledger.append(told)
        scores.add(Named("login" if isinstance(told, Login) else "order", "1001"), risk)
    trial = trial_of(ledger, 0.0)
    assert (trial.events, list(trial.legitimate), list(trial.hijacked)) == (2, [0], [1])
    risks, _ = scores.aligned(ledger.columns().identity)
    assert risks == pytest.approx([0.1, 0.7])
    assert ledger.labels_met == 1
    assert ledger.hijack("ann", "1001") is None
    assert ledger.hijack("bob", "1001") == ledger.hijack("", "1001") == Label("stuffing", "k")


def test_what_is_told_without_a_type_is_told_of_every_event_of_the_id() -> None:
    """As by whoever numbers all events in one row; a label that is met twice is one label."""
    ledger = Ledger(Labels({Named(None, "1001"): Label("stuffing", "k")}))
    scores = Scores()
    scores.add(Named(None, "1001"), 0.6)
    for line in NUMBERED:
        ledger.append(event(line, "1001"))
    assert list(trial_of(ledger, 0.0).hijacked) == [0, 1]
    assert scores.aligned(ledger.columns().identity)[0] == pytest.approx([0.6, 0.6])
    assert ledger.labels_met == 1


def test_a_case_is_all_that_carries_its_alert_id() -> None:
    """It begins with its first event and is told by its riskiest."""
    scores = Scores()
    scores.take([assessment("e1", 0.9), assessment("e2", 0.4, "a"), assessment("e3", 0.8, "a")])
    (case,) = scores.cases.values()
    assert (case.alert_id, case.raised_at, case.risk) == ("a", 2.0, 0.8)
    assert (case.event_ids, case.reasons) == (["e2", "e3"], ("because-e3",))


def case(alert_id: str, risk: float, *event_ids: str, account_id: str = "ann") -> RaisedCase:
    """A case on these events."""
    return RaisedCase(
        alert_id=alert_id,
        account_id=account_id,
        raised_at=1.0,
        risk=risk,
        reasons=(),
        event_ids=list(event_ids),
    )


def test_cases_are_paired_by_the_events_they_share() -> None:
    """Alert ids may differ between configurations; the events are the same."""
    before = {"a": case("a", 0.5, "e1", "e2"), "b": case("b", 0.6, "e3"), "c": case("c", 0.5, "e7")}
    after = {"x": case("x", 0.55, "e2"), "c": case("c", 0.9, "e7"), "y": case("y", 0.7, "e9")}
    families = {("ann", "e9"): "insider"}
    kept, changed = changed_cases(before, after, lambda *event: families.get(event))
    assert kept == 1
    told = {
        (change.before and change.before.alert_id, change.after and change.after.alert_id): (
            change.family
        )
        for change in changed
    }
    assert told == {("b", None): None, ("c", "c"): None, (None, "y"): "insider"}


def test_cases_of_two_accounts_are_two_whatever_their_events_are_called() -> None:
    """Ann's sign-in 1001 is not Bob's order 1001; whose a case is may not be told, too."""
    before = {
        "a": case("a", 0.5, "1001"),
        "b": case("b", 0.5, "1001", account_id="bob"),
        "c": case("c", 0.5, "1002", account_id=""),
    }
    after = {"x": case("x", 0.5, "1001", account_id="bob"), "y": case("y", 0.5, "1002")}
    kept, changed = changed_cases(before, after, lambda *_: None)
    assert kept == 2
    assert [change.before and change.before.alert_id for change in changed] == ["a"]


def test_hijacks_gained_and_lost_are_named() -> None:
    """The gain is of pairs: one gained and one lost is no gain, and the interval holds 0."""
    days = [Line(0, f"c{n}", "in", n / 1000) for n in range(1000)]
    run = made(*days, Line(1, "ann", "in", 2, hijack="k1"), Line(1, "bob", "in", 0, hijack="k2"))
    other = run.risks.copy()
    other[-2:] = other[-2:][::-1]
    change = changed_budgets(judge(run.trial, run.risks), judge(run.trial, other))[0]
    assert [hijack.account for hijack in change.gained] == ["bob"]
    assert [hijack.account for hijack in change.lost] == ["ann"]
    assert change.gain.value == 0.0
    assert change.gain.interval.low < 0 < change.gain.interval.high


def test_the_lead_is_over_the_best_rival_on_the_same_hijacks() -> None:
    """Runs are pooled; the weaker rival does not flatter."""
    days = [Line(0, f"c{n}", "in", n / 1000) for n in range(1000)]
    run = made(*days, Line(1, "ann", "in", 2, hijack="k1"), Line(1, "bob", "in", 2, hijack="k2"))
    half, none = run.risks.copy(), run.risks.copy()
    half[-1], none[-2:] = 0, 0
    judged = {
        name: judge(run.trial, risks)
        for name, risks in (("own", run.risks), ("weak", none), ("better", half))
    }
    lead = leads("own", ["weak", "better"], [judged, judged])[0]
    assert (lead.rival, lead.gain.value) == ("better", 0.5)
    assert leads("own", [], [judged]) == ()

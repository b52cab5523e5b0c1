"""What a report holds, and how it is made from recordings. The JSON file is exactly this."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from detectors import __version__
from detectors.assessments import Alert
from detectors.errors import ConfigurationError, UnreadableFile
from detectors.evaluation.baselines import BASELINES
from detectors.evaluation.comparison import (
    Comparison,
    Lead,
    changed_budgets,
    changed_cases,
    leads,
)
from detectors.evaluation.judging import Judgement, judge
from detectors.evaluation.summary import Summary, summarise
from detectors.evaluation.trial import access_times, trial_of
from streams.backtesting import DeadLines, Recording
from streams.codec import rfc3339

MOST_ALERTS: Final = 5000

Truth = Literal["takeover", "customer", "unknown"]


class RaisedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it would have stood at its last revision.

    `truth` is unknown where no labels were given. `seconds` is the time from access to the first
    revision, for takeovers. `amount_at_risk` is in `currency`.
    """

    alert_id: str
    account_id: str
    raised_at: str
    revisions: int
    risk: float
    severity: str
    action: str
    stage: str
    reasons: tuple[str, ...]
    amount_at_risk: str
    currency: str | None
    truth: Truth
    family: str | None
    seconds: float | None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run: what went in, how each detector did, what was raised.

    `dead_lines` counts the lines that could not be used by the error's code, `unassessed` the
    events that a detector said nothing on, `labels_without_event` the labels that name an event
    which did not come; `late_events` those that came more than a day after later ones, where so
    many did that a file is hardly in the order of time; `alerts` holds the riskiest, of
    `alerts_raised`. What lies before `judged_from` is not judged. `assessed` says that no detector
    ran: its assessments were read, so that there are no alerts.
    """

    name: str
    files: tuple[str, ...]
    begin: str | None
    end: str | None
    judged_from: str | None = None
    assessed: bool = False
    events: int
    accounts: int
    dead_lines: Mapping[str, int]
    dead_examples: tuple[str, ...]
    late_events: int = 0
    labelled: bool
    labels_without_event: int
    judgements: Mapping[str, Judgement]
    unassessed: Mapping[str, int]
    alerts_raised: int
    alerts_on_takeovers: int
    alerts: tuple[RaisedAlert, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report. `summaries` pool the runs, the judged detector first, baselines last.

    `leads` holds the detector against the best baseline at each budget.
    """

    version: str
    warm_up: float
    runs: tuple[Run, ...]
    summaries: tuple[Summary, ...]
    leads: tuple[Lead, ...] = ()
    comparison: Comparison | None = None


def run_of(
    name: str,
    files: Sequence[Path],
    recording: Recording,
    dead: DeadLines,
    warm_up: float,
    *,
    assessed: bool = False,
) -> Run:
    """Judge a recording and keep what the report shows of it."""
    trial = trial_of(recording.ledger, warm_up)
    columns = recording.ledger.columns()
    judgements, unassessed = {}, {}
    for detector, scores in recording.scores.items():
        risks, unassessed[detector] = scores.aligned(columns.identity)
        judgements[detector] = judge(trial, risks)
    times, alerts = columns.time, [] if assessed else _alerts(recording)
    return Run(
        name=name,
        files=tuple(path.name for path in files),
        begin=rfc3339(float(times.min())) if len(times) else None,
        end=rfc3339(float(times.max())) if len(times) else None,
        judged_from=rfc3339(trial.judged_from) if len(times) else None,
        assessed=assessed,
        events=len(times),
        accounts=len(recording.ledger.accounts),
        dead_lines=dict(dead.by_code),
        dead_examples=tuple(dead.examples),
        late_events=dead.late if dead.disordered else 0,
        labelled=bool(recording.labels.takeovers),
        labels_without_event=len(recording.labels.takeovers) - recording.ledger.labels_met,
        judgements=judgements,
        unassessed=unassessed,
        alerts_raised=len(alerts),
        alerts_on_takeovers=sum(alert.truth == "takeover" for alert in alerts),
        alerts=tuple(alerts[:MOST_ALERTS]),
    )


def unjudged(run: Run) -> str | None:
    """Say why no hijack of a run is judged; None where one is."""
    if any(judgement.hijacks for judgement in run.judgements.values()):
        return None
    if not run.labelled:
        return f"no event of {run.name} is labelled a takeover: no hijack is judged"
    return (
        f"no hijack of {run.name} begins after the warm-up, which ends at {run.judged_from} "
        f"(its events are of {run.begin} to {run.end}): none is judged"
    )


def report_of(runs: Sequence[Run], warm_up: float, comparison: Comparison | None = None) -> Report:
    """Pool runs that were judged alike: detectors that every run has, baselines last."""
    names = [name for name in runs[0].judgements if all(name in r.judgements for r in runs)]
    names.sort(key=lambda name: name in BASELINES)
    return Report(
        version=__version__,
        warm_up=warm_up,
        runs=tuple(runs),
        summaries=tuple(summarise(name, [run.judgements[name] for run in runs]) for name in names),
        leads=leads(
            names[0],
            [name for name in names[1:] if name in BASELINES],
            [run.judgements for run in runs],
        ),
        comparison=comparison,
    )


def comparison_of(before: str, after: str, recording: Recording, run: Run) -> Comparison:
    """Compare two detectors of one run by the cases they raise and the hijacks they catch."""

    def family(account_id: str, event_id: str) -> str | None:
        label = recording.ledger.hijack(account_id, event_id)
        return label.family if label else None

    kept, changed = changed_cases(
        recording.scores[before].cases, recording.scores[after].cases, family
    )
    return Comparison(
        before=before,
        after=after,
        kept=kept,
        changed=changed,
        budgets=changed_budgets(run.judgements[before], run.judgements[after]),
    )


def read_report(path: Path) -> Report:
    """Read a report's JSON file; raises ConfigurationError for anything else.

    And UnreadableFile where it cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{path} is no report of a backtest: {error}") from None


def _alerts(recording: Recording) -> list[RaisedAlert]:
    """Every alert, the riskiest first."""
    access = access_times(recording.ledger)
    alerts = [_alert(revisions, recording, access) for revisions in recording.revisions.values()]
    alerts.sort(key=lambda alert: (-alert.risk, alert.raised_at, alert.alert_id))
    return alerts


def _alert(
    revisions: Sequence[Alert], recording: Recording, access: Mapping[str, float]
) -> RaisedAlert:
    first, last = revisions[0], revisions[-1]
    labels = (recording.ledger.hijack(last.account_id, event) for event in last.event_ids)
    label = next((label for label in labels if label is not None), None)
    known = bool(recording.labels.takeovers)
    truth: Truth = "takeover" if label else "customer" if known else "unknown"
    entered = access.get(last.account_id) if label else None
    return RaisedAlert(
        alert_id=last.alert_id,
        account_id=last.account_id,
        raised_at=rfc3339(last.raised_at),
        revisions=last.revision,
        risk=last.risk,
        severity=last.severity,
        action=last.action,
        stage=last.stage,
        reasons=tuple(reason.summary for reason in last.reasons),
        amount_at_risk=f"{last.amount_at_risk:.2f}",
        currency=last.currency,
        truth=truth,
        family=label.family if label else None,
        seconds=first.raised_at - entered if entered is not None else None,
    )

"""Has the engine judge again what an alert's revisions stand on, and compares to the byte."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from detectors import __version__
from detectors.errors import IncompatibleState
from detectors.markings import label
from detectors.replaying import replay
from detectors.snapshots import Snapshot
from streams.codec import encode_alert
from streams.evidence.gathering import Revision

Verdict = Literal["same", "different", "not kept"]


class Score(NamedTuple):
    """A revision as it was published and as it comes out again.

    `event_risk` is the event's own risk, `recomputed` the case's, which is the highest of its
    events; both None where there is none. `basis` says what it was judged by.
    """

    alert_id: str
    revision: int
    published: float
    recomputed: float | None
    event_risk: float | None
    basis: str
    verdict: Verdict
    detail: str


def recompute(
    revisions: Iterable[Revision], snapshots: Mapping[tuple[str, int], Snapshot]
) -> list[Score]:
    """Return every revision's score, worked out again where what it stands on was kept."""
    return [
        _score(revision, snapshots.get((revision.alert.alert_id, revision.alert.revision)))
        for revision in revisions
    ]


def _score(revision: Revision, snapshot: Snapshot | None) -> Score:
    alert = revision.alert
    score = Score(
        alert.alert_id, alert.revision, alert.risk, None, None, "", "not kept", "nothing was kept"
    )
    if revision.withheld is not None:
        told = f"it was judged by what others told under {label(revision.withheld)}"
        return score._replace(detail=f"{told}, which is not in the pack")
    if snapshot is None:
        return score
    score = score._replace(basis=_basis(snapshot))
    try:
        assessment, again = replay(snapshot)
    except IncompatibleState as error:
        return score._replace(verdict="different", detail=f"{error}{_release(snapshot)}")
    if assessment is not None:
        score = score._replace(event_risk=assessment.risk)
    if again is None:
        detail = f"no alert comes of it{_release(snapshot)}"
        return score._replace(verdict="different", detail=detail)
    score = score._replace(recomputed=again.risk)
    if encode_alert(again) == revision.value:
        return score._replace(verdict="same", detail="risk, reasons and all else, to the byte")
    what = "risk" if again.risk != alert.risk else "what else it says"
    return score._replace(verdict="different", detail=f"{what} differs{_release(snapshot)}")


def _basis(snapshot: Snapshot) -> str:
    notice = snapshot.given.notice
    if notice is None:
        return "an event"
    if hasattr(notice, "hot"):
        return "a sign-in scored before, and an attack that became known later"
    return "an alert scored before, and the campaign that it was found to belong to"


def _release(snapshot: Snapshot) -> str:
    if snapshot.release == __version__:
        return ""
    return f" (scored by release {snapshot.release}, this is {__version__})"

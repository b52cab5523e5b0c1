"""What others reported goes only as far as its marking lets it (TLP 2.0): a case without the rest.

What came under TLP:RED is in no pack, and what came under TLP:AMBER+STRICT in none that leaves the
house. A revision that was judged by it loses the reason that tells it, and the snapshot that has
it; it says that it did, and by which marking. The events are the retailer's own, and all stay.
"""

from collections.abc import Iterator
from typing import Final, get_args

import msgspec
import orjson

from detectors import cases
from detectors.assessments import Alert, Reason
from detectors.errors import IncompatibleState
from detectors.features.registry import SHARED
from detectors.markings import STAYING, Marking, strictest
from detectors.reasons import EXPLANATIONS
from detectors.snapshots import Snapshot
from streams.codec import decode_alert, decode_object, encode_alert
from streams.evidence.gathering import Gathered, Revision

_TOLD_BY_OTHERS: Final = EXPLANATIONS[SHARED.name].code
_FIELD: Final = "withheld_tlp"


def without_staying(gathered: Gathered, *, inside: bool = False) -> Gathered:
    """Return a case without what may not be in its pack; `inside` is one that stays in the house.

    Of the revisions that lose something `withheld` is the strictest marking of what they lost.
    """
    staying: frozenset[Marking] = STAYING - {"amber+strict"} if inside else STAYING
    revisions, snapshots = [], dict(gathered.snapshots)
    for revision in gathered.revisions:
        name = revision.alert.alert_id, revision.alert.revision
        snapshot = snapshots.get(name)
        lost = strictest(
            marking for marking in _markings(revision.alert, snapshot) if marking in staying
        )
        if lost is None:
            revisions.append(revision)
        else:
            snapshots.pop(name, None)
            revisions.append(_without(revision.alert, staying, lost))
    return gathered._replace(revisions=tuple(revisions), snapshots=snapshots)


def marking_of(gathered: Gathered) -> Marking | None:
    """Return the strictest marking of what others reported that is in a case; None: nothing is."""
    return strictest(
        marking
        for revision in gathered.revisions
        for marking in _markings(
            revision.alert,
            gathered.snapshots.get((revision.alert.alert_id, revision.alert.revision)),
        )
    )


def published(value: bytes) -> Revision:
    """Return a revision from its line in a pack; raises InvalidEvent for anything else."""
    found = decode_object(value).get(_FIELD)
    withheld: Marking | None = found if found in get_args(Marking) else None
    return Revision(value, decode_alert(value), withheld)


def _markings(alert: Alert, snapshot: Snapshot | None) -> Iterator[Marking]:
    """The markings of all that a revision and what it stands on have from others."""
    yield from filter(None, map(_of_reason, alert.reasons))
    if snapshot is None:
        return
    for told in snapshot.given.reported:
        for report in told.reports:
            yield report.tlp
    stored = snapshot.entries.get(f"c:{snapshot.account_id}")
    if stored is None:
        return
    try:
        before = cases.decode(stored)
    except IncompatibleState:
        return  # nothing comes of it when it is worked out again, either
    yield from filter(None, map(_of_reason, before.reasons))


def _of_reason(reason: Reason) -> Marking | None:
    if reason.code != _TOLD_BY_OTHERS:
        return None
    # What does not say how it came might have come under any.
    return "red" if reason.tlp is msgspec.UNSET else reason.tlp


def _without(alert: Alert, staying: frozenset[Marking], lost: Marking) -> Revision:
    kept = tuple(reason for reason in alert.reasons if _of_reason(reason) not in staying)
    less = msgspec.structs.replace(alert, reasons=kept)
    fields = {**orjson.loads(encode_alert(less)), _FIELD: lost}
    return Revision(orjson.dumps(fields), less, lost)

"""Checks a pack: whether it is whole, unaltered and signed, and whether its scores come out again.

A pack may come from anybody. It is read in memory, with its size bounded; nothing of it is written
or run, and whatever is wrong with it is a check that failed, in one line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec
import orjson

from detectors import __version__
from detectors.errors import ConfigurationError, InvalidEvent, UnreadableFile
from detectors.events import Event, Feedback
from detectors.markings import Marking, label
from detectors.models.prior import SHIPPED, Prior
from detectors.policy import Policy
from detectors.snapshots import Snapshot
from streams.evidence.contents import (
    ALERTS,
    CAMPAIGN,
    CHAIN,
    EVENTS,
    SNAPSHOTS,
    chain,
    lines_of,
    received_of,
)
from streams.evidence.gaps import gaps_of
from streams.evidence.gathering import Received, Revision
from streams.evidence.keys import fingerprint, is_signed, public_key
from streams.evidence.marking import published
from streams.evidence.packing import FORMAT, MANIFEST, MOST_BYTES, PUBLIC_KEY, SIGNATURE, unpacked
from streams.evidence.recomputing import recompute
from streams.evidence.records import MOST_SNAPSHOT, decode_snapshot

Files = Mapping[str, bytes]
Snapshots = Mapping[tuple[str, int], Snapshot]
_Name = tuple[type[Event], str]


class Check(NamedTuple):
    """One thing that was checked, whether it is so, and a line on it.

    `unchecked` names what could not be checked: such a line says neither that it is so nor that it
    is not, and is `ok` because nothing speaks against the pack.
    """

    name: str
    ok: bool
    detail: str
    unchecked: str | None = None


class _Wrong(Exception):
    """A check that failed; the text says why."""


def read_pack(path: Path) -> dict[str, bytes]:
    """Return the files of a pack; raises UnreadableFile where it is none."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableFile(f"{path} is larger than any pack ({MOST_BYTES >> 20} MiB)")
        return unpacked(path.read_bytes())
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from None


def expected_fingerprint(key: str) -> str:
    """Return a fingerprint from itself or from a file with a public key."""
    text = key.strip().lower().replace(":", "")
    if len(text) == 64 and not set(text) - set("0123456789abcdef"):
        return text
    try:
        public = public_key(Path(key).read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"{key} is neither a fingerprint (64 hexadecimal digits) nor a file: {error.strerror}"
        ) from None
    if public is None:
        raise ConfigurationError(f"{key} is no Ed25519 public key in PEM")
    return fingerprint(public)


def verify(files: Files, expected: str | None = None) -> Iterator[Check]:
    """Yield one check after another; `expected` is the fingerprint of the key it must be from."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("signature", lambda: _signature(files, expected)),
        ("files", lambda: _files(files)),
        ("hash chain", lambda: _chain(files)),
    )
    for name, check in checks:
        yield _checked(name, check)
    yield from _marking(files)
    if expected is None:
        detail = "the key is the pack's own, which anybody can make: compare it with the sender's"
        yield Check("signer", ok=True, detail=detail, unchecked="who signed it (--key)")
    yield from _scores(files)


def _checked(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, detail=check())
    except _Wrong as wrong:
        return Check(name, ok=False, detail=str(wrong))


def _signature(files: Files, expected: str | None) -> str:
    key = public_key(_file(files, PUBLIC_KEY))
    if key is None:
        raise _Wrong(f"{PUBLIC_KEY} is no Ed25519 public key")
    if not is_signed(key, _file(files, SIGNATURE), _file(files, MANIFEST)):
        raise _Wrong(f"{MANIFEST} is not what was signed")
    whose = fingerprint(key)
    if _manifest(files).get("signed_by") != whose:
        raise _Wrong(f"{MANIFEST} names another key than the one in the pack, {whose}")
    if expected is None:
        return f"by the key {whose}"
    if expected != whose:
        raise _Wrong(f"by the key {whose}, not by {expected}")
    return f"by the expected key {whose}"


def _files(files: Files) -> str:
    listed = _manifest(files).get("files")
    if not isinstance(listed, dict):
        raise _Wrong(f"{MANIFEST} lists no files")
    present = set(files) - {MANIFEST, SIGNATURE}
    if strange := present - set(listed):
        raise _Wrong(f"{min(strange)} is in the pack but not in {MANIFEST}")
    for name, facts in sorted(listed.items()):
        content = _file(files, name)
        if facts != {"bytes": len(content), "sha256": sha256(content).hexdigest()}:
            raise _Wrong(f"{name} is not the file that {MANIFEST} lists")
    return f"{len(listed)} files are there and unaltered, and no other"


def _chain(files: Files) -> str:
    manifest, lines = _manifest(files), _lines(files, EVENTS)
    links = chain(str(manifest.get("case")), lines)
    if [link.encode() for link in links] != _lines(files, CHAIN):
        raise _Wrong(f"{CHAIN} is not the chain over {EVENTS}")
    if manifest.get("chain_ends_in") != (links[-1] if links else None):
        raise _Wrong(f"the chain does not end as {MANIFEST} says")
    return f"{len(links)} events, none altered, dropped, added or moved"


def _marking(files: Files) -> Iterator[Check]:
    """What the sender says of how far the pack may go; nothing where the manifest is none."""
    try:
        marking: Marking | None = _manifest(files).get("tlp")
    except _Wrong:
        return
    if marking is not None and marking in get_args(Marking):
        detail = f"{label(marking)}, for what others reported: keep to it"
        yield Check("marking", ok=True, detail=detail)


def _scores(files: Files) -> Iterator[Check]:
    try:
        revisions, snapshots, events = _read(files)
    except _Wrong as wrong:
        yield Check("scores", ok=False, detail=str(wrong))
        return
    if not revisions:
        yield Check("scores", ok=False, detail=f"{ALERTS} has no alert: a pack is of one at least")
    yield _checked("events judged", lambda: _are_the_received(snapshots, events))
    yield from _missing_events(revisions, snapshots, events)
    yield from _missing_alerts(files, revisions)
    if snapshots:
        yield _model(list(snapshots.values()))
    for score in recompute(revisions, snapshots):
        name = f"alert {score.alert_id} revision {score.revision}"
        risk = f"risk {score.published:.6f}"
        if score.verdict == "same":
            yield Check(name, ok=True, detail=f"{risk} comes out again: {score.detail}")
        elif score.verdict == "different":
            yield Check(name, ok=False, detail=f"{risk} does not come out again: {score.detail}")
        else:
            detail = f"{risk} cannot be worked out again: {score.detail}"
            yield Check(name, ok=True, detail=detail, unchecked="a score")


def _missing_events(
    revisions: Sequence[Revision], snapshots: Snapshots, events: list[Received]
) -> Iterator[Check]:
    """What the alerts stand on, judged or only named, that the pack does not have."""
    judged = set(_judged(snapshots)) - set(_received(events))
    there = {(one.event.account_id, one.event.event_id) for one in events}
    named = {
        (revision.alert.account_id, event_id)
        for revision in revisions
        for event_id in revision.alert.event_ids
    }
    ids = {event_id for _, event_id in judged}
    count = len(judged) + sum(name[1] not in ids for name in named - there)
    if count:
        detail = f"{count} that alerts stand on are not in the pack: held against nothing"
        yield Check(
            "events missing", ok=True, detail=detail, unchecked="whether they were received"
        )


def _missing_alerts(files: Files, revisions: Sequence[Revision]) -> Iterator[Check]:
    """What was published that the pack does not have, as far as what it has tells."""
    names = [(one.alert.account_id, one.alert.alert_id, one.alert.revision) for one in revisions]
    if len(set(names)) < len(names):
        yield Check("alerts", ok=False, detail=f"{ALERTS} has a revision twice")
    try:
        alerts, _, unlisted, earlier = gaps_of(
            files.get(CAMPAIGN), (one.alert for one in revisions)
        )
    except InvalidEvent as error:
        yield Check("alerts", ok=False, detail=f"{CAMPAIGN} cannot be read: {error}")
        return
    if count := sum(missing for _, missing in earlier):
        detail = f"{count} earlier ones were published and are not in the pack"
        yield Check("revisions missing", ok=True, detail=detail, unchecked="what they asked for")
    if alerts or unlisted:
        detail = f"{len(alerts) + unlisted} of the campaign are not in the pack"
        yield Check("alerts missing", ok=True, detail=detail, unchecked="what they say")


def _model(snapshots: Sequence[Snapshot]) -> Check:
    """Whether scores were made by what this release ships.

    One that comes out again does so by the weights and thresholds in the pack, whoever made them.
    """
    releases = sorted({s.release for s in snapshots} - {__version__})
    other = [f"release {', '.join(releases)} scored, and this is {__version__}"] if releases else []
    if any(Prior(*snapshot.prior) != SHIPPED for snapshot in snapshots):
        other.append(f"the weights are none that release {__version__} was published with")
    if own := sorted({name for snapshot in snapshots for name in _own(snapshot.policy)}):
        other.append(f"the configuration is the retailer's own in {', '.join(own)}")
    if not other:
        detail = f"weights and configuration are those that release {__version__} ships"
        return Check("model", ok=True, detail=detail)
    return Check("model", ok=True, detail="; ".join(other), unchecked="whose model it was")


def _own(policy: Policy) -> list[str]:
    shipped = msgspec.structs.asdict(Policy())
    given = msgspec.structs.asdict(policy)
    return [
        f"{name} ({given[name]}, not {shipped[name]})"
        for name in shipped
        if given[name] != shipped[name]
    ]


def _read(files: Files) -> tuple[list[Revision], Snapshots, list[Received]]:
    try:
        revisions = [published(line) for line in _lines(files, ALERTS)]
        events = [received_of(line) for line in _lines(files, EVENTS)]
        kept = [
            decode_snapshot(_bounded(name, content))
            for name, content in sorted(files.items())
            if name.startswith(SNAPSHOTS)
        ]
    except InvalidEvent as error:
        raise _Wrong(f"a file cannot be read: {error}") from None
    snapshots = {(snapshot.alert_id, snapshot.revision): snapshot for snapshot in kept}
    return revisions, snapshots, events


def _bounded(name: str, content: bytes) -> bytes:
    if len(content) > MOST_SNAPSHOT:
        raise _Wrong(f"{name} is larger than any snapshot ({MOST_SNAPSHOT >> 20} MiB)")
    return content


def _are_the_received(snapshots: Snapshots, events: list[Received]) -> str:
    received = _received(events)
    compared = 0
    for name, judgements in _judged(snapshots).items():
        found = received.get(name, [])
        for (alert_id, revision), judged in judgements:
            if found and judged not in found:
                raise _Wrong(
                    f"alert {alert_id} revision {revision} judged another event than received"
                )
        told = [judged for _, judged in judgements]
        compared += sum(event in told for event in found)
    rest = sum(map(len, received.values())) - compared
    return f"{compared} are what was received; {rest} more were received and not compared"


def _judged(snapshots: Snapshots) -> dict[_Name, list[tuple[tuple[str, int], Event]]]:
    """What was judged, by type and id: of which revision, and what was read."""
    judged: dict[_Name, list[tuple[tuple[str, int], Event]]] = {}
    for revision, snapshot in snapshots.items():
        if (event := snapshot.given.event) is not None:
            judged.setdefault((type(event), event.event_id), []).append((revision, event))
    return judged


def _received(events: list[Received]) -> dict[_Name, list[Event]]:
    """What was received, by type and id; verdicts are not judged."""
    received: dict[_Name, list[Event]] = {}
    for _, _, event in events:
        if not isinstance(event, Feedback):
            received.setdefault((type(event), event.event_id), []).append(event)
    return received


def _manifest(files: Files) -> dict[str, Any]:
    try:
        manifest = orjson.loads(_file(files, MANIFEST))
    except orjson.JSONDecodeError as error:
        raise _Wrong(f"{MANIFEST} is no JSON: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _Wrong(f"{MANIFEST} is none of format {FORMAT}")
    return manifest


def _lines(files: Files, name: str) -> list[bytes]:
    content = _file(files, name)
    if content and not content.endswith(b"\n"):
        raise _Wrong(f"{name} ends within a line")
    return lines_of(content)


def _file(files: Files, name: str) -> bytes:
    try:
        return files[name]
    except KeyError:
        raise _Wrong(f"{name} is missing") from None

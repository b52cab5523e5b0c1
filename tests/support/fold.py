"""Fold a file of events, print a digest of all that was said and stored: `fold.py EVENTS LOOKUP`.

Accounts tell of one another, as in a backtest. A program, so that a test can run it on any build of
the engine. Next to nothing stays decoded between two hand-overs: whatever is stored is read back.
"""

import hashlib
import sys
from pathlib import Path

import detectors.engine
from detectors.engine import Engine, Observed
from detectors.heat.sightings import Sightings
from detectors.policy import Policy
from detectors.replaying import replay
from streams.across_accounts import AcrossAccounts
from streams.backtesting import DeadLines, runs
from streams.codec import encode_alert, encode_assessment
from streams.enrichment import Enricher
from streams.evidence.records import decode_snapshot, encode_snapshot
from streams.files import read_events


def main(path: Path, lookup: Path) -> None:
    """Print where the engine came from, and the digest."""
    policy = Policy(profile_cache=1, alert_budget=0.05)
    digest, state, enricher = hashlib.sha256(), dict[bytes, bytes](), Enricher([lookup])
    across, sightings = AcrossAccounts(state.get), Sightings(shards=1)
    engine = Engine(policy, state.get, across.table, sightings, keep_snapshots=True)
    snapshot = b""
    for run in runs(DeadLines().living(read_events(path)), 100):
        digest.update(said(engine, across, [Observed(e, enricher.facts(e)) for e in run]))
        for kept in engine.snapshots():
            snapshot = encode_snapshot(kept)
            digest.update(snapshot)
        for key, value in {**engine.changes(), **across.changes()}.items():
            digest.update(key + (value or b""))
            if value is None:
                state.pop(key, None)
            else:
                state[key] = value
    again = replay(decode_snapshot(snapshot)).alert
    if again is None:
        raise SystemExit("what the last alert stood on gives none")
    digest.update(encode_alert(again))
    print(detectors.engine.__file__, digest.hexdigest())


def said(engine: Engine, across: AcrossAccounts, run: list[Observed]) -> bytes:
    """Return what an engine says of a run, in bytes."""
    lines = []
    for observed in run:
        assessment = engine.assess(observed)
        if assessment is not None:
            lines.append(encode_assessment(assessment))
        alert = engine.learn(observed, assessment)
        lines += [encode_alert(one) for one in (alert, *across.go_round(engine)) if one is not None]
    return b"\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

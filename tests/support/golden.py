"""The state of a small shop as a release wrote it, byte for byte: `python -m tests.support.golden`.

Run it when a version of anything that is stored goes up, and keep the file of the version before:
`tests/contracts/test_stored_state.py` reads every file there is, for as long as that version is
promised to be read.
"""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from detectors import cases, profiles
from detectors.engine import Engine, Observed
from detectors.policy import Policy
from streams.codec import decode, encode_alert
from streams.enrichment import Enricher
from streams.runtime.interfaces import Send
from streams.runtime.outbox import OUTBOX_KEY, encode_outbox
from streams.runtime.position import FORMAT, POSITION_KEY, Position, encode_position
from streams.topics import SOURCE_TYPES
from tests.integration import shop_traffic

FOLDER: Final = Path(__file__).parent.parent / "golden"
CUSTOMERS: Final = frozenset(f"customer-{number}" for number in range(12))
POSITION: Final = Position(lineage="golden", at=7, next={"logins": 5}, origins={"logins": {0: 3}})


class Golden(msgspec.Struct, kw_only=True):
    """What was stored when a hijack had just been told of, and the case that it was."""

    written_by: str
    alert_id: str
    revision: int
    state: dict[bytes, bytes]


def happenings() -> tuple[list[Observed], list[Observed]]:
    """Return what has happened up to the takeover's first alert, and what comes after."""
    facts = Enricher(()).facts
    some = [h for h in shop_traffic.everything() if h.fields["account_id"] in CUSTOMERS]
    events = [
        decode(h.value, type_=SOURCE_TYPES[h.source], timestamp=None, fallback_id="none")
        for h in some
    ]
    observed = [Observed(event, facts(event)) for event in events]
    signed_in = next(n for n, h in enumerate(some) if h.fields["event_id"] == "hijack-2") + 1
    return observed[:signed_in], observed[signed_in:]


def golden(before: Sequence[Observed]) -> Golden:
    """Return the state as the code of now writes it."""
    state: dict[bytes, bytes] = {}
    engine = Engine(Policy(), state.get)
    *_, alert = [o.alert for o in engine.process(before) if o.alert is not None]
    state |= {key: value for key, value in engine.changes().items() if value is not None}
    send = Send("alerts", alert.account_id.encode(), encode_alert(alert), urgent=True)
    state |= {POSITION_KEY: encode_position(POSITION), OUTBOX_KEY: encode_outbox([send])}
    return Golden(
        written_by=f"profiles-{profiles.VERSION} cases-{cases.VERSION} position-{FORMAT}",
        alert_id=alert.alert_id,
        revision=alert.revision,
        state=state,
    )


def read(path: Path) -> Golden:
    """Return what a golden file holds."""
    return msgspec.msgpack.decode(gzip.decompress(path.read_bytes()), type=Golden)


def main() -> None:
    """Write the file of the versions of now."""
    written = golden(happenings()[0])
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{written.written_by.replace(' ', '-')}.msgpack.gz"
    path.write_bytes(gzip.compress(msgspec.msgpack.encode(written), mtime=0))
    print(f"{path}: {len(written.state)} keys")


if __name__ == "__main__":
    main()

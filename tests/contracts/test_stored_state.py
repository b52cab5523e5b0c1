"""What an earlier release stored is read by this one: profiles, cases, models and positions."""

from pathlib import Path

import pytest

from detectors.engine import Engine
from detectors.errors import IncompatibleState
from detectors.policy import Policy
from streams.runtime.outbox import OUTBOX_KEY, decode_outbox
from streams.runtime.position import POSITION_KEY, decode_position
from tests.support.golden import FOLDER, POSITION, golden, happenings, read

FILES = sorted(FOLDER.glob("*.msgpack.gz"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_case_goes_on_from_what_an_earlier_release_stored(path: Path) -> None:
    """The hijack is told further under the same id; customers who are known stay known."""
    stored = read(path)
    engine = Engine(Policy(), stored.state.get)
    outcomes = engine.process(happenings()[1])
    alerts = [outcome.alert for outcome in outcomes if outcome.alert is not None]
    assert alerts, "the case is forgotten"
    assert {alert.alert_id for alert in alerts} == {stored.alert_id}
    assert alerts[0].revision == stored.revision + 1
    assert engine.changes(), "nothing was learnt"
    position = decode_position(stored.state[POSITION_KEY])
    assert (position.lineage, position.next) == (POSITION.lineage, POSITION.next)
    (send,) = decode_outbox(stored.state[OUTBOX_KEY])
    assert send.topic == "alerts"


def test_there_is_a_file_of_the_versions_of_now() -> None:
    """A version that goes up leaves its bytes here, for the release after it to read.

    `python -m tests.support.golden` writes them.
    """
    now = golden(happenings()[0])
    (mine,) = [read(path) for path in FILES if read(path).written_by == now.written_by]
    assert mine.state.keys() == now.state.keys(), (
        "another kind of state: raise a version, or before its release write the file anew"
    )


@pytest.mark.parametrize("kind", [b"a:", b"c:", b"m:", b"p:", b"x:"])
def test_state_that_is_not_ours_is_refused(kind: bytes) -> None:
    """Bytes of a later version, or of somebody else, end in a sentence, never in a guess."""
    *_, path = FILES
    state = read(path).state
    assert any(key.startswith(kind) for key in state), "no such kind of state"
    broken = {key: b"\xc1" if key.startswith(kind) else value for key, value in state.items()}
    with pytest.raises(IncompatibleState):
        Engine(Policy(), broken.get).process(happenings()[1])

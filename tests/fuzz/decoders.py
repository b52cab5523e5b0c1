"""Every decoder, fed by coverage: `python -m tests.fuzz.decoders -max_total_time=60`.

Needs `pip install --group fuzz` (atheris, where it has a wheel). Arguments are libFuzzer's. Each
input goes to one decoder, which may refuse it in its own way and no other: whatever else is raised
ends the program with the input that did it. `tests/unit/edges/test_hostile.py` runs the same
functions over hypothesis' inputs.
"""

import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from detectors.errors import IncompatibleState, InvalidEvent
from detectors.events import EventType

TYPES: Final[tuple[EventType | None, ...]] = ("login", "order", "account_change", "feedback", None)
_BOUND: Final = 400
"""What an error may say of the input, in characters."""


def events(data: bytes) -> None:
    """Whatever is sent is an event, or InvalidEvent with a bounded sentence."""
    from streams.codec import decode

    for type_ in TYPES:
        try:
            decode(data, type_=type_, timestamp=1e9, fallback_id="f")
        except InvalidEvent as error:
            said = str(error)
            if len(said) >= _BOUND:
                raise AssertionError(f"an error of {len(said)} characters") from error


def letters(data: bytes) -> None:
    """Whatever is on the topic of dead letters is one, or InvalidEvent."""
    from streams.dead_letters import decode_dead_letter

    try:
        decode_dead_letter(data)
    except InvalidEvent:
        return


def alerts(data: bytes) -> None:
    """Whatever is on the topic of alerts is one, or InvalidEvent."""
    from streams.codec import decode_alert

    try:
        decode_alert(data)
    except InvalidEvent:
        return


def published(data: bytes) -> None:
    """Whatever is on the topic of campaigns is one, or an attack, or InvalidEvent."""
    from streams.codec import decode_published

    try:
        decode_published(data)
    except InvalidEvent:
        return


def told(data: bytes) -> None:
    """Whatever is on a topic between flows is what one tells, or IncompatibleState."""
    from detectors import heat

    readers = (heat.decode_batch, heat.decode_hot, heat.decode_linking, heat.decode_notice)
    for reader in readers:
        try:
            reader(data)
        except IncompatibleState:
            continue


def state(data: bytes) -> None:
    """Whatever is in the changelog is state of ours, or IncompatibleState."""
    from detectors import cases, profiles
    from streams.runtime.outbox import decode_outbox
    from streams.runtime.position import decode_position

    readers: tuple[Callable[[bytes], object], ...] = (
        profiles.decode,
        cases.decode,
        decode_outbox,
        decode_position,
    )
    for reader in readers:
        try:
            reader(data)
        except IncompatibleState:
            continue


TARGETS: Final[tuple[Callable[[bytes], None], ...]] = (
    events,
    letters,
    alerts,
    published,
    told,
    state,
)


def one_input(data: bytes) -> None:
    """Give an input to the decoder that its first byte names."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def seed(corpus: Path) -> None:
    """Write inputs to begin from: what a shop sends, and what its worker stores of it."""
    from tests.integration import shop_traffic
    from tests.support.golden import FOLDER, read

    events = [happening.value for happening in shop_traffic.everything()[-20:]]
    stored = [value for path in FOLDER.glob("*.gz") for value in read(path).state.values()]
    for target, values in ((0, events), (3, stored)):
        for number, value in enumerate(values):
            (corpus / f"{target}-{number}").write_bytes(bytes([target]) + value)


def main() -> None:
    """Fuzz until told to end."""
    try:
        import atheris
    except ModuleNotFoundError:
        sys.exit("atheris is not installed: pip install --group fuzz")
    with atheris.instrument_imports(include=["detectors", "streams"]):
        for module in ("detectors.parsing", "streams.codec", "streams.dead_letters"):
            import_module(module)
    with tempfile.TemporaryDirectory(prefix="nightlatch-fuzz-") as corpus:
        seed(Path(corpus))
        atheris.Setup([*sys.argv, corpus], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Events that await a verdict, as they stood: features, tables' cells, score, and the lesson.

An account keeps a few: what was flagged always before what was merely notable, the latest before
the older. A verdict may come weeks later; what has gone by then is not learnt from.
"""

import msgspec

from detectors.errors import decoded
from detectors.events import Verdict
from detectors.features.lesson import Forgotten, Lesson
from detectors.heat.records import Brought

_SCALE = 32.0


class Example(msgspec.Struct, array_like=True):
    """One event. `weights` are the features in 32nds of a nat; `lesson` is what it would teach.

    `session` is its session's digest, 0 for none. `learnt` tells whether profile and customers'
    tables hold it, `score` is its bin in the calibration (-1 where it is not counted there). The
    verdict may be `implied` by one on another event of its session; `delay` is how many days after
    the event it came. `forgotten` is what the profile lost by it. `vouched` tells that the profile
    alone has learnt it, on its customer's word. `sources` had reported something of it; `believed`
    tells that it was alerted for what they said, and learnt all the same. `brought` is what it came
    with, as far as that is told of a hijack.
    """

    event_id: str
    minute: int
    type: int
    alert_id: str | None
    weights: list[int]
    cells: list[int]
    lesson: Lesson | None
    verdict: Verdict | None = None
    session: int = 0
    learnt: bool | None = None
    score: int = -1
    implied: bool = False
    delay: int = 0
    forgotten: list[Forgotten] = []
    vouched: bool = False
    sources: list[str] = []
    believed: bool = False
    brought: list[Brought] = []

    def features(self) -> list[float]:
        """Return the features as they stood, nats."""
        return [weight / _SCALE for weight in self.weights]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Example])


def stored_weights(weights: list[float]) -> list[int]:
    """Return features as an example keeps them."""
    # Most are nought, and rounding is slow.
    return [round(weight * _SCALE) if weight else 0 for weight in weights]


def keep(examples: list[Example], example: Example, most: int) -> None:
    """Add an example; the oldest unflagged one makes room, else the oldest."""
    examples.append(example)
    if len(examples) > most:
        unflagged = (at for at, kept in enumerate(examples) if kept.alert_id is None)
        del examples[next(unflagged, 0)]


def encode(examples: list[Example]) -> bytes:
    """Return an account's examples in their stored form."""
    return _encoder.encode(examples)


def decode(stored: bytes) -> list[Example]:
    """Return the examples that were stored. Raises IncompatibleState for anything else."""
    examples = decoded(_decoder.decode, stored, "stored examples")
    for example in examples:
        # Version 0.1 kept a lesson only until it was taught, and did not say whether it was.
        if example.learnt is None:
            example.learnt = example.lesson is None and example.verdict != "takeover"
    return examples

"""How far each source is believed: learnt from verdicts on the events that its reports were on.

Of the judged events that a source had named, `right` turned out takeovers and `wrong` the
customer's. Its odds of being right are those of a Beta posterior's mean, `(a + right) : (b +
wrong)`; those of judged events that it had not named `(2 + takeovers) : (8 + legitimate)`. The log
of their ratio is what its word adds (nats). Whose events are judged at all (takeovers are reported,
customers seldom looked into) is the same for both, and cancels out. A source that names people at
random is as often right as alerts are without it, so its word adds nothing, however often that is.

The prior, a and b, makes a new source's odds twenty times those elsewhere (3 nats), and weighs as
much as three verdicts.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from math import log
from typing import Final

import msgspec

from detectors.errors import IncompatibleState, decoded
from detectors.events import Verdict

MOST_NATS: Final = 4.0
"""Nats that one source's word can add at most."""
MOST_SOURCES: Final = 256
_NEW: Final = 20.0
_BACKING: Final = 3.0
_KEY: Final = b"m:sources"
_VERSION: Final = 1
_decode = partial(
    msgspec.msgpack.decode, type=tuple[int, tuple[int, int], dict[str, tuple[int, int]]]
)


class Trust:
    """What verdicts say of sources, by name.

    The `MOST_SOURCES` with most verdicts are remembered; others are believed as new ones are.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._all: tuple[int, int] = (0, 0)
        self._sources: dict[str, tuple[int, int]] = {}
        self._dirty = False
        stored = read(_KEY)
        if stored is not None:
            version, self._all, self._sources = decoded(_decode, stored, "what sources are worth")
            if version != _VERSION:
                raise IncompatibleState(f"what sources are worth has version {version}")

    def worth(self, source: str) -> float:
        """Return what a source's word adds, nats, 0 to `MOST_NATS`."""
        right, wrong = self._sources.get(source, (0, 0))
        takeovers, legitimate = self._all
        elsewhere = (2.0 + max(takeovers - right, 0)) / (8.0 + max(legitimate - wrong, 0))
        believed = _NEW * elsewhere / (1.0 + _NEW * elsewhere)
        odds = (_BACKING * believed + right) / (_BACKING * (1.0 - believed) + wrong)
        return min(max(log(odds / elsewhere), 0.0), MOST_NATS)

    def judge(self, sources: Sequence[str], before: Verdict | None, now: Verdict | None) -> None:
        """Move an event that sources had named from one verdict to another; None is none."""
        if before == now:
            return
        self._dirty = True
        for verdict, by in ((before, -1), (now, 1)):
            if verdict is None:
                continue
            step = (by, 0) if verdict == "takeover" else (0, by)
            self._all = _moved(self._all, step)
            for source in sources:
                self._sources[source] = _moved(self._sources.get(source, (0, 0)), step)
        while len(self._sources) > MOST_SOURCES:
            del self._sources[min(self._sources, key=lambda one: (sum(self._sources[one]), one))]

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the counts where they changed."""
        if self._dirty:
            self._dirty = False
            yield from self.stored(self._sources)

    def stored(self, sources: Collection[str]) -> Iterator[tuple[bytes, bytes]]:
        """Return what is stored of some sources, and of all verdicts."""
        kept = {name: self._sources[name] for name in sorted(sources) if name in self._sources}
        yield _KEY, msgspec.msgpack.encode((_VERSION, self._all, kept))


def _moved(counts: tuple[int, int], step: tuple[int, int]) -> tuple[int, int]:
    return max(counts[0] + step[0], 0), max(counts[1] + step[1], 0)

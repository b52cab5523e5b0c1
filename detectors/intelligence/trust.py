"""How far each source is believed: learnt from verdicts on the events that its reports were on.

Of the judged events that a source had named, `right` turned out takeovers and `wrong` the
customer's. Its odds of being right are those of a Beta posterior's mean, `(a + right) : (b +
wrong)`; those of judged events that it had not named `(2 + takeovers) : (8 + legitimate)`. The log
of their ratio is what its word adds (nats). Whose events are judged at all (takeovers are reported,
customers seldom looked into) is the same for both, and cancels out. A source that names people at
random is as often right as alerts are without it, so its word adds nothing, however often that is.

The prior, a and b, makes a new source's odds twenty times those elsewhere (3 nats), and weighs as
much as three verdicts. Names cost nothing: where it is known what brought a report, its feed, a
name is one of that feed's, and taken for what the feed is worth until verdicts on it say otherwise.

Verdicts come late, and a feed that lists a shop's customers would do its harm before them. So it
counts, too, of the events that brought their account something new, how many each source named
that did not turn out takeovers. Of the hijacks around, a good source names some three in ten: where
it names a share p of what customers do, its word tells at most `log(0.3 / p)`, whatever the
verdicts. A source that names everybody names nobody.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from math import exp, log
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
_KNOWN: Final = 0.3
"""Share of a gang's hijacks that a good source names."""
_UNNAMED: Final = 70.0
"""Events that a new source is taken to have left unnamed, but for one."""
_HORIZON: Final = 20_000
"""Events after which what was named weighs half."""
_COARSE: Final = "\0\0coarse"
"""What no voice's name ends with: sources and feeds are named without control characters."""
_VERSION: Final = 2
_Stored = tuple[int, tuple[int, int], dict[str, tuple[int, int]], int, dict[str, int]]
_decode = partial(msgspec.msgpack.decode, type=_Stored)


class Trust:
    """What verdicts say of sources and feeds, by name, and how often each names anything.

    The `MOST_SOURCES` with most verdicts, and as many of those that name most, are remembered;
    others are believed as new ones are.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._all: tuple[int, int] = (0, 0)
        self._sources: dict[str, tuple[int, int]] = {}
        self._events = 0
        self._named: dict[str, int] = {}
        self._dirty = False
        stored = read(_KEY)
        if stored is not None:
            held = decoded(_decode, stored, "what sources are worth")
            version, self._all, self._sources, self._events, self._named = held
            if version != _VERSION:
                raise IncompatibleState(f"what sources are worth has version {version}")

    def worth(self, source: str, feed: str | None = None, *, coarse: bool = False) -> float:
        """Return what a source's word adds that came by a feed, nats, 0 to `MOST_NATS`.

        Its word on what customers share by the hundreds, operators and clients, is `coarse`.
        """
        known = feed_of(source, feed, coarse=coarse)
        most = _NEW if known is None else min(exp(self._worth(known, _NEW)), _NEW)
        return self._worth(voice_of(source, feed, coarse=coarse), most)

    def _worth(self, source: str, new: float) -> float:
        """Return what it adds where one of whom nothing is known has `new` times the odds."""
        right, wrong = self._sources.get(source, (0, 0))
        takeovers, legitimate = self._all
        elsewhere = (2.0 + max(takeovers - right, 0)) / (8.0 + max(legitimate - wrong, 0))
        believed = new * elsewhere / (1.0 + new * elsewhere)
        odds = (_BACKING * believed + right) / (_BACKING * (1.0 - believed) + wrong)
        named = (max(self._named.get(source, 0), 0) + 1.0) / (self._events + _UNNAMED)
        return max(min(log(odds / elsewhere), log(_KNOWN / named), MOST_NATS), 0.0)

    def see(self, sources: Sequence[str]) -> None:
        """Count an event that brought its account something new, and who had reported any of it."""
        self._dirty = True
        self._events += 1
        for source in sources:
            before = self._named.get(source)
            if before is None:
                before = self._make_room()
            self._named[source] = before + 1
        if self._events > _HORIZON:
            self._events //= 2
            self._named = {source: count // 2 for source, count in self._named.items() if count > 1}

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
                if source in self._named:
                    # Below nought where what it had named was halved since: so it stays exact.
                    self._named[source] -= step[0]
        while len(self._sources) > MOST_SOURCES:
            del self._sources[min(self._sources, key=lambda one: (sum(self._sources[one]), one))]

    def _make_room(self) -> int:
        """Return how much a source that is not counted may have named; have one go if need be.

        As much as whoever goes (the space-saving algorithm: Metwally, Agrawal and El Abbadi, 2005).
        Were it nought, whoever comes last would be the next to go, and never be counted.
        """
        if len(self._named) < MOST_SOURCES:
            return 0
        least = min(self._named, key=lambda one: (self._named[one], one))
        return max(self._named.pop(least), 0)

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the counts where they changed."""
        if self._dirty:
            self._dirty = False
            yield from self.stored({*self._sources, *self._named})

    def stored(self, sources: Collection[str]) -> Iterator[tuple[bytes, bytes]]:
        """Return what is stored of some sources, and of all verdicts and events."""
        kept = {name: self._sources[name] for name in sorted(sources) if name in self._sources}
        named = {name: self._named[name] for name in sorted(sources) if name in self._named}
        stored: _Stored = (_VERSION, self._all, kept, self._events, named)
        yield _KEY, msgspec.msgpack.encode(stored)


def voice_of(source: str, feed: str | None, *, coarse: bool = False) -> str:
    """Return the name that a source's word is counted by: another feed's is another's.

    What is `coarse` is counted apart: a gang's operator is thousands of customers' as well, and who
    tells of it names these too, without being wrong of the gang's device.
    """
    voice = source if feed is None or feed == source else f"{feed}\0{source}"
    return f"{voice}{_COARSE}" if coarse else voice


def feed_of(source: str, feed: str | None, *, coarse: bool = False) -> str | None:
    """Return the name that a feed is counted by; None where it is but its one source."""
    if feed is None or feed == source:
        return None
    return f"{feed}\0{_COARSE}" if coarse else f"{feed}\0"


def _moved(counts: tuple[int, int], step: tuple[int, int]) -> tuple[int, int]:
    return max(counts[0] + step[0], 0), max(counts[1] + step[1], 0)

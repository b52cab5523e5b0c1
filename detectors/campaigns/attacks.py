"""Attacks that go together are told as one: what each comes by is a front of it.

Heat finds an attack one indicator at a time, on as many shards as there are: a botnet is a hundred
address ranges, each by itself. Two fronts are one attack's where they were tried within half a day,
and what was tried through both came by the same kind of client, and by the same client or operator;
or where what was tried through the one came by the other, a client say that is hot by the attack.

`ATTACKS` are kept, those that were seen last; of one, `FRONTS` fronts by name, the others as sums.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from detectors.campaigns.stored import decode, encode
from detectors.errors import IncompatibleState
from detectors.heat.indicators import COARSE, Kind
from detectors.heat.records import (
    TECHNIQUE_IDS,
    Attack,
    AttackedIndicator,
    Front,
    Technique,
    Way,
)

ATTACKS: Final = 200
FRONTS: Final = 500
_WAYS: Final = 64
_PAUSE: Final = 43_200.0
"""Seconds without a try after which another is another attack's."""
_EVERY: Final = 3_600.0
"""Seconds of event time within which an attack is told again only if there is much news of it."""
_RANGES: Final = 50
_OTHERS: Final = 20
_MERGED: Final = 100
_NAMES: Final = b"g:attacks"
_WHAT: Final = "a stored attack"

_Key = tuple[int, int]


class _Sum(msgspec.Struct, array_like=True):
    """What was tried through indicators of a kind, and how many indicators these were."""

    fronts: int = 0
    tried: int = 0
    failed: int = 0
    accounts: int = 0
    entered: int = 0

    def add(self, other: "_Sum") -> None:
        self.fronts += other.fronts
        self.tried += other.tried
        self.failed += other.failed
        self.accounts += other.accounts
        self.entered += other.entered


class _Seen(msgspec.Struct, array_like=True, frozen=True):
    """A way that an attack came by, and when it did last."""

    way: Way
    at: float


class Assault(msgspec.Struct, array_like=True):
    """An attack as it is kept.

    `gone` sums up by kind the fronts that made room for others. `revision`, `entered` and `told`,
    the event time, are as it was last told; `failed` is the most that it was ever told with.
    """

    campaign_id: str
    indicator: str
    value: str | None
    first_seen: float
    last_seen: float
    fronts: list[Front] = []
    gone: dict[int, _Sum] = {}
    ways: list[_Seen] = []
    merged_from: tuple[str, ...] = ()
    revision: int = 0
    told: float = 0.0
    failed: int = 0
    entered: int = 0


class Attacks:
    """All attacks that are on, or were on last; `read` gives the state handed over so far."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        stored = read(_NAMES)
        names = () if stored is None else decode(stored, tuple[str, ...], _WHAT)
        self._known: dict[str, Assault] = {}
        for name in names:
            value = read(_key(name))
            if value is None:
                raise IncompatibleState("an attack is named in the state, and is not in it")
            self._known[name] = decode(value, Assault, _WHAT)
        self._dirty: dict[str, None] = {}
        self._untold: set[str] = set()
        self._merged: list[Attack] = []
        self._named = set(self._known)

    def take(self, front: Front) -> None:
        """Take what is tried through an indicator: as an attack that is known, or as another's."""
        found = [attack for attack in self._known.values() if _belongs(front, attack)]
        found.sort(key=lambda attack: (attack.first_seen, attack.campaign_id))
        attack = found[0] if found else self._begin(front)
        for younger in found[1:]:
            self._merge(attack, younger)
        _add(attack, front)
        self._dirty[attack.campaign_id] = None
        self._untold.add(attack.campaign_id)
        while len(self._known) > ATTACKS:
            name = min(self._known, key=lambda name: (self._known[name].last_seen, name))
            del self._known[name]
            self._dirty[name] = None

    def revisions(self) -> Iterator[Attack]:
        """Yield a revision of each attack that there is news of since it was told last.

        That is the first of it, that it was let in somewhere, another that went into it, twice as
        many failures, or whatever an hour has brought, and an eighth of the time that it is on.
        """
        yield from self._merged
        self._merged = []
        for attack in [self._known[name] for name in sorted(self._untold) if name in self._known]:
            told = _published(attack)
            if _is_due(attack, told):
                attack.revision, attack.told = told.revision, told.last_seen
                attack.failed, attack.entered = max(attack.failed, told.failed), told.entered
                yield told
        self._untold.clear()

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over every key changed since the last call; None means delete it."""
        for name in sorted(self._dirty):
            attack = self._known.get(name)
            yield _key(name), None if attack is None else encode(attack)
        if self._named != set(self._known):
            self._named = set(self._known)
            yield _NAMES, encode(tuple(self._known))
        self._dirty.clear()

    def _begin(self, front: Front) -> Assault:
        name = _name(front)
        self._known[name] = Assault(name, front.id, front.shown, front.since, front.at)
        return self._known[name]

    def _merge(self, older: Assault, younger: Assault) -> None:
        """Make two attacks one, under the older's id."""
        for front in younger.fronts:
            _add(older, front)
        for kind, gone in younger.gone.items():
            older.gone.setdefault(kind, _Sum()).add(gone)
        _see_ways(older, younger.ways)
        merged = (*older.merged_from, *younger.merged_from)
        if younger.revision:
            # What was never told needs no end, and no news are made of it.
            merged = (*merged, younger.campaign_id)
            older.told = 0.0
            self._merged.append(
                msgspec.structs.replace(_published(younger), merged_into=older.campaign_id)
            )
        older.merged_from = tuple(dict.fromkeys(merged))[-_MERGED:]
        del self._known[younger.campaign_id]
        self._dirty[younger.campaign_id] = None


def _belongs(front: Front, attack: Assault) -> bool:
    """Return whether an indicator is under this attack."""
    if any(_goes_on(front, held) or _explains(front, held) for held in attack.fronts):
        return True
    seen = [one.way for one in attack.ways if abs(one.at - front.at) <= _PAUSE]
    if any(_came_by(way, front) for way in seen):
        return True
    return any(_are_one(way, other) for way in front.ways for other in seen)


def _goes_on(front: Front, held: Front) -> bool:
    """Return whether it is the same attack through the same indicator."""
    if front.key != held.key or front.kind != held.kind:
        return False
    return front.since == held.since or abs(front.at - held.at) <= _PAUSE


def _explains(front: Front, held: Front) -> bool:
    """Return whether what is tried through one came by another that is under attack as well."""
    if not COARSE[held.kind] or abs(held.at - front.at) > _PAUSE:  # most are address ranges
        return False
    return any(_came_by(way, held) for way in front.ways)


def _came_by(way: Way, front: Front) -> bool:
    match front.kind:
        case Kind.AGENT:
            return front.key == way.agent
        case Kind.SHAPE:
            return front.key == way.shape
        case Kind.OPERATOR:
            return front.key == way.operator
    return False


def _are_one(way: Way, other: Way) -> bool:
    if way.shape != other.shape:
        return False
    same_agent = way.agent == other.agent != 0
    return same_agent or way.operator == other.operator != 0


def _add(attack: Assault, front: Front) -> None:
    """Take a front into an attack, in the place of what was told of it before."""
    kept = []
    for held in attack.fronts:
        if (held.kind, held.key) != (front.kind, front.key):
            kept.append(held)
        elif held.since == front.since and held.revision > front.revision:
            front = held
    attack.fronts = [*kept, front]
    _see_ways(attack, [_Seen(way, front.at) for way in front.ways])
    attack.first_seen = min(attack.first_seen, front.since)
    attack.last_seen = max(attack.last_seen, front.at)
    while len(attack.fronts) > FRONTS:
        over = min(attack.fronts, key=lambda held: (held.at, held.kind, held.key))
        attack.fronts.remove(over)
        attack.gone.setdefault(over.kind, _Sum()).add(_counts(over))


def _see_ways(attack: Assault, seen: Sequence[_Seen]) -> None:
    """Note ways that it came by, the latest last."""
    ways = {one.way: one.at for one in attack.ways}
    for one in seen:
        ways[one.way] = max(one.at, ways.pop(one.way, 0.0))
    attack.ways = [_Seen(way, at) for way, at in ways.items()][-_WAYS:]


def _counts(front: Front) -> _Sum:
    return _Sum(1, front.tried, front.failed, front.accounts, front.entered)


def _is_due(attack: Assault, told: Attack) -> bool:
    return (
        not attack.revision
        or told.failed >= 2 * attack.failed
        or (told.entered > 0) != (attack.entered > 0)
        or told.last_seen - attack.told >= max(_EVERY, (attack.told - told.first_seen) / 8.0)
    )


def _published(attack: Assault) -> Attack:
    """Return the next revision of an attack."""
    sums: dict[int, _Sum] = {}
    for kind, gone in attack.gone.items():
        sums.setdefault(kind, _Sum()).add(gone)
    for front in attack.fronts:
        sums.setdefault(front.kind, _Sum()).add(_counts(front))
    kind = max(sums, key=lambda kind: (sums[kind].failed, -kind))
    by_technique: dict[Technique, int] = {}
    for front in [one for one in attack.fronts if one.kind == kind] or attack.fronts:
        by_technique[front.technique] = by_technique.get(front.technique, 0) + front.failed
    technique = max(by_technique, key=lambda technique: (by_technique[technique], technique))
    ordered = sorted(attack.fronts, key=lambda front: (-front.failed, front.kind, front.key))
    ranges = [front for front in ordered if front.kind == Kind.PREFIX]
    others = [front for front in ordered if front.kind != Kind.PREFIX]
    return Attack(
        campaign_id=attack.campaign_id,
        revision=attack.revision + 1,
        technique=technique,
        techniques=TECHNIQUE_IDS[technique],
        indicator=attack.indicator,
        value=attack.value,
        first_seen=attack.first_seen,
        last_seen=attack.last_seen,
        tried=sums[kind].tried,
        failed=sums[kind].failed,
        accounts=sums[kind].accounts,
        entered=max(one.entered for one in sums.values()),
        indicators=tuple(map(_listed, [*ranges[:_RANGES], *others[:_OTHERS]])),
        ranges=sums[Kind.PREFIX].fronts if Kind.PREFIX in sums else 0,
        merged_from=attack.merged_from,
    )


def _listed(front: Front) -> AttackedIndicator:
    return AttackedIndicator(
        indicator=front.id,
        value=front.shown,
        tried=front.tried,
        failed=front.failed,
        accounts=front.accounts,
    )


def _name(front: Front) -> str:
    """Return the id of the attack that an indicator is the first of, the same in every run.

    What goes on after it was forgotten is another: what was told of it would be told otherwise.
    """
    text = f"{front.id}:{front.since:.0f}"
    if front.revision > 1:
        text += f":{front.revision}"
    return blake2b(text.encode(), digest_size=12).hexdigest()


def _key(name: str) -> bytes:
    return b"g:u:" + name.encode()

"""The accounts of a partition: profiles, cases and examples, decoded while they are in use."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from msgspec import structs

from detectors import cases, examples, profiles
from detectors.cases import Case
from detectors.examples import Example
from detectors.features.reading import HABIT
from detectors.habits import make_room
from detectors.profiles import Profile


class Accounts:
    """Reads account records through `read` and keeps at most about `limit` of them decoded.

    What was changed stays until it is handed over; only then may it make room.
    """

    def __init__(self, read: Callable[[bytes], bytes | None], limit: int) -> None:
        self._read = read
        self._limit = limit
        self._profiles: dict[str, Profile] = {}
        self._cases: dict[str, Case | None] = {}
        self._examples: dict[str, list[Example]] = {}
        self._dirty: dict[str, None] = {}
        self._dirty_cases: dict[str, None] = {}
        self._dirty_examples: dict[str, None] = {}

    def profile(self, account_id: str) -> Profile | None:
        """Return an account's profile, None where it was never seen."""
        profile = self._profiles.get(account_id)
        if profile is None:
            stored = self._read(b"a:" + account_id.encode())
            if stored is not None:
                profile = profiles.decode(stored)
                if len(self._profiles) > 2 * self._limit:
                    _evict(self._profiles, self._dirty, self._limit)
                self._profiles[account_id] = profile
        return profile

    def put(self, account_id: str, profile: Profile) -> None:
        """Note that an account's profile is new, or was changed; what is used least makes room."""
        make_room(profile, HABIT)
        self._profiles[account_id] = profile
        self._dirty[account_id] = None

    def case(self, account_id: str) -> Case | None:
        """Return an account's last case, None where it has none."""
        if account_id not in self._cases:
            stored = self._read(b"c:" + account_id.encode())
            self._cases[account_id] = None if stored is None else cases.decode(stored)
        return self._cases[account_id]

    def put_case(self, account_id: str, case: Case) -> None:
        """Note that an account's case is new, or was changed."""
        self._cases[account_id] = case
        self._dirty_cases[account_id] = None

    def examples(self, account_id: str) -> list[Example]:
        """Return the account's events that await a verdict."""
        kept = self._examples.get(account_id)
        if kept is None:
            stored = self._read(b"x:" + account_id.encode())
            kept = [] if stored is None else examples.decode(stored)
            self._examples[account_id] = kept
        return kept

    def put_examples(self, account_id: str) -> None:
        """Note that an account's examples changed."""
        self._dirty_examples[account_id] = None

    @property
    def changed(self) -> int:
        """How many accounts' profiles were changed, and stay decoded, since the last hand-over."""
        return len(self._dirty)

    def stored(self, account_id: str) -> Iterator[tuple[bytes, bytes]]:
        """Return an account's profile and case as they would be handed over now."""
        profile, case = self.profile(account_id), self.case(account_id)
        if profile is not None:
            yield b"a:" + account_id.encode(), profiles.encode(profile)
        if case is not None:
            yield b"c:" + account_id.encode(), cases.encode(case)

    def stored_examples(self, account_id: str) -> Iterator[tuple[bytes, bytes]]:
        """Return the account's events that await a verdict, without who had reported what of them.

        What they are judged by again does not need it, and it is not the account's own.
        """
        if awaiting := [structs.replace(one, sources=[]) for one in self.examples(account_id)]:
            yield b"x:" + account_id.encode(), examples.encode(awaiting)

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what changed, and make room."""
        changed: dict[bytes, bytes | None] = {}
        for account_id in self._dirty:
            changed[b"a:" + account_id.encode()] = profiles.encode(self._profiles[account_id])
        for account_id in self._dirty_cases:
            case = self._cases[account_id]
            if case is not None:
                changed[b"c:" + account_id.encode()] = cases.encode(case)
        for account_id in self._dirty_examples:
            changed[b"x:" + account_id.encode()] = examples.encode(self._examples[account_id])
        for dirty in (self._dirty, self._dirty_cases, self._dirty_examples):
            dirty.clear()
        _evict(self._profiles, self._dirty, self._limit)
        _evict(self._cases, self._dirty_cases, self._limit)
        _evict(self._examples, self._dirty_examples, self._limit // 4)
        return changed


def _evict(kept: dict[str, Any], dirty: dict[str, None], limit: int) -> None:
    surplus = len(kept) - limit
    if surplus > 0:
        for key in list(islice((key for key in kept if key not in dirty), surplus)):
            del kept[key]

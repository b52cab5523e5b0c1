"""Every constant a detector runs under, in one frozen object."""

import hashlib

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, half-lives and seeds. Fields are added by what needs them, each with its unit.

    seed: of the half-space trees.
    alert_budget: share of account-days (an account and a UTC day with events) that may alert.
    alert_floor: risk, 0 to 1, below which nothing alerts whatever the budget has left.
    medium_risk, high_risk, critical_risk: risk from which an alert has that severity.
    habit_half_life_days: after how long a habit weighs half.
    story_half_life_days: after how long a suspicious thing of the account weighs half.
    case_quiet_hours: event time without a flagged event after which a case is closed.
    base_rate: prior share of events that are a hijacker's.
    profile_cache: how many decoded accounts are kept in memory.
    examples_per_account: how many events of an account await a verdict.
    """

    seed: int = 7
    alert_budget: float = 0.003
    alert_floor: float = 0.02
    medium_risk: float = 0.2
    high_risk: float = 0.5
    critical_risk: float = 0.85
    habit_half_life_days: float = 60.0
    story_half_life_days: float = 3.0
    case_quiet_hours: float = 72.0
    base_rate: float = 0.0005
    profile_cache: int = 20_000
    examples_per_account: int = 12

    def digest(self) -> str:
        """Sixteen hexadecimal digits that differ wherever any field does."""
        return hashlib.blake2b(msgspec.json.encode(self, order="sorted"), digest_size=8).hexdigest()

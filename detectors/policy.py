"""Every constant a detector runs under, in one frozen object."""

import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

Risk = Annotated[float, Meta(gt=0, lt=1)]
"""A probability that has log-odds."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, half-lives and seeds. Fields are added by what needs them, each with its unit.

    Ranges are held where a policy is read from outside, and `medium_risk` < `high_risk` <
    `critical_risk` as well (`streams.configuration`); the constructor checks nothing.

    seed: of the half-space trees.
    alert_budget: share of account-days (an account and a UTC day) that may alert below high_risk.
    alert_floor: risk, 0 to 1, below which nothing alerts whatever the budget has left.
    medium_risk, high_risk, critical_risk: risk from which an alert has that severity.
    story_half_life_days: after how long a suspicious thing of the account weighs half.
    case_quiet_hours: event time without a flagged event after which a case is closed.
    base_rate: prior share of events that are a hijacker's.
    profile_cache: how many decoded accounts a partition keeps in memory, about 7 kB each.
    examples_per_account: how many events of an account await a verdict.
    """

    seed: Annotated[int, Meta(ge=0, le=4_294_967_295)] = 7
    alert_budget: Annotated[float, Meta(gt=0, le=1)] = 0.003
    alert_floor: Risk = 0.02
    medium_risk: Risk = 0.2
    high_risk: Risk = 0.5
    critical_risk: Risk = 0.85
    story_half_life_days: Annotated[float, Meta(ge=0.01, le=3650)] = 3.0
    case_quiet_hours: Annotated[float, Meta(ge=0.1, le=87_600)] = 72.0
    base_rate: Risk = 0.0005
    profile_cache: Annotated[int, Meta(ge=1, le=10_000_000)] = 5_000
    examples_per_account: Annotated[int, Meta(ge=1, le=100)] = 12

    def digest(self) -> str:
        """Sixteen hexadecimal digits that differ wherever any field does."""
        return hashlib.blake2b(msgspec.json.encode(self, order="sorted"), digest_size=8).hexdigest()

"""What an indicator's counts mean: how much more fails through it than customers account for.

Of N accounts that were tried by strangers (nothing of theirs known to the account), F were not
entered. Customers on a new phone fail as well, with share q; what they do not account for,
`(F - q N) / (1 - q)`, is an attack's, where it is more than chance: N KL(F/N || q) nats against
customers alone (the likelihood ratio of a binomial test). The same is asked of failures on accounts
that do not exist, where the shop tells them: a list of names from elsewhere is full of them.

**The weight of evidence.** Of what an attack tries, a share p gets in; of strangers that get in, a
share o are hijackers when no attack is on. So a stranger who got in through the indicator has odds
`1 + excess p / (customers o)` times as bad as elsewhere. Stuffing lists succeed by 0.1 to 2 % (p is
taken as 1 %), and the shipped base rate puts o near 0.25 %: `_PAYS` is their ratio. How many
customers got in is told by the indicator's custom in peace rather than by who got in now.
"""

from math import log
from typing import Final, NamedTuple

from detectors.heat.distinct import Distinct
from detectors.heat.indicators import KINDS
from detectors.heat.records import Technique
from detectors.heat.tally import (
    DAYS,
    FAST,
    HALF_LIVES,
    HOURS,
    MOST_STAYS,
    USUAL,
    Failures,
    Rates,
    Tally,
)

_PAYS: Final = 4.0
_DOUBT: Final = 0.2
"""Customers who may be among those who got in, whatever the counts say."""
_FIRM: Final = {True: 4.0, False: 0.5}
"""How firm custom is, in customers, of what is shared by hundreds and of an address or device:
offices and gateways come and go."""
MOST: Final = 6.0
"""Nats that heat can add at most."""
LEAST: Final = 0.5
"""Nats below which an indicator is not worth telling."""
_SURE: Final = 10.0
"""Nats against chance from which on customers do not account for what fails: one in 20,000 times
an indicator and window."""
_MOST_UNKNOWN: Final = 0.9
"""Share of customers' tries that may be on no account, however many of them fail."""
_FAILURES: Final = 4.0
_FEWEST: Final = 5
"""Accounts without which it is no attack on many."""
_STAYS: Final = {FAST: 60.0, HOURS: 720.0, DAYS: MOST_STAYS}
"""Minutes after the last failure for which a verdict on a window holds."""
_MANY_AN_ADDRESS: Final = 4.0
_A_DAY: Final = 600.0
"""Tries a day above which no attack is slow."""


class Judgement(NamedTuple):
    """An attack through an indicator: weight of evidence (nats), what it was seen by, how long.

    It `holds` for so many minutes after the last failure. `most` is whether the attack's tries are
    at least half of all.
    """

    nats: float
    window: int
    technique: Technique
    tried: int
    failed: int
    holds: float
    most: bool


class Customers(NamedTuple):
    """How often strangers who are customers fail, and fail on no account, on ordinary days.

    `rise` is how much more than usual customers fail at the moment on what their accounts know.
    `entered` is how many strangers got in, in each window.
    """

    failing: float
    unknown: float
    rise: float
    entered: tuple[float, ...]


def judge(tally: Tally, customers: Customers) -> Judgement | None:
    """Return what attack an indicator's counts show, None where customers account for them."""
    failures = tally.failures
    if failures is None or not may_be_attacked(failures) or failures.tried_accounts < _FEWEST:
        return None
    rates = failures.rates
    quiet = rates.at - failures.failed
    best: tuple[float, int, float] | None = None
    usual_failing, usual_unknown = _usual(rates)
    for window in (FAST, HOURS, DAYS):
        tried, failed, unknown = rates.window(window)
        # Customers who come when nothing fails any more say nothing of what is over.
        if failed < _FAILURES or quiet >= _STAYS[window]:
            continue
        expected = max(customers.unknown, usual_unknown)
        if window == FAST and not KINDS[tally.kind].coarse:
            # Counted whole in this window: `rise` is what customers do within the same minutes. In
            # an outage, nearly none of whose customers have no account, that tells far more than to
            # count less of them.
            expected = min(expected * customers.rise, _MOST_UNKNOWN)
        excess = max(
            _excess(tried, failed, max(customers.failing, usual_failing)),
            _excess(tried, unknown, expected),
        )
        if excess > 0.0:
            entered = _customers(tally, rates.entered(window), window, customers)
            nats = _nats(excess, entered)
            if best is None or nats > best[0] + 0.3:
                best = nats, window, excess
    if best is None or best[0] < LEAST:
        return None
    nats, window, excess = best
    tried, failed, _ = rates.window(window)
    technique = _technique(rates, window, Distinct.count(failures.networks))
    most, holds = excess >= tried / 2.0, _STAYS[window]
    return Judgement(nats, window, technique, round(tried), round(failed), holds, most)


def may_be_attacked(failures: Failures) -> bool:
    """Return whether enough has failed through an indicator at all for `judge` to be asked."""
    # Nothing fades more slowly than what is summed over days.
    return failures.rates.days_failed >= _FAILURES


def everywhere(rates: Rates, customers: Customers, window: int) -> float:
    """Return what a window of everybody's rates tells of all strangers, nats."""
    tried, failed, _ = rates.window(window)
    excess = (failed - customers.failing * tried) / (1.0 - customers.failing)
    return _nats(excess, rates.entered(window)) if excess > 0.0 else 0.0


def _customers(tally: Tally, entered: float, window: int, customers: Customers) -> float:
    """Return how many customers are expected among those who got in by an indicator in a window.

    By what the indicator is used for in peace, its share of all strangers who got in, and by how
    many did get in now: the mean of a gamma distribution. Without the first, an attack that is let
    in often would hide behind its own successes.
    """
    usual = tally.failures.rates.entered(USUAL) if tally.failures is not None else 0.0
    share = min((usual + 0.5) / (customers.entered[USUAL] + 1.0), 1.0)
    expected, firm = customers.entered[window] * share, _FIRM[KINDS[tally.kind].coarse]
    return expected * (firm + entered) / (firm + expected)


def _nats(excess: float, entered: float) -> float:
    return min(log(1.0 + _PAYS * excess / (entered + _DOUBT)), MOST)


def _excess(tried: float, failed: float, share: float) -> float:
    """Return how many failures customers do not account for; 0 where that may be chance."""
    seen = failed / tried if tried > failed else 1.0
    if seen <= share:
        return 0.0
    against = seen * log(seen / share)
    if seen < 1.0:
        against += (1.0 - seen) * log((1.0 - seen) / (1.0 - share))
    if max(tried, failed) * against < _SURE:
        return 0.0
    return (failed - share * tried) / (1.0 - share)


def _usual(rates: Rates) -> tuple[float, float]:
    """Return the indicator's own share of failures while it was not under suspicion."""
    tried, failed, unknown = rates.window(USUAL)
    backing = 100.0
    return min(failed / (tried + backing), 0.9), min(unknown / (tried + backing), 0.9)


def _technique(rates: Rates, window: int, networks: int) -> Technique:
    failed = rates.window(window)[1]
    if failed >= _MANY_AN_ADDRESS * max(networks, 1):
        return "fast_stuffing"
    # A window's sum is its half-life over ln 2 times the rate.
    a_day = failed / (HALF_LIVES[window] / log(2.0)) * 1_440.0
    return "spraying" if a_day >= _A_DAY else "slow_stuffing"

"""From a score to what it means: risk, severity, stage, and what to do now."""

from itertools import compress
from math import exp, log
from typing import Final

from detectors.arithmetic import rounded
from detectors.assessments import Action, Severity, Stage
from detectors.events import EventType
from detectors.features.heat import GUESSING, HEAT
from detectors.features.reading import LOGIN, ORDER, Reading
from detectors.features.registry import WIDTH
from detectors.models.feedback import VerdictModel
from detectors.models.prior import Prior
from detectors.policy import Policy

_ALL: Final = tuple(range(WIDTH))
STAGES: Final[tuple[Stage, ...]] = ("probe", "access", "entrench", "cash_out")
TYPES: Final[tuple[EventType, ...]] = ("login", "order", "account_change")
ACTIONS: Final[tuple[Action, ...]] = ("monitor", "step_up", "hold_order", "lock_account")
"""The gravest last."""
SEVERITIES: Final[tuple[Severity, ...]] = ("low", "medium", "high", "critical")
UNLOCKED: Final = 2
"""The gravest severity, as a position in SEVERITIES, that locks no account."""


def logistic(score: float) -> float:
    """Return the probability of log odds in nats."""
    if score < -30:
        return exp(score)
    return 1.0 / (1.0 + exp(-score))


def log_odds(probability: float) -> float:
    """Return the log odds, nats, of a probability between 0 and 1."""
    return log(probability / (1.0 - probability))


def counted(reading: Reading, prior: Prior, verdicts: VerdictModel) -> list[float]:
    """Return the features as they count in the score, nats: by the prior and by the verdicts.

    What others report comes last, behind the vector.
    """
    weights, values = prior.weights[reading.type], reading.weights
    if not reading.success or not verdicts.verdicts:
        told = [weight * value for weight, value in zip(weights, values, strict=True)]
    else:
        trust = verdicts.trust
        told = [
            (weight + trust * correction) * value
            for weight, correction, value in zip(weights, verdicts.corrections, values, strict=True)
        ]
    told.append(reading.shared)
    return told


def telling_of(reading: Reading, prior: Prior, verdicts: VerdictModel) -> tuple[float, float]:
    """Return the sum of what speaks for a hijacker in a sign-in, nats, and what of it is guessing.

    What heat says of it is left out: an attack's share is added to that.
    """
    weights, values = prior.weights[reading.type], reading.weights
    corrected = reading.success and verdicts.verdicts > 0
    trust, corrections = (verdicts.trust, verdicts.corrections) if corrected else (0.0, ())
    telling = guessing = 0.0
    for at in compress(_ALL, values):  # most are nought
        if at != HEAT:
            weight = weights[at]
            if corrected:
                weight += trust * corrections[at]
            told = weight * values[at]
            if told > 0.0:
                telling += told
                if at == GUESSING:
                    guessing = told
    return rounded(telling + max(reading.shared, 0.0), 3), rounded(guessing, 3)


def severity_of(risk: float, policy: Policy) -> int:
    """Return how grave a risk is, as a position in SEVERITIES."""
    if risk >= policy.critical_risk:
        return 3
    if risk >= policy.high_risk:
        return 2
    return 1 if risk >= policy.medium_risk else 0


def stage_of(reading: Reading) -> int:
    """Return how far a hijack has come with this event, as a position in STAGES."""
    return 0 if reading.type == LOGIN and not reading.success else stage_after(reading.type)


def stage_after(type_: int) -> int:
    """Return how far a hijack has come that was let do an event of a type."""
    if type_ == LOGIN:
        return 1
    return 3 if type_ == ORDER else 2


def action_for(severity: int, stage: int) -> int:
    """Return what to do now, as a position in ACTIONS.

    What costs a customer little comes first: a step-up where a sign-in can still be asked, a hold
    where an order waits, a lock only where there is hardly a doubt.
    """
    if severity == 0:
        return 0
    if severity > UNLOCKED and stage >= 2:
        return 3
    if stage == 3:
        return 2
    return 1

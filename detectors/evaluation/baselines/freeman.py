"""Freeman et al., "Who Are You? A Statistical Approach to Measuring User Authenticity", NDSS 2016.

Smoothing, weights and levels follow the authors' reference implementation as published with the
RBA data set (Wiefling et al. 2022).
"""

from collections import Counter, defaultdict
from typing import Final, NamedTuple

from detectors.engine import Observed
from detectors.evaluation.baselines.plain import Plain
from detectors.events import Login
from detectors.facts import Facts

ADDRESS_WEIGHTS: Final = (0.6, 0.3, 0.1)
"""Of the address, its autonomous system, its country."""

CLIENT_WEIGHTS: Final = (0.53867, 0.26805, 0.18818, 0.00511)
"""Of the user-agent string, the browser, the operating system, the type of device."""

Levels = tuple[object, ...]


class _Counts:
    """How often each value of each level was seen, and what coarser values came with the finest."""

    def __init__(self, weights: tuple[float, ...]) -> None:
        self.weights = weights
        self.levels: list[Counter[object]] = [Counter() for _ in weights]
        self.coarser: defaultdict[object, set[tuple[int, object]]] = defaultdict(set)

    def add(self, values: Levels) -> None:
        for level, value in zip(self.levels, values, strict=True):
            level[value] += 1
        self.coarser[values[0]].update(enumerate(values[1:], start=1))

    def probability(self, values: Levels, rows: int) -> float:
        """The population's probability of these values, smoothed so that none is impossible."""
        seen = self.levels[0][values[0]]
        unseen_outer = 1 + sum(len(level) for level in self.levels[1:])
        outer = max(seen, 1) / (rows + unseen_outer)
        inner = seen / (seen + 1 + len(self.coarser[values[0]])) if seen else 1.0
        coarse = zip(self.weights[1:], self.levels[1:], values[1:], strict=True)
        return self.weights[0] * inner * outer + sum(w * c[value] / rows for w, c, value in coarse)


class _User(NamedTuple):
    sign_ins: list[int]
    address: list[Counter[object]]
    client: list[Counter[object]]


class Freeman:
    """Risk of a sign-in: how much likelier it is for anybody than for this user.

    `Π_f pG_f / pU_f · (1/users) / (N_u/N)` over the features address and client. Only successful
    sign-ins are scored and learnt, and a user without history is not scored: both count as 0.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._address = _Counts(ADDRESS_WEIGHTS)
        self._client = _Counts(CLIENT_WEIGHTS)
        self._users: dict[str, _User] = {}

    def assess(self, observed: Observed, plain: Plain) -> float:  # noqa: ARG002 - the protocol's
        """Score a successful sign-in; the risk is a ratio of likelihoods, 0 upwards."""
        event, facts = observed.event, observed.facts
        if not isinstance(event, Login) or event.outcome != "success":
            return 0.0
        user = self._users.get(event.account_id)
        if user is None:
            return 0.0
        risk = (1 / len(self._users)) / (user.sign_ins[0] / self._rows)
        for counts, own, values in (
            (self._address, user.address, address_levels(event, facts)),
            (self._client, user.client, client_levels(event, facts)),
        ):
            anybody = counts.probability(values, self._rows)
            of_user = _own_probability(own, values, counts.weights, user.sign_ins[0])
            risk *= anybody / (of_user or anybody / 4)
        return risk

    def learn(self, observed: Observed, plain: Plain | None) -> None:  # noqa: ARG002 - the protocol's
        """Count a successful sign-in."""
        event, facts = observed.event, observed.facts
        if not isinstance(event, Login) or event.outcome != "success":
            return
        address, client = address_levels(event, facts), client_levels(event, facts)
        user = self._users.get(event.account_id)
        if user is None:
            user = self._users[event.account_id] = _User(
                [0], [Counter() for _ in address], [Counter() for _ in client]
            )
        self._rows += 1
        user.sign_ins[0] += 1
        self._address.add(address)
        self._client.add(client)
        for level, value in zip((*user.address, *user.client), (*address, *client), strict=True):
            level[value] += 1


def _own_probability(
    own: list[Counter[object]], values: Levels, weights: tuple[float, ...], sign_ins: int
) -> float:
    """The user's own probability of these values, unsmoothed: 0 where all are new."""
    levels = zip(weights, own, values, strict=True)
    return sum(weight * level[value] for weight, level, value in levels) / sign_ins


def address_levels(event: Login, facts: Facts) -> Levels:
    """The address from the finest level to the coarsest."""
    return event.ip, facts.asn, facts.country


def client_levels(event: Login, facts: Facts) -> Levels:
    """The user agent from the finest level to the coarsest."""
    return (
        event.user_agent,
        (facts.browser, facts.browser_version),
        (facts.os, facts.os_version),
        facts.device_type,
    )

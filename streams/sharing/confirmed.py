"""Which campaigns are confirmed, and what of them may leave the house.

A campaign is confirmed by a `takeover` verdict on one of its accounts, or by so many alerted
accounts as its retailer names. Accounts that a verdict has cleared do not count. Of a confirmed
campaign an indicator is told that at least `minimum` of its alerts came with, where at least so
many accounts are in it: what is told is a group's, nobody's own.

What of an indicator is told follows from its kind. Where goods and mail go, how they are paid and
with which device is a person's: keyed hashes. So is an address range, unless it is a hosting
company's, a VPN service's or Tor's, where nobody lives. An operator (of those kinds) and a user
agent that so many hijacked accounts met are told as they are. A client's shape is not told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from detectors.campaigns.records import Campaign, SharedIndicator
from detectors.events import Feedback
from detectors.facts import NetworkKind
from detectors.heat.indicators import Kind
from detectors.intelligence import GroupKey, IndicatorReport, keyed_hash, report_id
from detectors.intelligence.records import KIND_OF, LONGEST, KindName
from detectors.markings import Marking
from streams.enrichment.networks import kind_by_operator
from streams.sharing.staying import Staying, TakenBack

LEAST: Final = 2
"""The smallest group that anything is told of: what only one account met is that account's."""
_NOBODYS: Final[frozenset[NetworkKind | None]] = frozenset({"hosting", "vpn", "tor"})
_DAY: Final = 86_400.0


class Terms(NamedTuple):
    """On which terms a retailer shares: as `source`, under a marking, for so many days.

    `minimum` is the size of the smallest group that is told of. `unverified` is the number of
    alerted accounts that confirms a campaign without a verdict; None: none does. `key` is the
    group's key in use; without one nothing is told that has to be hashed.
    """

    source: str
    key: GroupKey | None = None
    marking: Marking = "amber"
    days: float = 60.0
    minimum: int = 3
    unverified: int | None = None


class Finding(NamedTuple):
    """A confirmed campaign as others may know it. Times are UTC epoch seconds.

    `indicators` bear the sharing retailer's name as their source; `accounts` counts those that no
    verdict cleared, `verdicts` those that one confirmed. `withheld` of its indicators are not told;
    `staying` are those who told of some under a marking that keeps them here. Where that is all of
    them there are no `indicators`, and nothing is to be told.
    """

    campaign_id: str
    source: str
    first_seen: float
    last_seen: float
    confirmed_at: float
    accounts: int
    verdicts: int
    techniques: tuple[str, ...]
    indicators: tuple[IndicatorReport, ...]
    withheld: int
    staying: tuple[str, ...] = ()


Told = Campaign | Feedback | IndicatorReport | TakenBack


class Confirmed:
    """Takes campaigns, verdicts and others' reports as they come; says what is confirmed by now.

    `kind_of` tells the kind of network of an address range (`2001:db8:1::/48`), `keys` are those
    that others hash with.
    """

    def __init__(
        self,
        terms: Terms,
        kind_of: Callable[[str], NetworkKind | None],
        keys: Sequence[GroupKey] = (),
    ) -> None:
        self._terms = terms
        self._kind_of = kind_of
        self._staying = Staying(terms.source, keys)
        self._campaigns: dict[str, Campaign] = {}
        self._verdicts: dict[str, Feedback] = {}

    def take(self, told: Told) -> None:
        """Take a campaign's revision, a verdict or a report; the latest of each counts."""
        if isinstance(told, IndicatorReport | TakenBack):
            self._staying.take(told)
        elif isinstance(told, Campaign):
            known = self._campaigns.get(told.campaign_id)
            if known is None or known.revision <= told.revision:
                self._campaigns[told.campaign_id] = told
        elif _counts(told):
            before = self._verdicts.get(told.account_id)
            if before is None or before.occurred_at <= told.occurred_at:
                self._verdicts[told.account_id] = told

    def findings(self) -> Iterator[Finding]:
        """Yield every confirmed campaign as it stands, those merged into others left out."""
        named = (one.indicator for of in self._campaigns.values() for one in of.indicators)
        staying = self._staying.sources(named)
        for campaign in self._campaigns.values():
            finding = self._finding(campaign, staying)
            if finding is not None:
                yield finding

    def _finding(self, campaign: Campaign, staying: Mapping[str, Sequence[str]]) -> Finding | None:
        terms = self._terms
        if campaign.merged_into is not None:
            return None
        judged = [
            verdict
            for account in campaign.accounts
            if (verdict := self._verdicts.get(account)) is not None and _is_on(verdict, campaign)
        ]
        takeovers = [verdict.occurred_at for verdict in judged if verdict.verdict == "takeover"]
        cleared = len(judged) - len(takeovers)
        accounts = len(campaign.accounts) - cleared
        least = max(terms.minimum, LEAST)
        if accounts < least:
            return None
        if not takeovers and (terms.unverified is None or accounts < terms.unverified):
            return None
        # As sure as Laplace's rule of succession makes it.
        confidence = round(100 * (len(takeovers) + 1) / (len(judged) + 2))
        confirmed_at = min(takeovers, default=campaign.last_seen)
        told = [
            report
            for shared in campaign.indicators
            # Which accounts an indicator is of is not recorded: all that were cleared, it may be.
            if shared.accounts - cleared >= least
            and shared.indicator not in staying
            and (report := self._report(campaign, shared, confirmed_at, confidence)) is not None
        ]
        names = sorted({n for one in campaign.indicators for n in staying.get(one.indicator, ())})
        if not (told or names):
            return None
        return Finding(
            campaign_id=campaign.campaign_id,
            source=terms.source,
            first_seen=campaign.first_seen,
            last_seen=campaign.last_seen,
            confirmed_at=confirmed_at,
            accounts=accounts,
            verdicts=len(takeovers),
            techniques=campaign.techniques,
            indicators=tuple(told),
            withheld=len(campaign.indicators) - len(told),
            staying=tuple(names),
        )

    def _report(
        self, campaign: Campaign, shared: SharedIndicator, begins: float, confidence: int
    ) -> IndicatorReport | None:
        terms = self._terms
        name, _, _ = shared.indicator.partition(":")
        kind = KIND_OF.get(name)
        if kind is None or kind is Kind.SHAPE:
            return None
        value = hashed = key_id = None
        if self._is_plain(kind, shared.value):
            value = shared.value
        elif kind is Kind.OPERATOR or terms.key is None:
            return None
        else:
            hashed, key_id = keyed_hash(terms.key, shared.indicator), terms.key.key_id
        kind_name: KindName = name  # type: ignore[assignment]  # a name of KIND_OF is one
        until = max(campaign.last_seen, begins) + terms.days * _DAY
        return IndicatorReport(
            indicator_id=report_id(terms.source, name, value or f"{key_id}:{hashed}"),
            source=terms.source,
            kind=kind_name,
            valid_from=begins,
            valid_until=min(until, begins + LONGEST),
            value=value,
            hash=hashed,
            key_id=key_id,
            confidence=confidence,
            sightings=shared.alerts,
            techniques=campaign.techniques[:20],
            tlp=terms.marking,
            campaign=campaign.campaign_id,
        )

    def _is_plain(self, kind: Kind, value: str | None) -> bool:
        """Whether a value may be told as it is: nobody lives there, and many have it."""
        if value is None:
            return False
        if kind is Kind.PREFIX:
            return self._kind_of(value) in _NOBODYS
        if kind is Kind.OPERATOR:
            return kind_by_operator(int(value)) in _NOBODYS
        return kind is Kind.AGENT


def confirmed(
    terms: Terms,
    kind_of: Callable[[str], NetworkKind | None],
    told: Iterable[Told],
    keys: Sequence[GroupKey] = (),
) -> list[Finding]:
    """Return what campaigns and verdicts, in any order, confirm; `keys` are those in use."""
    known = Confirmed(terms, kind_of, keys)
    for one in told:
        known.take(one)
    return list(known.findings())


def _counts(verdict: Feedback) -> bool:
    """Customers' own word that it was them clears nobody's attacker: a hijacker can give it."""
    return not (verdict.source == "customer" and verdict.verdict == "legitimate")


def _is_on(verdict: Feedback, campaign: Campaign) -> bool:
    """Whether a verdict on one of a campaign's accounts is on what the campaign did there."""
    if verdict.alert_id is not None:
        return verdict.alert_id in campaign.alert_ids
    return verdict.occurred_at >= campaign.first_seen

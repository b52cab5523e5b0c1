"""What the alerts were worth: each held against the hijacks that were staged."""

from collections.abc import Iterable, Iterator
from math import inf
from statistics import median
from typing import Final, Literal, NamedTuple, get_args

from detectors.assessments import Action, Alert
from detectors.campaigns import Campaign
from detectors.simulation import SimulatedEvent, Staged, Story

_ACTIONS: Final = get_args(Action)  # from the mildest to the gravest
Kind = Literal["hijack", "attempt", "customer"]


class Finding(NamedTuple):
    """What an alert turned out to be about.

    `kind` is "attempt" for thieves' tries that gave no access, "customer" for a false alert.
    `first` is true for the first revision that names an event of the hijack. `latency` is the
    seconds by the clock from sending the event to reading its alert, None where that is unknown.
    """

    kind: Kind
    hijack: Staged | None
    first: bool
    latency: float | None


class Result(NamedTuple):
    """What became of one hijack; `alert` is the first that named one of its events.

    `after_access` is seconds of event time, `in_time` whether that was at its first order or
    before. `gravest` is the gravest alert that was in time, None where none was.
    """

    hijack: Staged
    alert: Alert | None = None
    after_access: float | None = None
    gravest: Alert | None = None

    @property
    def in_time(self) -> bool:
        """Whether anybody could have acted before the goods were gone."""
        return self.gravest is not None

    @property
    def stopped(self) -> bool:
        """Whether what was asked for in time stands in the thief's way."""
        return self.gravest is not None and self.gravest.action != "monitor"

    @property
    def told_by_others(self) -> bool:
        """Whether what the same attack did to other accounts was the first reason."""
        return self.alert is not None and any(
            reason.code == "hot_indicator" for reason in self.alert.reasons[:1]
        )


class Gang(NamedTuple):
    """A campaign that was told, and what is true of it: its hijacks, and others' accounts."""

    campaign: Campaign
    hijacks: tuple[Staged, ...]
    others: int

    @property
    def staged(self) -> int:
        """How many staged campaigns it holds: one is right."""
        return len({hijack.campaign for hijack in self.hijacks})


class Summary(NamedTuple):
    """The demonstration in figures.

    `customers` are those who came in the live part and were not hijacked. `false_alerts` are cases
    about customers alone, raised by live traffic; `early_false_alerts` those that the history
    raised. `attempts` are cases about tries without access.
    `delay` is the median of seconds of event time from access to alert, `latency` that of
    seconds by the clock from sending an event to reading its alert.
    """

    events: int
    customers: int
    results: tuple[Result, ...]
    gangs: tuple[Gang, ...]
    attempts: int
    false_alerts: int
    early_false_alerts: int
    delay: float | None
    latency: float | None

    @property
    def caught(self) -> int:
        """Hijacks that were alerted at all."""
        return sum(result.alert is not None for result in self.results)

    @property
    def in_time(self) -> int:
        """Hijacks that were alerted at their first order or before."""
        return sum(result.in_time for result in self.results)

    @property
    def stopped(self) -> int:
        """Hijacks met in time by a second factor, a held order or a locked account."""
        return sum(result.stopped for result in self.results)


class Outcome:
    """Takes alerts as they come and tells what each was about."""

    def __init__(self, story: Story, live_from: float) -> None:
        self._hijacks = story.hijacks
        self._live_from = live_from
        self._events = len(story.live)
        self._customers = len({event.event["account_id"] for event in story.live})
        self._by_event = {
            event_id: hijack for hijack in story.hijacks for event_id in hijack.event_ids
        }
        self._tries = frozenset(_tries(story.live))
        self._alerts: dict[Staged, list[Alert]] = {}
        self._cases: dict[str, Kind] = {}
        self._early: set[str] = set()
        self._latencies: list[float] = []
        self._joined: dict[str, str | None] = {}
        self._campaigns: dict[str, Campaign] = {}

    def take(self, alert: Alert, latency: float | None) -> Finding:
        """Judge one alert; revisions of a case may come in any number."""
        hijack = next((self._by_event[e] for e in alert.event_ids if e in self._by_event), None)
        tried = not self._tries.isdisjoint(alert.event_ids)
        kind: Kind = "hijack" if hijack else "attempt" if tried else "customer"
        first = hijack is not None and hijack not in self._alerts
        if hijack is not None:
            self._alerts.setdefault(hijack, []).append(alert)
        if self._cases.get(alert.alert_id) != "hijack":
            self._cases[alert.alert_id] = kind
        if alert.raised_at < self._live_from:
            self._early.add(alert.alert_id)
        # That it belongs to a campaign is told for no event of its own.
        joined = self._joined.get(alert.alert_id) != alert.campaign_id
        self._joined[alert.alert_id] = alert.campaign_id
        if latency is not None and not joined and alert.updated_at >= self._live_from:
            self._latencies.append(latency)
        return Finding(kind, hijack, first, None if joined else latency)

    def take_campaign(self, campaign: Campaign) -> bool:
        """Note a campaign's revision; return whether it is news of the live part."""
        known = self._campaigns.get(campaign.campaign_id)
        if known is not None and campaign.revision < known.revision:
            return False
        self._campaigns[campaign.campaign_id] = campaign
        grown = known is None or len(known.accounts) < len(campaign.accounts)
        return campaign.last_seen >= self._live_from and (grown or bool(campaign.merged_into))

    def _gangs(self) -> Iterator[Gang]:
        hijacks = {hijack.account_id: hijack for hijack in self._hijacks}
        for campaign in self._campaigns.values():
            if campaign.merged_into is None and campaign.last_seen >= self._live_from:
                own = tuple(hijacks[a] for a in campaign.accounts if a in hijacks)
                yield Gang(campaign, own, len(campaign.accounts) - len(own))

    def summary(self) -> Summary:
        """The figures so far."""
        results = tuple(self._result(hijack) for hijack in self._hijacks)
        customers = {case for case, kind in self._cases.items() if kind == "customer"}
        delays = [r.after_access for r in results if r.after_access is not None]
        return Summary(
            events=self._events,
            customers=self._customers - len(self._hijacks),
            results=results,
            gangs=tuple(self._gangs()),
            attempts=sum(kind == "attempt" for kind in self._cases.values()),
            false_alerts=len(customers - self._early),
            early_false_alerts=len(customers & self._early),
            delay=median(delays) if delays else None,
            latency=median(self._latencies) if self._latencies else None,
        )

    def _result(self, hijack: Staged) -> Result:
        alerts = self._alerts.get(hijack)
        if not alerts:
            return Result(hijack)
        # An alert's time is written to the millisecond, an event's is finer.
        delay = max(0.0, alerts[0].updated_at - hijack.accessed)
        end = inf if hijack.ordered is None else hijack.ordered
        in_time = [alert for alert in alerts if alert.updated_at <= end]
        gravest = max(in_time, key=lambda alert: _ACTIONS.index(alert.action), default=None)
        return Result(hijack, alerts[0], delay, gravest)


def _tries(events: Iterable[SimulatedEvent]) -> Iterable[str]:
    for event in events:
        if event.truth is not None and not event.truth.takeover:
            yield event.event["event_id"]

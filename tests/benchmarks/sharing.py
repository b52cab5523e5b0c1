"""What two retailers gain by sharing: hijacks of the gangs that hit both, each alone and together.

    python -m tests.benchmarks.sharing                       # held-out seeds
    python -m tests.benchmarks.sharing --pairs 531 532 --json FILE

Two simulated shops on one internet. Gangs move from one to the other within the two months: half
of them from the first to the second, half the other way. Once a day each shop exports what is
confirmed by then as a STIX bundle, and imports the other's: by the code of `nightlatch intel`. Each
shop's events also go through an engine that hears of nobody. A hijack is caught if it is alerted by
its first order, at thresholds that alert the same share of legitimate account-days. What is on the
wire is searched for every raw identifier of both shops' events.

`reach` is the most that any sharing could do: caught alone, or brought by its first order an
address range, device, delivery address, card or contact that the same gang had brought to the other
shop before, whether that shop had noticed or not. `verdicts` is the part of it that the other shop
could tell of a group of confirmed victims, alerted or not: so many accounts (`--minimum`) as had a
takeover verdict by then had been hit with the thing.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from detectors.campaigns.records import Campaign
from detectors.engine import Observed
from detectors.evaluation.judging import BUDGETS, JudgedHijack, judge
from detectors.evaluation.ledger import Ledger
from detectors.evaluation.scores import Scores
from detectors.evaluation.trial import trial_of
from detectors.events import AccountChange, Event, Feedback, Order
from detectors.facts import NetworkKind
from detectors.heat.indicators import Kind, Met
from detectors.heat.sightings import came_with, carried
from detectors.intelligence import GroupKey, IndicatorReport, IndicatorTable
from detectors.policy import Policy
from detectors.simulation import draw_telemetry
from streams.backtesting import PrequentialEngine
from streams.sharing import importing
from streams.sharing.confirmed import Confirmed, Terms
from streams.sharing.networks import kind_of_range
from streams.sharing.stix import bundle_of
from streams.sharing.stix_reading import read_stix
from tests.benchmarks.shops import DAYS, START, SimulatedRun

PAIRS: Final = ((531, 532), (533, 534))
WAYS: Final = ("alone", "sharing", "verdicts", "reach")
WHOSE: Final = {
    "common": "gangs that hit both",
    "told": "gangs that the other shop had told of",
    "own": "gangs that hit one",
}
_TELLING: Final = frozenset({Kind.PREFIX, Kind.DEVICE, Kind.DELIVERY, Kind.PAYMENT, Kind.CONTACT})
_DAY: Final = 86_400.0
_KEY: Final = GroupKey("benchmark", bytes(range(32)))


class Shop:
    """A retailer: its traffic, an engine that hears of nobody, and one that hears of others."""

    def __init__(self, name: str, run: SimulatedRun, terms: Terms) -> None:
        self.name = name
        self.labels = run.labels
        self.ledger = Ledger(run.labels)
        self.table = IndicatorTable([_KEY])
        self.engines = {
            False: PrequentialEngine(Policy()),
            True: PrequentialEngine(Policy(), intelligence=self.table),
        }
        self.scores = {shared: Scores() for shared in (False, True)}
        self.raw: set[str] = set()
        self.wire: dict[bytes, None] = {}
        self.told: dict[str, float] = {}
        self.brought: dict[tuple[str, Met], dict[str, float]] = {}
        self._taken_over: dict[str, float] = {}
        self._hijacks: dict[tuple[str, str], _Brought] = {}
        self._gangs: dict[str, str] = {}
        self._accounts: dict[str, tuple[str, ...]] = {}
        self._events = run.events()
        self._next: Event | None = next(self._events, None)
        self._enricher = run.enricher()
        self._confirmed = Confirmed(terms, self._kind_of)
        self._terms = terms

    def _kind_of(self, prefix: str) -> NetworkKind | None:
        return kind_of_range(self._enricher, prefix)

    def live_until(self, time: float) -> None:
        """Let everything happen up to a time."""
        for observed in self._until(time):
            self.ledger.append(observed.event)
            self._note(observed)
            for shared, engine in self.engines.items():
                outcomes = engine.process([observed])
                self.scores[shared].take(one.assessment for one in outcomes if one.assessment)
                published = engine.published()
                if shared:
                    for record in published:
                        if isinstance(record, Campaign):
                            self._confirmed.take(record)
                            self._accounts[record.campaign_id] = record.accounts

    def tell(self, now: float) -> bytes:
        """Export what is confirmed; note which gangs are told of, and since when."""
        findings = list(self._confirmed.findings())
        for finding in findings:
            accounts = self._accounts[finding.campaign_id]
            for gang in {self._gangs[one] for one in accounts if one in self._gangs}:
                self.told.setdefault(gang, now)
        bundle = bundle_of(findings, self._terms.marking)
        self.wire |= dict.fromkeys(bundle.splitlines(keepends=True))
        return bundle

    def hear(self, bundle: bytes, now: float) -> None:
        """Import what another shop told."""
        for one in read_stix(bundle, "bundle", importing.Terms(now=now)):
            assert isinstance(one, IndicatorReport), str(one)
            self.table.take(one)

    def judged(self, *, shared: bool) -> list[JudgedHijack]:
        """Return every hijack after the first third, and what became of it."""
        risks, _ = self.scores[shared].aligned(self.ledger.columns().identity)
        return list(judge(trial_of(self.ledger), risks).hijacks)

    def within_reach(self, hijack: JudgedHijack, other: "Shop") -> bool:
        """Whether a hijack came, by its first order, with what its gang had taken elsewhere."""
        return any(other.hit_with(met, hijack.campaign, at) for at, met in self._met_in(hijack))

    def confirmed_elsewhere(self, hijack: JudgedHijack, other: "Shop") -> bool:
        """Whether it came with what enough confirmed victims elsewhere had been hit with."""
        least = self._terms.minimum
        return any(
            len(other.hit_with(met, hijack.campaign, at, confirmed=True)) >= least
            for at, met in self._met_in(hijack)
        )

    def hit_with(self, met: Met, gang: str, at: float, *, confirmed: bool = False) -> list[str]:
        """Return the accounts that a gang had hit with a thing; those with a verdict by then."""
        never = float("inf")
        return [
            account
            for account, time in self.brought.get((gang, met), {}).items()
            if time < at and (not confirmed or self._taken_over.get(account, never) < at)
        ]

    def _met_in(self, hijack: JudgedHijack) -> list[tuple[float, Met]]:
        return self._hijacks[hijack.account, hijack.campaign].met

    def leaks(self) -> list[str]:
        """Return raw identifiers of the shop's events that stand in what it told."""
        told = b"".join(self.wire)
        return sorted(one for one in self.raw if one.encode() in told)

    def _until(self, time: float) -> Iterator[Observed]:
        while self._next is not None and self._next.occurred_at < time:
            yield Observed(self._next, self._enricher.facts(self._next))
            self._next = next(self._events, None)

    def _note(self, observed: Observed) -> None:
        event, facts = observed.event, observed.facts
        label = self.labels.takeover(event)
        if label is not None:
            self._gangs[event.account_id] = label.campaign
            self._note_hijack(observed, label.campaign)
        if isinstance(event, Feedback):
            self._confirmed.take(event)
            if event.verdict == "takeover":
                self._taken_over.setdefault(event.account_id, event.occurred_at)
            return
        personal = [event.account_id, event.device_id, event.session_id, event.event_id]
        if isinstance(event, Order):
            personal += [event.shipping_address_id, event.payment_id, event.order_id]
        elif isinstance(event, AccountChange):
            personal.append(event.value_hash)
        if facts.network_kind not in {"hosting", "vpn", "tor"}:
            personal += [event.ip, facts.prefix]
        self.raw.update(one for one in personal if one)

    def _note_hijack(self, observed: Observed, gang: str) -> None:
        event, facts = observed.event, observed.facts
        if isinstance(event, Feedback):
            return
        hijack = self._hijacks.setdefault((event.account_id, gang), _Brought([], []))
        for met in (*came_with(event, facts), *carried(event)):
            if met.kind in _TELLING:
                hit = self.brought.setdefault((gang, met), {})
                hit.setdefault(event.account_id, event.occurred_at)
                if not hijack.ordered:
                    hijack.met.append((event.occurred_at, met))
        if isinstance(event, Order):
            hijack.ordered.append(event.occurred_at)


class _Brought(NamedTuple):
    """What a hijack brought by its first order, with the times, and when it ordered."""

    met: list[tuple[float, Met]]
    ordered: list[float]


class Caught(NamedTuple):
    """Of so many hijacks, those caught in time at each of `BUDGETS`."""

    hijacks: int
    in_time: tuple[float, ...]


def caught(hijacks: list[JudgedHijack], reached: Callable[[JudgedHijack], bool]) -> Caught:
    """Count what was caught of hijacks, or was `reached`."""
    columns = [
        sum(1.0 if reached(one) else one.caught[at].in_time for one in hijacks)
        for at in range(len(BUDGETS))
    ]
    return Caught(len(hijacks), tuple(columns))


def measure(pair: tuple[int, int], asked: argparse.Namespace) -> dict[str, Any]:
    """Let a pair of shops live; return what each caught alone and with the other."""
    shops = []
    for turn, (name, seed) in enumerate(zip("ab", pair, strict=True)):
        terms = Terms(f"shop-{name}", _KEY, minimum=asked.minimum, unverified=asked.unverified)
        run = SimulatedRun(
            seed,
            accounts=asked.accounts,
            visits=2.0,
            more=asked.more,
            underworld=sum(pair),
            gang_size=asked.gang_size,
            turn=0.5 * turn,
            telemetry=draw_telemetry(seed) if asked.drawn else None,
        )
        shops.append(Shop(name, run, terms))
    for day in range(1, DAYS + 2):
        now = START + day * _DAY
        for shop in shops:
            shop.live_until(now)
        bundles = [shop.tell(now) for shop in shops]
        for shop, bundle in zip(shops, reversed(bundles), strict=True):
            shop.hear(bundle, now)
    found: dict[str, Any] = {"pair": pair, "shops": {}, "leaks": []}
    gangs = set.intersection(
        *({label.campaign for label in shop.labels.takeovers.values()} for shop in shops)
    )
    for shop, other in zip(shops, reversed(shops), strict=True):
        found["leaks"] += shop.leaks()
        reached: dict[str, Callable[[JudgedHijack], bool]] = {
            **dict.fromkeys(WAYS, _not_reached),
            "verdicts": partial(shop.confirmed_elsewhere, other=other),
            "reach": partial(shop.within_reach, other=other),
        }
        found["shops"][shop.name] = {
            "events": len(shop.ledger),
            "reports": len(shop.table),
            "told": sum(map(len, shop.wire)),
            **{
                f"{whose} {way}": caught(
                    [one for one in hijacks if _is(one, whose, gangs, other)],
                    reached[way],
                )
                for way in WAYS
                for hijacks in [shop.judged(shared=way == "sharing")]
                for whose in WHOSE
            },
        }
    return found


def _not_reached(_hijack: JudgedHijack) -> bool:
    return False


def _is(hijack: JudgedHijack, whose: str, gangs: set[str], other: Shop) -> bool:
    if whose == "common":
        return hijack.campaign in gangs
    if whose == "own":
        return hijack.campaign not in gangs
    return hijack.accessed_at >= other.told.get(hijack.campaign, float("inf"))


def show(found: list[dict[str, Any]]) -> None:
    """Print what was found, and over all pairs how much more was caught."""
    totals = {(whose, way): [0.0] * len(BUDGETS) for whose in ("common", "told") for way in WAYS}
    hijacks = dict.fromkeys(("common", "told"), 0)
    for pair in found:
        print(f"seeds {pair['pair']}: raw identifiers on the wire: {len(pair['leaks'])}")
        for name, shop in pair["shops"].items():
            print(f"  shop {name}: {shop['events']:,} events, {shop['reports']} reports heard")
            for whose in WHOSE:
                for way in WAYS:
                    one: Caught = shop[f"{whose} {way}"]
                    shares = " ".join(f"{n / max(one.hijacks, 1):.3f}" for n in one.in_time)
                    print(f"    {whose:6} {way:8} {one.hijacks} hijacks, caught {shares}")
                    if (whose, way) in totals:
                        total = totals[whose, way]
                        total[:] = [a + b for a, b in zip(total, one.in_time, strict=True)]
            for whose in hijacks:
                hijacks[whose] += shop[f"{whose} alone"].hijacks
    for whose, count in hijacks.items():
        for at, budget in enumerate(BUDGETS):
            alone = totals[whose, "alone"][at]
            said = [f"{alone:.1f} of {count} alone"]
            for way in WAYS[1:]:
                caught_so = totals[whose, way][at]
                said.append(f"{caught_so:.1f} {way} ({caught_so / (alone or 1.0):.2f} times)")
            print(f"{WHOSE[whose]}, at {budget:.1%}: {', '.join(said)}")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    seeds = [seed for pair in PAIRS for seed in pair]
    parser.add_argument("--pairs", type=int, nargs="*", default=seeds, help="of seeds: two a pair")
    parser.add_argument("--accounts", type=int, default=8_000)
    parser.add_argument("--more", type=float, default=16.0, help="times the usual hijacks")
    parser.add_argument("--gang-size", type=int, default=6, help="times the usual hijacks a gang")
    parser.add_argument(
        "--drawn", action="store_true", help="each pipeline tells what some retailer's does"
    )
    parser.add_argument("--minimum", type=int, default=3)
    parser.add_argument("--unverified", type=int)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if len(asked.pairs) % 2:
        parser.error("--pairs: a pair is two seeds, and one is left over")
    pairs = list(zip(asked.pairs[::2], asked.pairs[1::2], strict=True))
    found = [measure(pair, asked) for pair in pairs]
    show(found)
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

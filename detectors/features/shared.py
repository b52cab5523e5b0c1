"""What others report of the indicators that an event brings to its account, as a feature.

A report names one of very many indicators, and a hijacker of the gang that it is of comes with just
that one in some fifty cases. So of an indicator that a share p of customers use, it tells at most
`log(0.02 / p)`, whoever says so: next to nothing of a carrier's gateway or a popular client. It
tells no more than its source is worth (`detectors.intelligence.trust`) either. And all together it
adds at most what else speaks against the event: where nothing else does, it adds nothing.
"""

from collections.abc import Iterator
from math import log
from typing import TYPE_CHECKING, Final, NamedTuple

from detectors.features.reading import Reading
from detectors.features.registry import SHARED
from detectors.heat.indicators import KINDS, Kind, Met
from detectors.heat.sightings import came_by, carried_anew, is_new, is_strangers
from detectors.intelligence.records import IndicatorReport
from detectors.intelligence.trust import Trust, feed_of, voice_of
from detectors.population import Population
from detectors.profiles import digest

if TYPE_CHECKING:
    from detectors.engine import Intelligence

_USED: Final = 0.02
"""How many of a gang's hijacks come with one given indicator that was reported of it."""
_BACKING: Final = 1_000.0
_COARSE: Final = 1.0
"""Nats that a report on an operator or client can tell: customers share these by the hundreds."""
_SECOND: Final = 0.5
"""What every further feed adds of its word: sources hear of one another."""
MOST_HEARD: Final = 8
"""Sources that are heard on an event."""
_KINDS: Final = frozenset(Kind) - {Kind.SHAPE, Kind.POSTCODE}
"""A client's shape names the kind of network as well, and is nobody's; a postcode is a whole
street's: they are not matched."""


class Reported(NamedTuple):
    """An indicator that an event came with, what is reported of it, and what that tells, nats."""

    met: Met
    reports: tuple[IndicatorReport, ...]
    nats: float


def weigh_shared(
    reading: Reading, intelligence: "Intelligence", trust: Trust, population: Population
) -> None:
    """Note what is reported of what an event brings, the most telling first, and weigh it.

    `reading.shared` is the sum over the groups of indicators, nats, within the feature's range; how
    much of it counts is the caller's to limit.
    """
    told: dict[Met, tuple[IndicatorReport, ...]] = {}
    most: dict[Met, float] = {}
    for met in _brought(reading):
        reading.brought = True
        reports = intelligence.reports(met, reading.at)
        if not reports:
            continue
        rare = log(_USED / _share(reading, met, population))
        if rare > 0.0:
            # What customers share tells nothing, whoever says so: it is held against nobody either.
            told[met] = reports
            most[met] = min(rare, _COARSE if KINDS[met.kind].coarse else SHARED.high)
    reported = [
        Reported(met, reports, max(min(_word(met, reports, trust), most[met]), 0.0))
        for met, reports in _heard(told, trust).items()
    ]
    if reported:
        reported.sort(key=lambda one: -one.nats)
        reading.reported = tuple(reported)
        groups: dict[str, float] = {}
        for one in reported:
            groups.setdefault(KINDS[one.met.kind].group, one.nats)
        reading.shared = min(sum(groups.values()), SHARED.high)


def sources_of(reading: Reading) -> list[str]:
    """Return the sources that were heard on an event, and their feeds, as they are counted.

    At most `MOST_HEARD` of either; what a source says of what is coarse is a voice of its own.
    """
    heard: set[str] = set()
    for met, reports, _ in reading.reported:
        coarse = KINDS[met.kind].coarse
        for report in reports:
            heard.add(voice_of(report.source, report.feed, coarse=coarse))
            feed = feed_of(report.source, report.feed, coarse=coarse)
            if feed is not None:
                heard.add(feed)
    return sorted(heard)


def _brought(reading: Reading) -> Iterator[Met]:
    """What an event comes with that was not its account's before."""
    if is_strangers(reading):
        for met in came_by(reading):
            if met.kind in _KINDS and is_new(reading, met.kind):
                yield met
    for met in carried_anew(reading):
        if met.kind in _KINDS:
            yield met


def _heard(
    told: dict[Met, tuple[IndicatorReport, ...]], trust: Trust
) -> dict[Met, tuple[IndicatorReport, ...]]:
    """What the sources say that are heard: of more than a few, those whose word weighs most.

    Each feed's best comes before any feed's second: however many names speak in one, it silences no
    other. What each is worth is kept with an alert, and each is judged by the verdict on it: nobody
    else may have had a say.
    """
    words: dict[str, float] = {}
    feeds: dict[str, list[str]] = {}
    for met, reports in told.items():
        for report in reports:
            voice = _voice(met, report)
            if voice not in words:
                feeds.setdefault(_teller(report), []).append(voice)
            words[voice] = max(words.get(voice, 0.0), _word_of(met, report, trust))
    if len(words) <= MOST_HEARD:
        return told

    def place(voice: str) -> tuple[float, str]:
        return -words[voice], voice

    best = {min(voices, key=place) for voices in feeds.values()}
    heard = {*sorted(words, key=lambda voice: (voice not in best, place(voice)))[:MOST_HEARD]}
    left = {
        met: tuple([one for one in said if _voice(met, one) in heard]) for met, said in told.items()
    }
    return {met: reports for met, reports in left.items() if reports}


def _voice(met: Met, report: IndicatorReport) -> str:
    return voice_of(report.source, report.feed, coarse=KINDS[met.kind].coarse)


def _teller(report: IndicatorReport) -> str:
    """The feed that a report came by, or its source where that is one of its own."""
    return feed_of(report.source, report.feed) or report.source


def _word(met: Met, reports: tuple[IndicatorReport, ...], trust: Trust) -> float:
    """What sources say together, nats: the best word, and half of every further feed's.

    By one feed any number of names may speak: the best of them is what it says.
    """
    feeds: dict[str, float] = {}
    for report in reports:
        told_by = _teller(report)
        feeds[told_by] = max(feeds.get(told_by, 0.0), _word_of(met, report, trust))
    words = sorted(feeds.values(), reverse=True)
    return words[0] + _SECOND * sum(words[1:])


def _word_of(met: Met, report: IndicatorReport, trust: Trust) -> float:
    worth = trust.worth(report.source, report.feed, coarse=KINDS[met.kind].coarse)
    return worth * report.confidence / 100.0


def _share(reading: Reading, met: Met, population: Population) -> float:
    """The share of customers who use a value of late."""
    match met.kind:
        case Kind.PREFIX:
            return population.prefixes.share(reading.prefix)
        case Kind.OPERATOR:
            return population.asns.share(reading.asn)
        case Kind.AGENT:
            return population.agents.share(reading.agent)
    counted = {
        Kind.DEVICE: population.new_devices,
        Kind.DELIVERY: population.new_addresses,
        Kind.PAYMENT: population.new_payments,
        Kind.CONTACT: population.new_contacts,
    }[Kind(met.kind)]
    others = counted.others(digest(met.value), reading.account, reading.day)
    return (others + 0.5) / (population.prefixes.total() + _BACKING)

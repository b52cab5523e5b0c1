"""What each optional field of the events is worth: the detector without it, beside all of it.

    python -m tests.benchmarks.missing_fields [--seeds 841 842] [--json FILE]

Simulated shops whose pipelines tell what is typical. The shipped detector meets each shop's two
months once as they are, verdicts included, and once for each row of the table with something taken
out of every event before it is read. What is judged is the same every time: the same hijacks, the
same account-days, thresholds at the same budgets. The last column compares hijack by hijack at the
default budget; both intervals are over resampled campaigns. An address (`ip`) is never taken out:
a sign-in must have it.

Prints a Markdown table.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec

from detectors.evaluation.intervals import interval
from detectors.evaluation.judging import BUDGETS, Judgement
from detectors.evaluation.summary import Share, Summary, summarise
from detectors.events import AccountChange, Event, Feedback, Login, Order
from detectors.policy import Policy
from streams.backtesting import PrequentialEngine
from streams.enrichment import Enricher
from streams.report.text import percent, share
from tests.benchmarks.cells import figure, head, line, recalls
from tests.benchmarks.shops import SimulatedRun, run_through

SEEDS: Final = (841, 842)
PROCESSES: Final = 2
DEFAULT: Final = BUDGETS.index(0.003)
"""Which of the budgets is the default one."""


class Missing(NamedTuple):
    """What a pipeline leaves out: `share` (0 to 1) of each of the `fields`, drawn one by one.

    Without `lookup` the shop has no look-up file for addresses, without `verdicts` no feedback.
    """

    name: str
    fields: tuple[str, ...] = ()
    share: float = 1.0
    lookup: bool = True
    verdicts: bool = True

    def left(self, events: Iterable[Event], seed: int) -> Iterator[Event]:
        """Yield what is left of events; the same seed takes the same."""
        chance = Random(seed)
        for event in events:
            if self.verdicts or not isinstance(event, Feedback):
                yield _without(event, [f for f in self.fields if chance.random() < self.share])


def _without(event: Event, fields: Iterable[str]) -> Event:
    """Return an event that lacks fields, as if it had come without them."""
    absent = _ABSENT[type(event)]
    return msgspec.structs.replace(event, **{f: absent[f] for f in fields if f in absent})


_ABSENT: Final = {
    kind: {
        field.name: field.default for field in msgspec.structs.fields(kind) if not field.required
    }
    for kind in (Login, Order, AccountChange, Feedback)
}
"""What each optional field of an event holds where it did not come."""

_PLACE: Final = ("country", "region", "city", "latitude", "longitude", "asn")
_OPTIONAL: Final = tuple(
    sorted({*_ABSENT[Login], *_ABSENT[Order], *_ABSENT[AccountChange]} - {"ip"})
)

EVERYTHING: Final = Missing("nothing")
ALL: Final = (
    EVERYTHING,
    Missing("`device_id`", ("device_id",)),
    Missing("`user_agent`", ("user_agent",)),
    Missing("`session_id`", ("session_id",)),
    Missing("`device_id` and `session_id`", ("device_id", "session_id")),
    Missing("country, region, city, coordinates, `asn`", _PLACE),
    Missing("the look-up file", lookup=False),
    Missing("both of these", _PLACE, lookup=False),
    Missing("`method`, `mfa`", ("method", "mfa")),
    Missing("`rtt_ms`", ("rtt_ms",)),
    Missing("`shipping_address_id`", ("shipping_address_id",)),
    Missing(
        "where orders go: address, postcode, country",
        ("shipping_address_id", "shipping_postcode", "shipping_country"),
    ),
    Missing("`payment_id`", ("payment_id",)),
    Missing("`items`", ("items",)),
    Missing("`value_hash`", ("value_hash",)),
    Missing("verdicts", verdicts=False),
    Missing(
        "three in ten of each of `device_id`, `user_agent`, `session_id`, country, city, `asn`",
        ("device_id", "user_agent", "session_id", "country", "city", "asn"),
        share=0.3,
    ),
    Missing("every optional field but `ip`", _OPTIONAL),
)


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """The detector without something, over all shops; the summary's name says what is missing.

    `difference` is the recall at the default budget less that with everything, -1 to 1, hijack by
    hijack.
    """

    summary: Summary
    difference: Share


def main() -> None:
    """Measure what the command line asks for, and print it."""
    options = _options()
    with get_context("spawn").Pool(PROCESSES) as pool:
        judge = partial(judgements, accounts=options.accounts, more=options.more)
        rows = rows_of(pool.map(judge, options.seeds, chunksize=1))
    print("\n".join(table(rows)))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))


def judgements(
    seed: int, *, accounts: int, more: float, all_missing: Sequence[Missing] = ALL
) -> dict[str, Judgement]:
    """Return how the detector does in one shop without each of these things, by their names."""
    run = SimulatedRun(seed, accounts=accounts, visits=4.0, more=more)
    events, looked_up = list(run.events()), run.enricher()
    judged: dict[str, Judgement] = {}
    for missing in all_missing:
        enricher = looked_up if missing.lookup else Enricher()
        engine = {missing.name: PrequentialEngine(Policy())}
        left = missing.left(events, seed)
        judged |= run_through(left, enricher, engine, run.labels, baselines=False)
    return judged


def rows_of(runs: Sequence[dict[str, Judgement]]) -> list[Row]:
    """Pool the shops, each with thresholds of its own."""
    return [
        Row(
            summary=summarise(name, [run[name] for run in runs]),
            difference=_difference([(run[EVERYTHING.name], run[name]) for run in runs]),
        )
        for name in runs[0]
    ]


def _difference(pairs: Iterable[tuple[Judgement, Judgement]]) -> Share:
    differences, campaigns = [], []
    for whole, rest in pairs:
        for one, other in zip(whole.hijacks, rest.hijacks, strict=True):
            differences.append(other.caught[DEFAULT].in_time - one.caught[DEFAULT].in_time)
            campaigns.append(one.campaign)
    return Share(sum(differences) / len(differences), interval(differences, groups=campaigns))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table, and what it was measured on."""
    whole = rows[0].summary
    yield (
        f"{whole.events:,} events, {whole.account_days:,} legitimate account-days: "
        "caught by the first order [95 %]"
    )
    yield ""
    budgets = map(percent, BUDGETS)
    yield from head(
        "missing", "hijacks", *budgets, "AP", f"difference, {percent(BUDGETS[DEFAULT])}"
    )
    for row in rows:
        summary = row.summary
        yield line(
            summary.name,
            str(summary.hijacks),
            *recalls(summary),
            figure(summary.average_precision, 2),
            "" if summary.name == EVERYTHING.name else share(row.difference),
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--accounts", type=int, default=8_000, help="of each shop")
    parser.add_argument("--more", type=float, default=8.0, help="times as many hijacks as in life")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""One run with heat and campaigns: a gang is at the shop while something goes wrong.

When heat reaches a sign-in depends on the clock, so no two runs leave the same bytes. What must
hold in any order is compared with what one quiet worker, of another application, makes of the same
topics afterwards; and what heat has counted is folded again from what it was told.
"""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from detectors.heat.indicators import Kind
from detectors.heat.stored import StoredTally
from detectors.heat.tally import DAYS, rates_of
from streams.app import create_app
from streams.kafka_clients import producer
from streams.topics import own_topics
from tests.chaos import traffic
from tests.chaos.campaign import Report, end_all, on_a_thread, running_brokers, state_differences
from tests.chaos.faults import FAULTS, Stage
from tests.chaos.supervision import supervised
from tests.integration.gang_installation import MODULE, Installation
from tests.integration.gang_traffic import NETWORK, TRIES, VICTIMS
from tests.integration.harness import PATIENCE, fold_all, last_values, wait_for

GANG_FAULTS: Final = ("none", "kill", "freeze", "scale", "broker-kill", "store")
"""Those that are run where none is named."""
_CHOSEN: Final = {"chunk_records": "50", "dead_letter_limit": "1", "give_up_seconds": "20"}
_ATTEMPTS: Final = TRIES + len(VICTIMS)
_TICK_SECONDS: Final = 0.1


def run(fault: str, seed: int, folder: Path, *, seconds: float = 20.0) -> Report:
    """Run one campaign with its brokers, workers and files under `folder`.

    `seconds` is about how long the fault goes on, and the gang with it.
    """
    began = time.monotonic()
    kind = FAULTS[fault]
    with ExitStack() as stack:
        brokers = stack.enter_context(running_brokers(folder, kind.brokers))
        bootstrap = ",".join(str(broker.status().bootstrap) for broker in brokers)
        chosen = {**_CHOSEN, "replication_factor": str(len(brokers))}
        struck = Installation(bootstrap, "chaos-", folder, "struck", **chosen)
        options = partial(struck.options, clock=str(folder / "clock"))
        workers = stack.enter_context(supervised(MODULE, options, folder, kind.workers))
        before, meanwhile = traffic.gang(seed)
        with producer(struck.settings) as client:
            for source, key, value in before:
                client.send(struck.settings.topic(source), key=key, value=value)
        _wait_until_settled(struck)
        stage = Stage(random.Random(seed), workers, brokers, options, folder, seconds, [0], [])
        with _sending(struck, meanwhile, seconds):
            strikes = kind.strike(stage)
        _wait_until_settled(struck)
        exits, complaints = end_all(workers)
        quiet = Installation(bootstrap, "chaos-", folder, "quiet", **chosen)
        with quiet.worker(0) as only:
            quiet.wait_until_settled(only)
        differences = [*stage.complaints, *complaints, *_differences(struck, quiet)]
        told = {(a["alert_id"], a["revision"]) for a in struck.records("alerts")}
        return Report(
            fault=fault,
            seed=seed,
            strikes=strikes,
            events=len(before) + len(meanwhile),
            alerts=len(told),
            repeated=len(struck.values("alerts")) - len(told),
            letters=len(set(struck.values("dead_letters"))),
            exits=exits,
            seconds=time.monotonic() - began,
            differences=differences,
        )


def _differences(struck: Installation, quiet: Installation) -> Iterator[str]:
    for installation in (struck, quiet):
        yield from (f"{installation.name}: {what}" for what in installation.gang_differences())
        tried = _tried(installation)
        # It fades by half in three days, and by a quarter of an attempt while the gang is at it.
        if abs(tried - _ATTEMPTS) > 0.5:
            yield f"{installation.name}: {tried:.2f} attempts counted, not {_ATTEMPTS}"
    letters = [set(installation.values("dead_letters")) for installation in (struck, quiet)]
    yield from (f"dead letter of one only: {letter[:200]!r}" for letter in letters[0] ^ letters[1])
    yield from _heat_differences(struck)


def _tried(installation: Installation) -> float:
    """Return how many attempts heat has counted through the gang's range."""
    stored = last_values(
        installation.settings.broker[0], own_topics(installation.settings).heat_changelog
    )
    tallies = [
        tally
        for keys in stored.values()
        for key, value in keys.items()
        if key.startswith(b"h:tallies:")
        for tally in msgspec.msgpack.decode(value, type=tuple[int, list[StoredTally]])[1]
        if tally.kind == Kind.PREFIX and (tally.shown or "").startswith(NETWORK)
    ]
    return sum(
        rates_of(tally.rates).window(DAYS)[0] for tally in tallies if tally.rates is not None
    )


def _heat_differences(installation: Installation) -> list[str]:
    """Compare heat's state, to the byte, with a fold of what it was told, repeats left out."""
    settings = installation.settings
    flows = create_app(settings).runtime.options.flows
    heat = next(flow for flow in flows if flow.reading.name == "heat")
    expected = fold_all(
        settings.broker[0],
        heat.reading.topics,
        lambda number, state: heat.factory(number, state.get),
    )
    return state_differences(settings.broker[0], heat.changelog, expected.state)


def _wait_until_settled(installation: Installation) -> None:
    wait_for(installation.settled, "everything to be read", seconds=3 * PATIENCE)


@contextmanager
def _sending(
    installation: Installation, records: Sequence[traffic.Told], seconds: float
) -> Iterator[None]:
    """Send records one after the other over so many seconds, and before the context ends."""
    settings, ended = installation.settings, threading.Event()

    def send_on() -> None:
        left, at_once = iter(records), round(len(records) * _TICK_SECONDS / seconds) + 1
        with producer(settings, request_timeout_ms=60_000, delivery_timeout_ms=120_000) as client:
            while some := list(islice(left, at_once)):
                for source, key, value in some:
                    client.send(settings.topic(source), key=key, value=value)
                    # What is later may not overtake what it follows from on another topic.
                    client.flush()
                ended.wait(_TICK_SECONDS)

    with on_a_thread(send_on, ended):
        yield

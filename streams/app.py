"""The worker: settings in, a Faust application out, and the process that runs it.

Every name that is persisted (the group, the changelog, repartition topics, agents) comes from the
settings or stands here; none follows from a module's or a function's name.
"""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from detectors.campaigns import CampaignLinker
from detectors.engine import Engine
from detectors.errors import ConfigurationError, InvalidEvent, NightlatchError
from detectors.heat import decode_batch, decode_linking
from detectors.heat.counter import HeatCounter
from detectors.heat.sightings import Sightings
from detectors.heat.table import HotTable
from detectors.intelligence import IndicatorTable
from streams import health
from streams.agents import fold, rekey
from streams.codec import decode_object
from streams.connections import client_options, faust_credentials
from streams.data_directory import check_data_dir, held_data_dir
from streams.dead_letters import DeadLetters, DeadLetterShare, dead_letter
from streams.enrichment import Enricher
from streams.exit_codes import exit_code
from streams.interrupts import ending_at_once
from streams.processor import FraudProcessor, Outputs, Source
from streams.runtime.application import RunApp, run_app
from streams.runtime.interfaces import (
    Processor,
    ProcessorFactory,
    ReadState,
    Record,
    Send,
    record_bytes,
)
from streams.runtime.lanes import Flow
from streams.runtime.options import Followed, RuntimeOptions, StatefulFlow
from streams.runtime.rekeying import Rekeying
from streams.runtime.worker import run
from streams.settings import Settings, SourceTopic, secrets
from streams.sharing.keys import read_keys
from streams.sharing.records import into_indicators
from streams.telling import ToldProcessor, into, messages
from streams.topics import (
    MAX_CARRIED_BYTES,
    SOURCE_TYPES,
    flows,
    own_topics,
    repartition_topic,
    run_bytes,
    worker_access,
)

# The agents, by the flow that they read. Names of Faust's, and persisted with the flows' own.
AGENTS: Final = {"events": "detect", "heat": "heat", "campaigns": "campaigns"}


def create_app(settings: Settings) -> RunApp:
    """Return the application. Opens the look-up files; raises ConfigurationError where it can't."""
    rekeyings = tuple(_rekeying(settings, name) for name in settings.rekey)
    hot = HotTable()
    followed = [Followed(own_topics(settings).heat, settings.partitions, into(hot))]
    indicators = None
    if settings.intelligence:
        indicators = IndicatorTable(
            read_keys(settings.sharing_keys) if settings.sharing_keys else ()
        )
        topic = settings.topic("indicators")
        followed.append(Followed(topic, settings.partitions, into_indicators(indicators)))
    options = RuntimeOptions(
        client=client_options(settings),
        flows=_stateful(settings, _factories(settings, hot, indicators)),
        store_dir=settings.data_dir / "state" if settings.store == "rocksdb" else None,
        session_seconds=settings.session_seconds,
        flush_seconds=settings.flush_seconds,
        begin=settings.auto_offset_reset,
        give_up_seconds=settings.give_up_seconds,
        rekeyings=rekeyings,
        followed=tuple(followed),
    )
    web = {"web_bind": settings.web_bind, "web_port": settings.web_port}
    app = run_app(
        settings.app_id,
        options,
        brokers=list(settings.broker),
        data_dir=settings.data_dir,
        credentials=faust_credentials(settings),
        **({"web_enabled": True, **web} if settings.web_port else {}),
    )
    if settings.web_port:
        health.attach(app)
    for name, agent in AGENTS.items():
        fold.attach(app, name, agent=agent)
    for rekeying in rekeyings:
        rekey.attach(app, rekeying)
    return app


def _stateful(
    settings: Settings, factories: Mapping[str, ProcessorFactory]
) -> tuple[StatefulFlow, ...]:
    return tuple(
        StatefulFlow(
            Flow(name, flow.read, settings.chunk_records, run_bytes(flow)),
            flow.changelog,
            flow.partitions,
            factories[name],
            frozenset({flow.told}),
        )
        for name, flow in flows(settings).items()
    )


def run_worker(settings: Settings) -> int:
    """Run a worker until it is stopped or fails; return its exit code (`streams.exit_codes`)."""
    with ExitStack() as held:
        try:
            with ending_at_once():
                check_data_dir(settings.data_dir)
                if settings.store == "rocksdb":
                    held.enter_context(held_data_dir(settings.data_dir))
                check_topics(settings)
                app = create_app(settings)
        except NightlatchError as error:
            print(f"nightlatch: {error}", file=sys.stderr)
            return exit_code(error)
        return run(app, log_level=settings.log_level, secrets=secrets(settings))


def check_topics(settings: Settings) -> None:
    """Raise ConfigurationError, one sentence, where a topic is missing or not as it must be.

    Also where the brokers do not let this worker in, or not do what it must.
    """
    from streams.permissions import check_permissions, worker_permissions
    from streams.topic_administration import check

    if settings.security_protocol != "plaintext":
        check_permissions(settings, worker_permissions(settings))
    for fault in check(settings, only=worker_access(settings)):
        if fault.grave:
            remedy = "`nightlatch topics create` makes it" if fault.missing else fault.remedy
            raise ConfigurationError(f"topic {fault.topic} {fault.problem}: {remedy}")


def _factories(
    settings: Settings, hot: HotTable, indicators: IndicatorTable | None = None
) -> dict[str, ProcessorFactory]:
    # One a worker, not one a partition: bad records of one producer come to all of them.
    share = DeadLetterShare(settings.dead_letter_limit, settings.dead_letter_window)
    sources = [settings.topic(name) for name in SOURCE_TYPES]
    dead_letters = DeadLetters(settings.topic("dead_letters"), share, sources)
    message = messages(settings)

    def heat(_partition: int, read: ReadState) -> Processor:
        counter = HeatCounter(read)
        return ToldProcessor(counter, decode_batch, message=message, dead_letters=dead_letters)

    def campaigns(_partition: int, read: ReadState) -> Processor:
        linker = CampaignLinker(read)
        return ToldProcessor(
            linker,
            decode_linking,
            message=message,
            dead_letters=dead_letters,
            summaries=linker.summaries,
        )

    return {
        "events": _events_factory(settings, hot, indicators, dead_letters),
        "heat": heat,
        "campaigns": campaigns,
    }


def _events_factory(
    settings: Settings,
    hot: HotTable,
    indicators: IndicatorTable | None,
    dead_letters: DeadLetters,
) -> ProcessorFactory:
    enricher = Enricher(settings.lookups)
    policy = settings.policy()
    sources = {
        settings.topic(name): Source(
            SOURCE_TYPES[name], keyed_by_account=name not in settings.rekey
        )
        for name in SOURCE_TYPES
    }
    outputs = Outputs(
        alerts=settings.topic("alerts"),
        observations=own_topics(settings).observations,
        assessments=settings.topic("assessments") if settings.publish_assessments else None,
        evidence=settings.topic("evidence") if settings.publish_evidence else None,
    )

    def engine(partition: int, read: ReadState) -> Engine:
        keep = settings.publish_evidence
        if not settings.heat:
            return Engine(policy, read, intelligence=indicators, keep_snapshots=keep)
        told = Sightings(settings.partitions, partition)
        return Engine(policy, read, hot, told, intelligence=indicators, keep_snapshots=keep)

    def processor(partition: int, read: ReadState) -> Processor:
        return FraudProcessor(
            engine(partition, read),
            enricher,
            sources=sources,
            outputs=outputs,
            dead_letters=dead_letters,
            max_record_bytes=settings.max_record_bytes,
        )

    return processor


def _rekeying(settings: Settings, name: SourceTopic) -> Rekeying:
    def account_of(record: Record) -> bytes | None:
        # Only what the key is taken from; the rest is judged where the record is folded.
        try:
            account_id = decode_object(record.value, limit=settings.max_record_bytes)["account_id"]
        except (InvalidEvent, KeyError):
            return None
        return account_id.encode() if isinstance(account_id, str) else None

    def too_large(record: Record) -> Send | None:
        size = record_bytes(record)
        if size <= MAX_CARRIED_BYTES:
            return None
        error = InvalidEvent(
            "too_large",
            field=None,
            expected=f"at most {MAX_CARRIED_BYTES} bytes with key and headers",
            found=f"{size} bytes",
        )
        return dead_letter(settings.topic("dead_letters"), record, error)

    return Rekeying(
        source=settings.topic(name),
        target=repartition_topic(settings, name),
        key_of=account_of,
        chunk_records=settings.chunk_records,
        refuse=too_large,
    )

"""From a record's append to its alert's append, at a steady rate, by the broker's own clock.

The worker is the command, as an operator runs it. Half of the traffic teaches it; then the rest
is sent at the rate, and both ends are read back: sources and, here, `alerts` carry the time at
which the broker appended them. An alert's revision is timed from the latest of the events that it
stands on for the first time. One that stands on no new event (a campaign's) is not timed, nor one
that a notice from the other flows gave rise to: a first victim's event was let pass, and came to
be alerted when the attack it was part of was known, which is no delay of the worker's. Sender,
broker and worker share the machine.
"""

import math
import time
import uuid
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from detectors.heat import Reassessment, decode_notice
from streams.local_kafka.broker import free_port
from streams.settings import Settings
from streams.topic_administration import create
from streams.topics import SOURCE_TYPES, own_topics
from tests.benchmarks import running
from tests.benchmarks.traffic import Traffic

_PARTITIONS: Final = 4


class Delays(msgspec.Struct, kw_only=True):
    """Milliseconds from append to append, over `alerts` revisions, at `rate` events a second."""

    load: float
    rate: float
    sent: int
    alerts: int
    p50: float
    p99: float
    most: float
    behind_seconds: float
    ready_seconds: float
    warm_seconds: float


def delays(
    broker: str,
    folder: Path,
    traffic: Traffic,
    *,
    rate: float,
    load: float,
    seconds: float,
    budget: float | None,
    path: Path | None,
) -> Delays:
    """Measure at `rate`, which is `load` of what is sustainable; `path` is a compiled wheel's.

    `budget` is the share of account-days that may alert; None is the product's own.
    """
    name = f"delay-{uuid.uuid4().hex[:6]}-"
    own = {"broker": broker, "topic_prefix": name, "app_id": f"{name}app"}
    own |= {"partitions": str(_PARTITIONS), "lookups": str(traffic.lookups)}
    if budget is not None:
        own["detection_alert_budget"] = str(budget)
    own |= {"data_dir": str(folder / name), "web_port": str(free_port())}
    settings = running.settings_of(own)
    create(settings)
    _keep_append_time(broker, settings.topic("alerts"))
    records = running.outgoing(running.in_order(traffic), settings)
    lessons = list(islice(records, traffic.events // 2))
    paced = list(islice(records, int(rate * seconds)))
    with running.worker(own, path) as cold:
        running.send(broker, lessons, rate=None)
        running.wait_until_read(broker, settings)
        began = time.monotonic()
        running.send(broker, paced, rate=rate)
        sending = time.monotonic() - began
        running.wait_until_read(broker, settings)
        behind = time.monotonic() - began - sending
    with running.worker(own, path) as warm:
        pass
    took = _took(broker, settings, {record.event_id for record in paced})
    return Delays(
        load=load,
        rate=round(len(paced) / sending, 1),
        sent=len(paced),
        alerts=len(took),
        p50=round(float(np.percentile(took, 50)), 1),
        p99=round(float(np.percentile(took, 99)), 1),
        most=round(max(took), 1),
        behind_seconds=round(behind, 2),
        ready_seconds=round(cold.seconds, 2),
        warm_seconds=round(warm.seconds, 2),
    )


def _keep_append_time(broker: str, topic: str) -> None:
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": broker})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(running.PATIENCE)


def _took(broker: str, settings: Settings, paced: set[str]) -> list[float]:
    """Return the milliseconds of every revision that one of the paced events gave rise to."""
    appended: dict[str, int] = {}
    for name in SOURCE_TYPES:
        for value, at in running.read_json(broker, settings.topic(name), settings.partitions):
            event_id = value["event_id"]
            if event_id in paced:
                appended.setdefault(event_id, at)
    noticed = _noticed(broker, settings)
    took, known = [], set[str]()
    for alert, at in running.read_json(broker, settings.topic("alerts"), settings.partitions):
        new = [event_id for event_id in alert["event_ids"] if event_id not in known]
        known.update(new)
        # An event that is told of again after its alert is out is another matter.
        told = noticed.get(new[-1], math.inf) if new else math.inf
        if new and new[-1] in appended and at < told:
            took.append(float(at - appended[new[-1]]))
    return took


def _noticed(broker: str, settings: Settings) -> dict[str, int]:
    """Return by event when the others told of it that an attack had entered through it."""
    noticed: dict[str, int] = {}
    topic = own_topics(settings).reassessments
    for value, at in running.read_bytes(broker, topic, settings.partitions):
        notice = decode_notice(value)
        if isinstance(notice, Reassessment):
            noticed.setdefault(notice.entry.event_id, at)
    return noticed

"""A Faust application that reads runs: Faust's own parts, put together our way.

What Faust is used for: the group and its assignor, the worker and its life, conductor, streams
and agents, flow control. A table a flow is registered (so that its changelog is co-partitioned
with its topics, and the assignor keeps partition numbers together) but never written through.
"""

import os
import socket
from pathlib import Path
from typing import Any, Final

import faust
from faust.app.base import BootStrategy
from faust.stores.memory import Store as MemoryTableStore
from faust.types import TP
from mode.supervisors import CrashingSupervisor

from streams.runtime.options import RuntimeOptions
from streams.runtime.recovery import RunTableManager
from streams.runtime.service import Runtime
from streams.runtime.transport import RunSchema, RunTransport
from streams.runtime.vigil import Vigil

# Faust's own pages show tables, tasks and the other workers to whoever asks.
_NO_WEB: Final = dict.fromkeys(
    (
        "web_enabled",
        "web_router_enabled",
        "web_tables_enabled",
        "web_graph_enabled",
        "web_stats_enabled",
        "web_metrics_enabled",
    ),
    False,
)


class StateStore(MemoryTableStore[Any, Any]):
    """Stays empty: what Faust takes for the table's store. The runtime keeps the real ones."""

    def persisted_offset(self, tp: TP) -> int | None:  # noqa: ARG002 - Faust's signature
        """Return None: there is nothing of which Faust could restore a tail."""
        return None


class StateTable(faust.Table[Any, Any]):
    """The table whose changelog the runtime writes and reads."""

    def _new_store_by_url(self, url: Any) -> Any:
        return StateStore(url, self.app, self, table_name=self.name, loop=self.loop)

    async def on_start(self) -> None:
        """Start without making the changelog: that is done, exactly, before the worker starts."""
        await self.add_runtime_dependency(self.data)


class RunBoot(BootStrategy):
    """Starts the runtime before, and stops it after, whatever uses it."""

    app: Any

    def kafka_producer(self) -> Any:
        """Return Faust's producer, which nothing is sent through, the runtime, and its vigil."""
        return [*super().kafka_producer(), self.app.runtime, self.app.vigil]

    def kafka_consumer(self) -> Any:
        """Return the consumer alone: no leader topic, no replies."""
        return [self.app.consumer]


class RunApp(faust.App):
    """See the module. By flow, `runs` is what its agent reads; by topic, `carried` a carrier's."""

    BootStrategy = RunBoot

    def __init__(self, id: str, *, options: RuntimeOptions, **settings: Any) -> None:  # noqa: A002 - Faust's own name
        super().__init__(id, **settings)
        self.runtime = Runtime(self, options, beacon=self.beacon)
        self.vigil = Vigil(self, options, beacon=self.beacon)
        self.runs = {flow.name: self._runs_of(flow.reading.topics) for flow in options.flows}
        self.carried = {r.source: self._runs_of(r.flow.topics) for r in options.rekeyings}
        for flow in options.flows:
            changelog = self.topic(
                flow.changelog, key_type=bytes, value_type=bytes, acks=False, allow_empty=True
            )
            self.tables.add(StateTable(self, name=flow.name, changelog_topic=changelog))

    def _runs_of(self, topics: tuple[str, ...]) -> Any:
        return self.topic(*topics, schema=RunSchema(), acks=False)

    def _new_transport(self) -> RunTransport:
        return RunTransport(self.conf.broker_consumer, self)


def run_app(
    app_id: str,
    options: RuntimeOptions,
    *,
    brokers: list[str],
    data_dir: Path,
    credentials: Any = None,
    **settings: Any,
) -> RunApp:
    """Return an application with the settings that the runtime relies on."""
    data_dir.mkdir(parents=True, exist_ok=True)
    return RunApp(
        app_id,
        options=options,
        broker=[f"kafka://{broker}" for broker in brokers],
        broker_credentials=credentials,
        datadir=str(data_dir),
        store="memory://",
        agent_supervisor=CrashingSupervisor,
        TableManager=RunTableManager,
        # Out of range must be known, not papered over with another offset.
        consumer_auto_offset_reset="none",
        broker_session_timeout=options.session_seconds,
        broker_heartbeat_interval=options.session_seconds / 10,
        broker_max_poll_records=2 * max(flow.reading.chunk_records for flow in options.flows),
        stream_wait_empty=True,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        # The assignor tells members apart by this.
        canonical_url=f"http://{socket.gethostname()}/{os.getpid()}-{os.urandom(4).hex()}",
        **{**_NO_WEB, **settings},
    )

"""What the runtime is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from streams.runtime.interfaces import ProcessorFactory
from streams.runtime.lanes import Flow
from streams.runtime.rekeying import Rekeying


class RuntimeOptions(NamedTuple):
    """What the runtime is told.

    `client` are aiokafka's connection arguments. `flow` names the source topics in the order that
    decides between equal times; they and the changelog have `partitions` each. A topic that is in
    `rekeyings` stands there under its target. `store_dir` None keeps state in memory.
    `flush_records` are the most records folded into one step; at half of them it is taken early.
    `begin` is where a topic is read from of which neither the state nor the group knows anything.
    """

    client: Mapping[str, Any]
    flow: Flow
    changelog: str
    partitions: int
    factory: ProcessorFactory
    store_dir: Path | None
    session_seconds: float
    flush_seconds: float = 0.5
    flush_records: int = 3000
    begin: Literal["earliest", "latest"] = "earliest"
    rekeyings: tuple[Rekeying, ...] = ()

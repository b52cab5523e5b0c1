"""What the runtime is told."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from streams.runtime.interfaces import ProcessorFactory, Record
from streams.runtime.lanes import Flow
from streams.runtime.rekeying import Rekeying


class StatefulFlow(NamedTuple):
    """A flow whose partitions each have a processor, and their state in a changelog of its own.

    `reading` names the topics in the order that decides between equal times; they and the
    changelog have `partitions` each. A topic that is re-keyed stands there under its target.
    `numbered` are those of the topics that flows of this application write to (`numbering`).
    """

    reading: Flow
    changelog: str
    partitions: int
    factory: ProcessorFactory
    numbered: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The flow's name."""
        return self.reading.name


class Followed(NamedTuple):
    """A topic that every worker reads whole, all `partitions` of it (`following`)."""

    topic: str
    partitions: int
    take: Callable[[Record], None]


class RuntimeOptions(NamedTuple):
    """What the runtime is told.

    `client` are aiokafka's connection arguments. `store_dir` None keeps state in memory.
    `flush_records` are the most records folded into one step; at half of them it is taken early.
    After `give_up_seconds` without getting on a worker ends (`vigil`).
    `begin` is where a topic is read from of which neither the state nor the group knows anything.
    """

    client: Mapping[str, Any]
    flows: tuple[StatefulFlow, ...]
    store_dir: Path | None
    session_seconds: float
    flush_seconds: float = 0.5
    flush_records: int = 3000
    begin: Literal["earliest", "latest"] = "earliest"
    give_up_seconds: float = 300.0
    rekeyings: tuple[Rekeying, ...] = ()
    followed: tuple[Followed, ...] = ()

    @property
    def numbered(self) -> frozenset[str]:
        """Topics from one flow to another, whose messages are numbered."""
        return frozenset[str]().union(*(flow.numbered for flow in self.flows))

"""Sees whether the worker gets on, from outside of whatever may have got stuck.

Workers that die slowly (faust-streaming issues 175 and 596) hold their partitions, answer the
group, and read nothing. So the ends of the topics are asked for here by a consumer of its own, on
connections of its own: what is known of the lag does not depend on the part that may be stuck. A
worker with something to do that does nothing, or that no broker answers, gives up and exits, to be
started again; who has nothing to do is fine.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP
from mode import Service

from detectors.errors import NightlatchError
from streams.runtime.options import RuntimeOptions

_TICK_SECONDS: Final = 0.5
_LONGEST_LOOK_SECONDS: Final = 10.0


class GivenUp(NightlatchError):
    """This worker has not got on for so long that it had better be started again."""


class Lag(NamedTuple):
    """Of one partition: the first offset that is not folded, and where it ends."""

    reached: int
    end: int

    @property
    def records(self) -> int:
        """How many offsets are left; markers of transactions count."""
        return max(0, self.end - self.reached)


class Progress:
    """Tells for how long nothing has been done though there was something to do."""

    def __init__(self, limit: float, now: float) -> None:
        self.limit = limit
        self.answered = now
        self.advanced = now
        self._done: object = None

    def note(self, now: float, *, done: object, to_do: bool) -> None:
        """Take in what the brokers answered: whatever stands for what is done, and if more is."""
        self.answered = now
        if not to_do or done != self._done:
            self._done, self.advanced = done, now

    def check(self, now: float) -> None:
        """Raise GivenUp where the brokers have not answered, or nothing has been done, for long."""
        if now - self.answered > self.limit:
            raise GivenUp(
                f"the brokers have not answered for {now - self.answered:.0f} s: this worker gives "
                "up, to be started again"
            )
        if now - self.advanced > self.limit:
            raise GivenUp(
                f"there was something to do for {now - self.advanced:.0f} s and nothing was done: "
                "this worker gives up, to be started again"
            )


class Vigil(Service):
    """Looks at the application every few seconds; `lags` is what it saw last.

    `ticked` is when the event loop last ran (its own clock), for `watchdog`.
    """

    mundane_level = "debug"

    def __init__(self, app: Any, options: RuntimeOptions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self.lags: Mapping[TP, Lag] = {}
        self.ticked: float | None = None
        self._client = options.client
        self._limit = options.give_up_seconds
        self._every = min(self._limit / 5, _LONGEST_LOOK_SECONDS)
        # Asked for where nothing is ours yet: an answer is an answer.
        self._anything = TP(options.flows[0].changelog, 0)

    async def on_start(self) -> None:
        """Connect."""
        self.progress = Progress(self._limit, self.loop.time())
        self._watcher = AIOKafkaConsumer(
            **self._client, enable_auto_commit=False, isolation_level="read_committed"
        )
        await self._watcher.start()

    async def on_stop(self) -> None:
        """Close the connections."""
        await self._watcher.stop()

    @Service.task
    async def _tick_on(self) -> None:
        while not self.should_stop:
            self.ticked = self.loop.time()
            self.progress.check(self.ticked)
            await self.sleep(_TICK_SECONDS)

    @Service.task
    async def _look_on(self) -> None:
        while not self.should_stop:
            await self._look()
            await self.sleep(self._every)

    async def _look(self) -> None:
        runtime = self.app.runtime
        reached: dict[TP, int] = runtime.reached()
        asked = [TopicPartition(*tp) for tp in reached or [self._anything]]
        try:
            async with asyncio.timeout(self._limit / 2):
                ends = await self._watcher.end_offsets(asked)
        except (KafkaError, TimeoutError):
            return
        lags = {tp: Lag(at, ends[TopicPartition(*tp)]) for tp, at in reached.items()}
        self.lags = lags
        self.progress.note(
            self.loop.time(),
            done=(runtime.term, runtime.restoring.records, reached),
            to_do=not runtime.ready or any(lag.records for lag in lags.values()),
        )

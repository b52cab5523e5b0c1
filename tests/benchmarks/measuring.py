"""What a measured worker is asked, and what it answers."""

import math
import resource
import sys
import time

import msgspec

_ANSWER = "measured: "


class Task(msgspec.Struct, kw_only=True):
    """Read `events` events from `topics`, then report and end. `changelog` is for the state."""

    broker: str
    app_id: str
    topics: list[str]
    changelog: str
    partitions: int
    events: int
    data_dir: str
    settings: dict[str, str] = {}


class Measured(msgspec.Struct, kw_only=True):
    """From the first event at hand to the last one durable, by the clock and by the CPU.

    `peak_megabytes` is the process's resident memory at most.
    """

    events: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: int

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """CPU an event, all threads of the process together."""
        return self.cpu_seconds / self.events * 1e6


class Stopwatch:
    """Runs from the first event to the last lap, or to the report where there was none."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None
        self._lap: tuple[float, float] | None = None

    def start(self) -> None:
        """Note the time; only the first call counts."""
        if self._began is None:
            self._began = _now()

    def lap(self) -> None:
        """Note the time that the report is of, unless another lap follows."""
        self._lap = _now()

    @property
    def since_lap(self) -> float:
        """Seconds since the last lap, infinity where there was none."""
        return math.inf if self._lap is None else time.perf_counter() - self._lap[0]

    def report(self, events: int) -> None:
        """Answer, on standard output."""
        wall, cpu = self._began or (0.0, 0.0)
        ended, cpu_ended = self._lap or _now()
        measured = Measured(
            events=events,
            seconds=ended - wall,
            cpu_seconds=cpu_ended - cpu,
            peak_megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )
        sys.__stdout__.write(_ANSWER + msgspec.json.encode(measured).decode() + "\n")  # type: ignore[union-attr] # a worker has one
        sys.__stdout__.flush()  # type: ignore[union-attr] # as above


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def answer_in(output: str) -> Measured:
    """Find the answer in a worker's output. Raises ValueError where there is none."""
    for line in output.splitlines():
        if line.startswith(_ANSWER):
            return msgspec.json.decode(line.removeprefix(_ANSWER), type=Measured)
    raise ValueError(f"the worker has not reported: {output[-2000:]}")

"""What a measured worker is asked, and what it answers."""

import sys

import msgspec

_ANSWER = "measured: "


class Task(msgspec.Struct, kw_only=True):
    """Read `events` events from `topics`, then report and end."""

    broker: str
    app_id: str
    topics: list[str]
    partitions: int
    events: int
    data_dir: str
    settings: dict[str, str] = {}


class Measured(msgspec.Struct, kw_only=True):
    """From the first event at hand to the last one durable, by the clock and by the CPU."""

    events: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def report(measured: Measured) -> None:
    """Answer, on standard output."""
    sys.__stdout__.write(_ANSWER + msgspec.json.encode(measured).decode() + "\n")  # type: ignore[union-attr] # a worker has one
    sys.__stdout__.flush()  # type: ignore[union-attr] # as above


def answer_in(output: str) -> Measured:
    """Find the answer in a worker's output. Raises ValueError where there is none."""
    for line in output.splitlines():
        if line.startswith(_ANSWER):
            return msgspec.json.decode(line.removeprefix(_ANSWER), type=Measured)
    raise ValueError(f"the worker has not reported: {output[-2000:]}")

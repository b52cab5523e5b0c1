"""What can go wrong, by name: each is done to running workers while events come in."""

import random
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import psutil

from streams.local_kafka import LocalKafka
from tests.chaos.supervision import Supervised
from tests.integration.product_worker import SESSION_SECONDS, Options

MODULE: Final = "tests.integration.product_worker"
FULL_DISK_BYTES: Final = 4_000
FULL_DISK_SECONDS: Final = 60.0
BURST: Final = 10
BURST_BYTES: Final = 200 << 20


class Stage(NamedTuple):
    """What a fault may lay hands on. `options` gives those of a worker by its number."""

    chance: random.Random
    workers: list[Supervised]
    brokers: list[LocalKafka]
    options: Callable[[int], Options]
    folder: Path
    seconds: float
    rate: list[int]
    complaints: list[str]

    def victim(self) -> Supervised:
        """Return some worker."""
        return self.chance.choice(self.workers)

    def pause(self, shortest: float, longest: float) -> None:
        """Let some time go by."""
        time.sleep(self.chance.uniform(shortest, longest))

    def add(self) -> None:
        """Start one more worker."""
        number = len(self.workers)
        log = self.folder / f"worker-{number}-{time.monotonic():.0f}.log"
        self.workers.append(Supervised(MODULE, self.options(number), log))


class Fault(NamedTuple):
    """`strike` does it and returns how often; `workers` and `brokers` are how many there are."""

    meaning: str
    strike: Callable[[Stage], int]
    workers: int = 2
    brokers: int = 1


def _nothing(stage: Stage) -> int:
    time.sleep(stage.seconds)
    return 0


def _kill(stage: Stage) -> int:
    for _ in range(20):
        stage.pause(0.2, stage.seconds / 10)
        stage.victim().running.process.kill()
    return 20


def _stop(stage: Stage) -> int:
    for _ in range(5):
        stage.pause(1, stage.seconds / 4)
        stage.victim().running.process.terminate()
    return 5


def _freeze(stage: Stage) -> int:
    for _ in range(3):
        stage.pause(1, stage.seconds / 6)
        victim = stage.victim().running
        victim.freeze()
        stage.pause(SESSION_SECONDS + 1, 2 * SESSION_SECONDS + 1)
        victim.thaw()
    return 3


def _scale(stage: Stage) -> int:
    stage.pause(2, 4)
    stage.add()
    stage.add()
    stage.pause(stage.seconds / 3, stage.seconds / 2)
    stage.workers.pop(0).end(cleanly=True)
    stage.pause(stage.seconds / 3, stage.seconds / 2)
    return 3


def _restart_broker(how: Callable[[LocalKafka], None]) -> Callable[[Stage], int]:
    def strike(stage: Stage) -> int:
        for _ in range(2):
            stage.pause(2, stage.seconds / 4)
            how(stage.brokers[0])
            stage.pause(0.5, 6)
            stage.brokers[0].start()
        stage.pause(1, 3)
        return 2

    return strike


def _lose_a_broker(stage: Stage) -> int:
    for _ in range(2):
        stage.pause(2, stage.seconds / 4)
        lost = stage.chance.choice(stage.brokers)
        lost.kill()
        stage.pause(6, 10)
        lost.start()
    return 2


def _delete_store(stage: Stage) -> int:
    for _ in range(3):
        stage.pause(1, stage.seconds / 4)
        victim = stage.victim()
        assert isinstance(victim.options, Options)
        victim.running.process.send_signal(signal.SIGKILL)
        shutil.rmtree(victim.options.settings["data_dir"], ignore_errors=True)
    return 3


def _fill_disk(stage: Stage) -> int:
    victim = stage.workers[0]
    whole = victim.options
    assert isinstance(whole, Options)
    victim.options = msgspec.structs.replace(whole, largest_file=FULL_DISK_BYTES)
    victim.running.process.kill()
    ends = time.monotonic() + FULL_DISK_SECONDS
    while victim.exits.count(1) < 2 and time.monotonic() < ends:
        time.sleep(0.2)
    victim.options = whole
    failed = victim.exits.count(1)
    if "cannot be written" not in victim.log.read_text():
        stage.complaints.append("no worker has said that its disk is full")
    stage.pause(1, 3)
    return failed


def _turn_the_clock(stage: Stage) -> int:
    clock = stage.folder / "clock"
    for ahead in (7200, -86_400, 1800):
        stage.pause(1, stage.seconds / 5)
        clock.write_text(str(ahead))
        stage.pause(2, stage.seconds / 5)
        clock.write_text("0")
    return 3


def _burst(stage: Stage) -> int:
    """Ten times as much as is read at once; what waits must not be kept in memory."""
    (only,) = stage.workers
    process = psutil.Process(only.running.process.pid)
    stage.pause(5, 6)
    before, usual = process.memory_info().rss, stage.rate[0]
    stage.rate[0] = usual * BURST
    largest = 0
    ends = time.monotonic() + stage.seconds
    while time.monotonic() < ends:
        time.sleep(0.2)
        largest = max(largest, process.memory_info().rss - before)
    stage.rate[0] = usual
    if largest > BURST_BYTES:
        stage.complaints.append(f"memory has grown by {largest:,} bytes")
    return 1


FAULTS: Final[Mapping[str, Fault]] = {
    "none": Fault("nothing goes wrong", _nothing),
    "kill": Fault("a worker is killed with -9, twenty times", _kill),
    "stop": Fault("a worker is stopped in good order, and started again", _stop),
    "freeze": Fault("a worker stands still for longer than its session, and goes on", _freeze),
    "scale": Fault("under load, one worker becomes three, then two", _scale, workers=1),
    "broker-stop": Fault("the broker is stopped and started", _restart_broker(LocalKafka.stop)),
    "broker-kill": Fault("the broker is killed and started", _restart_broker(LocalKafka.kill)),
    "cluster": Fault("of three brokers one is lost, and comes back", _lose_a_broker, brokers=3),
    "store": Fault("a worker dies and its local store is deleted", _delete_store),
    "disk": Fault("a worker's disk is full: it may write no file on", _fill_disk),
    "burst": Fault("ten times the events that come else, memory bounded", _burst, workers=1),
    "clock": Fault("the clock jumps two hours ahead, a day back, half an hour", _turn_the_clock),
}

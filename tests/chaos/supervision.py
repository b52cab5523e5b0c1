"""Workers that are started again whenever they end, as an init system would."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.integration.harness import Worker


class Supervised:
    """One of them. `options` are looked at whenever it is started."""

    def __init__(self, module: str, options: msgspec.Struct, log: Path) -> None:
        self.exits: list[int] = []
        self.options = options
        self.log = log
        self._module = module
        self._ended = threading.Event()
        self.running = Worker(module, options, log)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            code = self.running.process.poll()
            if code is not None:
                self.exits.append(code)
                self.running = Worker(self._module, self.options, self.log)

    def end(self, *, cleanly: bool = False) -> None:
        """Stop for good; `cleanly` as an operator would."""
        self._ended.set()
        self._thread.join()
        if self.running.process.poll() is None:
            self.running.thaw()
            if cleanly:
                self.exits.append(self.running.stop())
            else:
                self.running.kill()


@contextmanager
def supervised(
    module: str, options: Callable[[int], msgspec.Struct], folder: Path, count: int
) -> Iterator[list[Supervised]]:
    """Run so many workers for as long as the context lasts. Whoever adds to the list is ended."""
    workers = [Supervised(module, options(n), folder / f"worker-{n}.log") for n in range(count)]
    try:
        yield workers
    finally:
        for each in workers:
            each.end()

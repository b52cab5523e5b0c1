"""Python's garbage collector, for a program of many long-lived objects and hardly a cycle."""

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 20)


def collect_seldom() -> None:
    """Leave alone what is there, and look for cycles seldom; to be called before the work begins.

    Hundreds of thousands of decoded profiles live long: at Python's own threshold every hundredth
    event would be looked at for garbage, a tenth of all time.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)

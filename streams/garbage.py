"""Python's garbage collector, for a program of many long-lived objects and hardly a cycle."""

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 1_000, 20)
"""New containers before the young are looked at, and how often that is before the old are, too.

What survives once mostly lives for long: to look at it again is work for nothing, and of a worker's
million containers a pause that an alert would wait for.
"""


def collect_seldom() -> None:
    """Leave alone what is there, and look for cycles seldom; to be called before the work begins.

    Hundreds of thousands of decoded profiles live long: at Python's own threshold every hundredth
    event would be looked at for garbage, a tenth of all time.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)

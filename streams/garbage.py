"""Python's garbage collector, for a program of many long-lived objects and hardly a cycle."""

import gc
from typing import Final

_THRESHOLDS: Final = (1_000_000, 1_000, 20)
"""Containers that may be made, beyond those that are gone, before the young are looked at; and how
often that is before the old are, too.

Decoded profiles make place for one another: there are as many soon after, and what would have been
looked at is gone by then, without having been. At a twentieth of this, looking took a fifteenth of
a compiled backtest. One partition's caches come to half a million containers when they are full: at
half of this, all that they had just been filled with was looked at, once, for nothing. What
survives once mostly lives for long: to look at it again is work for nothing, and of a worker's
million containers a pause that an alert would wait for.
"""


def collect_seldom() -> None:
    """Leave alone what is there, and look for cycles seldom; to be called before the work begins.

    Hundreds of thousands of decoded profiles live long: at Python's own threshold every hundredth
    event would be looked at for garbage, a tenth of all time.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)

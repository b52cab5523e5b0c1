"""Python's garbage collector, for a program of many long-lived objects and hardly a cycle."""

import atexit
import gc
from typing import Final

_YOUNG: Final = 2_000_000
_OFTEN_ENOUGH: Final = 250_000
_OLDER: Final = (1_000, 20)


def collect_seldom(*, awaited: bool = False) -> None:
    """Leave alone what is there, and look for cycles seldom; to be called before the work begins.

    Hundreds of thousands of decoded profiles live long: at Python's own threshold every hundredth
    event would be looked at for garbage, a tenth of all time. They make place for one another:
    there are as many soon after, and what would have been looked at is gone by then, without having
    been. One partition's caches come to half a million containers when they are full, a backtest's
    to three times as many; what survives once mostly lives for long, and is not looked at again.

    Where somebody waits for each answer (`awaited`) the young are looked at eight times as often: a
    million at once are a pause of a third of a second.

    Nor is anything looked at when the program ends, which Python does several times over.
    """
    gc.freeze()
    atexit.register(gc.freeze)
    gc.set_threshold(_OFTEN_ENOUGH if awaited else _YOUNG, *_OLDER)

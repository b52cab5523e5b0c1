"""Messages from one flow of a worker to another, folded once each.

A message leaves after the state that it follows from, and a crash in between has the same bytes
sent again: on its topic a message may be there twice. So every message that another flow is to
fold carries a header that says which partition of which flow has sent it, and the how-manyth it
was there. Those of one sender come in their order to each partition that they go to, repeated
perhaps but never reordered, and the receiving partition's position remembers by topic and sender
the next number it has not folded (`position.origins`), in the same batch as the state that the
message changed. What lies below that is left out: whatever dies, a counter counts once.

A flow whose state is deleted and begins anew would begin to count anew, and not be heard until it
had come to where it was. So the first number of a life is the clock's, in microseconds: no life
sends a million messages a second.

Nobody but the workers may write to such a topic: a header with a great number would keep a true
sender from being heard.
"""

import re
import time
from typing import Final, NamedTuple

from streams.runtime.interfaces import Record, Send

HEADER: Final = "nightlatch-sender"
_SENDER: Final = re.compile(rb"([A-Za-z0-9_-]{1,64}):([0-9]{1,9}):([0-9]{1,18})")


class Sender(NamedTuple):
    """Which partition of which flow sent a message, and the message's number there."""

    flow: str
    partition: int
    number: int


def first_number() -> int:
    """Return a number that no earlier life of a flow has come to."""
    return time.time_ns() // 1000


def numbered(message: Send, sender: Sender) -> Send:
    """Return a message that says who sent it."""
    value = f"{sender.flow}:{sender.partition}:{sender.number}".encode()
    return message._replace(headers=(*message.headers, (HEADER, value)))


def sender_of(record: Record) -> Sender | None:
    """Return who sent a record; None where it does not say so as `numbered` does."""
    for name, value in record.headers:
        if name == HEADER and (stated := _SENDER.fullmatch(value or b"")):
            flow, partition, number = stated.groups()
            return Sender(flow.decode(), int(partition), int(number))
    return None

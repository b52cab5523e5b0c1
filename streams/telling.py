"""What the worker's flows tell one another: bytes to objects, objects to messages.

    logins, orders ... --> events --observations--> heat --alert-links--> campaigns
                             ^                       |                        |
                             +----- reassessments ---+------------------------+
                             +----- heat (every worker reads it whole) ---+

What comes from these topics is input like any other: whoever may write to them could have written
it. It is typed, bounded in size, and must say which partition of which flow sent it; what is not
so goes to `dead-letters`. Hot indicators are the exception: they belong to no partition, so what
cannot be read of them is told in the log and left where it is.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from detectors.campaigns import Campaign
from detectors.errors import IncompatibleState, InvalidEvent
from detectors.faults import describe
from detectors.heat import (
    Attack,
    Front,
    Hot,
    Link,
    Membership,
    Notice,
    Reassessment,
    decode_hot,
    decode_notice,
    encode_front,
    encode_hot,
    encode_link,
    encode_notice,
)
from detectors.heat.table import HotTable
from streams.codec import encode_published
from streams.dead_letters import DeadLetters, bare
from streams.runtime.interfaces import Prepared, Record, Send
from streams.runtime.numbering import sender_of
from streams.settings import Settings
from streams.topics import MAX_CARRIED_BYTES, own_topics

_log: Final = logging.getLogger(__name__)
_T = TypeVar("_T")
_T_contra = TypeVar("_T_contra", contravariant=True)

Output = Hot | Reassessment | Link | Front | Attack | Campaign | Membership


def told(record: Record, decode: Callable[[bytes], _T]) -> _T:
    """Return what another flow tells; raises InvalidEvent for anything else."""
    if sender_of(record) is None:
        raise InvalidEvent(
            "missing_field", field=None, expected="a header that says who sent it", found="none"
        )
    return _decoded(record, decode)


def notice_of(record: Record) -> Notice:
    """Return what an account is told; raises InvalidEvent, also where it is another's."""
    notice = told(record, decode_notice)
    if record.key != notice.account_id.encode():
        raise InvalidEvent(
            "wrong_key", field="account_id", expected="the record's key", found="another account"
        )
    return notice


def _decoded(record: Record, decode: Callable[[bytes], _T]) -> _T:
    value = record.value or b""
    if len(value) > MAX_CARRIED_BYTES:
        expected = f"at most {MAX_CARRIED_BYTES} bytes"
        raise InvalidEvent("too_large", field=None, expected=expected, found=f"{len(value)} bytes")
    try:
        return decode(value)
    except IncompatibleState as error:
        raise InvalidEvent(
            "wrong_type", field=None, expected="what a flow tells", found=describe(str(error))
        ) from None


def messages(settings: Settings) -> Callable[[Output], Send]:
    """Return what makes a message of anything that a flow says.

    What is about an attack under way leaves at once; the rest leaves with the next step.
    """
    own, campaigns = own_topics(settings), settings.topic("campaigns")

    def message(output: Output) -> Send:
        match output:
            case Hot():
                return Send(own.heat, output.id.encode(), encode_hot(output), urgent=True)
            case Reassessment():
                key = output.account_id.encode()
                return Send(own.reassessments, key, encode_notice(output), urgent=True)
            case Membership():
                key = output.account_id.encode()
                return Send(own.reassessments, key, encode_notice(output))
            case Link():
                return Send(own.alert_links, output.alert.alert_id.encode(), encode_link(output))
            case Front():
                return Send(own.alert_links, output.id.encode(), encode_front(output))
            case Attack() | Campaign():
                return Send(campaigns, output.campaign_id.encode(), encode_published(output))

    return message


class Taking(Protocol[_T_contra]):
    """What a flow's business comes down to: take one thing after another, and keep a state."""

    def take(self, told: _T_contra, /) -> Sequence[Output]:
        """Take one thing in; return what came of it, in order."""

    def changes(self) -> Iterable[tuple[bytes, bytes | None]]:
        """Hand over every key changed since the last call; None means delete it."""


class ToldProcessor:
    """One partition of a flow that reads what other flows tell (`interfaces.Processor`)."""

    def __init__(
        self,
        taking: Taking[_T],
        decode: Callable[[bytes], _T],
        *,
        message: Callable[[Output], Send],
        dead_letters: DeadLetters,
        summaries: Callable[[], Sequence[Output]] = tuple,
    ) -> None:
        self._take: Callable[[_T], Sequence[Output]] = taking.take
        self._changes = taking.changes
        self._summaries = summaries
        self._decode = decode
        self._message = message
        self._dead_letters = dead_letters

    def prepare(self, record: Record) -> Prepared:
        """Leave a record as it is until its turn: decoded, a batch takes seven times the room."""
        return Prepared(record, record.timestamp, None)

    def fold(self, run: Sequence[Prepared]) -> Sequence[Send]:
        """Take what can be used; return the messages that a run gives rise to."""
        letters: list[Send] = []
        sends: list[Send] = []
        for prepared in run:
            living, dead = self._dead_letters.sift((self._read(prepared),))
            letters += dead
            for content in living:
                sends += map(self._message, self._take(content))
        return [*letters, *sends]

    def _read(self, prepared: Prepared) -> Prepared:
        """Decode a record; one that cannot be used is content too."""
        try:
            return prepared._replace(content=told(prepared.record, self._decode))
        except InvalidEvent as error:
            return prepared._replace(content=bare(error))

    def summaries(self) -> Sequence[Send]:
        """Tell what is told once for all that was folded; by default nothing is."""
        return [self._message(told) for told in self._summaries()]

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over what changed."""
        return dict(self._changes())


def into(table: HotTable) -> Callable[[Record], None]:
    """Return what takes the records of hot indicators into a worker's table."""

    def take(record: Record) -> None:
        if record.value is None:
            return
        try:
            hot = _decoded(record, decode_hot)
        except InvalidEvent as error:
            position = f"{record.topic}:{record.partition}:{record.offset}"
            _log.warning("%s is no hot indicator, and is left out: %s", position, error)
        else:
            table.take(hot)

    return take

"""What the flows tell one another, and its bytes: MessagePack arrays that begin with a version.

Times are UTC epoch seconds unless a field says minutes (whole, since the epoch). Topics hold no
more than a list of plain numbers and text: nothing in them can run. Numbers are bounded where
bytes are read, so that whatever is counted, compared or written as a date can be; what is built
here needs no such check.
"""

from decimal import Decimal
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from detectors.assessments import Stage
from detectors.errors import IncompatibleState, decoded
from detectors.heat.indicators import Indicator, Kind
from detectors.parsing import LATEST

VERSION: Final = 1
MOST_SOURCES: Final = 2**16
"""Partitions of events whose clocks a shard keeps at most."""

_MOST: Final = 2**32
_END: Final = LATEST + 366 * 86_400
"""What holds until then may have been told in the last year that the product takes."""
_LARGEST: Final = Decimal(10**18)
_FINEST: Final = -1_000
"""The exponent below which an amount would be written with a thousand zeros."""

_Kind = Annotated[int, msgspec.Meta(ge=int(min(Kind)), le=int(max(Kind)))]
_Seconds = Annotated[float, msgspec.Meta(ge=0.0, lt=_END)]
_Minute = Annotated[int, msgspec.Meta(ge=0, lt=int(_END // 60))]
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
_Partition = Annotated[int, msgspec.Meta(ge=0, lt=MOST_SOURCES)]
_Balance = Annotated[int, msgspec.Meta(ge=-_MOST, le=_MOST)]
_Nats = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
_Risk = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]

Technique = Literal["fast_stuffing", "spraying", "slow_stuffing"]
"""How passwords are tried: many from few addresses, few an address from many, one an address."""

TECHNIQUE_IDS: Final[dict[Technique, tuple[str, ...]]] = {
    "fast_stuffing": ("T1110.004",),
    "spraying": ("T1110.003",),
    "slow_stuffing": ("T1110.004", "F1030"),
}


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A sign-in that succeeded through a network and device new to its account.

    `logit` is what its event scored, nats of log-odds, without heat. `telling` is the sum of what
    spoke for a hijacker in it, nats, and `guessing` what of it were failures that heat may count
    too; an entry told by an earlier version has neither.
    """

    account_id: str
    event_id: str
    at: _Seconds
    logit: _Nats
    session_id: str | None = None
    telling: float = 0.0
    guessing: float = 0.0


class AlertMark(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An alert's revision, as far as linking needs it.

    `host` stands for the very address where it is told with an address range, for the user agent
    where with a client's shape, 0 elsewhere. Where no alert was raised and a verdict told of the
    hijack, it is `unnoticed`: its revision is 0, and its id is the one that an alert would have
    had. `unshared` is the risk without what the contact, address or payment that it brought says by
    being new to other accounts as well; None where that is the same, as what a verdict has made
    certain is.
    """

    alert_id: str
    account_id: str
    revision: _Count
    raised_at: _Seconds
    at: _Seconds
    risk: _Risk
    stage: Stage
    techniques: tuple[str, ...]
    amount: Decimal
    currency: str | None
    host: int = 0
    unnoticed: bool = False
    unshared: _Risk | None = None


class Brought(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One indicator of an event, as an alert tells it: `shown` and `host` as there."""

    kind: _Kind
    key: int
    shown: str | None = None
    host: int = 0


class Way(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a try came by that customers share: keys of its client, kind of client and operator.

    0 where it told none.
    """

    agent: int = 0
    shape: int = 0
    operator: int = 0


class Sighting(msgspec.Struct, array_like=True, gc=False):
    """What happened through one indicator within one minute, on one partition's accounts.

    Only accounts that the device and the network are new to are counted: `tried` of them, `failed`
    of which were not entered (less those made good within the hour: it can be negative), `unknown`
    of these because the shop has no such account, nor was anybody ever seen to enter it. `accounts`
    are 32-bit digests of the accounts, `networks` those of the address ranges that failures came
    from, one for each; `new` those of all accounts to which the indicator was new, and the use of
    it honest as far as known. `shown` is the value where its kind may be told. `ways` are those
    that failures came by, some of them.
    `excused` are address ranges, as `networks` has them, whose failures are put down to what else
    they came by, each with the minute that this turned hot in; or were made good, with that of the
    failure, by what many share: there `failed` is not less for it.
    """

    kind: _Kind
    key: int
    minute: _Minute
    tried: _Count = 0
    failed: _Balance = 0
    unknown: _Balance = 0
    accounts: tuple[int, ...] = ()
    networks: tuple[int, ...] = ()
    new: tuple[int, ...] = ()
    entries: tuple[Entry, ...] = ()
    alerts: tuple[AlertMark, ...] = ()
    shown: str | None = None
    ways: tuple[Way, ...] = ()
    excused: tuple[tuple[int, _Minute], ...] = ()


class Totals(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What happened within five minutes on a partition, whatever the indicators.

    Accounts tried and not entered: those with a device or network that they know (`familiar`),
    which no attacker has, and the others. `newcomers` are accounts that were never entered before.
    """

    minute: _Minute
    familiar_tried: _Count
    familiar_failed: _Balance
    tried: _Count
    failed: _Balance
    unknown: _Balance
    newcomers: _Count


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """What a partition saw since its last hand-over, for one shard of indicators.

    `totals` go to every shard alike. `source` is the partition's number; batches of an earlier
    version do not say it, and are taken for those of the first. Counting a batch twice counts
    twice: whoever carries it takes care that a repetition is passed over.
    """

    version: int
    totals: tuple[Totals, ...]
    sightings: tuple[Sighting, ...]
    source: _Partition = 0


class Hot(msgspec.Struct, array_like=True, frozen=True):
    """How an indicator stands: `nats` of evidence for a hijacker in a sign-in that comes with it.

    It holds for events before `until`; 0 nats is "no longer". `id` is the topic's key, so that
    the newest takes the place of the older. `tried` and `failed` are of the window that told it,
    `accounts` were tried in the last three to six days. `everywhere` is what the same window tells
    of all strangers, nats: of two things that are hot by the same attack, so much is told twice.
    """

    version: int
    kind: _Kind
    key: int
    technique: Technique
    nats: _Nats
    since: _Seconds
    at: _Seconds
    until: _Seconds
    tried: _Balance
    failed: _Balance
    accounts: _Count
    everywhere: _Nats = 0.0
    shown: str | None = None

    @property
    def id(self) -> str:
        """The indicator, as the topic's key names it."""
        return Indicator(self.kind, self.key).id

    @property
    def episode(self) -> str:
        """What tells this attack through the indicator from an earlier one."""
        return f"{self.id}:{self.since:.0f}"


class Reassessment(msgspec.Struct, array_like=True, frozen=True, tag="r"):
    """An attack's indicator turned hot after this account had been entered through it."""

    entry: Entry
    hot: Hot

    @property
    def account_id(self) -> str:
        """Whose it is: the notice's key."""
        return self.entry.account_id


class Membership(msgspec.Struct, array_like=True, frozen=True, tag="m"):
    """An alert belongs to a campaign. `at` is the event time that this was found."""

    account_id: str
    alert_id: str
    campaign_id: str
    at: _Seconds


Notice = Reassessment | Membership
"""What an account's engine is told by the other flows, keyed by `account_id`."""


class Link(msgspec.Struct, array_like=True, frozen=True):
    """One indicator of one alert, and how common it is.

    `users` is about how many accounts the indicator has been new to without an alert, `everybody`
    about how many accounts there are; `hot` is its nats at the time, 0 where it is not.
    """

    version: int
    kind: _Kind
    key: int
    alert: AlertMark
    users: _Count
    everybody: _Count
    hot: _Nats
    technique: Technique | None
    shown: str | None = None


class Front(msgspec.Struct, array_like=True, frozen=True, tag="f"):
    """One indicator that passwords are tried through, as the linker is told of it.

    It has been found to be under attack since `since`, and was at `at`, when one more try failed or
    an account was entered; while tries fail, it is told at least once an hour. `tried`, `failed`
    and `accounts` are as in `Hot`. `entered` counts the accounts that let it in, each once
    and 256 at most. `revision` counts what was told of it, from 1. `ways` are the latest that
    failures came by, some of them.
    """

    kind: _Kind
    key: int
    technique: Technique
    revision: _Count
    since: _Seconds
    at: _Seconds
    tried: _Balance
    failed: _Balance
    accounts: _Count
    entered: _Count
    shown: str | None = None
    ways: tuple[Way, ...] = ()

    @property
    def id(self) -> str:
        """The indicator."""
        return Indicator(self.kind, self.key).id


class AttackedIndicator(msgspec.Struct, frozen=True, kw_only=True):
    """What an attack comes by, and how it fared there: `value` where it may be told."""

    indicator: str
    value: str | None = None
    tried: int
    failed: int
    accounts: int


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """Passwords are being tried: for those who run the platform, not for an account.

    Published on `campaigns` under `campaign_id`, told from a campaign by `kind`. It was first seen
    through `indicator`; `indicators` lists what else it comes by, that which most fails through
    first: 50 address ranges and 20 others at most. `ranges` counts all address ranges.

    `tried` and `failed` are the latest tries through each indicator when it was last told,
    `accounts` those of days, `entered` the accounts that let it in, 0 for an attack that has
    succeeded nowhere. Each is summed over the indicators of one kind, ranges or clients say, the
    kind that most fails through: a try has one of each. What was tried through two ranges counts
    twice. Of those who got in by an operator or client that many share, only the likely hijackers
    count.

    Two that turn out to be one go on as campaigns do: `merged_from` names the younger, whose last
    revision names the other in `merged_into`.
    """

    kind: Literal["attack"] = "attack"
    campaign_id: str
    revision: int
    technique: Technique
    techniques: tuple[str, ...]
    indicator: str
    value: str | None = None
    first_seen: float
    last_seen: float
    tried: int
    failed: int
    accounts: int
    entered: int
    indicators: tuple[AttackedIndicator, ...] = ()
    ranges: int = 0
    merged_from: tuple[str, ...] = ()
    merged_into: str | None = None


HeatOutput = Hot | Reassessment | Link | Front

_V = TypeVar("_V", Batch, Hot, Link)


class _First(msgspec.Struct, array_like=True, frozen=True):
    """What a record begins with: a version, or the tag of its kind."""

    first: int | str


_encoder = msgspec.msgpack.Encoder()
_batches = msgspec.msgpack.Decoder(Batch)
_hots = msgspec.msgpack.Decoder(Hot)
_links = msgspec.msgpack.Decoder(Link)
_fronts = msgspec.msgpack.Decoder(Front)
_firsts = msgspec.msgpack.Decoder(_First)
_notices: msgspec.msgpack.Decoder[Notice] = msgspec.msgpack.Decoder(Notice)
_WHAT: Final = "a record between flows"


def encode_batch(batch: Batch) -> bytes:
    """Return a batch's bytes."""
    return _encoder.encode(batch)


def decode_batch(value: bytes) -> Batch:
    """Return the batch that was encoded. Raises IncompatibleState for anything else."""
    batch = _versioned(_batches, value)
    for sighting in batch.sightings:
        for mark in sighting.alerts:
            _check_amount(mark.amount)
    return batch


def encode_hot(hot: Hot) -> bytes:
    """Return an indicator's standing as bytes."""
    return _encoder.encode(hot)


def decode_hot(value: bytes) -> Hot:
    """Return the standing that was encoded. Raises IncompatibleState for anything else."""
    return _versioned(_hots, value)


def encode_link(link: Link) -> bytes:
    """Return a link's bytes."""
    return _encoder.encode(link)


def decode_link(value: bytes) -> Link:
    """Return the link that was encoded. Raises IncompatibleState for anything else."""
    link = _versioned(_links, value)
    _check_amount(link.alert.amount)
    return link


def encode_front(front: Front) -> bytes:
    """Return a front as bytes."""
    return _encoder.encode(front)


def decode_linking(value: bytes) -> Link | Front:
    """Return what the linker is told. Raises IncompatibleState for anything else."""
    if isinstance(decoded(_firsts.decode, value, _WHAT).first, str):
        return decoded(_fronts.decode, value, _WHAT)
    return decode_link(value)


def encode_notice(notice: Notice) -> bytes:
    """Return a notice's bytes."""
    return _encoder.encode(notice)


def decode_notice(value: bytes) -> Notice:
    """Return the notice that was encoded. Raises IncompatibleState for anything else."""
    return decoded(_notices.decode, value, _WHAT)


def _versioned(decoder: "msgspec.msgpack.Decoder[_V]", value: bytes) -> _V:
    record = decoded(decoder.decode, value, _WHAT)
    if record.version != VERSION:
        raise IncompatibleState(f"{_WHAT} has version {record.version}")
    return record


def _check_amount(amount: Decimal) -> None:
    """What is no number cannot be added, and what is fine beyond measure cannot be written."""
    _, _, exponent = amount.as_tuple()
    if not (isinstance(exponent, int) and exponent >= _FINEST and abs(amount) < _LARGEST):
        raise IncompatibleState(f"{_WHAT} has an amount that is none")

"""An event as the features read it: digests instead of text, and the account's clock."""

from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, Final
from zlib import crc32

from detectors.events import AccountChange, Login, Order
from detectors.facts import DeviceType, Facts
from detectors.features.registry import WIDTH
from detectors.heat.indicators import Met
from detectors.heat.records import Hot
from detectors.profiles import Profile, digest
from detectors.stored_profiles import Doubt, Session

if TYPE_CHECKING:
    from detectors.features.shared import Reported

DAY: Final = 1440
"""Minutes in a day."""

HABIT: Final = 60.0 * DAY
"""Minutes after which a habit weighs half."""

YOUNG: Final = 2 * DAY
"""Minutes for which a value brought in lately proves nothing: its owner may be an intruder."""

SESSIONS: Final = 5
"""Sessions that an account remembers, the last that were opened."""

_IMPLIED: Final = DAY
"""Minutes without an event after which the next one is of another session, unless it names it."""

_HANDHELDS: Final = frozenset(("mobile", "tablet"))

_BY_LIST: Final = frozenset((None, "password"))
"""How whoever tries a list of passwords signs in."""
_NOT_GUESSED: Final = frozenset(("passkey", "social", "remembered"))
"""What nobody tries over and over: where it fails, that says nothing of an attack."""

MIXING: Final = 0x9E3779B1
"""What spreads the second of two digests that are made one."""

LOGIN: Final = 0
ORDER: Final = 1
CHANGE: Final = 2


class Reading:
    """One event against one profile, and what is made of it. Minutes are of the profile's clock.

    `account` is its account's digest. `at` is the time, epoch seconds, that all of it goes by: the
    event's own, or what is believed; `on` is the same in whole minutes since the epoch.

    `amount` is the logarithm of one and an order's amount, `address`, `postcode`, `payment` and
    `categories` (of its first eight items) are where it goes, how it is paid and what it is of: 0
    and nothing of what is no order. `access_doubt` is what the sign-in's features amount to, nats;
    `who` by it, how familiar the doer is: 0 familiar, 1 unsure, 2 strange. `weights` are the
    features in the registry's order, 0 where they do not apply; `cells` the cells of the likelihood
    tables that the event belongs to, -1 where it belongs to none. `hot` is the hottest thing that a
    stranger came with. `came` is the network and client that it came with, and `anew` what it
    carries that the account did not know, both None before anybody asks. `session` is what is
    remembered of the event's, `implied` where only device, or client and range, say that it is.
    `device_at` and `prefix_at` are where the profile remembers its device and range, before it is
    learnt, -1 for nowhere: what is remembered stays in its place as it is learnt.
    `proved` tells that the sign-in, or its session's, rests on more than a password. Of a sign-in
    that opens an entry, `telling` is the sum of what spoke for a hijacker, nats, without heat, and
    `guessing` what of it were failures.
    `doubted` is what other sessions left that the story stands on, None where it stands on what the
    device or range came with; `apart` is when they came, where it stands on their never having been
    tied to the account, -1 elsewhere; `others` on how many other accounts a new value was given of
    late; `alone` what speaks for a hijacker but for the story and what is told by these others,
    nats; `failing` what of it fails on many accounts now, by `signin`, 0 for nothing.
    `reported` is what others told of what an event brings, the most telling first, and `shared`
    what of it counts, nats; `brought` tells that others were asked of something at all.
    """

    __slots__ = (
        "access_doubt",
        "account",
        "address",
        "agent",
        "alone",
        "amount",
        "anew",
        "apart",
        "asn",
        "at",
        "brought",
        "came",
        "categories",
        "cells",
        "city",
        "client",
        "country",
        "day",
        "depth",
        "device",
        "device_at",
        "device_class",
        "device_group",
        "doubt",
        "doubted",
        "event",
        "facts",
        "failing",
        "fresh_access",
        "guessing",
        "hot",
        "hour",
        "implied",
        "kind",
        "logit",
        "minute",
        "network",
        "on",
        "others",
        "payment",
        "postcode",
        "prefix",
        "prefix_at",
        "profile",
        "propensity",
        "proved",
        "reported",
        "session",
        "session_key",
        "shared",
        "success",
        "system",
        "telling",
        "type",
        "weekhour",
        "weights",
        "who",
    )  # fmt: skip

    def __init__(  # noqa: PLR0915 - one for each of what is made of an event
        self,
        event: Login | Order | AccountChange,
        facts: Facts,
        profile: Profile,
        account: int,
        at: float,
    ) -> None:
        self.event = event
        self.facts = facts
        self.profile = profile
        self.at = at
        if type(event) is Login:
            self.type = LOGIN
            self.success = event.outcome == "success"
        else:
            self.type = ORDER if type(event) is Order else CHANGE
            self.success = True
        if type(event) is Order:
            # Several parts ask for these; and decimals are slow to convert.
            self.amount = log(1.0 + float(event.amount))
            self.address = _digest(event.shipping_address_id)
            self.postcode = _digest(event.shipping_postcode)
            self.payment = _digest(event.payment_id)
            self.categories = [digest(one.category) for one in event.items[:8] if one.category]
        else:
            self.amount = 0.0
            self.address = self.postcode = self.payment = 0
            self.categories = []
        self.on = int(at // 60)
        minute = self.on - profile.born
        self.minute = minute if minute > 0 else 0  # noqa: FURB136 - a call less
        self.hour = at / 3600.0
        self.day = int(at // 86400)
        self.weekhour = int(at // 3600 + 72) % 168
        self.account = account
        # Digests in place: an event has half a dozen.
        device, prefix = event.device_id, facts.prefix or event.ip
        self.device = crc32(device.encode()) or 1 if device else 0
        self.prefix = crc32(prefix.encode()) or 1 if prefix else 0
        # Half a dozen features ask where these are.
        devices, prefixes = profile.devices.keys, profile.prefixes.keys
        self.device_at = devices.index(self.device) if self.device in devices else -1
        self.prefix_at = prefixes.index(self.prefix) if self.prefix in prefixes else -1
        self.agent, self.client, self.system = _client_of(
            event.user_agent, facts.browser, facts.os, facts.device_type
        )
        self.asn = facts.asn or 0
        self.country = country_code(facts.country)
        self.city = _common(facts.city or facts.region)
        self.kind = facts.network_kind
        self.depth = profile.depth
        self.session_key, self.session, self.implied = _session_of(self)
        if type(event) is Login:
            self.proved = _is_proved(event)
        else:
            self.proved = self.session is not None and self.session.proved
        self.device_class = self.device_group = self.propensity = self.who = 0
        self.others = self.failing = 0
        self.network: int = 0
        self.fresh_access = self.brought = False
        self.hot: Hot | None = None
        self.doubted: Doubt | None = None
        self.apart = -1
        self.came: list[Met] | None = None
        self.anew: tuple[Met, ...] | None = None
        self.reported: tuple[Reported, ...] = ()
        self.access_doubt = self.logit = self.doubt = self.alone = self.shared = 0.0
        self.telling = self.guessing = 0.0
        self.weights = [0.0] * WIDTH
        self.cells = [-1] * WIDTH


def is_staffs(event: Login | Order | AccountChange) -> bool:
    """Whether the shop's staff or systems did it, and no customer."""
    return type(event) is AccountChange and event.actor not in {None, "customer"}


def _is_proved(login: Login) -> bool:
    """Whether a list of passwords, or guessing, cannot have led to a sign-in or a failed one."""
    if login.outcome != "success":
        return login.method in _NOT_GUESSED
    return login.method not in _BY_LIST or login.mfa == "passed"


@lru_cache(1024)
def country_code(country: str | None) -> int:
    """Return a small number for an ISO 3166-1 alpha-2 code, 0 for none."""
    return (ord(country[0]) * 32 + ord(country[1])) & 1023 if country else 0


def country_named(code: int) -> str | None:
    """Return the ISO 3166-1 alpha-2 code that a small number stands for, None for 0."""
    # The letters follow from the number: of each, five bits are kept.
    letters = code - 64 & 1023
    return chr(64 + letters // 32) + chr(64 + letters % 32) if code else None


def paired(one: int, other: int) -> int:
    """Return 32 bits for two digests that were seen together."""
    return (one ^ other * MIXING) & 0xFFFFFFFF


def terminal_of(reading: Reading) -> int:
    """Return what stands for a device on its line."""
    return paired(reading.device, reading.prefix)


def area_of(postcode: str) -> str:
    """Return a postcode's area: its leading letters, or else two characters."""
    letters = len(postcode) - len(postcode.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return postcode[: letters or 2]


def area_key(postcode: str, country: str | None) -> int:
    """Return what stands for a postcode's area in counts."""
    return _common(f"{country}/{area_of(postcode)}")


def _digest(value: str | None) -> int:
    return digest(value) if value else 0


# Many customers share these: they are remembered.
_common = lru_cache(4096)(_digest)


@lru_cache(4096)
def _client_of(
    agent: str | None, browser: str | None, system: str | None, device: DeviceType | None
) -> tuple[int, int, int]:
    """Return what stands for a user agent, for its browser and system, and for its system.

    A phone's own apps are one client, whatever a release calls itself: browsers all say Mozilla.
    Where nobody knows a browser, the user agent is the client.
    """
    if device in _HANDHELDS and agent and not agent.startswith("Mozilla/"):
        browser = "an app"
    client = digest(f"{browser}/{system}") if browser else _digest(agent)
    return _digest(agent), client, _digest(system)


def _session_of(reading: Reading) -> tuple[int, Session | None, bool]:
    """Return what stands for an event's session, what is remembered of it, whether that is implied.

    One that names none, or one that nobody signed in to, goes on in what was begun with its device,
    or with its client and range where no device is told: ids are optional, and are changed by some
    shops at the checkout. A sign-in begins one, and each that has no name is another: a verdict on
    one must not be one on all that ever came by its device. What the shop's staff or systems change
    is of no customer's session, unless they name it. 0 stands for what is of none.
    """
    event, sessions = reading.event, reading.profile.sessions
    named = event.session_id
    staffs = reading.type == CHANGE and is_staffs(event)
    if named:
        key = digest(named)
        for session in sessions:
            if session.key == key:
                return key, session, False
    else:
        key = 0 if staffs else reading.device or paired(reading.agent, reading.prefix)
        if key:
            key = paired(key, reading.minute)
    if staffs or reading.type == LOGIN or not sessions:
        return key, None, False
    for session in reversed(sessions):
        # What is told late belongs to what had begun by then.
        lasts = session.opened <= reading.minute <= session.used + _IMPLIED
        if lasts and _has_begun(session, reading):
            return session.key, session, True
    return key, None, False


def _has_begun(session: Session, reading: Reading) -> bool:
    if reading.device or session.device:
        return reading.device == session.device
    # Two that tell neither client nor range have nothing in common.
    return reading.agent == session.agent and reading.prefix == session.prefix != 0

"""What goes with the rest of an account, and what came apart from all of it.

Who comes doubtfully by a device and a network that are both new comes apart from all that the
account had: a customer on a journey, at a new place of work, or a thief. So they, and what comes
with them later, stay until something ties them: they are met with what is the customer's, goods are
sent home by them, or somebody says that it was the customer. A thief has no part in the customer's
home, and no use for what is sent there.
"""

from collections.abc import Iterable
from typing import Final

from detectors.events import Order
from detectors.features.reading import Reading
from detectors.profiles import APART, Memory, Profile

_SHARED: Final = frozenset(("mobile", "hosting", "vpn", "tor", "relay"))
"""Networks in whose ranges strangers meet: to have been in one ties nobody."""
_SENT: Final = frozenset((None, "home"))
"""How goods go to an address, rather than to whoever holds a voucher or comes to the counter."""


def tie(reading: Reading) -> None:
    """Note what an event that was just taught tells of its device's and range's ties."""
    profile, event = reading.profile, reading.event
    device, prefix = reading.device_at, reading.prefix_at
    # What it has just brought in is somewhere since.
    if device < 0:
        device = profile.devices.find(reading.device)
    if prefix < 0:
        prefix = profile.prefixes.find(reading.prefix)
    if prefix >= 0:
        if not _are_tied(profile, device, prefix, reading.minute):
            _meet(reading, device, prefix)
    elif device < 0:
        return
    if type(event) is Order and reading.address:
        address = profile.addresses.find(reading.address)
        if address >= 0:
            _send(reading, address, device, prefix, home=event.delivery in _SENT)


def _are_tied(profile: Profile, device: int, prefix: int, minute: int) -> bool:
    """Return whether a device and a range that was known before are tied, as nearly always."""
    prefixes = profile.prefixes.rows
    if device < 0 or prefixes[4 * prefix + 1] >= minute:
        return False
    return profile.devices.rows[4 * device + 3] | prefixes[4 * prefix + 3] < APART


def _meet(reading: Reading, device: int, prefix: int) -> None:
    """Note that somebody came by a range, by a device where its position is not -1."""
    profile, minute = reading.profile, reading.minute
    devices, prefixes = profile.devices, profile.prefixes
    new_device = device >= 0 and devices.first(device) == minute
    new_prefix = prefixes.first(prefix) == minute
    if new_prefix and (new_device or not reading.device):
        # What an account's first minute brought in is all that it has.
        if prefixes.doubt(prefix) and profile.depth > 1 and _had_any(profile, minute):
            prefixes.set_apart(prefix)
            if new_device:
                devices.set_apart(device)
    elif device < 0:
        return
    elif new_device or new_prefix:
        # One of them is known: the other is whoever's that is.
        if prefixes.is_apart(prefix):
            devices.set_apart(device)
        elif devices.is_apart(device):
            prefixes.set_apart(prefix)
    elif not devices.is_apart(device):
        prefixes.tie(prefix)
    elif not prefixes.is_apart(prefix) and reading.kind not in _SHARED:
        devices.tie(device)


def _had_any(profile: Profile, minute: int) -> bool:
    """Return whether the account had a device or range before a minute."""
    for memory in (profile.devices, profile.prefixes):
        for at in range(len(memory.keys)):
            if memory.first(at) < minute:
                return True
    return False


def _send(reading: Reading, address: int, device: int, prefix: int, *, home: bool) -> None:
    """Note that an order goes to an address, of which whoever came apart may have brought it in."""
    profile = reading.profile
    addresses = profile.addresses
    by = [(profile.devices, device)] if device >= 0 else []
    by += [(profile.prefixes, prefix)] if prefix >= 0 else []
    first = addresses.first(address)
    if first == reading.minute:
        if _is_any_apart(by):
            addresses.set_apart(address)
    elif home and not addresses.is_apart(address):
        for memory, at in by:
            if first < memory.first(at):
                memory.tie(at)


def _is_any_apart(by: list[tuple[Memory, int]]) -> bool:
    return any(memory.is_apart(at) for memory, at in by)


def tie_all(profile: Profile, used: Iterable[tuple[str, int]], sessions: set[int]) -> None:
    """Tie the devices and ranges among what was used, memory and value, and those of sessions."""
    for name, value in used:
        if name == "devices":
            _tie(profile.devices, value)
        elif name == "prefixes":
            _tie(profile.prefixes, value)
    for session in profile.sessions:
        if session.key in sessions:
            _tie(profile.devices, session.device)
            _tie(profile.prefixes, session.prefix)


def _tie(memory: Memory, value: int) -> None:
    at = memory.find(value)
    if at >= 0:
        memory.tie(at)

"""What an address range does is put down to it, not to the client or operator that it shares."""

from detectors.events import Login
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import VERSION, Hot, Sighting
from detectors.heat.sightings import Sightings
from detectors.profiles import digest
from tests.contracts.detectors.histories import HOSTING, STRANGER, Device, History, Network

AGENT = key_of(Kind.AGENT, STRANGER.agent)


def ranges(number: int) -> list[Network]:
    """So many address ranges of one operator."""
    return [Network(f"198.18.{n}", HOSTING.asn, "hosting", HOSTING.place) for n in range(number)]


def told_of(sightings: Sightings, kind: Kind, key: int) -> list[Sighting]:
    """Hand over; return what was told of an indicator."""
    return [
        seen
        for _, batch in sightings.batches()
        for seen in batch.sightings
        if (seen.kind, seen.key) == (kind, key)
    ]


def fail_from(history: History, sightings: Sightings, network: Network, device: Device) -> None:
    """Tell of a failure by a range that is hot already."""
    reading = history.read_as_told(History("tried").attempt(device, network).observed[-1])
    assert isinstance(reading.event, Login)
    range_key = key_of(Kind.PREFIX, f"{network.prefix}.0/24")
    at = history.now
    hot = Hot(
        VERSION, Kind.PREFIX, range_key, "fast_stuffing", 3.0, at - 600.0, at, at + 3_600.0, 9, 9, 9
    )
    sightings.see_sign_in(reading, reading.event, hot, known=False, flagged=False)


def test_a_hot_range_is_told_once_in_a_hand_over_and_in_the_order_met() -> None:
    """However often it fails, and again in the next: nothing of one hand-over is left for it."""
    history, sightings, met = History("tried"), Sightings(1), ranges(5)
    since = int((history.now - 600.0) // 60)
    for network in (*reversed(met), *met):
        fail_from(history, sightings, network, STRANGER)
    [seen] = told_of(sightings, Kind.AGENT, AGENT)
    assert seen.excused == tuple(
        (digest(f"{network.prefix}.0/24"), since) for network in reversed(met)
    )
    assert seen.tried == 0
    fail_from(history, sightings, met[2], STRANGER)
    [again] = told_of(sightings, Kind.AGENT, AGENT)
    assert again.excused == ((digest(f"{met[2].prefix}.0/24"), since),)

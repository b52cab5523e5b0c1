"""The invented retailer: its size and how much its pipeline tells."""

import msgspec

from detectors.errors import ConfigurationError
from detectors.simulation.chance import stream


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """Share of events (0 to 1) that carry each field which the contract does not require.

    The shares hold for everybody alike: what a pipeline drops, it drops for thieves and for
    customers. `place` is the share of events with a country that have region, city and
    coordinates as well; `console` of the support desk's changes carry its address. A device
    whose user refuses cookies never has a `device_id`.
    """

    user_agent: float = 0.995
    order_user_agent: float = 0.85
    device_id: float = 0.97
    session_id: float = 0.98
    country: float = 0.85
    place: float = 0.75
    asn: float = 0.82
    rtt_ms: float = 0.35
    method: float = 1.0
    items: float = 0.97
    payment_id: float = 0.97
    value_hash: float = 0.9
    console: float = 0.3


def draw_telemetry(seed: int) -> Telemetry:
    """Draw how much some retailer's pipeline tells: each field mostly, seldom, or never sent."""
    chance = stream(seed, "telemetry")
    habits = (0.0, chance.between(0.2, 0.6), 0.9, 0.97, 1.0)
    return Telemetry(**{name: chance.choice(habits) for name in Telemetry.__struct_fields__})


EVERYTHING = Telemetry(
    **dict.fromkeys(Telemetry.__struct_fields__, 1.0)  # a pipeline that loses nothing
)
BARE = Telemetry(
    **dict.fromkeys(Telemetry.__struct_fields__, 0.0)  # the four required fields and little more
)


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """A retailer of so many `accounts`.

    `visits` is the median number of visits that an account that comes at all makes in sixty days.
    """

    accounts: int = 20_000
    visits: float = 2.0
    telemetry: Telemetry = Telemetry()

    def __post_init__(self) -> None:
        if self.accounts < 20:
            raise ConfigurationError("a simulated shop needs at least 20 accounts")

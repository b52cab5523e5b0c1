"""How often alerts and raids come: by chance, how often two that have nothing in common meet.

A raid is an attack that lets its victims in within hours, through whatever addresses. That two
alerts come of addresses under such attack within an hour tells much where raids are seldom, and
little where one is always on: so much is learnt here, and fades over some weeks.
"""

from math import log
from typing import Final

import msgspec

HOUR: Final = 3_600.0
_DAY: Final = 86_400.0
_HALF_LIFE: Final = 28 * _DAY
_ALERTS, _ATTACKED, _RAIDS, _DAYS = 10.0, 2.0, 2.0, 4.0
"""What is taken to have been before anything was seen: one alert in five through what a raid comes
through, and a raid every other day."""
_TOGETHER: Final = 0.25
"""How often two hijacks of one gang come by what a raid comes through, within an hour."""
_LONGEST: Final = 2 * _HALF_LIFE
"""Seconds without an alert that are believed: a longer silence is rather a wrong clock's."""
_MOST: Final = 6.5
"""Nats that it tells at most: two that are rather customers', at a risk of a fifth each, are no
gang's by it alone."""


class Pace(msgspec.Struct, array_like=True):
    """Fading sums: alerts, those of them that a raid let in, and raids, over so many days.

    `at` is the time of the latest alert and `raid` of the latest of a raid, epoch seconds.
    """

    at: float = 0.0
    raid: float = 0.0
    alerts: float = 0.0
    attacked: float = 0.0
    raids: float = 0.0
    days: float = 0.0

    def see(self, at: float) -> None:
        """Count an alert."""
        if at > self.at:
            since = min(at - self.at, _LONGEST) if self.at else 0.0
            fading = 2.0 ** (-since / _HALF_LIFE)
            self.alerts *= fading
            self.attacked *= fading
            self.raids *= fading
            self.days = self.days * fading + since / _DAY
            self.at = at
        self.alerts += 1.0

    def see_raided(self, at: float) -> None:
        """Count an alert, which was counted, as one that a raid let in."""
        self.attacked += 1.0
        if abs(at - self.raid) > HOUR:
            self.raids += 1.0
        self.raid = max(self.raid, at)

    @property
    def together(self) -> float:
        """What it tells that two alerts came by what a raid comes through within an hour, nats.

        Of two gangs' both have to be some raid's, and some raid to be on in the two hours around
        the other. At most 6.5.
        """
        share = (self.attacked + _ATTACKED) / (self.alerts + _ALERTS)
        raids = (self.raids + _RAIDS) / (self.days + _DAYS)
        chance = share * share * min(2.0 * HOUR / _DAY * raids, 1.0)
        return min(max(log(_TOGETHER / chance), 0.0), _MOST)

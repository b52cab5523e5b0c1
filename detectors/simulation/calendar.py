"""What happens on which date: seasons and sales, app releases, an outage, a forced reset."""

from bisect import bisect
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from detectors.simulation.chance import Chance, stream

DAY = 86400.0
# Monday first; Sunday evening is when people shop.
_WEEKDAYS = (1.0, 0.97, 0.96, 1.0, 0.98, 1.02, 1.12)
# Local hours from midnight: how much of a day's shopping starts in each.
HOURS = np.array(
    [1.2, 0.6, 0.4, 0.3, 0.3, 0.5, 1.3, 2.6, 3.8, 4.6, 5.2, 5.5, 5.9, 5.6, 5.0, 4.8, 5.0, 5.4,
     6.0, 7.0, 8.2, 8.4, 6.6, 3.2]
)  # fmt: skip


class Release(NamedTuple):
    """A version of the shop's app. A forced one reaches everybody within about a day."""

    time: float
    version: str
    forced: bool


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    first = date(year, 11, 1)
    thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
    return thursday + timedelta(days=1)


class Calendar:
    """The dates of one run of `days` days from `start` (UTC epoch seconds)."""

    def __init__(self, seed: int, start: float, days: float) -> None:
        chance = stream(seed, "calendar")
        self.start, self.days, self.end = start, days, start + days * DAY
        whole = max(1, int(days + 0.999))
        dates = [datetime.fromtimestamp(start + i * DAY, UTC).date() for i in range(whole)]
        self.promotions = {i for i in range(whole) if chance.happens(0.04)}
        self.sales = [i for i, d in enumerate(dates) if -1 <= (d - black_friday(d.year)).days <= 3]
        self.weights = np.array([self._weight(i, d) for i, d in enumerate(dates)])
        self.outage = self._outage(chance)
        self.forced_reset = start + DAY * days * (0.35 + 0.3 * chance.random())
        self.releases = _releases(chance, start, self.end)
        self._times = [release.time for release in self.releases]

    def _weight(self, index: int, day: date) -> float:
        weight = _WEEKDAYS[day.weekday()]
        from_friday = (day - black_friday(day.year)).days
        if from_friday in {-1, 0, 3}:
            weight *= {-1: 1.5, 0: 3.2, 3: 2.3}[from_friday]
        elif 1 <= from_friday <= 2:
            weight *= 1.8
        elif from_friday > 3 and day < date(day.year, 12, 20):
            weight *= 1.4
        return weight * (1.6 if index in self.promotions else 1.0)

    def _outage(self, chance: Chance) -> tuple[float, float]:
        """Sign-in is down for 25 to 80 minutes of one busy hour."""
        day = self.start + DAY * int(self.days * (0.2 + 0.6 * chance.random()))
        begins = day + 3600 * (9 + 11 * chance.random())
        return begins, begins + 60 * (25 + 55 * chance.random())

    def in_outage(self, time: float) -> bool:
        """Return whether sign-in is down at this time."""
        return self.outage[0] <= time < self.outage[1]

    def on_sale(self, time: float) -> bool:
        """Return whether this is one of the great sale days around Black Friday."""
        return int((time - self.start) // DAY) in self.sales

    def app_version(self, time: float, lag: float) -> str:
        """The app's version on a device that updates `lag` days late."""
        i = bisect(self._times, time) - 1
        while i > 0:
            release = self.releases[i]
            if time >= release.time + DAY * (min(lag / 8, 1.2) if release.forced else lag):
                break
            i -= 1
        return self.releases[max(i, 0)].version

    def just_released(self, time: float) -> bool:
        """Return whether a forced release went out within two days before this time."""
        return any(r.forced and r.time <= time < r.time + 2 * DAY for r in self.releases)

    def sale_days(self) -> Sequence[int]:
        """Days (counted from the start) that wake customers who hardly ever come."""
        return self.sales or sorted(self.promotions)


def _releases(chance: Chance, start: float, end: float) -> list[Release]:
    """Routine releases about every three weeks, and a forced one near the middle of the run."""
    forced = start + (end - start) * (0.4 + 0.2 * chance.random())
    times = [(start - 420 * DAY, False), (forced, True)]
    time = start - 400 * DAY
    while time < end:
        times.append((time, False))
        time += DAY * (14 + 14 * chance.random())
    return [
        Release(
            time, f"{7 + minor // 20}.{minor % 20}.{chance.choice((0, 0, 0, 1, 2))}", was_forced
        )
        for minor, (time, was_forced) in enumerate(sorted(times))
    ]

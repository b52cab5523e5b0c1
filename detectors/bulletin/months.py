"""A calendar month and its weeks, in UTC."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Self

from detectors.errors import ConfigurationError


class Month(NamedTuple):
    """A month of event time."""

    year: int
    number: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the month that `2026-11` names; raises ConfigurationError for anything else."""
        found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
        if found is None or int(found[1]) < 2000:
            raise ConfigurationError(f"{text!r} is no month: expected one like 2026-11")
        return cls(int(found[1]), int(found[2]))

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        """The month before it."""
        before = self.first - timedelta(days=1)
        return Month(before.year, before.month)

    @property
    def begin(self) -> float:
        """UTC epoch seconds at which it begins."""
        return datetime(self.year, self.number, 1, tzinfo=UTC).timestamp()

    @property
    def end(self) -> float:
        """UTC epoch seconds at which the next one begins."""
        return self.next.begin

    def holds(self, seconds: float) -> bool:
        """Whether a time (UTC epoch seconds) is in it."""
        return self.begin <= seconds < self.end

    def weeks(self) -> list[tuple[date, date]]:
        """Return the first and last days of its weeks, Monday to Sunday, cut to the month."""
        found, day = [], self.first
        while day <= self.last:
            last = min(day + timedelta(days=6 - day.weekday()), self.last)
            found.append((day, last))
            day = last + timedelta(days=1)
        return found

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"

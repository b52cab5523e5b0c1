"""All features of an event, in their order: the one place that knows which apply when."""

from collections.abc import Callable, Iterator
from typing import Final

from detectors.events import Login, Order
from detectors.features import access, changes, orders, sessions, signin, story
from detectors.features.lesson import Lesson
from detectors.features.reading import CHANGE, DAY, LOGIN, Reading, is_staffs
from detectors.features.registry import ACCESS, NAMES
from detectors.models.half_space import FlatHalfSpaceTrees
from detectors.models.likelihood import HORIZON, Table, learn_each
from detectors.population import Pages, Population
from detectors.stored_profiles import Session

_TABLES: Final = {
    "device": (8, access.DEVICE_CUSTOMER, access.DEVICE_HIJACKER),
    "client": (8, access.CLIENT_CUSTOMER, access.CLIENT_HIJACKER),
    "network": (64, access.NETWORK_CUSTOMER, access.NETWORK_HIJACKER),
    "kind": (16, access.KIND_CUSTOMER, access.KIND_HIJACKER),
    "travel": (4, signin.TRAVEL_CUSTOMER, signin.TRAVEL_HIJACKER),
    "method": (2, signin.METHOD_CUSTOMER, signin.METHOD_HIJACKER),
    "round_trip": (4, signin.RTT_CUSTOMER, signin.RTT_HIJACKER),
    "failures": (2, signin.FAILURES_CUSTOMER, signin.FAILURES_HIJACKER),
    "dormancy": (2, signin.DORMANCY_CUSTOMER, signin.DORMANCY_HIJACKER),
    "shared_device": (1, access.SHARED_CUSTOMER, access.SHARED_HIJACKER),
    "shared_range": (3, access.RANGE_CUSTOMER, access.RANGE_HIJACKER),
    "churn": (3, access.CHURN_CUSTOMER, access.CHURN_HIJACKER),
    "continuity": (8, sessions.CONTINUITY_CUSTOMER, sessions.CONTINUITY_HIJACKER),
    "act": (3, changes.ACT_CUSTOMER, changes.ACT_HIJACKER),
    "contact_clock": (9, changes.CLOCK_CUSTOMER, changes.CLOCK_HIJACKERS[0]),
    "credential_clock": (9, changes.CLOCK_CUSTOMER, changes.CLOCK_HIJACKERS[1]),
    "reset_clock": (9, changes.CLOCK_CUSTOMER, changes.CLOCK_HIJACKERS[2]),
    "address_clock": (9, changes.CLOCK_CUSTOMER, changes.CLOCK_HIJACKERS[3]),
    "payment_clock": (9, changes.CLOCK_CUSTOMER, changes.CLOCK_HIJACKERS[4]),
    "mfa_clock": (9, changes.CLOCK_CUSTOMER, changes.CLOCK_HIJACKERS[5]),
    "shared_value": (3, changes.SHARED_CUSTOMER, changes.SHARED_HIJACKER),
    "destination": (9, orders.DESTINATION_CUSTOMER, orders.DESTINATION_HIJACKER),
    "delivery": (6, orders.DELIVERY_CUSTOMER, orders.DELIVERY_HIJACKER),
    "amount": (9, orders.AMOUNT_CUSTOMER, orders.AMOUNT_HIJACKER),
    "speed": (6, orders.SPEED_CUSTOMER, orders.SPEED_HIJACKER),
    "rewards": (6, orders.REWARDS_CUSTOMER, orders.REWARDS_HIJACKER),
    "pace": (3, orders.PACE_CUSTOMER, orders.PACE_HIJACKER),
    "forwarding": (6, orders.FORWARDING_CUSTOMER, orders.FORWARDING_HIJACKER),
    "isolation": (3, story.ISOLATION_CUSTOMER, story.ISOLATION_HIJACKER),
    "story": (6, story.STORY_CUSTOMER, story.STORY_HIJACKER),
    "locality": (6, orders.LOCALITY_CUSTOMER, orders.LOCALITY_HIJACKER),
}
_TOLD: Final = {"continuity": sessions.CONTINUITY_TOLD}
_CARRIED: Final = 8.0
"""A session keeps its sign-in's features in eighths of a nat."""


class Evidence:
    """Computes features against the population's counts and the likelihood tables."""

    def __init__(
        self,
        population: Population,
        story_half_life_days: float,
        forest: FlatHalfSpaceTrees,
        read: Callable[[bytes], bytes | None],
    ) -> None:
        self._population = population
        self._forest = forest
        self._half_life = story_half_life_days * DAY
        tables = {
            name: Table(name, contexts, customer, hijacker, read, told=_TOLD.get(name, 1.0))
            for name, (contexts, customer, hijacker) in _TABLES.items()
        }
        self._by_name = tables
        # Events with nothing changed within the week, by context, then all of them.
        self.quiet = Pages("quiet", "I", changes.CONTEXTS + 1, read)
        self._at = [tables.get(name) for name in NAMES]
        self._clocks = tuple(table for name, table in tables.items() if name.endswith("_clock"))

    def weigh(self, reading: Reading) -> None:
        """Fill in a reading's features and cells."""
        event, tables = reading.event, self._by_name
        if not reading.success:
            signin.weigh_guessing(reading, self._population)
            return
        if reading.type == CHANGE and is_staffs(event):
            reading.who = 1
        else:
            self._weigh_doer(reading)
            if reading.type != LOGIN or reading.session is not None:
                sessions.weigh_continuity(reading, tables["continuity"])
        changes.weigh_act(reading, tables["act"])
        changes.weigh_clocks(reading, self._clocks, self.quiet.cells)
        if type(event) is Order:
            self._weigh_order(reading, event)
        if reading.type != LOGIN:
            changes.weigh_sharing(reading, tables["shared_value"], self._population)
            orders.weigh_speed(reading, tables["speed"])
        story.weigh_story(reading, tables["story"], self._half_life)

    def weigh_isolation(self, reading: Reading) -> float:
        """Fill in the half-space trees' feature and return it: dear, so only where it matters."""
        story.weigh_isolation(reading, self._by_name["isolation"], self._forest)
        return reading.weights[story.ISOLATION]

    def learn(self, cells: list[int]) -> None:
        """Count a customer's event."""
        learn_each(self._at, cells)
        quiet = cells[changes.CLOCKS[0]]
        if quiet < -1:
            self._learn_quiet(-2 - quiet)

    def unlearn(self, cells: list[int]) -> None:
        """Take back an event that was counted as a customer's."""
        for cell, table in zip(cells, self._at, strict=True):
            if cell >= 0 and table is not None:
                table.unlearn(cell)
            elif cell < -1 and self.quiet.cells[-2 - cell]:
                self.quiet.add(-2 - cell, -1)
                self.quiet.add(changes.CONTEXTS, -1)

    def learn_hijack(self, cells: list[int]) -> None:
        """Count an event that a verdict gave to a hijacker."""
        for cell, table in zip(cells, self._at, strict=True):
            if cell >= 0 and table is not None:
                table.learn_hijack(cell % table.outcomes)

    def doubt(self, lesson: Lesson) -> None:
        """Have what a hijacker came with, and ordered to, pass for a shop's no longer."""
        shared = {
            "devices": self._population.new_devices,
            "addresses": self._population.new_addresses,
        }
        for memory, value in lesson.used:
            if memory in shared:
                shared[memory].doubt(value)

    def forget_hijack(self, cells: list[int]) -> None:
        """Take back an event that a verdict had given to a hijacker."""
        for cell, table in zip(cells, self._at, strict=True):
            if cell >= 0 and table is not None:
                table.forget_hijack(cell % table.outcomes)

    def _learn_quiet(self, context: int) -> None:
        quiet = self.quiet
        quiet.count([context, changes.CONTEXTS])
        if quiet.cells[context] > HORIZON:
            self.quiet.halve()
            for table in self._clocks:
                table.fade()

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Hand over the tables that changed."""
        for table in self._by_name.values():
            yield from table.changes()
        yield from self.quiet.changes()

    def stored(self) -> Iterator[tuple[bytes, bytes]]:
        """Return every table as it would be handed over now."""
        for table in self._by_name.values():
            yield table.stored()

    def _weigh_doer(self, reading: Reading) -> None:
        session = reading.session
        if reading.type != LOGIN and session is not None:
            if not sessions.moved_to_another(reading):
                _carry(reading, session)
            else:
                self._weigh_access(reading)
                carried = [value / _CARRIED for value in session.access]
                # Whatever it moved to, the doer is no less strange than at the sign-in.
                if sum(carried) > story.access_doubt(reading):
                    reading.weights[:ACCESS] = carried
        else:
            self._weigh_access(reading)
        story.judge_doer(reading)

    def _weigh_access(self, reading: Reading) -> None:
        event, tables, population = reading.event, self._by_name, self._population
        reading.fresh_access = True
        access.weigh_device(reading, tables["device"])
        access.weigh_client(reading, tables["client"], population)
        access.weigh_network(reading, tables["network"], tables["kind"], population)
        # What applies to few is asked for here: a call that comes back at once is a tenth of these.
        if reading.device_class == access.NEW:
            access.weigh_sharing(reading, tables["shared_device"], population)
        if reading.network >= access.OPERATOR:
            access.weigh_shared_range(reading, tables["shared_range"], population)
        if reading.device_class == access.NEW:
            access.pass_over_terminal(reading, population)
        access.weigh_churn(reading, tables["churn"])
        signin.weigh_travel(reading, tables["travel"])
        signin.weigh_guessing(reading, population)
        if type(event) is Login:
            signin.weigh_hours(reading, population)
            signin.weigh_method(reading, event, tables["method"])
            if event.rtt_ms is not None:
                signin.weigh_round_trip(reading, event, tables["round_trip"])
            signin.weigh_failures(reading, tables["failures"])
            signin.weigh_dormancy(reading, tables["dormancy"])

    def _weigh_order(self, reading: Reading, order: Order) -> None:
        tables = self._by_name
        orders.weigh_destination(reading, order, tables["destination"])
        orders.weigh_delivery(reading, order, tables["delivery"])
        orders.weigh_amount(reading, tables["amount"], self._population)
        orders.weigh_goods(reading, self._population)
        orders.weigh_locality(reading, order, tables["locality"], self._population)
        orders.weigh_forwarding(reading, order, tables["forwarding"])
        orders.weigh_rewards(reading, order, tables["rewards"], self._population)
        orders.weigh_pace(reading, tables["pace"])


def _carry(reading: Reading, session: Session) -> None:
    reading.weights[:ACCESS] = [value / _CARRIED for value in session.access]
    reading.device_class = session.device_class
    reading.network = session.network


def carried(reading: Reading) -> list[int]:
    """Return the sign-in's features as a session keeps them."""
    return [int(weight * _CARRIED) for weight in reading.weights[:ACCESS]]

"""Hand-written histories: one customer's months, then what happens to them or to their account."""

from decimal import Decimal
from functools import cache
from typing import Any

from detectors.assessments import Alert, Assessment
from detectors.engine import Engine, Intelligence, Observed, Outcome
from detectors.events import AccountChange, Feedback, Item, Login, Order, Verdict, VerdictSource
from detectors.facts import Facts
from detectors.features.reading import Reading
from detectors.heat.sightings import Sightings
from detectors.policy import Policy
from detectors.profiles import digest
from tests.contracts.detectors.traffic import customers

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
START = 1_793_750_400.0
"""Midnight after the warm-up traffic, UTC epoch seconds."""

LONDON = {"country": "GB", "city": "London", "latitude": 51.51, "longitude": -0.13}
LEEDS = {"country": "GB", "city": "Leeds", "latitude": 53.80, "longitude": -1.55}
LISBON = {"country": "PT", "city": "Lisbon", "latitude": 38.72, "longitude": -9.14}
ASHBURN = {"country": "US", "city": "Ashburn", "latitude": 39.04, "longitude": -77.49}


class Network:
    """Where an event comes from: a range, its operator, its kind and its place."""

    def __init__(self, prefix: str, asn: int, kind: str | None, place: dict[str, Any]) -> None:
        self.prefix, self.asn, self.kind, self.place = prefix, asn, kind, place


class Device:
    """What an event is done with."""

    def __init__(
        self, device_id: str | None, browser: str, system: str, agent: str | None = None
    ) -> None:
        self.device_id, self.browser, self.system = device_id, browser, system
        self.agent = agent or f"Mozilla/5.0 ({system}) {browser}"
        self.kind = "mobile" if agent else None


HOME = Network("81.2.69", 2856, "access", LONDON)
CARRIER = Network("82.132.212", 12576, "mobile", LONDON)
HOTEL = Network("85.240.17", 3243, "access", LISBON)
PRIVACY = Network("146.70.83", 9009, "vpn", LONDON)
PROXY = Network("90.207.11", 5607, "access", LEEDS)
HOSTING = Network("3.80.14", 14618, "hosting", ASHBURN)
LAPTOP = Device("laptop-of-the-customer", "Chrome", "Windows")
PHONE = Device("phone-of-the-customer", "Mobile Safari", "iOS")
NEW_PHONE = Device("new-phone", "Chrome Mobile", "Android")
TABLET = Device("family-tablet", "Mobile Safari", "iOS")
TERMINAL = Device("terminal-in-the-shop", "Mobile Safari", "iOS")
SHOP = Network("92.198.19", 5089, "business", LEEDS)
STRANGER = Device("device-of-a-stranger", "Firefox", "Linux")


@cache
def _warm() -> dict[bytes, bytes]:
    store: dict[bytes, bytes] = {}
    engine = Engine(Policy(), store.get)
    engine.process(customers())
    store.update({key: value for key, value in engine.changes().items() if value is not None})
    return store


class History:
    """One account's events, told as they happen to an engine that knows the shop's customers."""

    def __init__(
        self,
        account_id: str = "customer",
        intelligence: Intelligence | None = None,
        sightings: Sightings | None = None,
    ) -> None:
        self.account_id = account_id
        self.now = START
        self.assessments: list[Assessment] = []
        self.alerts: list[Alert] = []
        self.observed: list[Observed] = []
        self._store = dict(_warm())
        self._engine = Engine(
            Policy(), self._store.get, sightings=sightings, intelligence=intelligence
        )
        self._number = 0
        self._device, self._network, self._session = LAPTOP, HOME, "s0"

    def wait(self, seconds: float) -> "History":
        """Let time pass."""
        self.now += seconds
        return self

    def at(self, moment: float) -> "History":
        """Go on at a moment, epoch seconds."""
        self.now = moment
        return self

    def months(self) -> "History":
        """Ten weeks of habit: a sign-in every four days, every third time an order."""
        for visit in range(18):
            self.sign_in(PHONE if visit % 3 == 1 else LAPTOP, HOME if visit % 4 else CARRIER)
            if visit % 3 == 0:
                self.wait(9 * MINUTE).order(str(35 + visit % 7 * 4))
            self.wait(4 * DAY - 9 * MINUTE + (visit % 5 - 2) * HOUR)
        return self

    def sign_in(
        self, device: Device, network: Network, *, failures: int = 0, **fields: Any
    ) -> "History":
        """Sign in, after so many failures half a minute apart, and go on in a new session."""
        self._device, self._network = device, network
        for _ in range(failures):
            self._tell(
                Login, outcome="failure", failure_reason="bad_password", method="password"
            ).wait(25)
        self._session = f"s{self._number}"
        given = {"method": "password", "mfa": "none", "session_id": self._session} | fields
        return self._tell(Login, outcome="success", **given)

    def attempt(self, device: Device, network: Network) -> "History":
        """Try a password that does not fit."""
        self._device, self._network = device, network
        return self._tell(Login, outcome="failure", failure_reason="bad_password")

    def steal_session(self, device: Device, network: Network) -> "History":
        """Go on in the customer's session from elsewhere."""
        self._device, self._network = device, network
        return self

    def change(
        self, change: str, value: str | None = None, *, actor: str = "customer", **fields: Any
    ) -> "History":
        """Change something in the session at hand; the support desk has none."""
        given: dict[str, Any] = {"bare": True}
        if actor == "customer":
            given = {"session_id": self._session}
        return self._tell(
            AccountChange, change=change, actor=actor, value_hash=value, **(given | fields)
        )

    def order(
        self,
        amount: str,
        *,
        address: str | None = "home",
        payment: str | None = "card",
        **fields: Any,
    ) -> "History":
        """Place an order in the session at hand."""
        given: dict[str, Any] = {
            "order_id": f"o{self._number}",
            "delivery": "home",
            "session_id": self._session,
            "currency": "GBP",
            "items": (Item(category="clothing", unit_price=Decimal(amount)),),
            "shipping_country": "GB" if address else None,
            "shipping_postcode": address and f"SW{1 + digest(address) % 20} 4AA",
        } | fields
        return self._tell(
            Order,
            amount=Decimal(amount),
            shipping_address_id=address,
            payment_id=payment,
            **given,
        )

    def confirm(self) -> "History":
        """An analyst says that the last event was the customer's."""
        return self.judge("legitimate", event_ids=(self.assessments[-1].event_id,))

    def beside_a_terminal(self, terminal: Device, shop: Network) -> "History":
        """Have twenty other customers sign in by a shop's terminal, two a day."""
        for number in range(20):
            other = History.__new__(History)
            other.__dict__.update(self.__dict__, account_id=f"other-{number}")
            other.sign_in(Device(f"own-{number}", "Chrome", "Windows"), HOME)
            other.sign_in(terminal, shop)
            self.wait(DAY / 2)
        return self

    def beside_a_busy_range(self, network: Network) -> "History":
        """Have twenty other customers come by a range for the first time, two a day."""
        for number in range(20):
            other = History.__new__(History)
            other.__dict__.update(self.__dict__, account_id=f"passer-by-{number}")
            own = Device(f"pocket-{number}", "Mobile Safari", "iOS")
            other.sign_in(own, HOME)
            other.sign_in(own, network)
            self.wait(DAY / 2)
        return self

    def beside_tries(self, tool: Device, networks: list[Network], accounts: int) -> "History":
        """Have a password tried in vain on each of so many accounts, by each network in turn."""
        for number in range(accounts):
            other = History.__new__(History)
            other.__dict__.update(self.__dict__, account_id=f"{networks[0].prefix}-{number}")
            other.attempt(tool, networks[number % len(networks)])
        return self

    def beside(self, other: "History") -> "History":
        """Have the same engine see all that another account has done."""
        self._engine.process(other.observed)
        return self

    def again(self, told: Observed) -> list[Outcome]:
        """Return what the engine makes of an event that it is told once more."""
        return self._engine.process([told])

    def hear(self, told: Observed) -> "History":
        """Have the engine hear what is told of another account."""
        self._engine.process([told])
        return self

    def judge(
        self,
        verdict: Verdict,
        *,
        event_ids: tuple[str, ...] | None = None,
        source: VerdictSource | None = None,
    ) -> "History":
        """Somebody gives a verdict: on everything that was said, or on the events named."""
        if event_ids is None:
            event_ids = tuple(assessment.event_id for assessment in self.assessments)
        self._engine.process([self.verdict(verdict, event_ids, source)])
        return self

    def verdict(
        self, verdict: Verdict, event_ids: tuple[str, ...], source: VerdictSource | None = None
    ) -> Observed:
        """Return a verdict on events of this account, for whoever hears it."""
        told = Feedback(
            account_id=self.account_id,
            event_id=f"verdict-{self._number}",
            occurred_at=self.now,
            verdict=verdict,
            event_ids=event_ids,
            source=source,
        )
        return Observed(told, Facts())

    def stored(self) -> dict[bytes, bytes]:
        """Hand over, and return everything that is stored."""
        for key, value in self._engine.changes().items():
            if value is None:
                self._store.pop(key, None)
            else:
                self._store[key] = value
        return dict(self._store)

    def read_last(self) -> Reading:
        """Return the last event as the engine reads it now."""
        return self._engine.read(self.observed[-1])

    def read_as_told(self, observed: Observed) -> Reading:
        """Return an event of another telling as the engine reads it; nothing is learnt of it."""
        return self._engine.read(observed)

    def read_of(self, device: Device, network: Network) -> Reading:
        """Return a sign-in as the engine would read it now; nothing is learnt of it."""
        told = History(self.account_id)
        told.now = self.now
        return self.read_as_told(told.sign_in(device, network).observed[-1])

    def forget_what_was_said(self) -> "History":
        """Only what comes from here on is judged by the test."""
        self.assessments.clear()
        self.alerts.clear()
        return self

    def _tell(self, kind: type[Any], *, bare: bool = False, **fields: Any) -> "History":
        self._number += 1
        network, device = self._network, self._device
        address = f"{network.prefix}.{self._number % 200 + 1}"
        shown: dict[str, Any] = {}
        facts = Facts()
        if not bare:
            shown = {"ip": address, "user_agent": device.agent, "device_id": device.device_id}
            facts = Facts(
                address=address,
                prefix=f"{network.prefix}.0/24",
                asn=network.asn,
                network_kind=network.kind,  # type: ignore[arg-type]  # a test's own words
                browser=device.browser,
                os=device.system,
                device_type=device.kind,  # type: ignore[arg-type]  # a test's own words
                **network.place,
            )
        event = kind(
            account_id=self.account_id,
            event_id=f"{self.account_id}-{self._number}",
            occurred_at=self.now,
            **(shown | fields),
        )
        self.observed.append(Observed(event, facts))
        [outcome] = self._engine.process(self.observed[-1:])
        assert outcome.assessment is not None
        self.assessments.append(outcome.assessment)
        if outcome.alert is not None:
            self.alerts.append(outcome.alert)
        self.wait(20)
        return self

"""What the flow of campaigns hands over at most, however many alerts a gang has."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from detectors.campaigns import Campaign, memory
from detectors.campaigns.records import MEMBERS
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import VERSION, AlertMark, Link, encode_link
from detectors.heat.table import HotTable
from streams.app import _factories
from streams.codec import decode_published
from streams.runtime.interfaces import Record, Send
from streams.runtime.numbering import HEADER
from streams.runtime.partition import STEP_BYTES
from streams.settings import Settings
from streams.topics import topic_specs

SETTINGS = Settings()
SERVER, DEVICE = (Kind.PREFIX, "192.0.2.0/24"), (Kind.DEVICE, "the tool")
START = 1.8e9


class Flow:
    """The flow as a worker drives it, with its state; `read` counts the keys that it asked for."""

    def __init__(self, store: dict[bytes, bytes] | None = None) -> None:
        self.store = {} if store is None else store
        self.read = 0
        self.processor = _factories(SETTINGS, HotTable())["campaigns"](0, self._get)
        self.offset = 0
        self.campaigns: dict[str, Campaign] = {}

    def _get(self, key: bytes) -> bytes | None:
        self.read += 1
        return self.store.get(key)

    def fold(self, links: list[Link]) -> list[Send]:
        """Fold a run of links."""
        records = [self._record(link) for link in links]
        return list(self.processor.fold([self.processor.prepare(one) for one in records]))

    def step(self, links: list[Link]) -> list[Send]:
        """Fold a run and hand over, all of it; return what is said on `campaigns`."""
        sends = [*self.fold(links), *self.processor.summaries()]
        self.size = sum(len(send.value or b"") for send in sends)
        for key, value in self.processor.changes().items():
            self.size += len(key) + len(value or b"")
            self.store.pop(key, None)
            if value is not None:
                self.store[key] = value
        published = [send for send in sends if send.topic == SETTINGS.topic("campaigns")]
        for send in published:
            campaign = decode_published(send.value)
            assert isinstance(campaign, Campaign)
            self.campaigns[campaign.campaign_id] = campaign
        return published

    def _record(self, link: Link) -> Record:
        self.offset += 1
        headers = ((HEADER, b"heat:0:%d" % self.offset),)
        return Record("links", 0, self.offset, START, b"", encode_link(link), headers)


def links_of(
    number: int, *shared: tuple[Kind, str], at: float = START, width: int = 8
) -> Iterator[Link]:
    """An alert of an account of its own, and what it came with."""
    alert, account = f"{number:024x}", f"{number:0{width}d}"
    mark = AlertMark(
        alert, account, 1, at + number, at + number, 0.9, "probe", (), Decimal(9), "EUR"
    )
    for kind, value in shared:
        yield Link(VERSION, kind, key_of(kind, value), mark, 1, 100_000, 5.0, "fast_stuffing")


def gang(size: int, *shared: tuple[Kind, str], first: int = 0) -> list[Link]:
    """The links of so many alerts that came with the same."""
    return [link for n in range(first, first + size) for link in links_of(n, *shared)]


def gang_of(size: int) -> dict[bytes, bytes]:
    """What is stored of a gang."""
    flow = Flow()
    flow.step(gang(size, SERVER, DEVICE))
    return flow.store


def test_a_backlog_of_links_fits_a_step() -> None:
    """A large gang's campaign is told once a step, not once a link: the first run may be long."""
    flow = Flow(gang_of(500))
    published = flow.step(gang(500, SERVER, DEVICE, first=500))
    assert len(published) == 1
    [campaign] = flow.campaigns.values()
    assert len(campaign.accounts) == campaign.alerts == 1000
    assert {shared.alerts for shared in campaign.indicators} == {1000}
    assert flow.size < STEP_BYTES / 4


def test_a_link_costs_the_same_whatever_its_gang() -> None:
    """Between two steps a link is held against what shares it, not against all of its gang."""
    small, large = Flow(gang_of(100)), Flow(gang_of(500))
    for flow in (small, large):
        flow.fold(gang(20, SERVER, DEVICE, first=1000))
    assert large.read <= small.read


def test_a_campaign_stays_small_enough_for_its_topic() -> None:
    """Merged from any number of alerts, of accounts with the longest ids, it counts the rest."""
    flow = Flow()
    for number, device in enumerate(("one", "other", "third")):
        first = number * MEMBERS
        for begin in range(first, first + MEMBERS // 2 + 1, 100):
            links = [
                link
                for n in range(begin, begin + 100)
                for link in links_of(n, (Kind.DEVICE, device), width=256)
            ]
            flow.step(links)
    bridge = [
        link
        for n in (0, MEMBERS, 2 * MEMBERS)
        for link in links_of(n, (Kind.DELIVERY, "drop"), width=256)
    ]
    flow.step(bridge)
    everybody = sum(c.alerts for c in flow.campaigns.values() if c.merged_into is not None)
    [campaign] = [c for c in flow.campaigns.values() if c.merged_into is None]
    assert len(campaign.merged_from) == 2
    assert len(campaign.alert_ids) == len(campaign.accounts) == MEMBERS
    assert campaign.alerts == everybody * 3 // 2
    [topic] = [one for one in topic_specs(SETTINGS) if one.name == SETTINGS.topic("campaigns")]
    # As JSON a character may take six bytes, here it takes one.
    longest = 6 * sum(map(len, campaign.accounts)) + 6 * 512 * len(campaign.indicators)
    assert longest + 40 * len(campaign.alert_ids) < int(topic.config["max.message.bytes"])


def test_alerts_that_are_not_listed_belong_to_it_all_the_same() -> None:
    """What came after a campaign was full goes with it into an older one, and counts once."""
    flow = Flow()
    flow.step([*gang(2, (Kind.DEVICE, "first")), *gang(MEMBERS + 10, SERVER, DEVICE, first=100)])
    drop = Kind.DELIVERY, "drop"
    flow.step([*links_of(0, drop), *links_of(100, drop)])
    flow.step([*links_of(100 + MEMBERS + 5, drop)])
    [campaign] = [c for c in flow.campaigns.values() if c.merged_into is None]
    assert campaign.first_seen == START
    assert campaign.alerts == MEMBERS + 12
    assert len(campaign.merged_from) == 1


def test_what_is_forgotten_leaves_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """State is bounded by the alerts remembered: a campaign goes with the last of its own."""
    monkeypatch.setattr(memory, "ALERTS", 8)
    flow = Flow()

    def tool(name: str) -> tuple[Kind, str]:
        return Kind.DEVICE, name

    def kept(prefix: bytes) -> int:
        return sum(key.startswith(prefix) for key in flow.store)

    for number in range(10):
        flow.step(gang(4, tool(f"tool {number}"), first=4 * number))
        flow.step([*links_of(4 * number, (Kind.DELIVERY, "drop"))])
    assert len(flow.campaigns) == 10
    assert kept(b"g:a:") == 8
    assert 1 <= kept(b"g:c:") <= 8
    for number in range(8):
        flow.step(gang(1, tool(f"alone {number}"), first=100 + number))
    assert kept(b"g:c:") == 0
    assert kept(b"g:i:") == 8


def test_a_campaign_and_an_attack_expire() -> None:
    """Each has a key of its own for ever: compaction alone would keep them all."""
    [topic] = [one for one in topic_specs(SETTINGS) if one.name == SETTINGS.topic("campaigns")]
    assert topic.config["cleanup.policy"] == "compact,delete"
    assert int(topic.config["retention.ms"]) >= 30 * 86_400_000

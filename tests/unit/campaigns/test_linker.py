"""Which alerts become one campaign, and what is said of it."""

from decimal import Decimal
from itertools import permutations

import msgspec
import pytest
from msgspec import structs

from detectors.campaigns import Campaign, CampaignLinker
from detectors.campaigns.memory import ALERTS
from detectors.campaigns.pace import Pace
from detectors.heat.indicators import Kind, key_of
from detectors.heat.records import (
    VERSION,
    AlertMark,
    Attack,
    Link,
    Membership,
    Technique,
)

HOUR = 3_600.0


def mark(
    name: str,
    at: float,
    amount: str = "0",
    *,
    risk: float = 0.9,
    revision: int = 1,
    host: int = 0,
    unshared: float | None = None,
) -> AlertMark:
    """An alert of the account of the same name."""
    return AlertMark(
        f"alert {name}", name, revision, at, at, risk, "access", ("T1110.004",), Decimal(amount),
        "GBP", host, unshared=unshared,
    )  # fmt: skip


def link(
    alert: AlertMark,
    kind: Kind,
    value: str,
    users: int,
    hot: float = 0.0,
    *,
    technique: Technique = "fast_stuffing",
) -> Link:
    """An alert came with a value that so many of 20,000 accounts use, under such an attack."""
    told = technique if hot else None
    return Link(VERSION, kind, key_of(kind, value), alert, users, 20_000, hot, told)


class Linked:
    """A linker whose state is handed over after so many links."""

    def __init__(self, *, reopen: bool = False, batch: int = 1) -> None:
        self.store: dict[bytes, bytes] = {}
        self.reopen = reopen
        self.batch = batch
        self.linker = CampaignLinker(self.store.get)
        self.told: list[Campaign | Attack | Membership] = []

    def take(self, *links: Link) -> "Linked":
        """Take links."""
        for begin in range(0, len(links), self.batch):
            for one in links[begin : begin + self.batch]:
                self.told += self.linker.take(one)
            self.told += self.linker.summaries()
            for key, value in self.linker.changes():
                if value is None:
                    self.store.pop(key, None)
                else:
                    self.store[key] = value
            if self.reopen:
                self.linker = CampaignLinker(self.store.get)
        return self

    @property
    def campaigns(self) -> dict[str, Campaign]:
        """The latest revision of each campaign."""
        return {told.campaign_id: told for told in self.told if isinstance(told, Campaign)}

    @property
    def members(self) -> dict[str, str]:
        """The campaign of each account, as it was last told."""
        return {
            told.account_id: told.campaign_id for told in self.told if isinstance(told, Membership)
        }


def test_a_rare_delivery_address_links() -> None:
    """Two accounts that order to an address of nobody else's are one gang's."""
    one, other = mark("one", HOUR, "100.50"), mark("other", 3 * HOUR, "20")
    linked = Linked().take(
        link(one, Kind.DELIVERY, "drop", 0), link(other, Kind.DELIVERY, "drop", 0)
    )
    [campaign] = linked.campaigns.values()
    assert campaign.accounts == ("one", "other")
    assert campaign.amount_at_risk == Decimal("120.50")
    assert (campaign.first_seen, campaign.last_seen) == (HOUR, 3 * HOUR)
    assert campaign.indicators[0].alerts == 2
    assert set(linked.members) == {"one", "other"}


def test_what_many_customers_use_links_nobody() -> None:
    """A carrier's range, a locker and a popular client are shared by chance."""
    linked = Linked()
    for name in ("one", "other", "third"):
        alert = mark(name, HOUR)
        linked.take(
            link(alert, Kind.PREFIX, "carrier", 400),
            link(alert, Kind.DELIVERY, "locker", 300),
            link(alert, Kind.AGENT, "popular", 3_000),
        )
    assert not linked.told


def test_a_terminal_that_customers_use_links_nobody() -> None:
    """A device in a shop is rare among all customers, but most who use it are left in peace."""
    linked = Linked()
    for name in ("one", "other", "third"):
        alert = mark(name, HOUR)
        linked.take(link(alert, Kind.DEVICE, "terminal", 12), link(alert, Kind.PREFIX, "shop", 12))
    assert not linked.told


def test_a_range_of_a_few_customers_links_those_who_came_by_it_under_attack() -> None:
    """A dozen customers may have a line where a gang rents its servers."""
    for hot, together in ((3.0, True), (0.0, False)):
        linked = Linked()
        for name in ("one", "other"):
            linked.take(link(mark(name, HOUR), Kind.PREFIX, "a range", 12, hot))
        assert bool(linked.told) is together


def test_customers_of_a_carrier_under_attack_are_not_linked() -> None:
    """Those who are alerted because its gateway is hot, and for little else, are its customers."""
    for risk, together in ((0.12, False), (0.9, True)):
        linked = Linked()
        for name in ("one", "other"):
            alert = mark(name, HOUR, risk=risk)
            linked.take(link(alert, Kind.PREFIX, "a carrier's gateway", 400, 5.0))
        assert bool(linked.told) is together


def test_neighbours_in_a_range_are_not_linked_by_it() -> None:
    """A hosting company rents a range's addresses to whoever pays; one address is one tenant's."""
    for hosts, together in (((7, 7), True), ((7, 8), False), ((0, 8), True)):
        linked = Linked()
        for name, host in zip(("one", "other"), hosts, strict=True):
            linked.take(link(mark(name, HOUR, host=host), Kind.PREFIX, "a range", 0))
        assert bool(linked.told) is together


def test_neighbours_are_linked_when_one_of_them_comes_by_the_other_s_address() -> None:
    """An alert comes by several addresses of a range: what it had before is not forgotten."""
    linked = Linked(reopen=True)
    for name, host in (("one", 7), ("other", 8)):
        linked.take(link(mark(name, HOUR, host=host), Kind.PREFIX, "a range", 0))
    assert not linked.told
    linked.take(link(mark("other", HOUR, host=7), Kind.PREFIX, "a range", 0))
    assert set(linked.members) == {"one", "other"}


def doubted() -> Linked:
    """Two that share a tablet and are most likely customers: they are nobody's gang."""
    linked = Linked()
    for name in ("one", "other"):
        linked.take(link(mark(name, HOUR, risk=0.06), Kind.DEVICE, "a tablet", 2))
    assert not linked.told
    return linked


def test_what_the_same_few_share_links_hijacks_and_not_doubts() -> None:
    """A household's tablet is as rare as a gang's: it matters how likely either is a hijack."""
    linked = doubted()
    # A later revision knows more, though it came with nothing else.
    for name in ("one", "other"):
        alert = mark(name, HOUR, risk=0.8, revision=2)
        linked.take(link(alert, Kind.DEVICE, "a tablet", 2))
    assert set(linked.members) == {"one", "other"}


@pytest.mark.parametrize("kind", [Kind.DELIVERY, Kind.PAYMENT, Kind.CONTACT])
@pytest.mark.parametrize(("unshared", "together"), [(0.04, False), (0.4, True), (None, True)])
def test_what_alerts_were_raised_for_is_not_told_twice(
    kind: Kind, unshared: float | None, *, together: bool
) -> None:
    """A forwarder's customers on a shop's first day: alerted for the door, and for little else."""
    linked = Linked()
    for name in ("one", "other"):
        linked.take(link(mark(name, HOUR, unshared=unshared), kind, "a forwarder's", 3))
    assert bool(linked.told) is together


def test_an_alert_raised_for_its_door_is_linked_by_its_device_all_the_same() -> None:
    """The door says that it is a hijack, and the device says whose."""
    linked = Linked()
    for name in ("one", "other"):
        alert = mark(name, HOUR, unshared=0.04)
        linked.take(
            link(alert, Kind.DELIVERY, f"door of {name}", 0), link(alert, Kind.DEVICE, "a tool", 0)
        )
    assert set(linked.members) == {"one", "other"}


def test_an_alert_that_has_something_else_to_tell_by_now_is_linked_by_its_door() -> None:
    """What follows in a case is told under the same revision; what comes late takes none back."""
    linked = Linked()
    for unshared, revision in ((0.04, 2), (0.6, 2), (0.04, 1)):
        for name in ("one", "other"):
            alert = mark(name, HOUR, unshared=unshared, revision=revision)
            linked.take(link(alert, Kind.DELIVERY, "a forwarder's", 3))
        assert bool(linked.told) is (unshared == 0.6 or revision == 1)


def test_a_verdict_links_by_their_door_those_who_were_alerted_for_it() -> None:
    """It is certain then, whatever the alert was raised for."""
    linked = Linked()
    for risk, unshared in ((0.9, 0.04), (1.0, None)):
        assert not linked.told
        for name in ("one", "other"):
            alert = mark(name, HOUR, risk=risk, unshared=unshared)
            linked.take(link(alert, Kind.DELIVERY, "a forwarder's", 3))
    assert set(linked.members) == {"one", "other"}


def test_alerts_that_an_earlier_version_knew_are_linked_as_they_were() -> None:
    """It kept neither the risk without what is shared nor how an indicator is attacked."""
    linked = Linked(reopen=True)
    linked.take(link(mark("one", HOUR), Kind.DELIVERY, "drop", 0, 3.0))
    at = b"g:a:alert one"
    version, known = msgspec.msgpack.decode(linked.store[at])
    del known[0][12:]
    known[2] = [tie[:6] for tie in known[2]]
    linked.store[at] = msgspec.msgpack.encode((version, known))
    linked = linked.take(link(mark("other", HOUR), Kind.DELIVERY, "drop", 0))
    assert set(linked.members) == {"one", "other"}


def test_a_verdict_links_what_was_too_doubtful() -> None:
    """The same revision, which a verdict has made certain, and which no later one makes less so."""
    linked = doubted()
    linked.take(link(mark("one", HOUR, risk=1.0), Kind.DEVICE, "a tablet", 2))
    linked.take(link(mark("other", HOUR, risk=0.4, revision=2), Kind.DEVICE, "a tablet", 2))
    assert set(linked.members) == {"one", "other"}
    third = Linked().take(
        link(mark("one", HOUR, risk=1.0), Kind.PREFIX, "elsewhere", 0),
        link(mark("one", HOUR, risk=0.06, revision=2), Kind.DEVICE, "a tablet", 2),
        link(mark("other", HOUR, risk=0.4), Kind.DEVICE, "a tablet", 2),
    )
    assert set(third.members) == {"one", "other"}


def test_a_hijack_that_a_verdict_told_of_is_no_alert_until_there_is_one() -> None:
    """Its account is in the campaign, and named as one that nobody was alerted for."""
    alert, unnoticed = mark("one", HOUR, "50"), mark("other", HOUR, "70", risk=1.0, revision=0)
    told = structs.replace(unnoticed, unnoticed=True)
    linked = Linked().take(
        link(alert, Kind.DELIVERY, "drop", 0), link(told, Kind.DELIVERY, "drop", 0)
    )
    [campaign] = linked.campaigns.values()
    assert (campaign.accounts, campaign.unnoticed) == (("one", "other"), ("other",))
    assert (campaign.alerts, campaign.alert_ids) == (1, (alert.alert_id,))
    assert campaign.indicators[0].alerts == 2
    linked.take(link(mark("other", HOUR, "70"), Kind.DELIVERY, "drop", 0))
    [campaign] = linked.campaigns.values()
    assert (campaign.alerts, campaign.unnoticed) == (2, ())


def test_an_account_is_named_once_however_many_of_its_hijacks_verdicts_tell_of() -> None:
    """Two sessions in one account are two hijacks, and one victim."""
    linked = Linked()
    for session in ("its first session", "its second session"):
        told = structs.replace(
            mark("other", HOUR, risk=1.0, revision=0), alert_id=session, unnoticed=True
        )
        linked.take(link(told, Kind.DELIVERY, "drop", 0))
    linked.take(link(mark("one", HOUR), Kind.DELIVERY, "drop", 0))
    [campaign] = linked.campaigns.values()
    assert (campaign.accounts, campaign.unnoticed) == (("one", "other"), ("other",))
    [shared] = campaign.indicators
    assert (shared.alerts, shared.accounts) == (3, 2)


def test_a_gang_s_unnoticed_victims_do_not_make_its_device_a_terminal() -> None:
    """Of whom nobody was alerted looks like a customer: as many as were alerted, and more."""
    for users, together in ((4, True), (12, False)):
        linked = Linked()
        for name in ("one", "other", "third"):
            linked.take(link(mark(name, HOUR), Kind.DEVICE, "a device", users))
        assert bool(linked.told) is together


def test_an_operator_and_a_client_link_nobody_even_together() -> None:
    """In a large shop both are rare enough to tell something, and still are no gang."""
    linked = Linked()
    for name in ("one", "other"):
        alert = mark(name, HOUR)
        linked.take(
            link(alert, Kind.OPERATOR, "an operator", 20), link(alert, Kind.AGENT, "a client", 20)
        )
    assert not linked.told


@pytest.mark.parametrize(
    ("users", "hot", "together"),
    [
        pytest.param(20, 3.0, True, id="an attack's tool"),
        pytest.param(80, 3.0, True, id="an attack's tool that a few customers use"),
        pytest.param(20, 0.0, False, id="no attack comes by it"),
        pytest.param(2_000, 3.0, False, id="customers use it"),
    ],
)
def test_a_client_links_where_it_is_an_attack_s_and_hardly_a_customer_s(
    users: int, hot: float, *, together: bool
) -> None:
    """A list is tried through ever new homes, days long: its tool is all that its victims share."""
    linked = Linked()
    for name, at in (("one", HOUR), ("other", 30 * HOUR)):
        linked.take(link(mark(name, at), Kind.AGENT, "a client", users, hot))
    assert bool(linked.told) is together


@pytest.mark.parametrize("hot", [3.0, 0.0])
def test_a_tool_is_one_where_the_attack_was_found_by_the_client_s_shape(hot: float) -> None:
    """What an attack is found by first explains what fails from then on: the other cools."""
    linked = Linked()
    for name, at in (("one", HOUR), ("other", 30 * HOUR)):
        came = mark(name, at, host=key_of(Kind.AGENT, "a client"))
        linked.take(
            link(mark(name, at), Kind.AGENT, "a client", 20),
            link(came, Kind.SHAPE, "clients at home", 9_000, hot),
        )
    assert bool(linked.told) is (hot > 0.0)


@pytest.mark.parametrize("named_by", [Kind.AGENT, Kind.SHAPE])
def test_a_phone_that_victims_of_two_attacks_have_is_nobody_s_tool(named_by: Kind) -> None:
    """One of an alert's clients is hot: the other may be the customer's own, however rare it is."""
    linked = Linked()
    for name, at in (("one", HOUR), ("other", 30 * HOUR)):
        alert, script = mark(name, at), f"script of {name}"
        came = mark(name, at, host=key_of(Kind.AGENT, script))
        linked.take(
            link(alert, Kind.AGENT, "a phone", 80),
            link(alert, Kind.AGENT, script, 0, 3.0 * (named_by is Kind.AGENT)),
            link(came, Kind.SHAPE, f"shape of {name}", 9_000, 3.0 * (named_by is Kind.SHAPE)),
        )
    assert not linked.told


@pytest.mark.parametrize(
    ("hot", "apart", "risk", "together"),
    [
        pytest.param(3.0, 0.5, 0.9, True, id="one raid"),
        pytest.param(0.0, 0.5, 0.9, False, id="no raid"),
        pytest.param(3.0, 30.0, 0.9, False, id="two raids"),
        pytest.param(3.0, 0.5, 0.15, False, id="customers under attack"),
    ],
)
def test_those_whom_a_raid_let_in_are_one_gang_s(
    hot: float, apart: float, risk: float, *, together: bool
) -> None:
    """Ranges are rented by the dozen: a raid's victims need not share one."""
    linked = Linked()
    for name, at in (("one", HOUR), ("other", (1 + apart) * HOUR)):
        alert = mark(name, at, risk=risk)
        linked.take(link(alert, Kind.PREFIX, f"range of {name}", 0, hot))
    assert bool(linked.told) is together


@pytest.mark.parametrize(
    ("techniques", "together"),
    [
        pytest.param(("spraying", "spraying"), True, id="one raid that sprays"),
        pytest.param(("fast_stuffing", "spraying"), False, id="two raids of an hour"),
        pytest.param(("fast_stuffing", "slow_stuffing"), False, id="a raid beside what is slow"),
        pytest.param(("slow_stuffing", "slow_stuffing"), False, id="what is slow is always on"),
    ],
)
def test_an_hour_tells_of_one_raid_only_where_passwords_are_tried_in_one_way(
    techniques: tuple[Technique, Technique], *, together: bool
) -> None:
    """A slow attack goes on for days: whom it lets in during another's raid is not the raid's."""
    linked = Linked()
    for name, technique in zip(("one", "other"), techniques, strict=True):
        alert = mark(name, HOUR)
        linked.take(link(alert, Kind.DEVICE, f"device of {name}", 0, 5.0, technique=technique))
    assert bool(linked.told) is together


def test_where_raids_are_always_on_they_link_nobody() -> None:
    """Most who are alerted come by what is under attack, at any hour: then two of them may be."""
    linked = Linked()
    for hour in range(24 * 20):
        alert = mark(f"doubt {hour}", 1.1 * hour * HOUR, risk=0.1)
        linked.take(link(alert, Kind.PREFIX, f"range {hour}", 0, 3.0))
    for name in ("one", "other"):
        alert = mark(name, 24 * 22 * HOUR)
        linked.take(link(alert, Kind.PREFIX, f"range of {name}", 0, 3.0))
    assert not linked.told


def test_an_alert_of_a_wrong_clock_tells_nothing_of_how_often_raids_come() -> None:
    """What was seen fades as if it had told the present, then and after."""
    right = mark("wrong", 50 * HOUR)
    stores = []
    for alert in (right, structs.replace(right, raised_at=24 * 3650 * HOUR)):
        linked = Linked()
        for told in (mark("one", HOUR), alert, mark("other", 99 * HOUR)):
            linked.take(link(told, Kind.PREFIX, f"range of {told.account_id}", 0, 3.0))
        stores.append(linked.store)
    assert stores[0][b"g:pace"] == stores[1][b"g:pace"]


def test_however_long_no_raid_was_seen_two_doubts_in_one_are_no_gang_s() -> None:
    """After a silence of years a raid tells much, yet not that its customers are hijackers."""
    linked = Linked().take(link(mark("before", HOUR), Kind.PREFIX, "a range", 0, 3.0))
    for name in ("one", "other"):
        alert = mark(name, 24 * 3650 * HOUR, risk=0.2)
        linked.take(link(alert, Kind.PREFIX, f"range of {name}", 0, 3.0))
    assert not linked.told


def test_a_leap_of_years_does_not_make_raids_seldom_for_long() -> None:
    """Two raids a day before it and two a day after: three weeks on that is what is known."""
    pace = Pace()
    for start in (0, 3_650):
        for half in range(1, 41):
            at = 24 * HOUR * start + 12 * HOUR * half
            pace.see(at)
            pace.see_raided(at)
    assert pace.together < 2.0


def test_a_quarter_of_a_year_without_a_raid_makes_raids_seldom() -> None:
    """Two a day for three weeks, then alerts of other kinds alone: what was then has faded."""
    pace = Pace()
    for half in range(1, 41):
        pace.see(12 * HOUR * half)
        pace.see_raided(12 * HOUR * half)
    then = pace.together
    for day in range(21, 112):
        pace.see(24 * HOUR * day)
    assert then < 2.0
    assert pace.together > 5.5


def test_an_alert_counts_once_as_one_by_what_is_under_attack() -> None:
    """Also where its range grows hotter when many others have been alerted since."""

    def pace_after(hot: float) -> bytes:
        linked = Linked()
        for number in range(40):
            alert = mark(f"{number}", (1 + number) * HOUR)
            linked.take(link(alert, Kind.PREFIX, f"range {number}", 0, 3.0))
        linked.take(link(mark("0", HOUR), Kind.PREFIX, "range 0", 0, hot))
        return linked.store[b"g:pace"]

    assert pace_after(3.0) == pace_after(4.0)


def test_a_range_changes_hands() -> None:
    """Two gangs that rent the same server a month apart are two; within a day they are one."""

    def linked_after(hours: float) -> bool:
        first, second = mark("one", HOUR), mark("other", (1 + hours) * HOUR)
        told = Linked().take(
            link(first, Kind.PREFIX, "server", 1), link(second, Kind.PREFIX, "server", 1)
        )
        return bool(told.campaigns)

    assert linked_after(12)
    assert not linked_after(30 * 24)


def test_time_and_technique_alone_link_nobody() -> None:
    """Two hijacks of an hour with nothing in common are two."""
    linked = Linked().take(
        link(mark("one", HOUR), Kind.DEVICE, "a", 0), link(mark("other", HOUR), Kind.DEVICE, "b", 0)
    )
    assert not linked.told


def test_a_merge_keeps_the_older_id_and_says_so() -> None:
    """Two campaigns that turn out to be one go on as the older, and everybody is told."""
    old, older = mark("c", 30 * HOUR), mark("d", 31 * HOUR)
    linked = Linked().take(
        link(mark("a", HOUR), Kind.DELIVERY, "first", 0),
        link(mark("b", 2 * HOUR), Kind.DELIVERY, "first", 0),
        link(old, Kind.DEVICE, "second", 0),
        link(older, Kind.DEVICE, "second", 0),
    )
    first, second = linked.members["a"], linked.members["c"]
    assert first != second
    linked.take(link(old, Kind.DELIVERY, "first", 0))
    assert set(linked.members.values()) == {first}
    assert linked.campaigns[first].merged_from == (second,)
    assert linked.campaigns[second].merged_into == first
    assert linked.campaigns[first].accounts == ("a", "b", "c", "d")


def test_what_a_forgotten_campaign_was_told_of_is_never_told_otherwise() -> None:
    """A late verdict brings an alert back when twenty thousand more have come: another begins."""
    one = mark("one", HOUR)
    told = [
        link(one, Kind.DELIVERY, "drop", 0),
        link(mark("other", HOUR), Kind.DELIVERY, "drop", 0),
    ]
    more = [link(mark(f"{n}", HOUR), Kind.DELIVERY, f"{n}", 0) for n in range(ALERTS)]
    certain = link(structs.replace(one, risk=1.0), Kind.DELIVERY, "another", 0)
    linked = Linked(batch=500).take(*told, *more)
    linked.take(certain, link(mark("third", HOUR), Kind.DELIVERY, "another", 0))
    revisions = [(c.campaign_id, c.revision) for c in linked.told if isinstance(c, Campaign)]
    assert len(revisions) == len(set(revisions)) == 2
    assert linked.members["one"] == linked.members["third"] != linked.members["other"]


def test_the_order_of_arrival_changes_no_id() -> None:
    """Who comes later changes no id: it is of the older of the two that were linked first."""
    links = [
        link(mark(name, at), Kind.DEVICE, "tool", 0)
        for name, at in (("a", HOUR), ("b", 2 * HOUR), ("c", 3 * HOUR))
    ]
    found = set()
    for order in permutations(links):
        linked = Linked().take(*order)
        [campaign] = linked.campaigns.values()
        assert campaign.accounts == ("a", "b", "c")
        assert set(linked.members.values()) == {campaign.campaign_id}
        first = min(order[:2], key=lambda one: one.alert.raised_at)
        found.add((first.alert.account_id, campaign.campaign_id))
    assert sorted(name for name, _ in found) == ["a", "b"]
    assert len({campaign_id for _, campaign_id in found}) == 2


def test_a_link_told_again_tells_nothing() -> None:
    """What is repeated after a crash makes no revision."""
    links = [link(mark(name, HOUR), Kind.DEVICE, "tool", 0) for name in ("a", "b")]
    linked = Linked().take(*links)
    before = len(linked.told)
    assert len(linked.take(*links).told) == before


def test_the_same_links_give_the_same_whatever_is_restored_between() -> None:
    """A linker made anew from its bytes goes on as the one before it."""
    links = [
        link(mark(f"{number}", number * HOUR), Kind.DEVICE, f"tool {number % 3}", 0)
        for number in range(12)
    ]
    straight, reopened = Linked().take(*links), Linked(reopen=True).take(*links)
    assert straight.told == reopened.told
    assert straight.store == reopened.store

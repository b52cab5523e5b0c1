"""Campaigns and attacks: there and back, as they stand, and clear to read."""

from decimal import Decimal
from io import StringIO

import msgspec
import orjson
import pytest
from rich.console import Console

from detectors.campaigns import Campaign
from detectors.campaigns.records import MEMBERS, SharedIndicator
from detectors.errors import InvalidEvent
from detectors.heat import Attack, AttackedIndicator
from streams.cli.campaigns import _as_they_stand as as_they_stand
from streams.codec import (
    MAX_PUBLISHED_BYTES,
    MAX_RECORD_BYTES,
    decode_published,
    encode_published,
)
from streams.presentation import campaign_view
from streams.runtime.interfaces import Record

CAMPAIGN = Campaign(
    campaign_id="c1",
    revision=3,
    first_seen=1795500000.0,
    last_seen=1795500520.5,
    alerts=2,
    accounts=tuple(f"customer-{number}" for number in range(10)),
    alert_ids=("a1", "a2"),
    indicators=(
        SharedIndicator(indicator="address:00000000000000ff", value="192.0.2.7", alerts=9),
        SharedIndicator(indicator="device:00000000000000aa", alerts=2),
    ),
    techniques=("T1110.004",),
    amount_at_risk=Decimal("1290.50"),
    currency="GBP",
    merged_from=("c0",),
)
ATTACK = Attack(
    campaign_id="h1",
    revision=1,
    technique="fast_stuffing",
    techniques=("T1110.004",),
    indicator="address:00000000000000ff",
    value="192.0.2.7",
    first_seen=1795500000.0,
    last_seen=1795500060.0,
    tried=412,
    failed=409,
    accounts=380,
    entered=0,
)

BOTNET = msgspec.structs.replace(
    ATTACK,
    campaign_id="h2",
    indicator="address_prefix:00000000000000ff",
    value="192.0.2.0/24",
    indicators=tuple(
        AttackedIndicator(indicator=name, value=value, tried=9, failed=8, accounts=7)
        for name, value in (
            ("address_prefix:00000000000000ff", "192.0.2.0/24"),
            ("address_prefix:00000000000000fe", "198.51.100.0/24"),
            ("user_agent:00000000000000aa", "a tool"),
            ("device:00000000000000ab", None),
        )
    ),
    ranges=61,
    merged_from=("h3",),
)
# What it goes by is nobody's to read: a device, a contact, a means of payment.
HIDDEN = msgspec.structs.replace(ATTACK, indicator="device:00000000000000aa", value=None)


LONGEST = tuple(f"{number:0256d}".replace("0", "\u5e97") for number in range(MEMBERS))
"""As many accounts as a campaign lists, of ids as long as they may be, at three bytes a letter."""


def shown(content: Campaign | Attack) -> str:
    """Return it as it is printed, without colour."""
    out = StringIO()
    Console(file=out, width=100).print(campaign_view(content))
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize(
    "content",
    [CAMPAIGN, ATTACK, HIDDEN, BOTNET],
    ids=["campaign", "attack", "attack by a hidden value", "botnet"],
)
def test_there_and_back(content: Campaign | Attack) -> None:
    """What is written is read as the same thing, and tells by its kind which of the two it is."""
    value = encode_published(content)
    assert decode_published(value) == content
    fields = orjson.loads(value)
    assert fields["kind"] == type(content).__name__.lower()
    assert fields["first_seen"] == "2026-11-24T06:00:00.000Z"


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[]", b'{"kind":"attack"}', b'{"kind":"x"}'])
def test_what_is_neither(value: bytes | None) -> None:
    """Whatever else is on the topic is refused as one record."""
    with pytest.raises(InvalidEvent):
        decode_published(value)


def test_an_analyst_reads_a_campaign() -> None:
    """Whom it hit, what they share, what is at stake, and what became of other campaigns."""
    text = shown(CAMPAIGN)
    for words in (
        "CAMPAIGN c1 10 accounts",
        "2026-11-24 06:00:00 UTC to 2026-11-24 06:08:40 UTC",
        "1,290.50 GBP at risk",
        "T1110.004",
        "Took over c0.",
        "9 cases share the address 192.0.2.7",
        "2 cases share the device device:00000000000000aa",
        "customer-7 and 2 more",
    ):
        assert words in text, words
    single = msgspec.structs.replace(CAMPAIGN, alerts=1, accounts=("customer-1",))
    assert "1 account " in shown(single)
    assert "1 alert " in shown(single)
    assert "Goes on as c0." in shown(msgspec.structs.replace(CAMPAIGN, merged_into="c0"))


def test_an_engineer_reads_an_attack() -> None:
    """How, through what, how much of it, and whether it got in anywhere."""
    text = shown(ATTACK)
    for words in (
        "ATTACK fast stuffing through 192.0.2.7",
        "409 of the latest 412 tries failed; 380 accounts tried within days: none was entered.",
    ):
        assert words in text, words
    assert "3 entered." in shown(msgspec.structs.replace(ATTACK, entered=3))


def test_an_engineer_reads_a_botnet_as_one() -> None:
    """What it was seen through first, how many ranges there are, and those that tell most."""
    text = shown(BOTNET)
    for words in (
        "ATTACK fast stuffing through 192.0.2.0/24 and 60 other address ranges",
        "By address prefix 198.51.100.0/24",
        "By user agent a tool",
        "By device device:00000000000000ab",
        "Took over h3.",
    ):
        assert words in text, words
    assert "Goes on as h1." in shown(msgspec.structs.replace(BOTNET, merged_into="h1"))


def test_what_an_earlier_version_told_of_an_attack_is_read() -> None:
    """One range, which is all that there was to a record."""
    fields = orjson.loads(encode_published(ATTACK))
    for name in ("indicators", "ranges", "merged_from"):
        del fields[name]
    assert decode_published(orjson.dumps(fields)) == ATTACK


def test_an_attacker_does_not_steer_the_terminal() -> None:
    """What came from outside is shown as its characters."""
    evil = "\x1b[2J\r\u202etxet"
    shared = SharedIndicator(indicator=evil, value=evil, alerts=2)
    campaign = msgspec.structs.replace(CAMPAIGN, accounts=(evil,), indicators=(shared,))
    text = shown(campaign) + shown(msgspec.structs.replace(ATTACK, value=evil))
    assert not {"\x1b", "\r", "\u202e"} & set(text)


def test_campaigns_as_they_stand() -> None:
    """The last revision of each counts, and one that went into another is not there any more."""
    merged = msgspec.structs.replace(CAMPAIGN, campaign_id="c2", merged_into="c1")
    later = msgspec.structs.replace(CAMPAIGN, revision=4, last_seen=1795600000.0)
    gone = msgspec.structs.replace(BOTNET, merged_into="h1")
    told: list[Campaign | Attack] = [CAMPAIGN, merged, later, ATTACK, BOTNET, gone]
    record = Record("campaigns", 0, 0, 0.0, None, b"")
    left = [content for _, content in as_they_stand((record, content) for content in told)]
    assert left == [ATTACK, later]


def test_an_older_revision_that_comes_again_takes_nothing_back() -> None:
    """A worker that died sends what it had sent: the newest stays what is shown."""
    older = msgspec.structs.replace(CAMPAIGN, revision=2, accounts=("customer-1",))
    record = Record("campaigns", 0, 0, 0.0, None, b"")
    told = [(record, content) for content in (older, CAMPAIGN, older)]
    assert [content for _, content in as_they_stand(told)] == [CAMPAIGN]


def test_the_largest_campaign_there_may_be_is_read() -> None:
    """A thousand accounts of long ids are more than an event may have, and still a campaign."""
    largest = msgspec.structs.replace(CAMPAIGN, accounts=LONGEST, alerts=MEMBERS)
    told = encode_published(largest)
    assert MAX_RECORD_BYTES < len(told) < MAX_PUBLISHED_BYTES
    assert decode_published(told) == largest

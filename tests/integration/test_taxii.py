"""Out to a TAXII 2.1 server that runs, and in from it."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from detectors.intelligence import IndicatorReport
from streams.codec import rfc3339
from streams.settings import Settings
from streams.sharing.importing import Terms
from streams.sharing.stix import bundle_of
from streams.sharing.stix_reading import read_objects
from streams.sharing.targets import ToTaxii
from streams.sharing.taxii import TaxiiTrouble, add, fetch
from streams.whole_files import write_secret
from tests.support.intelligence import DAY, SECRETS, START, findings
from tests.support.taxii import PASSWORD, USER, taxii_server


@pytest.fixture(scope="module")
def collection() -> Iterator[str]:
    """A server's collection."""
    with taxii_server() as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A member of the group, with its password in a file."""
    path = tmp_path / "password"
    write_secret(path, f"{PASSWORD}\n".encode())
    return Settings(taxii_username=USER, taxii_password_file=path)


def test_what_one_adds_another_fetches(collection: str, settings: Settings) -> None:
    """Over several pages, whole, and told again only where it has changed."""
    target = ToTaxii(settings, collection, "amber")
    target.tell(findings())
    objects = fetch(settings, collection)
    target.tell(findings())
    assert fetch(settings, collection) == objects
    terms = Terms(now=START + 3 * DAY, days=300)
    reports = [
        one for one in read_objects(objects, collection, terms) if isinstance(one, IndicatorReport)
    ]
    [finding] = findings()
    assert {one.indicator_id for one in reports} == {one.indicator_id for one in finding.indicators}
    assert {one.source for one in reports} == {"shop-a"}
    for secret in SECRETS:
        assert secret not in repr(objects)


def test_what_is_told_later_is_taken_and_understood(settings: Settings) -> None:
    """A new campaign, told when the source's name and its techniques have been there for long."""
    with taxii_server() as collection:
        add(settings, collection, bundle_of(findings(), "amber"))
        before = fetch(settings, collection)
        # Exported anew, as by tomorrow's command: the server has all but the campaign's already.
        begins = rfc3339(time.time())
        [finding] = findings()
        more = msgspec.structs.replace(
            finding.indicators[0], indicator_id="more", campaign="later", value="192.0.2.0/24"
        )
        later = finding._replace(campaign_id="later", indicators=(more,))
        add(settings, collection, bundle_of([later], "amber"))
        objects = fetch(settings, collection, added_after=begins)
        assert len(objects) < len(before)
        terms = Terms(now=START + 3 * DAY, days=300)
        [told] = read_objects(objects, collection, terms)
        assert isinstance(told, IndicatorReport)
        assert (told.source, told.value) == ("shop-a", "192.0.2.0/24")
        assert told.techniques == finding.techniques


def test_a_server_that_refuses_or_is_no_taxii_is_one_sentence(
    collection: str, settings: Settings, tmp_path: Path
) -> None:
    """A wrong password, a wrong path, nobody there."""
    wrong = tmp_path / "wrong"
    write_secret(wrong, b"wrong")
    nobody = Settings(taxii_username=USER, taxii_password_file=wrong)
    for who, url in (
        (nobody, collection),
        (settings, collection.replace("group", "none")),
        (settings, "http://127.0.0.1:1/group/collections/1/"),
    ):
        with pytest.raises(TaxiiTrouble) as raised:
            fetch(who, url)
        assert "\n" not in str(raised.value)
        assert "wrong" not in str(raised.value)
        with pytest.raises(TaxiiTrouble):
            add(who, url, bundle_of(findings(), "amber"))

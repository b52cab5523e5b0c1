"""Facts: the event's own fields first, then the files, the operator before the address."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]  # ships no types

from detectors.errors import ConfigurationError
from detectors.events import Login, Order
from detectors.facts import NOTHING_KNOWN, Facts
from streams.enrichment import Enricher
from streams.enrichment.clients import ClientReader
from streams.enrichment.lookup_csv import CsvLookup
from streams.enrichment.lookup_mmdb import place_of
from streams.enrichment.networks import kind_by_address, kind_by_name, known_networks
from streams.enrichment.places import NOWHERE, Place

HEADER = "network,asn,country,region,city,latitude,longitude\n"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/153.0.0.0 Safari/537.36"
)

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
    "like Gecko) Version/17.7 Mobile/15E148 Safari/604.1"
)
TABLET = (
    "Mozilla/5.0 (Linux; Android 13; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/144.0.0.0 Safari/537.36"
)


def login(ip: str, **more: object) -> Login:
    """Return a sign-in from an address."""
    fields = {"account_id": "a", "event_id": "e", "occurred_at": 0.0, "outcome": "success"}
    return Login(**fields, ip=ip, **more)  # type: ignore[arg-type]  # the tests' own values


def csv_file(folder: Path, rows: str, name: str = "own.csv") -> Path:
    """Write a look-up file of CSV."""
    path = folder / name
    path.write_text(HEADER + rows, "utf-8")
    return path


def mmdb_file(folder: Path, networks: dict[str, Any], name: str = "x.mmdb") -> Path:
    """Write a MaxMind DB file."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    path = folder / name
    writer.to_db_file(str(path))
    return path


class TestCsv:
    """Own allocations."""

    def test_the_longest_prefix_wins(self, tmp_path: Path) -> None:
        """Nested networks answer as routing does, wherever their edges meet."""
        rows = (
            "10.0.0.0/8,1,GB,,,,\n10.0.0.0/16,2,GB,,,,\n10.0.1.0/24,3,GB,,,,\n"
            "10.0.255.0/24,4,GB,,,,\n10.255.255.255,5,GB,,,,\n11.0.0.0/30,6,GB,,,,\n"
            "2001:db8::/32,7,GB,,,,\n2001:db8:1::/48,8,GB,,,,\n"
        )
        lookup = CsvLookup(csv_file(tmp_path, rows))
        expected = {
            "9.255.255.255": None,
            "10.0.0.0": 2,
            "10.0.1.0": 3,
            "10.0.1.255": 3,
            "10.0.2.0": 2,
            "10.0.255.255": 4,
            "10.1.0.0": 1,
            "10.255.255.254": 1,
            "10.255.255.255": 5,
            "11.0.0.3": 6,
            "11.0.0.4": None,
            "255.255.255.255": None,
            "2001:db7:ffff::": None,
            "2001:db8::1": 7,
            "2001:db8:1:ffff::": 8,
            "2001:db8:2::": 7,
            "2001:db9::": None,
        }
        assert {address: lookup.find(address).asn for address in expected} == expected

    def test_the_edges_of_the_address_space(self, tmp_path: Path) -> None:
        """A default route and the last address are networks like any other."""
        lookup = CsvLookup(csv_file(tmp_path, "0.0.0.0/0,1,,,,,\n::/0,2,,,,,\n"))
        assert lookup.find("255.255.255.255").asn == lookup.find("1.0.0.0").asn == 1
        assert lookup.find("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").asn == 2

    def test_columns_by_name(self, tmp_path: Path) -> None:
        """Columns stand in any order, unknown ones are ignored, missing ones unknown; BOMs go."""
        path = tmp_path / "own.csv"
        path.write_text("\ufeffcity,note,network,country\nLeeds,x,192.0.2.0/24,gb\n", "utf-8")
        assert CsvLookup(path).find("192.0.2.9") == Place(country="GB", city="Leeds")

    @pytest.mark.parametrize(
        ("rows", "words"),
        [
            ("192.0.2.0/33,1,,,,,\n", "own.csv:2: '192.0.2.0/33' has a prefix"),
            ("192.0.2,1,,,,,\n", "own.csv:2: '192.0.2' is no network"),
            ("192.0.2.0/24,BT,,,,,\n", "own.csv:2: 'BT' is no AS number"),
            ("192.0.2.0/24,1,GB,,,north,0\n", "'north' is not between -90 and 90 degrees"),
            ("192.0.2.0/24,1,GBR,,,,\n", "country"),
            ("192.0.2.0/24,1,GB,,,91,0\n", "degrees"),
            ("192.0.2.0/24,1,GB,,,nan,0\n", "degrees"),
        ],
    )
    def test_wrong_rows_are_placed(self, rows: str, words: str, tmp_path: Path) -> None:
        """A look-up file with a fault stops the start, with the line and what is wrong in it."""
        with pytest.raises(ConfigurationError) as caught:
            CsvLookup(csv_file(tmp_path, rows))
        assert words in str(caught.value)

    @pytest.mark.parametrize(
        ("suffix", "content"),
        [
            ("gz", gzip.compress(HEADER.encode() * 99, mtime=0)[:40]),
            ("gz", gzip.compress(b"x", mtime=0)[:10] + b"\xff" * 40),
            ("xz", b"nonsense"),
            ("zst", b"nonsense"),
        ],
    )
    def test_a_damaged_file_is_named(self, suffix: str, content: bytes, tmp_path: Path) -> None:
        """However it is packed."""
        path = tmp_path / f"own.csv.{suffix}"
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match=f"lookups: .*{path.name}: "):
            CsvLookup(path)


class TestMmdb:
    """Published files: each publisher's shape."""

    def test_city_and_network_files(self, tmp_path: Path) -> None:
        """GeoLite2's and DB-IP's two files together tell place and network, v4 and v6."""
        city = {
            "country": {"iso_code": "GB"},
            "subdivisions": [{"names": {"en": "England"}}],
            "city": {"names": {"en": "Leeds", "de": "Leeds (dt.)"}},
            "location": {"latitude": 53.8, "longitude": -1.55},
        }
        network = {
            "autonomous_system_number": 64500,
            "autonomous_system_organization": "Leeds Hosting Ltd",
        }
        cities = mmdb_file(tmp_path, {"192.0.2.0/24": city, "2001:db8::/32": city}, "city.mmdb")
        networks = mmdb_file(tmp_path, {"192.0.2.0/24": network}, "asn.mmdb")
        facts = Enricher([cities, networks]).facts(login("192.0.2.5"))
        assert facts == Facts(
            address="192.0.2.5",
            prefix="192.0.2.0/24",
            asn=64500,
            network_kind="hosting",
            country="GB",
            region="England",
            city="Leeds",
            latitude=53.8,
            longitude=-1.55,
        )
        six = Enricher([cities]).facts(login("2001:db8:7::1"))
        assert (six.prefix, six.city, six.asn) == ("2001:db8:7::/48", "Leeds", None)

    @pytest.mark.parametrize(
        ("record", "place"),
        [
            (
                {"asn": "AS15169", "as_name": "Google LLC", "country_code": "US", "country": "USA"},
                Place(asn=15169, operator="Google LLC", country="US"),
            ),
            (
                {
                    "country": "DE",
                    "region": "Berlin",
                    "city": "Berlin",
                    "lat": "52.5",
                    "lng": "13.4",
                },
                Place(country="DE", region="Berlin", city="Berlin", latitude=52.5, longitude=13.4),
            ),
            (
                {"traits": {"autonomous_system_number": 1, "user_type": "cellular"}},
                Place(asn=1, kind="mobile"),
            ),
            ({"is_anonymous_vpn": True, "is_anonymous": True}, Place(kind="vpn")),
            ({"tor": "true", "hosting": "true"}, Place(kind="tor")),
            ({"connection_type": "Cellular"}, Place(kind="mobile")),
            ({"country": ["x"], "location": 3, "city": {"names": []}, "asn": "x"}, NOWHERE),
        ],
    )
    def test_each_shape(self, record: dict[str, object], place: Place) -> None:
        """IPinfo's texts, GeoIP2's traits and flags; a shape of nobody's tells nothing."""
        assert place_of(record) == place

    def test_what_is_no_such_file(self, tmp_path: Path) -> None:
        """A file that is missing, of another kind or damaged stops the start."""
        broken = tmp_path / "broken.mmdb"
        broken.write_bytes(b"nonsense")
        other = tmp_path / "other.txt"
        other.write_text("x")
        for path in (broken, other, tmp_path / "missing.csv"):
            with pytest.raises(ConfigurationError, match=path.name):
                Enricher([path])


class TestEnricher:
    """Which source is believed."""

    def test_the_event_is_believed_first(self, tmp_path: Path) -> None:
        """A pipeline's own fields win; what it leaves out is looked up."""
        file = csv_file(tmp_path, "192.0.2.0/24,24940,GB,England,Leeds,53.8,-1.55\n")
        enricher = Enricher([file])
        found = enricher.facts(login("192.0.2.5", country="GB", city="York", asn=12576))
        assert (found.asn, found.network_kind) == (12576, "mobile")
        assert (found.city, found.region, found.latitude) == ("York", "England", 53.8)

    def test_no_mixture_of_two_countries(self, tmp_path: Path) -> None:
        """Where event and file disagree on the country, the file's place is not used."""
        file = csv_file(tmp_path, "192.0.2.0/24,2856,GB,England,Leeds,53.8,-1.55\n")
        found = Enricher([file]).facts(login("192.0.2.5", country="FR"))
        assert (found.country, found.region, found.city) == ("FR", None, None)
        assert (found.latitude, found.longitude) == (None, None)
        assert (found.asn, found.network_kind) == (2856, "access")

    def test_half_a_position_is_none(self, tmp_path: Path) -> None:
        """A latitude without a longitude is replaced whole."""
        file = csv_file(tmp_path, "192.0.2.0/24,2856,GB,,,53.8,-1.55\n")
        found = Enricher([file]).facts(login("192.0.2.5", latitude=10.0))
        assert (found.latitude, found.longitude) == (53.8, -1.55)

    def test_the_first_file_wins(self, tmp_path: Path) -> None:
        """Of two files that know an address, the one named first is believed."""
        own = csv_file(tmp_path, "192.0.2.0/25,1,GB,,Leeds,,\n", "own.csv")
        bought = csv_file(tmp_path, "192.0.2.0/24,2,FR,,Lyon,,\n", "bought.csv")
        enricher = Enricher([own, bought])
        assert enricher.facts(login("192.0.2.5")).city == "Leeds"
        assert enricher.facts(login("192.0.2.200")).city == "Lyon"

    def test_the_operator_before_the_address(self, tmp_path: Path) -> None:
        """An address list speaks only where nobody knows the operator."""
        hosting = "52.95.110.1"
        assert kind_by_address(hosting) == "hosting"
        assert Enricher().facts(login(hosting)).network_kind == "hosting"
        assert Enricher().facts(login(hosting, asn=2856)).network_kind == "access"
        file = csv_file(tmp_path, "52.95.110.0/24,64500,GB,,,,\n")
        assert Enricher([file]).facts(login(hosting)).network_kind is None

    def test_events_without_an_address(self) -> None:
        """An order may have no address at all: then nothing is known, and nothing fails."""
        order = Order(account_id="a", event_id="e", occurred_at=0.0, order_id="o", amount=1)  # type: ignore[arg-type]
        assert Enricher().facts(order) == NOTHING_KNOWN
        assert Enricher().facts(login("no address")) == NOTHING_KNOWN

    def test_addresses_in_other_spellings(self) -> None:
        """An address is one however it is written."""
        found = Enricher().facts(login("::ffff:192.0.2.7"))
        assert (found.address, found.prefix) == ("192.0.2.7", "192.0.2.0/24")

    def test_the_caches_are_bounded(self) -> None:
        """A flood of addresses and user agents does not grow the worker without end."""
        enricher = Enricher()
        for number in range(60_000):
            enricher.facts(login(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))
        assert enricher._known.cache_info().currsize <= 50_000
        limit = enricher._clients.read.cache_parameters()["maxsize"]
        assert limit is not None
        assert limit <= 10_000


def test_known_networks_are_what_they_are() -> None:
    """Some that everybody knows, and every row of the file a number and a kind."""
    known = known_networks()
    assert len(known) > 300
    sample = {16509: "hosting", 24940: "hosting", 12576: "mobile", 2856: "access", 786: "education",
              39351: "vpn", 36183: "relay", 22616: "business", 60729: "tor"}  # fmt: skip
    assert {asn: known[asn] for asn in sample} == sample


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Example Hosting GmbH", "hosting"),
        ("Fast VPN Services", "vpn"),
        ("University of Somewhere", "education"),
        ("Acme Mobile Ltd", "mobile"),
        ("Rural Broadband Cooperative", "access"),
        ("Smith and Sons", None),
    ],
)
def test_names_give_kinds_away(name: str, kind: str | None) -> None:
    """An operator that is not in the file is judged by its name, or not at all."""
    assert kind_by_name(name) == kind


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (CHROME, ("Chrome", "153", "Windows", "10", "desktop")),
        (
            IPHONE,
            ("Mobile Safari", "17", "iOS", "17", "mobile"),
        ),
        (
            TABLET,
            ("Chrome", "144", "Android", "13", "tablet"),
        ),
        ("ShopApp/7.10.0 (iPhone18,3; iOS 26.1)", ("ShopApp", "7", "iOS", "26", "mobile")),
        ("ShopApp/7.10.0 (SM-G991B; Android 14)", ("ShopApp", "7", "Android", "14", "mobile")),
        ("python-requests/2.31", ("python-requests", "2", None, None, "bot")),
        (
            CHROME.replace("Chrome", "HeadlessChrome"),
            ("HeadlessChrome", "153", "Windows", "10", "bot"),
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ("Googlebot", "2", None, None, "bot"),
        ),
        ("nonsense", (None, None, None, None, "other")),
    ],
)
def test_clients(user_agent: str, expected: tuple[str | None, ...]) -> None:
    """Browser, system and kind of device; an app is called by its own name."""
    assert ClientReader().read(user_agent) == expected

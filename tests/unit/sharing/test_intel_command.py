"""`nightlatch intel` over files, as a user calls it."""

import json
from pathlib import Path

import msgspec
import pytest

from detectors.errors import ConfigurationError
from streams.cli import run
from streams.codec import encode_event, encode_published
from streams.sharing.records import encode_report, read_reports
from streams.sharing.targets import ToFolder
from tests.support.intelligence import CAMPAIGN, SECRETS, VERDICT, findings


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key, and with a campaign and a verdict of these days in files."""
    import time

    now = time.time()
    moved = msgspec.structs.replace(CAMPAIGN, first_seen=now - 9e5, last_seen=now - 8e5)
    verdict = msgspec.structs.replace(VERDICT, occurred_at=now - 1e5)
    (tmp_path / "campaigns").write_bytes(encode_published(moved) + b"\n")
    (tmp_path / "feedback").write_bytes(encode_event(verdict) + b"\n")
    (tmp_path / "networks.csv").write_text(
        "network,asn,country,region,city,latitude,longitude\n"
        "203.0.113.0/24,14061,DE,,,,\n198.51.100.0/24,2856,GB,,,,\n"
    )
    monkeypatch.setenv("NIGHTLATCH_SHARING_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("NIGHTLATCH_SHARING_NAME", "shop-a")
    monkeypatch.setenv("NIGHTLATCH_LOOKUPS", str(tmp_path / "networks.csv"))
    monkeypatch.chdir(tmp_path)
    assert run(["intel", "key", "2026-11"]) == 0
    return tmp_path


def export(*arguments: str) -> int:
    """Export what the shop's files say."""
    files = ("--campaigns", "campaigns", "--feedback", "feedback")
    return run(["intel", "export", *files, *arguments])


@pytest.mark.parametrize("format_", ["stix", "misp"])
def test_out_and_in_through_either_format(shop: Path, format_: str) -> None:
    """One shop's file becomes another's reports, which a backtest takes; nothing raw is in it."""
    assert export("--format", format_, "--out", "told.json", "--tlp", "amber+strict") == 0
    data = (shop / "told.json").read_bytes()
    for secret in SECRETS:
        assert secret.encode() not in data
    assert run(["intel", "import", "told.json", "--out", "reports"]) == 0
    reports = list(read_reports(shop / "reports"))
    assert {report.source for report in reports} == {"shop-a"}
    assert {report.tlp for report in reports} == {"amber+strict"}
    assert {report.kind for report in reports if report.hash} == {
        "address_prefix", "delivery_address", "payment",
    }  # fmt: skip
    (shop / "events").write_text(
        '{"type":"login","account_id":"a","ip":"203.0.113.9","outcome":"success",'
        '"occurred_at":"2026-11-24T06:08:40Z"}\n'
    )
    assert run(["backtest", "events", "--indicators", "reports"]) == 0


def test_a_name_that_no_reader_would_take_is_refused_before_anything_is_told(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others refuse a report whose source holds a control character: so does who sends it."""
    assert export("--name", "shop\x1fa", "--out", "told.json") == 2
    assert "sharing_name must be a text of 1 to 100 characters" in capsys.readouterr().err
    assert not (shop / "told.json").exists()


def test_a_folder_holds_a_file_a_campaign(shop: Path) -> None:
    """Written whole, under the campaign's id."""
    (shop / "out").mkdir()
    assert export("--folder", "out") == 0
    [path] = (shop / "out").iterdir()
    assert path.name == f"{CAMPAIGN.campaign_id}.stix.json"
    assert json.loads(path.read_bytes())["type"] == "bundle"


def test_what_came_in_to_stay_is_not_told_on(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an import took in under such a marking; who told it is said to the exporter alone."""
    (shop / "feed.csv").write_text("value,tlp\n203.0.113.9,red\n")
    assert run(["intel", "import", "feed.csv", "--source", "police", "--out", "reports"]) == 0
    assert export("--out", "all.json") == 0
    assert "TLP:RED" not in capsys.readouterr().err
    assert export("--out", "told.json", "--indicators", "reports") == 0
    assert "by police: ask before you tell" in capsys.readouterr().err
    assert b"203.0.113.0/24" in (shop / "all.json").read_bytes()
    told = (shop / "told.json").read_bytes()
    assert b"203.0.113" not in told
    assert b"police" not in told


def test_a_campaign_that_stays_whole_is_no_file_and_says_whose_it_is(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes out, and whoever exports learns whom to ask."""
    monkeypatch.delenv("NIGHTLATCH_SHARING_KEYS")
    [free] = findings()
    said = [
        msgspec.structs.replace(one, source="police", tlp="red", indicator_id=f"theirs-{number}")
        for number, one in enumerate(free.indicators)
    ]
    (shop / "reports").write_bytes(b"".join(encode_report(one) + b"\n" for one in said))
    (shop / "out").mkdir()
    assert export("--folder", "out", "--indicators", "reports") == 0
    assert not list((shop / "out").iterdir())
    told = capsys.readouterr().err
    assert "0 campaigns, 0 indicators" in told
    assert "by police" in told


def test_what_cannot_be_used_is_told_and_the_rest_taken(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the line and the field, and the good lines in the file."""
    (shop / "feed.csv").write_text("value,kind\n1.2.3.4,\nnonsense,\nAS64500,\n")
    assert run(["intel", "import", "feed.csv", "--source", "police", "--out", "reports"]) == 1
    told = capsys.readouterr().err
    assert "feed.csv:3: field 'kind'" in told
    assert "2 reports taken in, 0 taken back, 1 could not be used" in told
    assert len(list(read_reports(shop / "reports"))) == 2


def test_a_campaign_names_no_file_elsewhere(tmp_path: Path) -> None:
    """Its id is what a record said: it does not lead out of the folder."""
    (tmp_path / "out").mkdir()
    target = ToFolder(tmp_path / "out", "stix", "amber")
    for name in ("../told", "/told", "a/b"):
        with pytest.raises(ConfigurationError, match="cannot name a file"):
            target.tell([one._replace(campaign_id=name) for one in findings()])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_brought_a_report_is_written_by_who_takes_it_in(shop: Path) -> None:
    """Who answers for it, else files; a feed that says otherwise is not heard."""
    (shop / "feed.csv").write_text("value,source,feed\n1.2.3.4,b,c\n")
    assert run(["intel", "import", "feed.csv", "--out", "reports"]) == 0
    assert run(["intel", "import", "feed.csv", "--source", "d", "--out", "answered"]) == 0
    [one], [answered] = read_reports(shop / "reports"), read_reports(shop / "answered")
    assert (one.source, one.feed) == ("b", "files")
    assert (answered.source, answered.feed) == ("d", "d")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export", "--out", "a", "--topic", "b"], "give one of them"),
        (["export", "--folder", "nowhere"], "no such folder"),
        (["import"], "give one of"),
        (["export", "--campaigns", "feedback"], "feedback:1 is no campaign"),
        (["export", "--feedback", "campaigns"], "campaigns:1 is no event"),
        (["import", "absent.json"], "absent.json"),
        (["import", "--taxii", "http://example.org/x/"], "https"),
        (["key", "2026-11"], "already"),
    ],
)
def test_mistakes_are_one_sentence(
    shop: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What to change, on one line of standard error."""
    assert shop.is_dir()
    assert run(["intel", *arguments]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1

"""The command over files, and what it writes."""

import csv
import re
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from detectors.bulletin.standing import Recorded
from detectors.campaigns.records import Campaign
from detectors.heat.records import Attack
from streams.cli import run
from streams.codec import encode_alert, encode_event, encode_published
from streams.exit_codes import DONE, FAILED, MISTAKE
from tests.support.disks import a_full_disk
from tests.support.months import ACCOUNT, ADDRESS, STREET, alert, at, busy_month, campaign
from tests.unit.edges.test_campaigns import ATTACK

PERSONAL = (ACCOUNT, ADDRESS, STREET, "SW1A", "1AA", "order-event-", "session-", "case-")
SUFFIXES = ("html", "pdf", "csv", "json")


class Said(NamedTuple):
    """What a command ended with."""

    code: int
    err: str


def written(folder: Path, recorded: Recorded, attacks: tuple[Attack, ...] = ()) -> list[str]:
    """Write records as files, as a backtest does; return the options that name them."""
    published: list[Campaign | Attack] = [*recorded.campaigns, *attacks]
    files: dict[str, list[bytes]] = {
        "alerts": [*map(encode_alert, recorded.alerts)],
        "campaigns": [*map(encode_published, published)],
        "feedback": [*map(encode_event, recorded.verdicts)],
        "events": [*map(encode_event, recorded.orders)],
    }
    options = []
    for name, lines in files.items():
        path = folder / f"{name}.ndjson"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        options += [f"--{name}", str(path)]
    return options


def bulletin(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> Said:
    """Run the command."""
    code = run(["bulletin", "--out", str(folder), "--minimum", "3", *options])
    return Said(code, capsys.readouterr().err)


def parsed(folder: Path, month: str = "2026-11") -> dict[str, Any]:
    """Return the JSON file."""
    read: dict[str, Any] = orjson.loads((folder / f"bulletin-{month}.json").read_bytes())
    return read


def page(folder: Path, month: str = "2026-11") -> str:
    """Return the text of the page, without tags and drawings."""
    html = (folder / f"bulletin-{month}.html").read_text("utf-8")
    return " ".join(
        re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL).split()
    )


def test_every_file_says_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Page, table and data have the figures of the month that was written by hand."""
    said = bulletin(capsys, tmp_path, *written(tmp_path, busy_month()), "--month", "2026-11")
    assert said.code == DONE, said.err
    totals = parsed(tmp_path)["totals"]
    assert (totals["attempts"], totals["takeovers"], totals["saved"]) == (20, 12, {"GBP": 600})
    with (tmp_path / "bulletin-2026-11.csv").open(newline="") as file:
        rows = {
            (r["table"], r["name"], r["measure"], r["currency"]): r["value"]
            for r in csv.DictReader(file)
        }
    assert rows["total", "", "attempts", ""] == "20"
    assert rows["total", "", "saved", "GBP"] == "600"
    assert rows["area", "SW", "takeovers", ""] == "12"
    assert rows["week", "2026-11-02/2026-11-08", "lost", ""] == "", "one account's"
    assert rows["campaign", "gang", "accounts_in_all", ""] == "7"
    assert "20 attempts on 20 accounts were alerted" in page(tmp_path)
    assert "n/s" in page(tmp_path)
    assert (tmp_path / "bulletin-2026-11.pdf").read_bytes().startswith(b"%PDF-")


def test_nobody_can_be_found_in_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Byte by byte: no account, address, postcode, order, event or session, in any file."""
    folder = tmp_path / "out"
    bulletin(capsys, folder, *written(tmp_path, busy_month(), (ATTACK,)), "--month", "2026-11")
    for suffix in SUFFIXES:
        content = (folder / f"bulletin-2026-11.{suffix}").read_bytes()
        if suffix == "pdf":
            content += b"".join(_inflated(content))
        for text in PERSONAL:
            assert text.encode() not in content, (suffix, text)


def _inflated(pdf: bytes) -> list[bytes]:
    """The streams of a PDF file as they were before they were compressed."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    assert found
    return found


def test_the_same_command_writes_the_same_bytes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nothing in it comes from a clock, in whatever order the lines are."""
    options = [*written(tmp_path, busy_month()), "--month", "2026-11"]
    for folder in ("one", "other"):
        bulletin(capsys, tmp_path / folder, *options)
    for suffix in SUFFIXES:
        one, other = (tmp_path / f / f"bulletin-2026-11.{suffix}" for f in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_what_changed_since_the_month_before(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The bulletin beside it is compared with; campaigns are new or go on."""
    october = [alert(100 + n, at(5 + n, month=10)) for n in range(8)]
    gone = campaign("gone", range(100, 108))
    read = busy_month()
    read = read._replace(alerts=[*october, *read.alerts], campaigns=[gone, *read.campaigns])
    options = written(tmp_path, read)
    bulletin(capsys, tmp_path, *options, "--month", "2026-10")
    assert "No bulletin of the month before" in page(tmp_path, "2026-10")
    bulletin(capsys, tmp_path, *options, "--month", "2026-11")
    assert "attempts 8 20 +12 (+150%)" in page(tmp_path)
    assert "Campaigns: 1 new, 0 that went on, 1 of the month before without" in page(tmp_path)
    before = str(tmp_path / "bulletin-2026-11.json")
    said = bulletin(capsys, tmp_path, *options, "--month", "2026-11", "--previous", before)
    assert said.code == MISTAKE
    assert "is the bulletin of 2026-11, not of 2026-10" in said.err


def test_a_month_without_anything_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No empty tables, no plot without a bar, and what was read is told all the same."""
    said = bulletin(capsys, tmp_path, *written(tmp_path, busy_month()), "--month", "2026-09")
    assert said.code == DONE
    text = page(tmp_path, "2026-09")
    assert "Nothing to report: no attempt was first alerted in September 2026" in text
    assert "alerts.ndjson" in text
    assert "<svg" not in (tmp_path / "bulletin-2026-09.html").read_text("utf-8")


def test_a_month_that_is_not_over_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """On the terminal and at the top of the page: until when there are records."""
    said = bulletin(capsys, tmp_path, *written(tmp_path, busy_month()), "--month", "2026-11")
    assert "not wholly covered: the newest record is of 2026-11-28 12:00" in said.err
    assert "not wholly covered: the newest record is of 2026-11-28 12:00" in page(tmp_path)


def test_lines_that_cannot_be_read_are_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """They change no figure, and the sources' table tells of them."""
    options = written(tmp_path, busy_month())
    for name in ("alerts", "campaigns", "feedback", "events"):
        with (tmp_path / f"{name}.ndjson").open("ab") as file:
            file.write(b'{"no": "such thing"}\nno json\n')
    assert bulletin(capsys, tmp_path, *options, "--month", "2026-11").code == DONE
    read = parsed(tmp_path)
    assert read["totals"]["attempts"] == 20
    found = {source["what"]: source["unreadable"] for source in read["sources"]}
    assert found == {"alerts": 2, "campaigns": 2, "feedback": 2, "orders": 2}


def test_orders_without_a_country(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """They are of no area, unless it is said whose country it is."""
    options = written(tmp_path, busy_month())
    path = tmp_path / "events.ndjson"
    path.write_bytes(
        path.read_bytes()
        .replace(b'"shipping_country":"GB",', b"")
        .replace(b',"shipping_country":"GB"', b"")
    )
    for country, areas in ((None, ["no postcode"]), ("gb", ["SW", "M"])):
        chosen = [] if country is None else ["--country", country]
        bulletin(capsys, tmp_path, *options, "--month", "2026-11", *chosen)
        assert [row["name"] for row in parsed(tmp_path)["areas"]] == areas


def test_on_a_full_disk_there_is_the_whole_of_it_or_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Four files that do not say the same would be worse than none."""
    options = ["--month", "2026-11", *written(tmp_path, busy_month())]
    out = tmp_path / "out"
    assert bulletin(capsys, out, *options).code == DONE
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    # Room for the page, not for the PDF.
    room = len(before["bulletin-2026-11.html"]) + 500
    assert len(before["bulletin-2026-11.pdf"]) > room
    with a_full_disk(room):
        said = bulletin(capsys, out, "--retailer", "A Shop", *options)
    assert said.code == FAILED
    assert "bulletin-2026-11.pdf cannot be written: File too large; free space" in said.err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--month", "2026-13"], "no month"),
        (["--month", "2026-11", "--minimum", "1"], "--minimum"),
        (["--month", "2026-11", "--events", "/no/such/file"], "need --alerts"),
        (["--month", "2026-11", "--country", "United Kingdom"], "no country code"),
        (["--month", "2026-11", "--alerts", "/no/such/file"], "/no/such/file"),
        (["--month", "2026-11", "--previous", "/no/such/file"], "/no/such/file"),
    ],
)
def test_mistakes_are_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], problem: str
) -> None:
    """Before any broker is asked."""
    code = run(["bulletin", "--out", str(tmp_path), *options])
    err = capsys.readouterr().err
    assert code == MISTAKE
    assert problem in err
    assert err.count("\n") == 1

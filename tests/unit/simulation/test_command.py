"""`nightlatch simulate`: its files, their agreement, its refusals."""

import gzip
import inspect
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from detectors.simulation import FAMILIES, simulate
from detectors.simulation.delivery import DUPLICATES, LATE
from streams.cli import run
from streams.cli.simulate import command
from streams.enrichment.lookup_csv import CsvLookup
from streams.exit_codes import FAILED
from streams.files import read_events
from tests.support.disks import a_full_disk

SMALL = ("--accounts", "300", "--days", "20", "--hijacks", "0.02", "--seed", "5")


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of an NDJSON file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_the_files_agree_with_each_other(tmp_path: Path) -> None:
    """Labels, attacks, verdicts and circumstances name events of the events file, once each."""
    names = ("out", "labels", "attacks", "feedback", "circumstances")
    paths = {name: tmp_path / f"{name}.ndjson" for name in names}
    arguments = [part for name in names for part in (f"--{name}", str(paths[name]))]
    assert run(["simulate", *SMALL, "--telemetry", "everything", *arguments]) == 0
    files = {name: lines(path) for name, path in paths.items()}
    events = {event["event_id"]: event for event in files["out"]}
    assert {event["type"] for event in events.values()} == {"login", "order", "account_change"}
    for label in files["labels"]:
        assert set(label) == {"event_id", "type", "takeover", "family", "campaign"}
        assert label["type"] == events[label["event_id"]]["type"]
    assert {label["family"] for label in files["labels"]} == set(FAMILIES)
    assert {attack["event_id"] for attack in files["attacks"]} <= set(events)
    assert {event["type"] for event in files["feedback"]} == {"feedback"}
    assert all(set(v["event_ids"]) <= set(events) for v in files["feedback"])
    named = [
        line["event_id"] for name in ("labels", "attacks", "circumstances") for line in files[name]
    ]
    assert len(named) == len(set(named))


def test_the_same_seed_writes_the_same_bytes_compressed_or_not(tmp_path: Path) -> None:
    """A run can be named by its command line."""
    plain, packed, again = (tmp_path / name for name in ("a.ndjson", "a.ndjson.gz", "b.ndjson.gz"))
    for path in (plain, packed, again):
        assert run(["simulate", *SMALL, "--out", str(path)]) == 0
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.read_bytes() == again.read_bytes()


def test_the_written_look_up_knows_every_address(tmp_path: Path) -> None:
    """The look-up file gives each event the place that it has where it tells one."""
    out, lookup = tmp_path / "e.ndjson", tmp_path / "lookup.csv"
    assert run(["simulate", *SMALL, "--out", str(out), "--lookup-out", str(lookup)]) == 0
    table = CsvLookup(lookup)
    for event in lines(out):
        if "ip" in event:
            place = table.find(event["ip"])
            assert place.asn == event.get("asn", place.asn)
            assert place.city == event.get("city", place.city)
            assert place.asn is not None


def test_verdicts_may_be_mixed_into_the_events(tmp_path: Path) -> None:
    """The same path for both gives one file, which the other commands read."""
    out = tmp_path / "all.ndjson"
    assert run(["simulate", *SMALL, "--out", str(out), "--feedback", str(out)]) == 0
    types = {type(read.content).__name__ for read in read_events(out)}
    assert types == {"Login", "Order", "AccountChange", "Feedback"}


def test_families_are_chosen_by_name(tmp_path: Path) -> None:
    """--only and --without; both together take the difference."""
    labels = tmp_path / "l.ndjson"
    out = ("--out", str(tmp_path / "e"), "--labels", str(labels))
    wanted = ("--only", "insider", "--only", "spraying", "--without", "spraying")
    assert run(["simulate", *SMALL, *out, *wanted]) == 0
    assert {label["family"] for label in lines(labels)} == {"insider"}
    assert run(["simulate", *SMALL, *out, "--without", "insider"]) == 0
    assert {label["family"] for label in lines(labels)} == set(FAMILIES) - {"insider"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--only", "burglary"), "unknown family 'burglary'"),
        (("--accounts", "3"), "greater than or equal to 20"),
        (("--start", "tomorrow"), "tomorrow"),
        (("--out", "/nowhere/e.ndjson"), "/nowhere/e.ndjson cannot be written"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a sentence on standard error."""
    assert run(["simulate", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_help_names_every_family_and_the_defaults_are_the_simulators() -> None:
    """What is written a second time, so that --help needs no numpy, must stay equal."""
    written = inspect.getdoc(command) or ""
    assert all(name in written for name in FAMILIES)
    defaults = {name: p.default for name, p in inspect.signature(command).parameters.items()}
    own = {name: p.default for name, p in inspect.signature(simulate).parameters.items()}
    assert (defaults["hijacks"], defaults["tries"]) == (own["hijacks"], own["tries"])
    assert (defaults["late"], defaults["duplicates"]) == (LATE, DUPLICATES)


def test_events_go_to_standard_output_by_default(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """So that they can be piped into `nightlatch send`."""
    assert run(["simulate", "--accounts", "50", "--days", "3"]) == 0
    written = capfdbinary.readouterr().out.splitlines()
    assert len(written) > 10
    assert all("account_id" in orjson.loads(line) for line in written)


def test_a_full_disk_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the file; what was there before stays, and nothing is beside it."""
    out = tmp_path / "events.ndjson"
    out.write_bytes(b"old\n")
    with a_full_disk(10_000):
        assert run(["simulate", *SMALL, "--out", str(out)]) == FAILED
    assert capsys.readouterr().err == (
        f"nightlatch: {out} cannot be written: File too large; free space there and try again\n"
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {out: b"old\n"}

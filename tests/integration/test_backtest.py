"""The backtest from its command line, on files."""

import gzip
import lzma
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from backports import zstd

from streams.cli import run
from streams.exit_codes import FAILED
from streams.report.text import figure
from tests.support.disks import a_full_disk

Line = dict[str, Any]
Backtest = Callable[..., list[Line]]


class Traffic(NamedTuple):
    """The files of a small simulated run."""

    events: Path
    feedback: Path
    labels: Path
    lookup: Path

    def lines(self) -> list[Line]:
        """The events."""
        return read(self.events)


def read(path: Path) -> list[Line]:
    """Every line of an NDJSON file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def write(path: Path, lines: Sequence[Line]) -> Path:
    """Write an NDJSON file."""
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def called(*arguments: object) -> int:
    """Call `nightlatch backtest`."""
    return run(["backtest", *map(str, arguments)])


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """Two months of a thousand accounts, with many more hijacks than a shop has."""
    folder = tmp_path_factory.mktemp("traffic")
    files = Traffic(
        folder / "events.ndjson",
        folder / "feedback.ndjson",
        folder / "labels.ndjson",
        folder / "networks.csv",
    )
    arguments = ["simulate", "--accounts", 1000, "--days", 40, "--hijacks", 0.02, "--seed", 4]
    arguments += ["--out", files.events, "--feedback", files.feedback, "--labels", files.labels]
    arguments += ["--attacks", folder / "attacks.ndjson", "--lookup-out", files.lookup]
    assert run([str(argument) for argument in arguments]) == 0
    return files


@pytest.fixture
def backtest(tmp_path: Path) -> Backtest:
    """Run the backtest and return its assessments."""

    def assessed(*arguments: object) -> list[Line]:
        path = tmp_path / "assessments.ndjson"
        assert called(*arguments, "--assessments", path) == 0
        return read(path)

    return assessed


def test_every_event_is_assessed_once_in_the_order_of_the_file(
    traffic: Traffic, backtest: Backtest
) -> None:
    """A line an event, under its id, with a risk from 0 to 1; verdicts are none."""
    assessments = backtest(traffic.events, "--feedback", traffic.feedback)
    assert [line["event_id"] for line in assessments] == [
        line["event_id"] for line in traffic.lines()
    ]
    assert all(0 <= line["risk"] <= 1 for line in assessments)
    assert all(line["account_id"] and line["occurred_at"] for line in assessments)


def test_how_state_is_handed_over_changes_nothing(traffic: Traffic, backtest: Backtest) -> None:
    """After every run or never before the end: the same scores."""
    often = backtest(traffic.events, "--feedback", traffic.feedback, "--hand-over-every", 1)
    assert often == backtest(traffic.events, "--feedback", traffic.feedback)


def test_several_files_of_any_compression_are_one_stream(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """Orders apart from sign-ins, packed each its own way, merge by time to the same scores."""
    kinds: dict[str, list[bytes]] = {"login": [], "order": [], "account_change": []}
    in_order = sorted(traffic.events.read_bytes().splitlines(keepends=True), key=_time)
    for line in in_order:
        kinds[orjson.loads(line)["type"]].append(line)
    whole = tmp_path / "whole.ndjson"
    whole.write_bytes(b"".join(in_order))
    packing: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "xz": lzma.compress,
        "zst": zstd.compress,
    }
    packed = []
    for (kind, lines), (suffix, pack) in zip(kinds.items(), packing.items(), strict=True):
        packed.append(tmp_path / f"{kind}.ndjson.{suffix}")
        packed[-1].write_bytes(pack(b"".join(lines)))
    expected = {line["event_id"]: line["risk"] for line in backtest(whole)}
    assert {line["event_id"]: line["risk"] for line in backtest(*packed)} == expected


def _time(line: bytes) -> str:
    occurred_at: str = orjson.loads(line)["occurred_at"]
    return occurred_at


def test_a_verdict_is_used_only_once_its_time_has_come(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """Scores before the first verdict are those of a run without any; later ones may differ."""
    lines = traffic.lines()
    verdicts = [
        {
            "type": "feedback",
            "event_id": f"f{number}",
            "occurred_at": "2026-10-21T00:00:00Z",
            "account_id": line["account_id"],
            "verdict": "takeover" if line["type"] == "order" else "legitimate",
            "event_ids": [line["event_id"]],
        }
        for number, line in enumerate(lines)
        if line["occurred_at"] < "2026-10-20"
    ]
    plain = backtest(traffic.events)
    taught = backtest(traffic.events, "--feedback", write(tmp_path / "v.ndjson", verdicts))
    early = [line["occurred_at"] < "2026-10-21" for line in plain]
    pairs = list(zip(early, plain, taught, strict=True))
    assert all(before == after for is_early, before, after in pairs if is_early)
    assert any(before != after for is_early, before, after in pairs if not is_early)


def test_files_of_one_name_in_several_folders_hold_different_events(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """A month a folder, and a shop that sends no event ids: line 3 of each is another event."""
    lines = [{k: v for k, v in line.items() if k != "event_id"} for line in traffic.lines()[:200]]
    months = []
    for month, part in (("10", lines[:100]), ("11", lines[100:])):
        (tmp_path / month).mkdir()
        months.append(write(tmp_path / month / "events.ndjson", part))
    assert len({line["event_id"] for line in backtest(*months)}) == 200


def test_verdicts_may_come_in_any_order(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """As from a tool that lists them by account: each comes at its own time all the same."""
    verdicts = sorted(read(traffic.feedback), key=lambda line: str(line["occurred_at"]))
    latest_first = write(tmp_path / "verdicts.ndjson", verdicts[::-1])
    plain = backtest(traffic.events, "--feedback", traffic.feedback)
    assert backtest(traffic.events, "--feedback", latest_first) == plain
    assert backtest(traffic.events) != plain


def test_a_clock_that_runs_ahead_brings_no_verdict_forward(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """One event dated far ahead at the beginning must not let the whole future's verdicts pass."""
    lines = traffic.lines()
    lines[10] = {**lines[10], "occurred_at": "2027-06-01T00:00:00Z"}
    wrong = write(tmp_path / "wrong.ndjson", lines)
    late = [
        {
            "type": "feedback",
            "event_id": f"f{number}",
            "occurred_at": "2027-01-01T00:00:00Z",
            "account_id": line["account_id"],
            "verdict": "takeover",
            "event_ids": [line["event_id"]],
        }
        for number, line in enumerate(lines[:200])
    ]
    verdicts = write(tmp_path / "late.ndjson", late)
    assert backtest(wrong, "--feedback", verdicts) == backtest(wrong)


def test_dead_lines_are_counted_and_told(
    traffic: Traffic, backtest: Backtest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read is named by file, line and fault; the others are scored."""
    good = traffic.lines()[:20]
    path = write(tmp_path / "mixed.ndjson", good)
    bad = b'not json\n{"type": "order", "account_id": "ann", "occurred_at": 1795500000000}\n'
    path.write_bytes(bad + path.read_bytes())
    assert len(backtest(path)) == 20
    told = capsys.readouterr().err
    assert "dead lines: 2" in told
    assert f"{path}:1" in told
    assert f"{path}:2: field 'amount'" in told


def test_the_report_stands_alone_and_says_what_the_json_says(
    traffic: Traffic, tmp_path: Path
) -> None:
    """All baselines in one table, plots in the page, nothing fetched from anywhere."""
    folder = tmp_path / "report"
    arguments = [traffic.events, "--feedback", traffic.feedback, "--labels", traffic.labels]
    arguments += ["--lookup", traffic.lookup, "--report", folder, "--name", "first"]
    assert called(*arguments) == 0
    page = (folder / "report.html").read_text("utf-8")
    report = orjson.loads((folder / "report.json").read_bytes())
    names = [summary["name"] for summary in report["summaries"]]
    assert names[0] == "Nightlatch"
    assert len(names) == 5
    assert all(f"<td>{name}</td>" in page for name in names)
    assert page.count("<svg") >= 5
    assert not re.findall(r'(?:src|href)="(?!#)', page.replace("xlink:href", "href"))
    assert "@import" not in page
    detector = report["summaries"][0]
    assert detector["hijacks"] > 20
    recalls = [at["in_time"]["value"] for at in detector["budgets"]]
    assert recalls == sorted(recalls)
    low, high = detector["budgets"][1]["in_time"]["interval"]
    assert low <= recalls[1] <= high
    assert f">{figure(recalls[1])} <" in page
    told = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    assert not re.findall(r"[>\[][+-]?0\.\d\d", told), "figures are written in two ways"
    best = max(rival["budgets"][0]["in_time"]["value"] for rival in report["summaries"][1:])
    assert report["leads"][0]["gain"]["value"] == pytest.approx(recalls[0] - best)
    (run_,) = report["runs"]
    lines = traffic.lines()
    assert run_["events"] == len(lines)
    assert detector["events"] == len({line["event_id"] for line in lines}) < len(lines)
    assert run_["unassessed"]["Nightlatch"] == 0


def test_labels_of_other_events_are_told(
    traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels of another run match nothing, and a recall of nothing must not pass unseen."""
    labels = write(tmp_path / "l.ndjson", [{"event_id": "elsewhere", "takeover": True}])
    assert called(traffic.events, "--labels", labels) == 0
    assert "1 labels of run name an event that did not come" in capsys.readouterr().err


@pytest.mark.parametrize("by", ["account_id", "type"])
def test_a_file_that_is_not_in_the_order_of_time_is_told(
    by: str, traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a data base exports it: a detector that is given next week first misses what is in it."""
    lines = sorted(traffic.lines(), key=lambda line: str(line[by]))
    arguments = [write(tmp_path / "sorted.ndjson", lines), "--no-baselines", "--report", tmp_path]
    assert called(*arguments) == 0
    told = " events come more than a day after later ones"
    assert told in capsys.readouterr().err
    assert "come more than a day after later ones" in (tmp_path / "report.html").read_text("utf-8")
    lines = traffic.lines()
    lines[10] = {**lines[10], "occurred_at": "2026-11-20T00:00:00Z"}
    assert called(write(tmp_path / "clock.ndjson", lines), "--feedback", traffic.feedback) == 0
    assert told not in capsys.readouterr().err


def test_where_no_hijack_is_judged_it_is_told_why(
    traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A single clock that runs decades ahead puts all that happened into the warm-up."""
    lines = traffic.lines()
    lines[10] = {**lines[10], "occurred_at": "2096-01-01T00:00:00Z"}
    events = write(tmp_path / "wrong.ndjson", lines)
    arguments = [events, "--labels", traffic.labels, "--no-baselines", "--report", tmp_path]
    assert called(*arguments) == 0
    told = "o hijack of run begins after the warm-up, which ends at 2047-"
    assert told in capsys.readouterr().err
    assert told in (tmp_path / "report.html").read_text("utf-8")


def test_assessments_that_were_read_raise_no_alerts(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """The report does not say that another tool would have raised none."""
    own = write(tmp_path / "own.ndjson", backtest(traffic.events))
    arguments = [traffic.events, "--labels", traffic.labels, "--assessed", own]
    assert called(*arguments, "--no-baselines", "--report", tmp_path) == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "cases raised" not in page
    assert "The alerts it would have raised" not in page


def test_without_labels_nobody_is_called_a_customer(traffic: Traffic, tmp_path: Path) -> None:
    """Which alerts were false is not known then: neither the table nor the plot says so."""
    assert called(traffic.events, "--no-baselines", "--report", tmp_path) == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "The alerts it would have raised" in page
    assert ">unknown<" in page
    assert ">customers<" not in page
    assert "<!-- customers -->" not in page  # as Matplotlib notes what its glyphs spell


def test_no_figure_is_cut_short(
    traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However much there is in a line: an interval without its end is another interval."""
    other = tmp_path / f"{'half-life-' * 10}.toml"
    other.write_text("detection_story_half_life_days = 1.0\n")
    arguments = [traffic.events, "--labels", traffic.labels, "--compare-settings", other]
    assert called(*arguments, "--no-baselines") == 0
    printed = capsys.readouterr().out
    assert other.name in printed
    assert "ECE ≥ .1 (events)" in printed
    assert "over campaigns, whose hijacks are alike, Nightlatch's [" in printed
    assert "…" not in printed


def test_the_same_input_gives_the_same_report(traffic: Traffic, tmp_path: Path) -> None:
    """Byte for byte: reports can be compared."""
    for name in ("one", "two"):
        arguments = [traffic.events, "--labels", traffic.labels, "--report", tmp_path / name]
        assert called(*arguments) == 0
    for file in ("report.html", "report.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_pooled_reports_hold_the_hijacks_of_both(traffic: Traffic, tmp_path: Path) -> None:
    """Two runs with as many hijacks each, by what was known to each: the recall between both."""
    arguments = [traffic.events, "--labels", traffic.labels, "--no-baselines"]
    assert called(*arguments, "--report", tmp_path / "one") == 0
    verdicts = ("--feedback", traffic.feedback)
    assert called(*arguments, *verdicts, "--report", tmp_path / "two") == 0
    reports = [tmp_path / name / "report.json" for name in ("one", "two")]
    pool = [argument for report in reports for argument in ("--pool", report)]
    assert called(*pool, "--report", tmp_path / "both") == 0
    one, two, pooled = (
        orjson.loads(report.read_bytes())["summaries"][0]
        for report in (*reports, tmp_path / "both" / "report.json")
    )
    assert pooled["hijacks"] == one["hijacks"] + two["hijacks"]
    recalls = [of["budgets"][0]["in_time"]["value"] for of in (one, two)]
    assert pooled["budgets"][0]["in_time"]["value"] == pytest.approx(sum(recalls) / 2)


def test_a_run_is_counted_once_in_whatever_reports_it_comes(
    traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report given twice, a copy of it, and the run of now under another name."""
    arguments = [traffic.events, "--labels", traffic.labels, "--no-baselines"]
    assert called(*arguments, "--report", tmp_path / "one") == 0
    report, copy = tmp_path / "one" / "report.json", tmp_path / "copy.json"
    copy.write_bytes(report.read_bytes())
    capsys.readouterr()
    pooled = ["--pool", report, "--pool", copy, "--pool", report]
    assert called(*arguments, *pooled, "--name", "now", "--report", tmp_path / "all") == 0
    told = capsys.readouterr().err
    assert told.count("is pooled already: it is counted once") == 3
    assert f"run in {copy} is pooled already" in told
    single, all_ = (
        orjson.loads((tmp_path / folder / "report.json").read_bytes()) for folder in ("one", "all")
    )
    assert all_["runs"] == single["runs"]
    assert all_["summaries"] == single["summaries"]


def test_assessments_of_another_detector_are_judged_and_compared(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """One that knows the labels catches everything, and the comparison says what is gained."""
    own = write(tmp_path / "own.ndjson", backtest(traffic.events))
    hijacked = {line["event_id"] for line in read(traffic.labels)}
    known = [
        {"event_id": line["event_id"], "risk": float(line["event_id"] in hijacked)}
        for line in traffic.lines()
    ]
    oracle = write(tmp_path / "oracle.ndjson", known)
    arguments = [traffic.events, "--labels", traffic.labels, "--assessed", oracle]
    arguments += ["--compare", own, "--no-baselines", "--report", tmp_path / "r"]
    assert called(*arguments) == 0
    report = orjson.loads((tmp_path / "r" / "report.json").read_bytes())
    assert report["summaries"][0]["budgets"][0]["at_access"]["value"] == 1.0
    comparison = report["comparison"]
    missed = sum(
        h["caught"][0]["in_time"] < 1
        for h in report["runs"][0]["judgements"][comparison["before"]]["hijacks"]
    )
    assert len(comparison["budgets"][0]["gained"]) == missed > 0
    assert comparison["budgets"][0]["lost"] == []


def test_a_shop_that_numbers_each_topic_s_events_is_judged_as_any_other(
    traffic: Traffic, backtest: Backtest, tmp_path: Path
) -> None:
    """Sign-in 1001 and order 1001 are two events: labels and assessments tell them apart."""
    lines = {
        "events": traffic.lines(),
        "labels": read(traffic.labels),
        "attacks": read(traffic.labels.with_name("attacks.ndjson")),
        "assessed": backtest(traffic.events),
    }
    numbers: dict[str, dict[str, str]] = {}
    for line in lines["events"]:
        of_type = numbers.setdefault(line["type"], {})
        of_type.setdefault(line["event_id"], str(len(of_type)))
    reports = []
    for numbered in (False, True):
        folder = tmp_path / f"numbered-{numbered}"
        folder.mkdir()
        files = {
            name: write(
                folder / f"{name}.ndjson",
                [
                    {**line, "event_id": numbers[line["type"]][line["event_id"]]}
                    if numbered
                    else line
                    for line in told
                ],
            )
            for name, told in lines.items()
        }
        arguments = [files["events"], "--labels", files["labels"], "--assessed", files["assessed"]]
        assert called(*arguments, "--no-baselines", "--report", folder) == 0
        [run_] = orjson.loads((folder / "report.json").read_bytes())["runs"]
        reports.append(run_)
    assert reports[1] == reports[0]
    assert reports[0]["labels_without_event"] == 0


def test_two_configurations_are_compared_case_by_case(traffic: Traffic, tmp_path: Path) -> None:
    """A second engine under other settings runs beside; cases only one raises are listed."""
    settings = tmp_path / "strict.toml"
    settings.write_text("[detection]\nalert_floor = 0.999\n")
    arguments = [traffic.events, "--labels", traffic.labels, "--no-baselines"]
    arguments += ["--compare-settings", settings, "--report", tmp_path / "r"]
    assert called(*arguments) == 0
    comparison = orjson.loads((tmp_path / "r" / "report.json").read_bytes())["comparison"]
    assert (comparison["before"], comparison["after"]) == ("Nightlatch", "strict.toml")
    gone = [case for case in comparison["changed"] if not case["after"]]
    assert gone
    assert "no longer raised" in (tmp_path / "r" / "report.html").read_text("utf-8")


def test_what_would_change_is_told_on_the_terminal_too(
    traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case by case, without a report and without labels; an account's name is no markup."""
    renamed = [{**line, "account_id": f"[red]{line['account_id']}"} for line in traffic.lines()]
    events = write(tmp_path / "events.ndjson", renamed)
    settings = tmp_path / "strict.toml"
    settings.write_text("[detection]\nalert_floor = 0.999\n")
    assert called(events, "--compare-settings", settings) == 0
    told = capsys.readouterr().out
    assert "Nightlatch → strict.toml: " in told
    rows = [line for line in told.splitlines() if " no longer raised " in line]
    assert rows
    assert all("[red]" in row and " unknown " in row for row in rows)


def test_the_report_is_of_what_runs_now_not_of_what_it_is_compared_with(
    traffic: Traffic, tmp_path: Path
) -> None:
    """Its headline figures, families and misses are the detector's whose alerts it lists."""
    silent = [{"event_id": line["event_id"], "risk": 0.0} for line in traffic.lines()]
    earlier = write(tmp_path / "earlier.ndjson", silent)
    arguments = [traffic.events, "--labels", traffic.labels, "--compare", earlier]
    assert called(*arguments, "--report", tmp_path) == 0
    report = orjson.loads((tmp_path / "report.json").read_bytes())
    names = [summary["name"] for summary in report["summaries"]]
    assert names[:2] == ["Nightlatch", "earlier.ndjson"]
    assert report["leads"][0]["gain"]["value"] > 0
    assert [report["comparison"][name] for name in ("after", "before")] == names[:2]


def test_what_an_attacker_sent_is_text_in_the_report(traffic: Traffic, tmp_path: Path) -> None:
    """An account called like a script is shown, not run."""
    evil = "<script>alert(1)</script>"
    victim = read(traffic.labels)[-1]["event_id"]
    lines = traffic.lines()
    account = next(line["account_id"] for line in lines if line["event_id"] == victim)
    renamed = [
        {**line, "account_id": evil} if line["account_id"] == account else line for line in lines
    ]
    silent = [{"event_id": line["event_id"], "risk": 0.0} for line in lines]
    arguments = [write(tmp_path / "e.ndjson", renamed), "--labels", traffic.labels]
    arguments += ["--assessed", write(tmp_path / "a.ndjson", silent), "--no-baselines"]
    assert called(*arguments, "--report", tmp_path / "r") == 0
    page = (tmp_path / "r" / "report.html").read_text("utf-8")
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


RBA = """\
index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,\
User Agent String,Browser Name and Version,OS Name and Version,Device Type,Login Successful,\
Is Attack IP,Is Account Takeover
0,2020-02-03 12:43:30.772,-432,,10.0.65.171,NO,-,-,29695,"Mozilla/5.0 (iPhone, x)",Safari 13,\
iOS 13.4,mobile,True,False,False
1,2020-02-03 12:44:00,-432,529.0,10.0.65.172,NO,Oslo,Oslo,29695,Mozilla/5.0,Safari 13,iOS 13.4,\
mobile,False,False,False
2,2020-02-04 12:43:43.549,-17,,10.9.9.9,BR,-,-,262582,Mozilla/5.0,Chrome 46,Android,mobile,\
False,True,False
3,2020-02-05 00:00:00,-432,,10.9.9.9,BR,-,-,262582,Mozilla/5.0,Chrome 46,Android,mobile,True,\
True,True
4,2020-02-06 00:00:00,-432,,no address,BR,-,-,262582,x,x,x,mobile,True,True,False
5,2020-02-07 00:00:00,-88,31,10.2.2.2,NO,-,-,29695,Mozilla/5.0,Chrome 46,Android,mobile,True,\
False,False
"""


def _zipped(path: Path, text: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rba-dataset.csv", text)
    return path


@pytest.mark.parametrize("packing", ["csv", "csv.gz", "zip"])
def test_the_rba_data_set_is_read_with_its_truth(
    packing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], backtest: Backtest
) -> None:
    """Sign-ins, takeovers and attack addresses come from the CSV alone, however it is packed."""
    path = tmp_path / f"rba.{packing}"
    if packing == "zip":
        _zipped(path, RBA.encode())
    else:
        path.write_bytes(gzip.compress(RBA.encode()) if packing == "csv.gz" else RBA.encode())
    arguments = [path, "--format", "rba", "--warm-up", 0, "--report", tmp_path / "r"]
    assessments = backtest(*arguments)
    assert [line["account_id"] for line in assessments] == ["-432", "-432", "-17", "-432", "-88"]
    assert assessments[0]["occurred_at"] == "2020-02-03T12:43:30.772Z"
    assert "dead lines: 1" in capsys.readouterr().err
    report = orjson.loads((tmp_path / "r" / "report.json").read_bytes())
    (hijack,) = report["runs"][0]["judgements"]["Nightlatch"]["hijacks"]
    assert (hijack["account"], hijack["depth"]) == ("-432", 1)
    # Days judged: the customer's before access, and another's. The attacked day is left out.
    assert report["summaries"][0]["account_days"] == 2


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("6,2020-02-08 00:00:00,-88,31,10.2.2.2,N", "field 'Region': expected a value"),
        (",".join(["7", *RBA.splitlines()[2].split(",")[1:13], "yes,False,False"]), "'yes'"),
    ],
)
def test_a_row_of_the_data_set_that_is_none_is_told(
    row: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first part of a large file ends within a row; what says neither yes nor no is not no."""
    path = tmp_path / "part.csv"
    path.write_text(RBA + row)
    assert called(path, "--format", "rba") == 0
    error = capsys.readouterr().err
    assert "dead lines: 2" in error
    assert f"{path}:8: field" in error
    assert told in error


def test_the_data_set_is_judged_without_being_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds its own labels: after an hour's pass, more than the events a second is told."""
    path = tmp_path / "rba.csv"
    path.write_text(RBA)
    assert called(path, "--format", "rba", "--warm-up", 0) == 0
    assert "1 hijacks, 2 legitimate account-days" in capsys.readouterr().out


def test_what_a_mac_packs_beside_the_data_set_is_not_read(tmp_path: Path) -> None:
    """Its `._` file of the same name is no second data set."""
    path = _zipped(tmp_path / "rba.zip", RBA.encode())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._rba-dataset.csv", b"\0\5\x16")
    assert called(path, "--format", "rba") == 0


def test_files_without_a_single_event_are_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as the data set without its --format: nothing was judged, which is no success."""
    path = tmp_path / "rba.csv"
    path.write_text(RBA)
    assert called(path) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == (
        "nightlatch: there is nothing to judge, since no line holds an event: "
        "--format rba reads that data set"
    )
    path.write_bytes(b"")
    assert called(path) == 0, "a day without events is no mistake, where nothing is to be judged"
    labels = write(tmp_path / "labels.ndjson", [{"event_id": "1"}])
    verdicts = write(
        tmp_path / "verdicts.ndjson",
        [
            {
                "type": "feedback",
                "occurred_at": 1_795_500_000_000,
                "account_id": "ann",
                "verdict": "takeover",
            }
        ],
    )
    for judged in (["--labels", labels], ["--report", tmp_path / "report", "--feedback", verdicts]):
        assert called(path, *judged) == 2
        told = capsys.readouterr().err.splitlines()
        assert told[-1] == "nightlatch: there is nothing to judge, since no line holds an event"


@pytest.mark.parametrize("what", ["assessments", "alerts", "report"])
def test_a_full_disk_is_one_line(
    traffic: Traffic, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """It names the file, and leaves what was there: half a file would pass for a whole one."""
    out = tmp_path / what
    path = out / "report.json" if what == "report" else out
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"old")
    with a_full_disk(5_000):
        assert called(traffic.events, f"--{what}", out, "--no-baselines") == FAILED
    [told] = [line for line in capsys.readouterr().err.splitlines() if "nightlatch:" in line]
    assert str(tmp_path) in told
    assert told.endswith("cannot be written: File too large; free space there and try again")
    assert [left for left in tmp_path.rglob("*") if left.is_file()] == [path]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to judge"),
        (["{events}", "--feedback", "{bad}", "--assessments", "{bad}"], "bad.ndjson is read"),
        (["{events}", "--assessed", "{bad}", "--alerts", "out"], "--assessed runs no detector"),
        (["{bad}", "--format", "rba", "--labels", "{bad}"], "holds its own labels"),
        (["absent.ndjson"], "absent.ndjson"),
        (["{events}", "--labels", "{bad}"], "bad.ndjson:1 is no label"),
        (["{events}", "--assessed", "{bad}"], "bad.ndjson:1 is no assessment"),
        (["{events}", "--pool", "{bad}"], "is no report"),
        (["{events}", "--pool", "absent.json"], "absent.json: No such file"),
        (["{events}", "--report", "{bad}"], "--report"),
        (["{events}", "--compare", "{bad}", "--compare-settings", "{bad}"], "one of the two"),
        (["{bad}", "--format", "rba"], "has no column 'Login Timestamp'"),
        (["{events}", "--lookup", "absent.csv"], "absent.csv"),
    ],
)
def test_a_users_mistake_is_one_line(
    arguments: list[str],
    told: str,
    traffic: Traffic,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and a line that names what is wrong; no traceback."""
    bad = tmp_path / "bad.ndjson"
    bad.write_text("nonsense\n")
    filled = [argument.format(events=traffic.events, bad=bad) for argument in arguments]
    assert called(*filled) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1

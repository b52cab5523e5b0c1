"""What others told goes into a pack as far as its marking lets it, and the pack says so."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, get_args

import msgspec
import orjson
import pytest

from detectors.heat.indicators import Kind
from detectors.intelligence import IndicatorReport
from detectors.markings import Marking
from streams.evidence.case import Case, case_of
from streams.evidence.contents import ALERTS, SNAPSHOTS, files_of, lines_of
from streams.evidence.crime_record import Reporter
from streams.evidence.marking import without_staying
from streams.evidence.packing import MANIFEST, signed
from streams.evidence.verifying import Check, verify
from tests.support.evidence import KEY, MADE_AT, gathered
from tests.support.intelligence import report

SOURCE, THEIRS = "police of elsewhere", "their-campaign-7"
MARKINGS: tuple[Marking, ...] = get_args(Marking)


def told(marking: Marking) -> IndicatorReport:
    """A report of the thief's device under a marking, with a technique that only it names."""
    said: dict[str, Any] = {"tlp": marking, "techniques": ("T9876",), "campaign": THEIRS}
    return report(Kind.DEVICE, "device-thief", SOURCE, valid_until=1_811_000_000.0, **said)


def packed(case: Case) -> dict[str, bytes]:
    """A case's pack."""
    files = files_of(case, Reporter("Fernwick & Sons"), MADE_AT)
    return signed(files, case.gathered.id, KEY, MADE_AT, case.marking)


def pack_of(marking: Marking, *, inside: bool = False) -> dict[str, bytes]:
    """The pack of a case to which others had reported something."""
    return packed(case_of(gathered(told(marking)), inside=inside))


def tells(files: Mapping[str, bytes], *secrets: str) -> set[str]:
    """Which of some texts a pack tells anywhere, in what the snapshots hold encoded, too."""
    entries = [
        b64decode(value)
        for name, content in files.items()
        if name.startswith(SNAPSHOTS)
        for value in orjson.loads(content)["entries"].values()
    ]
    # A PDF's text is compressed; it says what the HTML says.
    everything = b"\0".join([*files.values(), *entries])
    return {secret for secret in secrets if secret.encode() in everything}


def scores(files: Mapping[str, bytes]) -> list[Check]:
    """What comes of the scores of a pack; all else must be in order."""
    checks = list(verify(files))
    assert all(check.ok for check in checks), checks
    return [check for check in checks if check.name.startswith("alert ")]


@pytest.mark.parametrize("marking", MARKINGS)
def test_a_reason_that_tells_of_others_bears_their_marking(marking: Marking) -> None:
    """On the topic of alerts already, for whoever passes one on; no other reason does."""
    revisions = gathered(told(marking)).revisions
    marked = {reason.code: reason.tlp for r in revisions for reason in r.alert.reasons}
    assert marked.pop("shared_intelligence") == marking
    assert set(marked.values()) == {msgspec.UNSET}
    assert b'"tlp":' not in gathered().revisions[-1].value


@pytest.mark.parametrize("marking", ["clear", "green", "amber"])
def test_what_may_be_passed_on_is_in_a_pack_that_says_its_marking(marking: Marking) -> None:
    """The report, its source and its marking; every score comes out again."""
    files = pack_of(marking)
    assert tells(files, SOURCE, THEIRS) == {SOURCE, THEIRS}
    for name in ("README.txt", "report.html", "crime-record.json"):
        assert f"TLP:{marking.upper()}".encode() in files[name], name
    assert orjson.loads(files[MANIFEST])["tlp"] == marking
    assert all("comes out again" in check.detail for check in scores(files))


@pytest.mark.parametrize(("marking", "inside"), [("red", False), ("red", True),
                                                 ("amber+strict", False)])  # fmt: skip
def test_what_stays_is_in_no_pack_that_leaves(marking: Marking, *, inside: bool) -> None:
    """Nothing of it in any file; which scores cannot be checked for that, and why, is said."""
    files = pack_of(marking, inside=inside)
    assert not tells(files, SOURCE, THEIRS, "T9876", "shared_intelligence")
    assert orjson.loads(files[MANIFEST])["tlp"] is None
    under = f"TLP:{marking.upper()}"
    for name in ("README.txt", "report.html", "crime-record.json", "case.json"):
        assert under.encode() in files[name], name
    withheld = [check for check in scores(files) if check.unchecked]
    assert withheld
    assert all(under in check.detail and "not in the pack" in check.detail for check in withheld)
    # What the retailer saw itself is all there.
    plain = packed(case_of(gathered()))
    assert files["events.ndjson"] == plain["events.ndjson"]
    assert tells(files, "device-thief") == {"device-thief"}
    assert len(lines_of(files[ALERTS])) == len(gathered(told(marking)).revisions)


def test_what_stays_in_the_organisation_is_in_a_pack_that_does() -> None:
    """TLP:AMBER+STRICT, asked for; the pack bears the marking, and its scores come out again."""
    files = pack_of("amber+strict", inside=True)
    assert tells(files, SOURCE) == {SOURCE}
    assert orjson.loads(files[MANIFEST])["tlp"] == "amber+strict"
    assert b"TLP:AMBER+STRICT" in files["report.html"]
    assert all("comes out again" in check.detail for check in scores(files))


def test_one_report_that_stays_takes_what_came_with_it_along() -> None:
    """A reason tells of all reports at once: it goes with the strictest."""
    both = told("green"), report(Kind.PREFIX, "188.26.4.0/24", "secret friend", tlp="red")
    files = packed(case_of(gathered(*both)))
    assert not tells(files, SOURCE, "secret friend")


def test_what_nobody_reported_bears_no_marking() -> None:
    """And nothing is said of others."""
    files = packed(case_of(gathered()))
    assert orjson.loads(files[MANIFEST])["tlp"] is None
    assert b"TLP:" not in b"".join(files.values())
    assert without_staying(gathered()) == gathered()


def test_a_reason_without_a_marking_stays() -> None:
    """What an earlier version wrote does not say how it came: it might have come under any."""
    before = gathered(told("amber"))
    revisions = tuple(
        one._replace(alert=msgspec.structs.replace(one.alert, reasons=tuple(
            msgspec.structs.replace(reason, tlp=msgspec.UNSET) for reason in one.alert.reasons)))
        for one in before.revisions
    )  # fmt: skip
    files = packed(case_of(before._replace(revisions=revisions, snapshots={})))
    assert not tells(files, SOURCE, "shared_intelligence")


def test_only_what_anybody_may_know_becomes_an_alerts_own_technique() -> None:
    """They go on into campaigns and exports, where nothing says whence they came."""
    for marking in MARKINGS:
        [alert] = {one.alert.techniques for one in gathered(told(marking)).revisions[:1]}
        assert ("T9876" in alert) == (marking == "clear")

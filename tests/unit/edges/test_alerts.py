"""What comes out: alerts there and back, the same bytes each time, safe and clear to read."""

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from detectors.assessments import Alert, Assessment, Evidence, Reason
from detectors.errors import InvalidEvent
from detectors.events import Feedback
from streams.cli.alerts import _open as cases_open
from streams.cli.watching import decoded
from streams.codec import decode_alert, encode_alert, encode_assessment, rfc3339
from streams.presentation import alert_view, printable
from streams.runtime.interfaces import Record
from tests.support.alerts import ALERT

SAID: dict[str, Any] = {"event_id": "v", "occurred_at": 1795600000.0}


def shown(alert: Alert) -> str:
    """Return an alert as it is printed, without colour."""
    out = StringIO()
    Console(file=out, width=100).print(alert_view(alert))
    return out.getvalue()


def test_there_and_back() -> None:
    """What is written is read as the same alert, and writing it twice gives the same bytes."""
    assert decode_alert(encode_alert(ALERT)) == ALERT
    assert encode_alert(ALERT) == encode_alert(msgspec.structs.replace(ALERT))


def test_the_contracts_forms() -> None:
    """Times are RFC 3339, money is plain digits, and what is not known is not there."""
    alert = msgspec.structs.replace(ALERT, amount_at_risk=Decimal("1E+3"))
    fields = orjson.loads(encode_alert(alert))
    assert fields["raised_at"] == "2026-11-24T06:00:00.120Z"
    assert fields["amount_at_risk"] == "1000"
    assert "campaign_id" not in fields
    assert "evidence" not in fields["reasons"][1]


@given(
    st.integers(-(10**12), 10**13).map(lambda whole: whole / 1000)
    | st.floats(-62_135_596_800.0, 253_402_300_799.0)
)
@example(4_294_967_295.999)
@example(1_795_600_000.0005)
def test_a_time_is_written_as_the_calendar_has_it(seconds: float) -> None:
    """To the millisecond where that is exact, else to the microsecond."""
    moment = datetime.fromtimestamp(seconds, UTC)
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    assert rfc3339(seconds) == moment.isoformat(timespec=precision)[:-6] + "Z"


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[]", b'{"raised_at":1}'])
def test_what_is_no_alert(value: bytes | None) -> None:
    """Whatever else is on the topic is refused as one record."""
    with pytest.raises(InvalidEvent):
        decode_alert(value)


def test_a_newer_alert_is_still_read() -> None:
    """Fields that a later release adds do not hide its alerts."""
    fields = orjson.loads(encode_alert(ALERT))
    assert decode_alert(orjson.dumps({**fields, "later": 1})) == ALERT


def test_an_assessment_says_all_that_the_contract_lists() -> None:
    """The score of a quiet event has its fields too; an alert's id only where there is one."""
    quiet = Assessment(event_id="e", account_id="a", occurred_at=1795500000.0, type="login", risk=0)
    assert orjson.loads(encode_assessment(quiet)) == {
        "event_id": "e",
        "account_id": "a",
        "occurred_at": "2026-11-24T06:00:00.000Z",
        "type": "login",
        "risk": 0.0,
        "reasons": [],
        "warming_up": False,
    }
    raised = msgspec.structs.replace(quiet, alert_id="x", reasons=("new_device",))
    assert orjson.loads(encode_assessment(raised))["alert_id"] == "x"


def test_open_cases_as_they_stand_gravest_first() -> None:
    """The last revision of each, without those that a verdict is on: by its alert, or an event."""

    def case(name: str, **fields: Any) -> Alert:
        return msgspec.structs.replace(ALERT, alert_id=name, account_id=f"of-{name}", **fields)

    found = [
        case("calm", severity="low", risk=0.99),
        case("grave", severity="medium", revision=1),
        case("by-alert"),
        case("by-event", event_ids=("e7", "e8"), revision=1),
        case("by-event", event_ids=("e8", "e9"), revision=2),
        case("of-another", event_ids=("e7",), risk=0.5),
        case("grave", severity="critical", revision=3),
        case("grave", severity="high", revision=2),
    ]
    verdicts = [
        Feedback(account_id="of-by-alert", verdict="takeover", alert_id="by-alert", **SAID),
        Feedback(account_id="of-by-event", verdict="legitimate", event_ids=("e7",), **SAID),
    ]
    record = Record("alerts", 0, 0, 0.0, None, b"")
    left = [alert for _, alert in cases_open([(record, alert) for alert in found], verdicts)]
    assert [(alert.alert_id, alert.revision) for alert in left] == [
        ("grave", 3),
        ("of-another", 2),
        ("calm", 2),
    ]


def test_an_analyst_finds_everything() -> None:
    """What to do, on which account, why, what was usual, what is at stake: all in words."""
    text = " ".join(shown(ALERT).split())
    for words in (
        "CRITICAL",
        "Lock the account",
        "c1d3",
        "0.93",
        "2026-11-24 06:08:40 UTC",
        "1,290.50 GBP at risk",
        "order o1",
        "case a41bc9, revision 2",
        "3 repeats folded in",
        "T1110.004",
        "41%",
        "Signed in from a device never seen on this account",
        "now Chrome on Windows",
        "usually Mobile Safari on iOS",
        "The password was reset 4 minutes before",
    ):
        assert words in text, words


def test_nothing_is_said_twice() -> None:
    """What was seen stands in the sentence, beneath it, or in neither; never in both."""
    summary = "The e-mail address was changed 10 minutes before this."
    for usual in (None, "never"):
        evidence = Evidence(seen="10 minutes", usual=usual)
        reason = Reason(code="change", summary=summary, contribution=0.4, evidence=evidence)
        told = shown(msgspec.structs.replace(ALERT, reasons=(reason,)))
        assert ("now 10 minutes   usually never" in told) == (usual is not None)
        assert ("now" in told) == (usual is not None)


def test_an_attacker_does_not_steer_the_terminal() -> None:
    """Escape sequences, line breaks and text direction of what was sent are not passed on."""
    evil = "\x1b[2J\x1b]0;gotcha\x07 \u202etxet\u202c \r\n [bold]not markup[/bold]"
    reason = Reason(
        code="x", summary=evil, contribution=1.0, evidence=Evidence(seen=evil, usual=evil)
    )
    fields = {"account_id": evil, "alert_id": evil, "order_ids": (evil,), "campaign_id": evil}
    text = shown(msgspec.structs.replace(ALERT, reasons=(reason,), **fields))
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)
    assert "[bold]not markup[/bold]" in text


def test_other_scripts_stay_readable() -> None:
    """Only what is no character to see is replaced."""
    assert printable("Łódź 東京 é") == "Łódź 東京 é"
    assert printable("a\x1bb\u2028c") == "a\ufffdb\ufffdc"


def test_what_is_no_alert_does_not_steer_it_either(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever an error quotes of a record is shown as its characters."""
    evil = InvalidEvent("not_json", field=None, expected="JSON", found="\x1b[2J\r")

    def refuse(_value: bytes | None) -> None:
        raise evil

    assert list(decoded([Record("topic", 0, 1, 1795500000.0, None, b"x")], refuse)) == []
    told = capsys.readouterr().err
    assert told.startswith("topic:0:1: the record: expected JSON, found \ufffd[2J")
    assert "\x1b" not in told


def test_a_reason_shows_how_far_it_may_go() -> None:
    """What others told bears its marking to whoever reads it, there and back; no other does."""
    told = msgspec.structs.replace(ALERT.reasons[0], tlp="amber+strict")
    alert = msgspec.structs.replace(ALERT, reasons=(told, *ALERT.reasons[1:]))
    assert decode_alert(encode_alert(alert)) == alert
    assert "TLP:AMBER+STRICT" in shown(alert)
    assert "TLP:" not in shown(ALERT)

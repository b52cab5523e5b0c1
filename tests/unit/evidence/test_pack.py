"""An evidence pack stands on its own: it is whole, or it says that it is not."""

import re
import shutil
import struct
import subprocess
import zipfile
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import msgspec
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from detectors.errors import ConfigurationError, InvalidEvent, UnreadableFile
from detectors.features.shared import MOST_HEARD
from detectors.heat.indicators import Kind
from detectors.models.prior import SHIPPED, Prior
from detectors.policy import Policy
from streams.cli import run
from streams.evidence.case import case_of
from streams.evidence.contents import (
    ALERTS,
    CHAIN,
    EVENTS,
    SNAPSHOTS,
    chain,
    files_of,
    lines_of,
    received_of,
)
from streams.evidence.crime_record import Reporter
from streams.evidence.gathering import Gathered
from streams.evidence.keys import fingerprint, new_key, private_key, public_pem
from streams.evidence.packing import MANIFEST, PUBLIC_KEY, SIGNATURE, pack, signed, unpacked
from streams.evidence.records import (
    MOST_SNAPSHOT,
    decode_evidence,
    decode_snapshot,
    encode_evidence,
)
from streams.evidence.verifying import Check, expected_fingerprint, read_pack, verify
from streams.exit_codes import DONE, FAILED, MISTAKE
from tests.integration.shop_traffic import VICTIM
from tests.support.commands import nightlatch
from tests.support.evidence import KEY, MADE_AT, accounts_in, case, gathered, pack_files
from tests.support.intelligence import report


def failed(files: dict[str, bytes], expected: str | None = None) -> list[Check]:
    """The checks that find a pack wanting."""
    return [check for check in verify(files, expected) if not check.ok]


def resigned(files: dict[str, bytes]) -> dict[str, bytes]:
    """The pack that a forger with a key of his own makes of files."""
    content = {name: f for name, f in files.items() if name not in {MANIFEST, SIGNATURE}}
    return signed(content, case().gathered.id, Ed25519PrivateKey.generate(), MADE_AT)


def test_a_pack_is_whole_and_its_scores_come_out_again() -> None:
    """Every revision's risk and reasons, to the byte, from the files alone."""
    checks = list(verify(unpacked(pack(pack_files()))))
    assert all(check.ok for check in checks)
    again = [check for check in checks if "comes out again" in check.detail]
    assert len(again) == len(gathered().revisions) == 3


def test_the_last_revision_of_a_strangers_pack_may_be_any_number() -> None:
    """Those before it are counted, not gone through."""
    last = lines_of(pack_files()[ALERTS])[-1].replace(b'"revision":3', b'"revision":%d' % 10**15)
    checks = verify(resigned({**pack_files(), ALERTS: last + b"\n"}))
    (missing,) = (check for check in checks if check.name == "revisions missing")
    assert missing.detail.startswith(f"{10**15 - 1} earlier")


@pytest.mark.parametrize("name", sorted(pack_files()))
def test_one_altered_byte_of_any_file_shows(name: str) -> None:
    """Whichever file it is in, first byte, last byte or one between."""
    content = pack_files()[name]
    for at in (0, len(content) // 2, len(content) - 1):
        altered = bytearray(content)
        altered[at] ^= 1
        assert failed({**pack_files(), name: bytes(altered)}), at


def test_one_altered_byte_of_the_zip_shows() -> None:
    """Between the files, too: in headers, names, times and at the end."""
    packed = pack(pack_files())
    for at in range(0, len(packed), 997):
        altered = bytearray(packed)
        altered[at] ^= 0x20
        try:
            assert failed(unpacked(bytes(altered))), at
        except UnreadableFile:
            continue


def test_what_is_missing_or_more_shows() -> None:
    """A pack is exactly the files of its manifest."""
    for name in pack_files():
        assert failed({other: f for other, f in pack_files().items() if other != name}), name
    assert failed({**pack_files(), "more.txt": b""})


def test_a_forger_with_another_key_is_told_from_the_sender() -> None:
    """Whole and signed, but not by whom it should be."""
    forged = resigned(pack_files())
    assert not failed(forged)
    whose = fingerprint(KEY.public_key())
    assert not failed(pack_files(), whose)
    assert [check.name for check in failed(forged, whose)] == ["signature"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_an_officer_without_the_product_tells_the_forger_from_the_sender(tmp_path: Path) -> None:
    """By what README.txt says to do: also where the forger writes the sender's name for his key."""
    commands = [
        line.strip()
        for line in re.sub(r"\\\n", "", pack_files()["README.txt"].decode()).splitlines()
        if line.startswith("  ") and "FILE" not in line
    ]
    key = Ed25519PrivateKey.generate()
    public = public_pem(key)
    manifest = orjson.loads(pack_files()[MANIFEST])
    manifest["files"][PUBLIC_KEY]["sha256"] = sha256(public).hexdigest()
    text = orjson.dumps(manifest)
    said = []
    for files in (
        pack_files(),
        {PUBLIC_KEY: public, MANIFEST: text, SIGNATURE: key.sign(text)},
    ):
        for name in (PUBLIC_KEY, MANIFEST, SIGNATURE):
            (tmp_path / name).write_bytes(files[name])
        said += [
            subprocess.check_output(["sh", "-c", "\n".join(commands)], cwd=tmp_path, text=True)
        ]
    whose = fingerprint(KEY.public_key())
    assert all("Verified Successfully" in checked for checked in said)
    assert [whose in checked for checked in said] == [True, False]


def test_a_signed_lie_about_the_score_does_not_come_out_again() -> None:
    """Whoever makes the pack cannot just write another risk into it."""
    lied = pack_files()[ALERTS].replace(b'"risk":0.99', b'"risk":0.98')
    assert lied != pack_files()[ALERTS]
    assert len(failed(resigned({**pack_files(), ALERTS: lied}))) == 3


def test_a_signed_lie_about_an_event_is_not_what_was_judged() -> None:
    """Events and scores hold each other: what was judged is what was received."""
    lines = []
    for line in lines_of(pack_files()[EVENTS]):
        fields = orjson.loads(line)
        fields["timestamp"] -= 1000
        fields["value"] = fields["value"][:-40] + fields["value"][-40:].swapcase()
        lines.append(orjson.dumps(fields))
    files = {
        **pack_files(),
        EVENTS: b"".join(line + b"\n" for line in lines),
        CHAIN: b"".join(f"{link}\n".encode() for link in chain(case().gathered.id, lines)),
    }
    assert failed(resigned(files))


def _checks(files: dict[str, bytes]) -> dict[str, Check]:
    return {check.name: check for check in verify(files, fingerprint(KEY.public_key()))}


def test_only_events_that_a_score_was_worked_out_of_count_as_compared() -> None:
    """Of the case's five events two were judged by what was published; verdicts never are."""
    judged = {snapshot.given.event for snapshot in gathered().snapshots.values()}
    rest = len(gathered().events) - len(judged)
    assert rest > 0
    said = _checks(pack_files())["events judged"].detail
    assert said.startswith(f"{len(judged)} are what was received; {rest} more")


def test_a_judged_event_that_is_not_in_the_pack_is_held_against_nothing() -> None:
    """It is named as not checked, not counted as received."""
    files = {**pack_files(), EVENTS: b"", CHAIN: b""}
    files = {name: f for name, f in files.items() if name not in {MANIFEST, SIGNATURE}}
    checks = _checks(signed(files, case().gathered.id, KEY, MADE_AT))
    assert all(check.ok for check in checks.values())
    assert checks["events judged"].detail.startswith("0 are what was received")
    assert checks["events missing"].unchecked == "whether they were received"


def test_an_event_that_an_alert_only_names_is_missed_as_well() -> None:
    """Not only what a score was worked out of: whoever is to be cleared by it may miss it, too."""
    judged = {snapshot.given.event for snapshot in gathered().snapshots.values()}
    lines = [line for line in lines_of(pack_files()[EVENTS]) if received_of(line).event in judged]
    assert 0 < len(lines) < len(gathered().events)
    files = {
        **pack_files(),
        EVENTS: b"".join(line + b"\n" for line in lines),
        CHAIN: b"".join(f"{link}\n".encode() for link in chain(case().gathered.id, lines)),
    }
    (missing,) = (c for c in verify(resigned(files)) if c.name == "events missing")
    count = len(gathered().events) - len(lines)
    assert missing.detail.startswith(f"{count} that alerts stand on are not in the pack")


@pytest.mark.parametrize("name", [EVENTS, CHAIN, ALERTS])
def test_a_last_line_without_an_end_is_not_passed_over(name: str) -> None:
    """Whoever opens the file reads it; the chain and the scores would be of the lines before it."""
    assert failed(resigned({**pack_files(), name: pack_files()[name] + b'{"type":"order"}'}))


def test_a_revision_is_in_a_pack_once() -> None:
    """Of two, one would be read and the other compared."""
    twice = pack_files()[ALERTS] + lines_of(pack_files()[ALERTS])[0] + b"\n"
    (alerts,) = failed(resigned({**pack_files(), ALERTS: twice}))
    assert "a revision twice" in alerts.detail


def test_a_score_that_nothing_was_kept_of_is_neither_right_nor_wrong() -> None:
    """Without snapshots no score is worked out again, and each says so."""
    files = {n: f for n, f in pack_files().items() if not n.startswith(SNAPSHOTS)}
    scores = [check for check in verify(resigned(files)) if check.name.startswith("alert ")]
    assert [check.unchecked for check in scores] == ["a score"] * len(gathered().revisions)
    assert all(check.unchecked is None for check in _checks(pack_files()).values())


def _model(of: Gathered) -> Check:
    """What a whole pack says of the model behind its scores, all of which come out again."""
    files = signed(files_of(case_of(of), Reporter(), MADE_AT), of.id, KEY, MADE_AT)
    checks = _checks(files)
    assert all(check.ok for check in checks.values())
    assert all("comes out again" in c.detail for n, c in checks.items() if n.startswith("alert "))
    return checks["model"]


def test_scores_of_a_model_that_no_release_has_are_said_to_be() -> None:
    """They come out again all the same: by the weights and thresholds that are in the pack."""
    assert _model(gathered()).unchecked is None
    heavier = Prior(
        tuple(tuple(weight * 1.1 for weight in weights) for weights in SHIPPED.weights),
        SHIPPED.bias,
    )
    said = _model(gathered(prior=heavier))
    assert said.unchecked == "whose model it was"
    assert "the weights are none that release" in said.detail
    said = _model(gathered(policy=Policy(alert_floor=0.05)))
    assert said.unchecked == "whose model it was"
    assert f"retailer's own in alert_floor (0.05, not {Policy().alert_floor})" in said.detail
    other = {
        name: msgspec.structs.replace(snapshot, release="9.9")
        for name, snapshot in gathered().snapshots.items()
    }
    assert "release 9.9 scored" in _model(gathered()._replace(snapshots=other)).detail


def test_scores_that_many_others_had_a_say_in_come_out_again() -> None:
    """Each source's worth is in the pack that had any: more than a few are not heard."""
    ends = 1_811_000_000.0
    # It names the thief from the beginning, and the others only when the order comes.
    first = report(Kind.DEVICE, "device-thief", "z", feed="z", confidence=60, valid_until=ends)
    ordered = datetime(2026, 10, 18, 3, 6, tzinfo=UTC).timestamp()
    others = [
        report(
            *(Kind.DEVICE, "device-thief", f"other-{number}"),
            feed=f"feed-{number % 2}", confidence=1, valid_from=ordered, valid_until=ends,
        )
        for number in range(MOST_HEARD + 1)
    ]  # fmt: skip
    case = case_of(gathered(first, *others))
    assert [score.verdict for score in case.scores] == ["same"] * len(case.scores)
    # The thief's order; what follows it is the customer's own, on an account that is not yet back.
    told = case.gathered.snapshots[case.gathered.id, 2].given.reported[0]
    assert len(told.reports) == MOST_HEARD
    assert "z" in {one.source for one in told.reports}


def test_a_pack_of_no_alert_is_none() -> None:
    """Whole and signed, it would prove nothing, and look as if it did."""
    (scores,) = failed(resigned({**pack_files(), ALERTS: b""}))
    assert "has no alert" in scores.detail


def test_a_snapshot_that_is_too_large_is_wrong_and_not_absent() -> None:
    """Blanks make it no other JSON, only larger than it may be."""
    name = next(name for name in pack_files() if name.startswith(SNAPSHOTS))
    swollen = pack_files()[name] + b" " * MOST_SNAPSHOT
    (scores,) = failed(resigned({**pack_files(), name: swollen}))
    assert f"{name} is larger than any snapshot" in scores.detail


def test_the_chain_notices_an_event_moved() -> None:
    """Also where the manifest's hashes were made to fit."""
    lines = lines_of(pack_files()[EVENTS])
    moved = b"".join(line + b"\n" for line in reversed(lines))
    assert "hash chain" in {c.name for c in failed(resigned({**pack_files(), EVENTS: moved}))}


def _zip(entries: list[tuple[str, bytes]], how: int = zipfile.ZIP_STORED) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"PK\x05\x06",
        b"no zip at all" * 100,
        _zip([("../../etc/passwd", b"x")]),
        _zip([("/etc/passwd", b"x")]),
        _zip([("snapshots/../manifest.json", b"x")]),
        _zip([("events.ndjson", b"0" * 50_000_000)], zipfile.ZIP_DEFLATED),
        _zip([("a", b"x")]) + b"and more",
        b"#!/bin/sh\n" + _zip([("a", b"x")]),
        pack({"a": b"1"})[:-10],
    ],
)
def test_a_hostile_zip_is_refused_in_one_sentence(hostile: bytes) -> None:
    """Bombs, paths that lead out, other formats before or behind: nothing is unpacked."""
    with pytest.raises(UnreadableFile):
        unpacked(hostile)


def test_files_that_share_bytes_are_refused_before_they_are_read() -> None:
    """Each is smaller than the pack, all together are larger: entries of one and the same place."""
    once = _zip([("a", b"0" * 1_000)])
    at = once.index(b"PK\x01\x02")
    entry, end = once[at:-22], once[-22:]
    entries = b"".join(entry.replace(b"a", name) for name in (b"a", b"b", b"c"))
    end = end[:8] + struct.pack("<HHII", 3, 3, len(entries), at) + end[20:]
    with pytest.raises(UnreadableFile, match="together larger than the pack"):
        unpacked(once[:at] + entries + end)


@pytest.mark.parametrize(
    "odd",
    [
        {MANIFEST: b"[1]"},
        {MANIFEST: b"\xff"},
        {MANIFEST: b'{"format":1,"files":{"x":[]},"case":[]}'},
        {EVENTS: b"{}\n"},
        {EVENTS: b'{"type":"login","headers":[[1]]}\n'},
        {ALERTS: b"[" * 100_000 + b"\n"},
        {SNAPSHOTS + "x.json": b"{"},
        {SNAPSHOTS + "x.json": b'{"version":1e999}'},
        {SNAPSHOTS + "x.json": b'{"given":' * 50_000},
    ],
)
def test_odd_content_is_a_check_that_fails(odd: dict[str, bytes]) -> None:
    """Not a traceback, signed or not."""
    files = {**pack_files(), **odd}
    assert failed(files)
    if MANIFEST not in odd:
        assert failed(resigned(files))


@pytest.mark.parametrize(
    "wrong",
    [
        {"cells": {"agents": ["I", 2048, {"5000": 1}]}},
        {"cells": {"agents": ["I", 90_000, {"1": 1e300}]}},
        {"cells": {"agents": ["I", 10**12, {}]}},
        {"prior": [[[1e308] * 35] * 3, [1e308] * 3]},
        {"prior": [[], []]},
        {"entries": {"c:customer-7": "AAAA"}},
        {"given": {}},
        {"policy": {"base_rate": 2.0}},
    ],
)
def test_a_hostile_snapshot_is_a_score_that_does_not_come_out(wrong: dict[str, object]) -> None:
    """Numbers that lead nowhere, arrays as large as the machine, state that is none."""
    name = next(name for name in pack_files() if name.startswith(SNAPSHOTS))
    altered = orjson.dumps({**orjson.loads(pack_files()[name]), **wrong})
    assert failed(resigned({**pack_files(), name: altered}))


def test_state_that_holds_itself_is_a_score_that_does_not_come_out() -> None:
    """A profile with one field more, which is a list in a list in a list."""
    name = next(name for name in pack_files() if name.startswith(SNAPSHOTS))
    snapshot = orjson.loads(pack_files()[name])
    entry = f"a:{VICTIM}"
    profile = b64decode(snapshot["entries"][entry])
    length = int.from_bytes(profile[1:3])
    deep = b"\xdc" + (length + 1).to_bytes(2) + profile[3:] + b"\x91" * 99_999 + b"\xc0"
    snapshot["entries"][entry] = b64encode(deep).decode()
    (score,) = failed(resigned({**pack_files(), name: orjson.dumps(snapshot)}))
    assert "cannot be read" in score.detail


def test_nobody_else_is_in_a_pack() -> None:
    """Of eighty customers' events, one's are in it: no other id, in whatever encoding."""
    assert accounts_in(pack_files()) == {VICTIM}


def test_the_same_case_gives_the_same_bytes() -> None:
    """A pack can be made again and compared."""
    files = files_of(case(), Reporter(), MADE_AT)
    once, again = (signed(files, "x", KEY, MADE_AT) for _ in range(2))
    assert pack(once) == pack(again)
    assert files_of(case(), Reporter(), MADE_AT) == files


@pytest.mark.parametrize("told", ["", "much", "12,50 GBP", "899.00", "GBP 899.00", "-5 GBP"])
@pytest.mark.parametrize("option", ["--loss", "--prevented"])
def test_what_is_no_amount_is_not_signed_as_one(
    option: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads a loss in a signed record takes it for one."""
    assert run(["evidence", "some-alert", f"{option}={told}"]) == MISTAKE
    assert "120.50 GBP" in capsys.readouterr().err


def test_commands_verify_a_pack_in_a_process_of_their_own(tmp_path: Path) -> None:
    """Without a broker: the exit code and a line for each check."""
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(pack(pack_files()))
    bad.write_bytes(pack({**pack_files(), "README.txt": b"never mind"}))
    public = tmp_path / "public.pem"
    public.write_bytes(public_pem(KEY))
    done = nightlatch("verify", str(good), "--key", str(public))
    assert done.returncode == DONE, done.stderr
    latest = msgspec.json.decode(lines_of(unpacked(good.read_bytes())[ALERTS])[-1])
    assert f"risk {latest['risk']:.6f} comes out again" in done.stdout
    assert "by the expected key" in done.stdout
    assert done.stdout.endswith("good.zip is whole and unaltered\n")
    # A stranger's signature is as good as any where nobody says whose it must be.
    forged = tmp_path / "forged.zip"
    forged.write_bytes(
        pack(resigned({n: f for n, f in pack_files().items() if not n.startswith(SNAPSHOTS)}))
    )
    anybodys = nightlatch("verify", str(forged))
    assert anybodys.returncode == DONE
    assert anybodys.stdout.splitlines()[-1].endswith(
        "; NOT CHECKED: who signed it (--key), a score (3 times)"
    )
    assert nightlatch("verify", str(forged), "--key", str(public)).returncode == FAILED
    wrong = nightlatch("verify", str(bad))
    assert wrong.returncode == FAILED
    assert "WRONG  files: README.txt is not the file" in wrong.stdout
    assert nightlatch("verify", str(tmp_path / "none.zip")).returncode == MISTAKE
    assert nightlatch("verify", str(good), "--key", "abc").returncode == MISTAKE


def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    """Written once, readable by nobody else, refused where others may read it, never shown."""
    path = tmp_path / "signing.pem"
    made = nightlatch("evidence", "--new-key", str(path))
    assert made.returncode == DONE, made.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    key = private_key(path)
    assert fingerprint(key.public_key()) in made.stdout
    secret = path.read_text().splitlines()[1]
    assert secret not in made.stdout + made.stderr
    assert nightlatch("evidence", "--new-key", str(path)).returncode == MISTAKE
    assert private_key(path).private_bytes_raw() == key.private_bytes_raw()
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        private_key(path)
    (tmp_path / "public.pem").write_bytes(public_pem(key))
    assert expected_fingerprint(str(tmp_path / "public.pem")) == fingerprint(key.public_key())


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    with pytest.raises(ConfigurationError):
        new_key(tmp_path / "none" / "key.pem")
    with pytest.raises(UnreadableFile):
        read_pack(tmp_path)


def test_a_record_of_the_topic_is_read_as_written_or_refused() -> None:
    """Whoever can write to the topic can write anything: cut, swollen, another alert's."""
    snapshot = next(iter(gathered().snapshots.values()))
    value = encode_evidence(snapshot)
    assert decode_evidence(value) == snapshot
    assert encode_evidence(snapshot) == value
    other = msgspec.structs.replace(snapshot, alert_id="other")
    fields = orjson.loads(value)
    for wrong in (
        None,
        b"{}",
        orjson.dumps({**fields, "snapshot": fields["snapshot"][:-8]}),
        orjson.dumps({**fields, "alert_id": other.alert_id}),
        orjson.dumps({**fields, "snapshot": "eJwDAAAAAAE="}),
    ):
        with pytest.raises(InvalidEvent):
            decode_evidence(wrong)
    with pytest.raises(InvalidEvent):
        decode_snapshot(b"{}")

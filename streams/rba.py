"""The RBA data set (Wiefling et al. 2022, CC BY 4.0) as events and labels.

Its CSV of 31.3 million sign-ins may lie there plain, `.gz`, `.xz`, `.zst` or as the one CSV of a
`.zip`, which is how it is published. It has no event ids, so an event is named by the file and
its line; a hijack is all takeover sign-ins of one user. Failed attempts from known attack
addresses are attempts that gained no access.
"""

import csv
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final, cast

from detectors.errors import ConfigurationError, InvalidEvent, UnreadableFile
from detectors.evaluation.ledger import Label, Labels, Named
from detectors.faults import describe
from detectors.parsing import parse_event
from streams.files import DAMAGED, FileEvent, Watch, open_plain, told

FAMILY: Final = "takeover"
"""The data set does not tell kinds of attack apart."""

TIME: Final = "Login Timestamp"
USER: Final = "User ID"
ROUND_TRIP: Final = "Round-Trip Time [ms]"
ADDRESS: Final = "IP Address"
COUNTRY: Final = "Country"
REGION: Final = "Region"
CITY: Final = "City"
SYSTEM: Final = "ASN"
AGENT: Final = "User Agent String"
SUCCESSFUL: Final = "Login Successful"
ATTACK_ADDRESS: Final = "Is Attack IP"
TAKEOVER: Final = "Is Account Takeover"
COLUMNS: Final = (
    *(TIME, USER, ROUND_TRIP, ADDRESS, COUNTRY, REGION, CITY, SYSTEM, AGENT),
    *(SUCCESSFUL, ATTACK_ADDRESS, TAKEOVER),
)
"""The columns that are read. The parsed user agent is not: the product parses it itself."""

_FLAGS: Final = {"True": True, "true": True, "1": True, "False": False, "false": False, "0": False}
_ABSENT: Final = frozenset({"", "-", "nan", "NaN", "None"})


class RbaTruth:
    """What the data set says of the events read so far; it fills up as they are read."""

    def __init__(self) -> None:
        self._takeovers: dict[Named, Label] = {}
        self._attacks: set[Named] = set()
        self.labels = Labels(self._takeovers, self._attacks)

    def note(self, event_id: str, user: str, row: Mapping[str, str]) -> None:
        """Note what a row says of its event."""
        name = Named("login", event_id)
        if _FLAGS[row[TAKEOVER]]:
            self._takeovers[name] = Label(FAMILY, user)
        elif _FLAGS[row[ATTACK_ADDRESS]] and not _FLAGS[row[SUCCESSFUL]]:
            self._attacks.add(name)


def read_rba(
    path: Path, truth: RbaTruth, watch: Watch | None = None, name: str | None = None
) -> Iterator[FileEvent]:
    """Yield the sign-ins of the data set in its own order, each after its truth was noted.

    They are named by the file and line; `name` is the file's, where several have the same.
    Raises ConfigurationError where a column is missing, UnreadableFile where the file is damaged.
    """
    time = 0.0
    with _opened(path, watch) as text:
        reader = csv.DictReader(text)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ConfigurationError(f"{path} has no column {missing[0]!r} in its first line")
        for row in reader:
            number = reader.line_num
            event_id = f"{name or path.name}:{number}"
            try:
                _check(row)
                event = parse_event(
                    _sign_in(row), type_="login", timestamp=time, fallback_id=event_id
                )
            except InvalidEvent as error:
                yield FileEvent(path, number, b"", error, time)
                continue
            time = event.occurred_at
            truth.note(event_id, event.account_id, row)
            yield FileEvent(path, number, b"", event, time)


def _check(row: Mapping[str, str | None]) -> None:
    """Refuse a row that was cut short, as the last is where the file was, and what is no flag.

    Taken for False, it would make a failure of a sign-in, and a customer of a thief.
    """
    for column in COLUMNS:
        if row[column] is None:
            raise InvalidEvent("missing_field", field=column, expected="a value", found="nothing")
    for column in (SUCCESSFUL, ATTACK_ADDRESS, TAKEOVER):
        if row[column] not in _FLAGS:
            found = describe(row[column])
            raise InvalidEvent("not_allowed", field=column, expected="True or False", found=found)


def _sign_in(row: Mapping[str, str]) -> dict[str, object]:
    """A row by the wire contract's names; what the data set leaves open is left out."""
    fields: dict[str, object] = {
        "occurred_at": f"{row[TIME].replace(' ', 'T')}Z",
        "account_id": row[USER],
        "ip": row[ADDRESS],
        "outcome": "success" if _FLAGS[row[SUCCESSFUL]] else "failure",
        "method": "password",
        "user_agent": row[AGENT],
    }
    for name, column, convert in _OPTIONAL:
        value = row[column]
        if value not in _ABSENT:
            fields[name] = convert(value)
    return fields


def _number(text: str) -> object:
    """A number, or the text itself, which the decoder then refuses by name."""
    if text.isdecimal():
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


_OPTIONAL: Final[tuple[tuple[str, str, Callable[[str], object]], ...]] = (
    ("country", COUNTRY, str),
    ("region", REGION, str),
    ("city", CITY, str),
    ("asn", SYSTEM, _number),
    ("rtt_ms", ROUND_TRIP, _number),
)


@contextmanager
def _opened(path: Path, watch: Watch | None) -> Iterator[Iterable[str]]:
    try:
        if path.suffix == ".zip":
            with (
                path.open("rb") as raw,
                zipfile.ZipFile(raw) as archive,
                archive.open(_member(path, archive)) as member,
            ):
                text = TextIOWrapper(cast("BinaryIO", member), "utf-8-sig", newline="")
                yield _watched(text, raw, watch)
        else:
            with open_plain(path, watch) as file:
                yield TextIOWrapper(file, "utf-8-sig", newline="")
    except (*DAMAGED, zipfile.BadZipFile, csv.Error, UnicodeError) as error:
        raise UnreadableFile(f"{path}: {told(error)}") from None


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    # A Mac packs beside every file what its own file system knows of it.
    names = (name for name in archive.namelist() if not name.startswith("__MACOSX/"))
    members = [name for name in names if name.endswith(".csv")]
    if len(members) != 1:
        raise ConfigurationError(f"{path} holds {len(members)} CSV files: expected one")
    return members[0]


def _watched(lines: Iterable[str], raw: BinaryIO, watch: Watch | None) -> Iterator[str]:
    """Pass lines through; now and then tell how far the archive has been read."""
    position = 0
    for number, line in enumerate(lines):
        if watch is not None and number % 1000 == 0:
            watch(raw.tell() - position)
            position = raw.tell()
        yield line

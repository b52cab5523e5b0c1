"""Labels files: which events were a hijacker's, and which attempts gained no access."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from detectors.errors import ConfigurationError
from detectors.evaluation.ledger import Label, Labels, Named
from detectors.events import EventType
from streams.files import read_lines

ATTACKS_FILE: Final = "attacks.ndjson"
UNNAMED: Final = "unnamed"


class _Line(msgspec.Struct):
    """A line of a labels or attacks file, as far as it is read."""

    event_id: str
    type: EventType | None = None
    takeover: bool | int = True
    family: str | int | None = None
    campaign: str | int | None = None


def read_labels(labels: Iterable[Path], attacks: Iterable[Path] | None = None) -> Labels:
    """Read labels and, from `attacks`, the attackers' attempts that gained no access.

    Where no attacks file is named, `attacks.ndjson` beside a labels file is taken if it exists.
    Only `event_id` must be there. Without `type` it is whatever event has that id; without
    `campaign`, each event's own family is its campaign.
    Raises ConfigurationError, naming file and line, for a line that is no label.
    """
    paths = list(labels)
    if attacks is None:
        beside = [path.with_name(ATTACKS_FILE) for path in paths]
        attacks = [path for path in dict.fromkeys(beside) if path.exists()]
    takeovers: dict[Named, Label] = {}
    for path in paths:
        for name, line in _lines(path):
            if line.takeover:
                family = str(line.family or UNNAMED)
                takeovers[name] = Label(family, str(line.campaign or family))
    failed = frozenset(name for path in attacks for name, _ in _lines(path))
    return Labels(takeovers, failed - takeovers.keys())


def _lines(path: Path) -> Iterable[tuple[Named, _Line]]:
    decoder = msgspec.json.Decoder(_Line)
    for number, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}:{number} is no label: {error}") from None
        yield Named(line.type, line.event_id), line

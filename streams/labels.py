"""Labels files: which events were a hijacker's, and which attempts gained no access."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.errors import ConfigurationError
from detectors.evaluation.ledger import Label, Labels
from streams.files import read_lines

ATTACKS_FILE: Final = "attacks.ndjson"
UNNAMED: Final = "unnamed"


def read_labels(labels: Iterable[Path], attacks: Iterable[Path] | None = None) -> Labels:
    """Read labels and, from `attacks`, the attackers' attempts that gained no access.

    Where no attacks file is named, `attacks.ndjson` beside a labels file is taken if it exists.
    Only `event_id` must be there; without `campaign`, each event's own family is its campaign.
    Raises ConfigurationError, naming file and line, for a line that is no label.
    """
    paths = list(labels)
    if attacks is None:
        beside = [path.with_name(ATTACKS_FILE) for path in paths]
        attacks = [path for path in dict.fromkeys(beside) if path.exists()]
    takeovers: dict[str, Label] = {}
    for path in paths:
        for event_id, line in _lines(path):
            if line.get("takeover", True):
                family = str(line.get("family") or UNNAMED)
                takeovers[event_id] = Label(family, str(line.get("campaign") or family))
    failed = frozenset(event_id for path in attacks for event_id, _ in _lines(path))
    return Labels(takeovers, failed - takeovers.keys())


def _lines(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    for number, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            line = orjson.loads(text)
            yield line["event_id"], line
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise ConfigurationError(
                f"{path}:{number} is no label: expected an object with event_id"
            ) from None

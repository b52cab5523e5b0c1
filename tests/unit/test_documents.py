"""What the documents say is what the product does."""

import re
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from typer.main import get_command

from detectors.errors import InvalidEvent
from detectors.events import Event, EventType
from detectors.parsing import EVENT_TYPES, parse_event
from streams.cli import app
from tests.support.readme import EVENTS, README, TABLES, with_table

ROOT = README.parent
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", TABLES, ids=lambda path: path.name)
def test_the_tables_are_the_registries(document: Path) -> None:
    """A topic or an ACL that is added, renamed or explained anew shows in the documents."""
    text = document.read_text()
    assert text.count(f"<!-- {TABLES[document][0]} -->") == 1
    assert with_table(document) == text, "run `python -m tests.support.readme`"


def test_the_least_events_are_events_and_the_least() -> None:
    """Each line of the page's example can be used, and without one of its fields cannot.

    The alert of a verdict is more than it must have: without events or an alert it says little.
    """
    lines = re.findall(r"^\{.*\}$", EVENTS.read_text(), re.MULTILINE)
    assert [orjson.loads(line)["type"] for line in lines] == list(EVENT_TYPES)
    for line in lines:
        fields = orjson.loads(line)
        _parsed(fields, fields.pop("type"))
        for name in fields.keys() - {"alert_id"}:
            with pytest.raises(InvalidEvent, match=f"'{name}'"):
                _parsed({**fields, name: None}, orjson.loads(line)["type"])


def _parsed(fields: Mapping[str, object], type_: EventType) -> Event:
    return parse_event(fields, type_=type_, timestamp=1795500000.0, fallback_id="logins:0:0")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_exists(document: Path) -> None:
    """`make` targets are the Makefile's; `nightlatch` commands are registered."""
    text = document.read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`(?:\w+=\S+ )?make ([a-z0-9-]+)", text)) <= targets
    commands = set(getattr(get_command(app), "commands", {}))
    assert set(re.findall(r"nightlatch ([a-z][a-z-]+)\b(?=[` \n])", text)) <= commands


def test_every_test_that_a_document_names_exists() -> None:
    """What a page says that a test holds, a test of that name holds."""
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", sources))
    named = {name for path in DOCUMENTS for name in re.findall(r"`(test_\w+)`", path.read_text())}
    assert len(named) > 15
    assert named <= there


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_in_the_documents_exists(document: Path) -> None:
    """A file or folder that a document points to is there."""
    text = document.read_text()
    linked = set(re.findall(r"\]\((?!https?:|#)([^)#]+)", text))
    named = set(re.findall(r"`((?:detectors|streams|tests|docker|docs)/[^`\s]*)`", text))
    missing = [
        path
        for path in linked | named
        if not (document.parent / path).exists() and not (ROOT / path).exists()
    ]
    assert not missing

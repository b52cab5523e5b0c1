"""What the documents say is what the product does."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from streams.cli import app
from tests.support.readme import README, with_tables

ROOT = README.parent
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md"]


def test_the_topic_table_is_the_registrys() -> None:
    """A topic that is added, renamed or explained anew shows in the README."""
    text = README.read_text()
    assert text.count("<!-- topics -->") == 1
    assert with_tables(text) == text, "run `python -m tests.support.readme`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_exists(document: Path) -> None:
    """`make` targets are the Makefile's; `nightlatch` commands are registered."""
    text = document.read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`(?:\w+=\S+ )?make ([a-z0-9-]+)", text)) <= targets
    commands = set(getattr(get_command(app), "commands", {}))
    assert set(re.findall(r"nightlatch ([a-z][a-z-]+)\b(?=[` \n])", text)) <= commands
    assert "make test" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_in_the_documents_exists(document: Path) -> None:
    """A file or folder that a document points to is there."""
    text = document.read_text()
    linked = set(re.findall(r"\]\((?!https?:|#)([^)#]+)", text))
    named = set(re.findall(r"`((?:detectors|streams|tests|docker|docs)/[^`\s]*)`", text))
    missing = [path for path in linked | named if not (ROOT / path).exists()]
    assert not missing

"""Tables of the documents, made from the registries: `python -m tests.support.readme`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, get_args

from streams.metrics import FIGURES
from streams.permissions import ROLES, Role, permissions
from streams.settings import Settings
from streams.topics import topic_specs

README: Final = Path(__file__).parents[2] / "README.md"
SECURITY: Final = README.parent / "docs" / "security.md"
HEALTH: Final = README.parent / "docs" / "health.md"
_WRITTEN = ("alerts", "campaigns", "assessments", "evidence", "dead_letters")


def topics_table() -> str:
    """Return the topics as Markdown: a line a topic, in the contract's order."""
    settings = Settings()
    written = {settings.topic(name) for name in _WRITTEN}
    lines = ["| topic | key | | what |", "| --- | --- | --- | --- |"]
    for spec in topic_specs(settings):
        way = "out" if spec.name in written else "in"
        way = "own" if spec.name.startswith(settings.app_id) else way
        lines.append(f"| `{spec.name}` | {spec.key} | {way} | {spec.meaning} |")
    return "\n".join(lines) + "\n"


def acls_table() -> str:
    """Return the least sets of ACLs as Markdown: a line for each of what a role may do."""
    lines = ["| who | may | on |", "| --- | --- | --- |"]
    for role in get_args(Role):
        by_operation: dict[str, list[str]] = {}
        for permission in permissions(Settings(), role):
            group = "the group " if permission.kind == "group" else ""
            place = f"{group}`{permission.name}`"
            by_operation.setdefault(permission.operation, []).append(place)
        lines += [
            f"| {role}: {ROLES[role]} | {operation} | {', '.join(places)} |"
            for operation, places in by_operation.items()
        ]
    return "\n".join(lines) + "\n"


def figures_table() -> str:
    """Return a worker's figures as Markdown."""
    lines = ["| figure | | what |", "| --- | --- | --- |"]
    for figure in FIGURES:
        labels = f"{{{', '.join(figure.labels)}}}" if figure.labels else ""
        end = "_total" if figure.kind == "counter" else ""
        lines.append(f"| `{figure.name}{end}{labels}` | {figure.kind} | {figure.meaning} |")
    return "\n".join(lines) + "\n"


TABLES: Final[dict[Path, tuple[str, Callable[[], str]]]] = {
    README: ("topics", topics_table),
    SECURITY: ("acls", acls_table),
    HEALTH: ("figures", figures_table),
}


def with_table(document: Path) -> str:
    """Return a document's text with its table as it should be."""
    name, table = TABLES[document]
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return place.sub(lambda found: found[1] + table() + found[2], document.read_text())


if __name__ == "__main__":
    for path in TABLES:
        path.write_text(with_table(path))

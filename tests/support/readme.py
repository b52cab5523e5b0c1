"""Tables of the documents, made from the registries: `python -m tests.support.readme`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, get_args

from msgspec import inspect

from detectors.events import Login
from detectors.parsing import EVENT_TYPES
from streams.metrics import FIGURES
from streams.permissions import ROLES, Role, permissions
from streams.settings import Settings
from streams.topics import topic_specs

README: Final = Path(__file__).parents[2] / "README.md"
SECURITY: Final = README.parent / "docs" / "security.md"
HEALTH: Final = README.parent / "docs" / "health.md"
EVENTS: Final = README.parent / "docs" / "events.md"
_MONEY = "an amount from 0 to below 10^12, as a decimal string or a number"
_COUNTRY = "an ISO 3166-1 alpha-2 country code"
_FORMS: Final = {
    "event_id": "a string of 1 to 256 characters; its record's topic, partition and "
    "offset if absent",
    "occurred_at": "an RFC 3339 time with an offset, or integer epoch milliseconds; the record's "
    "own time if absent",
    "ip": "an IPv4 or IPv6 address",
    "country": _COUNTRY,
    "shipping_country": _COUNTRY,
    "currency": "an ISO 4217 currency code",
    "amount": _MONEY,
    "gift_card_amount": _MONEY,
    "items": "a list of up to 1000 objects with `sku`, `category`, `quantity` and `unit_price`, "
    "each optional",
    "event_ids": "a list of up to 1000 strings",
}
"""What the types do not say, since it is held where events are read (`detectors.parsing`)."""
_STOOD_IN: Final = ("event_id", "occurred_at")
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


def fields_table() -> str:
    """Return what events may say as Markdown: a line a field, of which types, and its form.

    A type that must have the field is bold.
    """
    of: dict[str, list[str]] = {}
    forms: dict[str, str] = {}
    for name, kind in EVENT_TYPES.items():
        for field in inspect.multi_type_info([kind])[0].fields:  # type: ignore[attr-defined] # a Struct
            must = field.required and field.name not in _STOOD_IN
            must |= kind is Login and field.name == "ip"
            of.setdefault(field.name, []).append(f"**{name}**" if must else name)
            forms[field.name] = _FORMS.get(field.name) or _form(field.type)
    lines = ["| field | of | form |", "| --- | --- | --- |"]
    everybody = {tuple(EVENT_TYPES): "all", tuple(f"**{kind}**" for kind in EVENT_TYPES): "**all**"}
    for field_name, kinds in of.items():
        who = everybody.get(tuple(kinds)) or ", ".join(kinds)
        lines.append(f"| `{field_name}` | {who} | {forms[field_name]} |")
    return "\n".join(lines) + "\n"


def _form(field: inspect.Type) -> str:
    if isinstance(field, inspect.UnionType):
        return _form(next(part for part in field.types if part != inspect.NoneType()))
    if isinstance(field, inspect.Metadata):
        return str((field.extra_json_schema or {})["description"])
    if isinstance(field, inspect.LiteralType):
        return ", ".join(f"`{value}`" for value in field.values)
    raise TypeError(f"no words for {field}")


TABLES: Final[dict[Path, tuple[str, Callable[[], str]]]] = {
    README: ("topics", topics_table),
    SECURITY: ("acls", acls_table),
    HEALTH: ("figures", figures_table),
    EVENTS: ("fields", fields_table),
}


def with_table(document: Path) -> str:
    """Return a document's text with its table as it should be."""
    name, table = TABLES[document]
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return place.sub(lambda found: found[1] + table() + found[2], document.read_text())


if __name__ == "__main__":
    for path in TABLES:
        path.write_text(with_table(path))

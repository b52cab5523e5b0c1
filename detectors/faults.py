"""The words for what is wrong with a record: which field, what it wants, what was found.

What a field wants is read from the annotations in `detectors.events`, so that no sentence can
disagree with what is checked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from detectors.errors import InvalidEvent

MAX_FOUND: Final = 60

_OBJECT = "a JSON object"
_PATH = re.compile(r" - at `\$\.?(.*?)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")


def explained(
    message: str, *, tidied: Mapping[str, Any], raw: Mapping[str, Any], kind: type[msgspec.Struct]
) -> InvalidEvent:
    """Put a msgspec message into the contract's words.

    `tidied` is what msgspec was given, `raw` the same record with what counts as absent still in.
    """
    at = _PATH.search(message)
    path = at.group(1) if at else ""
    if absent := _MISSING.match(message):
        name = absent.group(1)
        return missing(f"{path}.{name}" if path else name, _expectation(kind, name), raw)
    value = _value_at(tidied, path)
    name = path.rpartition(".")[2].partition("[")[0]
    expected = _expectation(kind, name, of_an_element=path.endswith("]"))
    code = "wrong_type"
    if "of length <=" in message:
        code = "too_large"
    elif message.startswith("Invalid enum value"):
        code = "not_allowed"
    elif " >= " in message or " <= " in message:
        code = "out_of_range"
    return InvalidEvent(code, field=path or None, expected=expected, found=describe(value))


def missing(field: str, expected: str, raw: Mapping[str, Any]) -> InvalidEvent:
    """Return the error for a required field that is absent, null or empty."""
    found = describe(raw[field]) if field in raw else "nothing"
    return InvalidEvent("missing_field", field=field, expected=expected, found=found)


def _value_at(record: object, path: str) -> object:
    value: Any = record
    for step in re.findall(r"[^.\[\]]+", path):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


@lru_cache(maxsize=256)
def _expectation(kind: type[msgspec.Struct], name: str, *, of_an_element: bool = False) -> str:
    """The phrase for what a field wants, from its annotation."""
    for field in _fields(msgspec.inspect.type_info(kind)):
        if field.encode_name == name:
            return _phrase(field.type, of_an_element=of_an_element)
    return _OBJECT


def _fields(info: msgspec.inspect.Type) -> Iterator[msgspec.inspect.Field]:
    """Every field of a struct and of the structs that its lists hold."""
    if isinstance(info, msgspec.inspect.StructType):
        for field in info.fields:
            yield field
            if isinstance(field.type, msgspec.inspect.VarTupleType):
                yield from _fields(field.type.item_type)


def _phrase(wanted: msgspec.inspect.Type, *, of_an_element: bool = False) -> str:
    match wanted:
        case msgspec.inspect.UnionType(types=types):
            return _phrase(types[0], of_an_element=of_an_element)
        case msgspec.inspect.Metadata(extra_json_schema={"description": str() as description}):
            return description
        case msgspec.inspect.LiteralType(values=values):
            return one_of(str(value) for value in values)
        case msgspec.inspect.VarTupleType(item_type=item, max_length=bound):
            return _phrase(item) if of_an_element else f"a list of at most {bound}"
    return _OBJECT


def one_of(names: Iterable[str]) -> str:
    """Return the phrase for a choice."""
    return "one of " + ", ".join(names)


def describe(value: object) -> str:
    """Return a short phrase for a value that was found, at most `MAX_FOUND` characters long."""
    match value:
        case None | bool():
            text = {None: "null", True: "true", False: "false"}[value]
        case str():
            text = repr(value[: MAX_FOUND + 1])
        case list() | tuple():
            text = f"a list of {len(value)}"
        case Mapping():
            text = "an object"
        case int() if abs(value) >= 10**30:
            text = "a very large integer"
        case _:
            text = repr(value)
    return text if len(text) <= MAX_FOUND else text[: MAX_FOUND - 1] + "…"

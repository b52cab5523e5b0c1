"""Loads the settings from their sources, and tells which source each came from."""

import difflib
import os
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from detectors.errors import ConfigurationError
from detectors.faults import describe
from streams.settings import POLICY, PREFIX, Setting, Settings, registry

FILE_VARIABLE: Final = "NIGHTLATCH_SETTINGS"
DEFAULT_FILE: Final = Path("nightlatch.toml")


class Loaded(NamedTuple):
    """The settings, and for each that is not at its default the source that set it."""

    settings: Settings
    sources: Mapping[str, str]


def load(
    file: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Loaded:
    """Read the settings from all their sources, `overrides` (the command line's) the strongest.

    `environ` is the process's own where None. Raises ConfigurationError, naming the source, for a
    name that no setting has, a value that does not fit, and settings that contradict each other.
    """
    known = registry()
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    environment = os.environ if environ is None else environ
    for name, value, source in (
        *_from_file(file, environment, known),
        *_from_environment(environment, known),
        *((name, value, "command line") for name, value in (overrides or {}).items()),
    ):
        if name not in known:
            raise ConfigurationError(
                f"{source}: there is no setting {name!r}{_nearest(name, known)}"
            )
        values[name] = _split(value) if known[name].is_list else value
        sources[name] = source
    settings = _converted(values, sources, known)
    return Loaded(_checked(_with_password(settings)), sources)


def _from_file(
    file: Path | None, environment: Mapping[str, str], known: Mapping[str, Setting]
) -> Iterator[tuple[str, Any, str]]:
    named = environment.get(FILE_VARIABLE)
    path = file or (Path(named) if named else DEFAULT_FILE)
    if path == DEFAULT_FILE and file is None and not path.exists():
        return
    try:
        with path.open("rb") as opened:
            table = tomllib.load(opened)
    except OSError as error:
        raise ConfigurationError(f"settings file {path}: {error.strerror or error}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigurationError(f"settings file {path}: {error}") from None
    for name, value in _flat(table, "", known):
        yield name, value, str(path)


def _flat(
    table: Mapping[str, Any], beginning: str, known: Mapping[str, Setting]
) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = beginning + key
        if isinstance(value, dict) and name not in known:
            yield from _flat(value, f"{name}_", known)
        else:
            yield name, value


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, Setting]
) -> Iterator[tuple[str, Any, str]]:
    """An empty variable counts as unset: compose files can't leave one out."""
    by_variable = {setting.variable: setting.name for setting in known.values()}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE or not text:
            continue
        if variable not in by_variable:
            # The common beginning would make every name look alike.
            nearest = _nearest(variable.removeprefix(PREFIX).lower(), known, PREFIX)
            raise ConfigurationError(f"environment: there is no setting {variable}{nearest}")
        yield by_variable[variable], text, f"environment {variable}"


def _nearest(name: str, known: Mapping[str, Setting], beginning: str = "") -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    if not close:
        return "; `nightlatch settings` lists them all"
    return f"; did you mean {beginning + close[0].upper() if beginning else close[0]}?"


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _converted(
    values: Mapping[str, Any], sources: Mapping[str, str], known: Mapping[str, Setting]
) -> Settings:
    nested: dict[str, Any] = {"detection": {}}
    for name, value in values.items():
        if name.startswith(POLICY):
            nested["detection"][name.removeprefix(POLICY)] = value
        else:
            nested[name] = value
    try:
        return msgspec.convert(nested, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        path = str(error).partition(" - at `$.")[2].rstrip("`")
        setting = known[path.replace("detection.", POLICY).partition("[")[0]]
        given = values[setting.name]
        shown = describe(",".join(map(str, given)) if isinstance(given, list) else given)
        value = "" if setting.secret else f", not {shown}"
        raise ConfigurationError(
            f"{sources[setting.name]}: {setting.name} must be {setting.type}{value}"
        ) from None


def _path(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str | Path):
        raise ValueError("Expected a path")
    return Path(value)


def _with_password(settings: Settings) -> Settings:
    file = settings.sasl_password_file
    if file is None:
        return settings
    if settings.sasl_password is not None:
        raise ConfigurationError("sasl_password and sasl_password_file are both set: keep one")
    try:
        password = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"sasl_password_file {file}: {error}") from None
    return msgspec.structs.replace(settings, sasl_password=password)


def _checked(settings: Settings) -> Settings:
    """Refuse settings that contradict each other, with what to change."""
    if settings.security_protocol.startswith("sasl"):
        for name in ("sasl_username", "sasl_password"):
            if not getattr(settings, name):
                raise ConfigurationError(
                    f"security_protocol is {settings.security_protocol}, so {name} must be set"
                )
    if (settings.tls_cert_file is None) != (settings.tls_key_file is None):
        raise ConfigurationError("tls_cert_file and tls_key_file belong together: set both or none")
    for name in ("tls_ca_file", "tls_cert_file", "tls_key_file"):
        path = getattr(settings, name)
        if path is not None and not path.is_file():
            raise ConfigurationError(f"{name}: there is no file {path}")
    policy = settings.policy()
    if not policy.medium_risk < policy.high_risk < policy.critical_risk:
        raise ConfigurationError(
            "detection_medium_risk, detection_high_risk and detection_critical_risk must rise in "
            f"this order, not {policy.medium_risk}, {policy.high_risk}, {policy.critical_risk}"
        )
    names = Counter(getattr(settings, f) for f in settings.__struct_fields__ if _names_topic(f))
    for name, count in names.items():
        if count > 1:
            raise ConfigurationError(f"two topics are called {name!r}: give each its own name")
    return settings


def _names_topic(field: str) -> bool:
    return field.startswith("topic_") and field != "topic_prefix"

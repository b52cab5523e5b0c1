"""Every setting of the product: one frozen object, read once at start.

From weakest to strongest: the default, the settings file (TOML: `--settings`, else what
`NIGHTLATCH_SETTINGS` names, else `./nightlatch.toml` where there is one), the environment
(`NIGHTLATCH_` and the name in capitals), the command line. In the file a table's name may stand
for the beginning of its settings' names: `logins` in `[topic]` is `topic_logins`. In the
environment lists are separated by commas. The annotations below are the registry: they hold each
setting's type, range and meaning, and `nightlatch settings` prints them.

Nothing else in the product looks at the environment.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, inspect

from detectors.intelligence import SourceName
from detectors.policy import Policy

SourceTopic = Literal["logins", "orders", "account_changes", "feedback"]
SecurityProtocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
LogLevel = Literal["debug", "info", "warning", "error"]

PREFIX: Final = "NIGHTLATCH_"
POLICY: Final = "detection_"
SECRETS: Final = frozenset({"sasl_password", "tls_key_password"})

# Kafka's own rule for topics; consumer groups follow it, since a changelog is named by one.
_KAFKA_NAME = r"^[A-Za-z0-9._-]{1,200}$"
KafkaName = Annotated[str, Meta(pattern=_KAFKA_NAME)]
# A name, an IPv4 address or an IPv6 address in brackets; a port from 1 to 65535.
_ADDRESS = (
    r"^([^\s:/,@\[\]]+|\[[0-9A-Fa-f:.]+\]):"
    r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})$"
)
ShownName = Annotated[str, Meta(min_length=1, max_length=200)]
Address = Annotated[str, Meta(pattern=_ADDRESS, title="host:port")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The product's settings, valid and complete. Made by `streams.configuration.load`."""

    # The broker and the way to it.
    broker: Annotated[
        tuple[Address, ...],
        Meta(min_length=1, description="Kafka brokers to start from, host:port"),
    ] = ("localhost:9092",)
    security_protocol: Annotated[
        SecurityProtocol, Meta(description="How the brokers are spoken to")
    ] = "plaintext"
    tls_ca_file: Annotated[
        Path | None, Meta(description="Certificates to trust (PEM); the system's where none")
    ] = None
    tls_cert_file: Annotated[Path | None, Meta(description="Client certificate (PEM)")] = None
    tls_key_file: Annotated[Path | None, Meta(description="Client key (PEM)")] = None
    tls_key_password: Annotated[str | None, Meta(description="Password of the client key")] = None
    sasl_mechanism: Annotated[SaslMechanism, Meta(description="How to sign in to the brokers")] = (
        "PLAIN"
    )
    sasl_username: Annotated[str | None, Meta(description="User name for SASL")] = None
    sasl_password: Annotated[str | None, Meta(description="Password for SASL")] = None
    sasl_password_file: Annotated[
        Path | None, Meta(description="File that holds the password for SASL, for secret mounts")
    ] = None

    # The worker.
    app_id: Annotated[
        KafkaName,
        Meta(description="Name of the consumer group and of the state's changelog; never change"),
    ] = "nightlatch"
    store: Annotated[
        Literal["rocksdb", "memory"], Meta(description="Where a worker keeps its state locally")
    ] = "rocksdb"
    data_dir: Annotated[Path, Meta(description="Directory of a worker's local state")] = Path(
        "nightlatch-data"
    )
    chunk_records: Annotated[
        int,
        Meta(
            ge=1,
            le=4000,
            description="Most records of a run that is folded at once; the state that they change "
            "must fit one batch of 16 MiB",
        ),
    ] = 1000
    flush_seconds: Annotated[
        float, Meta(ge=0.01, le=60, description="Most seconds between two hand-overs of state")
    ] = 0.5
    session_seconds: Annotated[
        float,
        # Faust's requests are given up after 90 seconds, and a session must be shorter.
        Meta(
            ge=6,
            le=80,
            description="Seconds of silence after which others replace a worker; brokers allow no "
            "less than their group.min.session.timeout.ms, 6 if not set otherwise",
        ),
    ] = 20.0
    auto_offset_reset: Annotated[
        Literal["earliest", "latest"],
        Meta(description="Where a group without committed offsets begins"),
    ] = "earliest"
    dead_letter_limit: Annotated[
        float,
        Meta(gt=0, le=1, description="Share of unusable records at which a worker stops; 1: never"),
    ] = 0.5
    dead_letter_window: Annotated[
        int, Meta(ge=10, le=10_000_000, description="Records over which that share is taken")
    ] = 1000
    max_record_bytes: Annotated[
        int, Meta(ge=1024, le=16_777_216, description="Largest input record that is decoded, bytes")
    ] = 1_048_576
    publish_assessments: Annotated[
        bool, Meta(description="Whether the score of every event goes to `assessments`")
    ] = False
    publish_evidence: Annotated[
        bool, Meta(description="Whether what alerts stand on goes to `evidence`, for packs")
    ] = True
    heat: Annotated[
        bool, Meta(description="Whether accounts tell of one another: heat, victims, campaigns")
    ] = True
    intelligence: Annotated[
        bool, Meta(description="Whether what others report on `indicators` counts")
    ] = True
    sharing_keys: Annotated[
        Path | None,
        Meta(description="File of the keys that a group of retailers shares; none: no hashes"),
    ] = None
    sharing_name: Annotated[
        SourceName | None, Meta(description="What others know this retailer by")
    ] = None
    taxii_username: Annotated[str | None, Meta(description="User name for a TAXII server")] = None
    taxii_password_file: Annotated[
        Path | None,
        Meta(description="File that holds the password for a TAXII server, its owner's alone"),
    ] = None
    lookups: Annotated[
        tuple[Path, ...],
        Meta(description="Files that tell an address's network and place (.mmdb, .csv)"),
    ] = ()
    give_up_seconds: Annotated[
        float,
        Meta(
            ge=5,
            le=86_400,
            description="Seconds without an answer from the brokers, or without progress where "
            "there is something to do, after which a worker exits",
        ),
    ] = 300.0
    web_port: Annotated[
        int, Meta(ge=0, le=65_535, description="Port of the health pages and metrics; 0: none")
    ] = 0
    web_bind: Annotated[
        str, Meta(min_length=1, description="Address that the health pages are shown on")
    ] = "127.0.0.1"
    log_level: Annotated[LogLevel, Meta(description="Least severe log line that is written")] = (
        "info"
    )

    # Evidence packs.
    organisation: Annotated[
        ShownName | None, Meta(description="Who reports: the retailer's name")
    ] = None
    organisation_contact: Annotated[
        ShownName | None, Meta(description="Whom the police ask: a person or a desk")
    ] = None
    evidence_key: Annotated[
        Path | None, Meta(description="Private key that packs are signed by (PEM)")
    ] = None

    # The topics.
    topic_prefix: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9._-]{0,100}$", description="Put before every topic's name"),
    ] = ""
    topic_logins: Annotated[KafkaName, Meta(description="Topic of sign-ins")] = "logins"
    topic_orders: Annotated[KafkaName, Meta(description="Topic of orders")] = "orders"
    topic_account_changes: Annotated[KafkaName, Meta(description="Topic of account changes")] = (
        "account-changes"
    )
    topic_feedback: Annotated[KafkaName, Meta(description="Topic of verdicts")] = "feedback"
    topic_indicators: Annotated[KafkaName, Meta(description="Topic of shared intelligence")] = (
        "indicators"
    )
    topic_alerts: Annotated[KafkaName, Meta(description="Topic of alerts")] = "alerts"
    topic_campaigns: Annotated[KafkaName, Meta(description="Topic of campaigns")] = "campaigns"
    topic_assessments: Annotated[KafkaName, Meta(description="Topic of every event's score")] = (
        "assessments"
    )
    topic_evidence: Annotated[KafkaName, Meta(description="Topic of what alerts stand on")] = (
        "evidence"
    )
    topic_dead_letters: Annotated[KafkaName, Meta(description="Topic of unusable records")] = (
        "dead-letters"
    )
    partitions: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Partitions of topics made; the most workers at work"),
    ] = 8
    replication_factor: Annotated[
        int, Meta(ge=-1, le=100, description="Replicas of topics made; -1: the brokers' default")
    ] = -1
    rekey: Annotated[
        tuple[SourceTopic, ...],
        Meta(description="Input topics that are not keyed by account, to be keyed anew"),
    ] = ()

    detection: Annotated[
        Policy, Meta(description="Thresholds and constants of the detector, one by one")
    ] = Policy()

    def policy(self) -> Policy:
        """Return the constants that the detector runs under."""
        return self.detection

    def topic(self, name: str) -> str:
        """Return the full name, prefix included, of a topic of the contract (`account_changes`)."""
        own: str = getattr(self, f"topic_{name}")
        return self.topic_prefix + own

    def __repr__(self) -> str:
        """Every setting, the secret ones masked: this text may end up in a log."""
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in shown(self).items())})"


def shown(settings: Settings) -> dict[str, Any]:
    """Return every setting by name as it may be shown: a secret's value is `********`."""
    return {
        name: "********" if name in SECRETS and value is not None else value
        for name, value in msgspec.structs.asdict(settings).items()
    }


def secrets(settings: Settings) -> list[str]:
    """Return what must not be shown, by value."""
    values = (getattr(settings, name) for name in sorted(SECRETS))
    return [value for value in values if value]


class Setting(NamedTuple):
    """One entry of the registry. `variable` is its name in the environment."""

    name: str
    variable: str
    type: str
    default: Any
    meaning: str
    secret: bool
    is_list: bool


def registry() -> dict[str, Setting]:
    """Return every setting by name; the detector's constants are called `detection_...`."""
    return {setting.name: setting for setting in _settings_of(Settings, "")}


def _settings_of(kind: type[msgspec.Struct], beginning: str) -> Iterator[Setting]:
    info, documented = inspect.type_info(kind), _documented(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - what a Struct's info is
    for field in info.fields:
        plain, meaning = _unwrapped(field.type)
        if isinstance(plain, inspect.StructType):
            yield from _settings_of(plain.cls, POLICY)
            continue
        name = beginning + field.encode_name
        yield Setting(
            name=name,
            variable=PREFIX + name.upper(),
            type=_type_phrase(plain),
            default=None if field.default is msgspec.NODEFAULT else field.default,
            meaning=meaning or documented.get(field.encode_name, ""),
            secret=name in SECRETS,
            is_list=isinstance(plain, inspect.VarTupleType | inspect.TupleType),
        )


def _documented(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The meanings that a docstring gives, a line `name, name: meaning.` for each."""
    meanings: dict[str, str] = {}
    for line in (kind.__doc__ or "").splitlines():
        names, colon, meaning = line.strip().partition(": ")
        if colon:
            for name in names.split(", "):
                meanings[name] = meaning[:1].upper() + meaning[1:].rstrip(".")
    return meanings


def _unwrapped(wanted: inspect.Type) -> tuple[inspect.Type, str]:
    if isinstance(wanted, inspect.Metadata):
        return wanted.type, (wanted.extra_json_schema or {}).get("description", "")
    return wanted, ""


def _type_phrase(wanted: inspect.Type) -> str:
    """What a value is, in its type's own words where it has some."""
    extra = (wanted.extra_json_schema if isinstance(wanted, inspect.Metadata) else None) or {}
    own = extra.get("title") or extra.get("description")
    return str(own) if own else _phrase(_unwrapped(wanted)[0])


def _phrase(wanted: inspect.Type) -> str:
    phrase = "text"
    match wanted:
        case inspect.UnionType(types=types):
            known = [t for t in types if not isinstance(t, inspect.NoneType)]
            phrase = " or ".join(map(_type_phrase, known))
        case inspect.LiteralType(values=values):
            phrase = "one of " + ", ".join(map(str, values))
        case inspect.VarTupleType(item_type=item):
            phrase = f"a list, each {_type_phrase(item)}"
        case inspect.TupleType(item_types=items):
            phrase = "a list of " + ", ".join(map(_type_phrase, items))
        case inspect.IntType() as number:
            phrase = f"an integer{_bounds(number)}"
        case inspect.FloatType() as number:
            phrase = f"a number{_bounds(number)}"
        case inspect.StrType(pattern=str() as pattern):
            phrase = f"text like {pattern}"
        case inspect.CustomType():
            phrase = "a path"
        case inspect.BoolType():
            phrase = "true or false"
    return phrase


def _bounds(number: inspect.IntType | inspect.FloatType) -> str:
    bounds = {"from": number.ge, "above": number.gt, "to": number.le, "and below": number.lt}
    return "".join(f" {word} {bound:,}" for word, bound in bounds.items() if bound is not None)

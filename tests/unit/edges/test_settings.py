"""Where settings come from, which source wins, and what is refused with which sentence."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

from detectors.errors import ConfigurationError
from detectors.policy import Policy
from streams.configuration import load
from streams.connections import client_options, faust_credentials
from streams.settings import SECRETS, Settings, registry

SECRET = "geheim"  # noqa: S105 - a password of nothing
OWN_MODULES = ("settings", "configuration")
TOPICS = {
    name.removeprefix("topic_") for name in Settings.__struct_fields__ if name.startswith("topic_")
}


def settings_file(folder: Path, text: str) -> Path:
    """Write a settings file."""
    path = folder / "nightlatch.toml"
    path.write_text(text, "utf-8")
    return path


def refusal(environ: dict[str, str], file: Path | None = None) -> str:
    """Return the sentence with which settings are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(file, environ=environ)
    return str(caught.value)


def test_each_source_is_stronger_than_the_one_before(tmp_path: Path) -> None:
    """Default, file, environment, command line: the last that says something wins, and is named."""
    file = settings_file(tmp_path, 'partitions = 3\napp_id = "from-file"\nflush_seconds = 2\n')
    settings, sources = load(
        file,
        environ={"NIGHTLATCH_PARTITIONS": "4", "NIGHTLATCH_FLUSH_SECONDS": "1.5"},
        overrides={"partitions": 5},
    )
    assert settings.partitions == 5
    assert settings.flush_seconds == 1.5
    assert settings.app_id == "from-file"
    assert settings.chunk_records == Settings().chunk_records
    assert sources == {
        "partitions": "command line",
        "flush_seconds": "environment NIGHTLATCH_FLUSH_SECONDS",
        "app_id": str(file),
    }


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    """NIGHTLATCH_SETTINGS is read where no file is given, and must then exist."""
    file = settings_file(tmp_path, "partitions = 3")
    assert load(environ={"NIGHTLATCH_SETTINGS": str(file)}).settings.partitions == 3
    assert "No such file" in refusal({"NIGHTLATCH_SETTINGS": str(tmp_path / "other")})


def test_the_file_beside_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """./nightlatch.toml is read where nothing names another, and need not exist."""
    monkeypatch.chdir(tmp_path)
    assert load(environ={}).settings == Settings()
    settings_file(tmp_path, "partitions = 3")
    assert load(environ={}).settings.partitions == 3


def test_tables_lists_and_paths(tmp_path: Path) -> None:
    """A table stands for the beginning of names; lists have commas where they are text."""
    file = settings_file(
        tmp_path,
        'broker = ["one:1", "two:2"]\n[topic]\nprefix = "shop-"\nlogins = "signins"\n'
        "[detection]\nseed = 11\n",
    )
    settings = load(file, environ={"NIGHTLATCH_LOOKUPS": "a.mmdb, b.csv"}).settings
    assert settings.broker == ("one:1", "two:2")
    assert settings.topic("logins") == "shop-signins"
    assert settings.topic("account_changes") == "shop-account-changes"
    assert settings.lookups == (Path("a.mmdb"), Path("b.csv"))
    assert settings.policy() == Policy(seed=11)


def test_an_empty_variable_is_unset() -> None:
    """A compose file can't leave a variable out, only leave it empty."""
    assert load(environ={"NIGHTLATCH_PARTITIONS": ""}).settings == Settings()


def test_every_setting_can_be_set_and_is_described() -> None:
    """The registry has a name, a type and a meaning for each, the detector's constants included."""
    entries = registry()
    plain = set(Settings.__struct_fields__) - {"detection"}
    constants = {f"detection_{name}" for name in Policy.__struct_fields__}
    assert set(entries) == plain | constants
    for setting in entries.values():
        assert setting.meaning, setting.name
        assert setting.type, setting.name
    assert {name for name, setting in entries.items() if setting.secret} == SECRETS


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"NIGHTLATCH_PARTITION": "3"}, "did you mean NIGHTLATCH_PARTITIONS"),
        ({"NIGHTLATCH_XYZ": "3"}, "nightlatch settings"),
        ({"NIGHTLATCH_PARTITIONS": "x"}, "partitions must be an integer from 1 to 10,000, not 'x'"),
        ({"NIGHTLATCH_PARTITIONS": "0"}, "partitions must be an integer from 1"),
        ({"NIGHTLATCH_STORE": "disk"}, "store must be one of memory, rocksdb, not 'disk'"),
        ({"NIGHTLATCH_PUBLISH_ASSESSMENTS": "maybe"}, "must be true or false"),
        ({"NIGHTLATCH_REKEY": "orders,x"}, "rekey must be a list"),
        ({"NIGHTLATCH_DETECTION_SEED": "x"}, "detection_seed must be an integer"),
        ({"NIGHTLATCH_APP_ID": "a b"}, "app_id must be"),
        ({"NIGHTLATCH_SECURITY_PROTOCOL": "sasl_ssl"}, "sasl_username must be set"),
        ({"NIGHTLATCH_TLS_CERT_FILE": "x"}, "tls_cert_file and tls_key_file belong together"),
        ({"NIGHTLATCH_TLS_CA_FILE": "/none"}, "tls_ca_file: there is no file /none"),
        ({"NIGHTLATCH_TOPIC_ALERTS": "orders"}, "two topics are called 'orders'"),
        ({"NIGHTLATCH_CHUNK_RECORDS": "4001"}, "an integer from 1 to 4,000"),
        ({"NIGHTLATCH_SESSION_SECONDS": "5.9"}, "a number from 6 to 80"),
        ({"NIGHTLATCH_FLUSH_SECONDS": "nan"}, "flush_seconds must be a number"),
        ({"NIGHTLATCH_DETECTION_BASE_RATE": "7"}, "a number above 0 and below 1, not '7'"),
        ({"NIGHTLATCH_DETECTION_ALERT_FLOOR": "nan"}, "detection_alert_floor must be a number"),
        ({"NIGHTLATCH_DETECTION_CASE_QUIET_HOURS": "inf"}, "a number from 0.1 to 87,600"),
        ({"NIGHTLATCH_DETECTION_PROFILE_CACHE": "0"}, "an integer from 1 to"),
        ({"NIGHTLATCH_DETECTION_HIGH_RISK": "0.9"}, "must rise in this order, not 0.2, 0.9, 0.85"),
    ],
)
def test_what_cannot_be_is_refused(environ: dict[str, str], words: str) -> None:
    """The sentence names the source, the setting and what to write instead."""
    sentence = refusal(environ)
    assert words in sentence


@pytest.mark.parametrize(
    "address",
    ["host", "host:abc", "http://host:1", "host:0", "host:65536", "::1:9092", "h:1 2", ""],
)
def test_a_broker_is_a_host_and_a_port(address: str) -> None:
    """The Kafka clients' own complaints about addresses are tracebacks."""
    with pytest.raises(ConfigurationError, match="broker must be a list, each host:port"):
        load(environ={}, overrides={"broker": f"one:1,{address}"})


@pytest.mark.parametrize("address", ["localhost:9092", "kafka_1.shop:65535", "[::1]:9092"])
def test_brokers_by_name_and_by_address(address: str) -> None:
    """Names, IPv4 addresses and bracketed IPv6 addresses are taken."""
    assert load(environ={}, overrides={"broker": address}).settings.broker == (address,)


def test_every_number_has_a_least_and_a_most() -> None:
    """Without both bounds NaN or infinity would be let in."""
    for setting in registry().values():
        if "number" in setting.type or "integer" in setting.type:
            assert re.search(r"(from|above) .* (to|below) ", setting.type), setting
            if isinstance(setting.default, float):
                for text in ("nan", "inf", "-inf"):
                    assert setting.name in refusal({setting.variable: text})


def test_the_longest_session_is_one_that_faust_takes() -> None:
    """Faust refuses to start with sessions that outlast its requests."""
    faust = pytest.importorskip("faust")
    limit = faust.App("limits").conf.broker_request_timeout
    assert load(environ={}, overrides={"session_seconds": 80}).settings.session_seconds < limit
    with pytest.raises(ConfigurationError):
        load(environ={}, overrides={"session_seconds": limit})


def test_every_setting_is_read_by_somebody() -> None:
    """A setting that nothing reads is a promise that is not kept."""
    root = Path(__file__).parents[3]
    files = [path for path in root.glob("streams/**/*.py") if path.stem not in OWN_MODULES]
    read = set().union(*map(names_read, files))
    for name in Settings.__struct_fields__:
        if name in ("sasl_password_file", "topic_prefix", "detection"):
            continue  # read where the settings are made, into what others read
        assert name.removeprefix("topic_") in read, name
    detectors = set().union(*map(names_read, root.glob("detectors/**/*.py")))
    for name in Policy.__struct_fields__:
        assert name in detectors, f"detection_{name}"


def names_read(path: Path) -> set[str]:
    """Attributes of settings and policies that a module reads, and topics by their names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else ""
            owner = node.value.id if isinstance(node.value, ast.Name) else owner
            if owner.lstrip("_") in ("settings", "policy", "chosen"):
                found.add(node.attr)
        elif isinstance(node, ast.Constant) and node.value in TOPICS:
            found.add(str(node.value))
    return found


def test_what_a_file_cannot_say(tmp_path: Path) -> None:
    """A misspelt name, a table of none and a file that is no TOML are told with the file's name."""
    for text, words in (
        ("partition = 3", "did you mean partitions"),
        ("[topic]\nlogin = 'x'", "did you mean topic_logins"),
        ("partitions = [", "nightlatch.toml"),
        ("partitions = 'many'", "not 'many'"),
    ):
        file = settings_file(tmp_path, text)
        sentence = refusal({}, file)
        assert words in sentence
        assert str(file) in sentence


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    """Neither printing the settings nor refusing one shows a password."""
    settings = load(environ={"NIGHTLATCH_SASL_PASSWORD": SECRET}).settings
    assert settings.sasl_password == SECRET
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    file = settings_file(tmp_path, f"sasl_password = ['{SECRET}']")
    assert SECRET not in refusal({}, file)


def test_a_password_from_a_file(tmp_path: Path) -> None:
    """Secret mounts are files; a password in two places is refused."""
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    environ = {"NIGHTLATCH_SASL_PASSWORD_FILE": str(secret)}
    assert load(environ=environ).settings.sasl_password == SECRET
    assert "keep one" in refusal({**environ, "NIGHTLATCH_SASL_PASSWORD": "x"})
    assert "sasl_password_file" in refusal({"NIGHTLATCH_SASL_PASSWORD_FILE": str(tmp_path / "no")})


def test_connections_follow_the_settings() -> None:
    """All three Kafka clients get the same brokers, protocol and credentials."""
    plain = Settings(broker=("one:1", "two:2"))
    assert client_options(plain) == {
        "bootstrap_servers": ["one:1", "two:2"],
        "security_protocol": "PLAINTEXT",
    }
    assert faust_credentials(plain) is None
    safe = msgspec.structs.replace(
        plain,
        security_protocol="sasl_ssl",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="u",
        sasl_password=SECRET,
    )
    options = client_options(safe)
    assert options["security_protocol"] == "SASL_SSL"
    assert options["ssl_context"].check_hostname
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", SECRET)
    credentials = faust_credentials(safe)
    assert credentials is not None
    assert credentials.protocol.value == "SASL_SSL"
    with pytest.raises(ConfigurationError, match="TLS"):
        client_options(msgspec.structs.replace(safe, tls_ca_file=Path(__file__)))

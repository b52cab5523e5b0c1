"""Where settings come from, which source wins, and what is refused with which sentence."""

from pathlib import Path

import msgspec
import pytest

from detectors.errors import ConfigurationError
from detectors.policy import Policy
from streams.configuration import load
from streams.connections import client_options, faust_broker, faust_credentials
from streams.settings import SECRETS, Settings, registry

SECRET = "geheim"  # noqa: S105 - a password of nothing


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
    ],
)
def test_what_cannot_be_is_refused(environ: dict[str, str], words: str) -> None:
    """The sentence names the source, the setting and what to write instead."""
    sentence = refusal(environ)
    assert words in sentence


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
    assert faust_broker(plain) == "kafka://one:1;kafka://two:2"
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

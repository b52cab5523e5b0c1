"""What users deploy, checked without an engine: sources, commands, settings, no secrets.

The commands run where the image would run them: in an environment that has the built wheel and
nothing of the development's.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka.admin import KafkaAdminClient
from kafka.errors import RetriableError

from streams.local_kafka import KAFKA_VERSION
from streams.settings import registry
from tests.support.commands import REPOSITORY, clean_environment
from tests.support.processes import text_of, wait_until

DOCKER = REPOSITORY / "docker"
INSTRUCTIONS = frozenset(
    {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "ENTRYPOINT", "CMD", "VOLUME", "HEALTHCHECK"}
)
SERVICE_KEYS = frozenset(
    [
        "image",
        "build",
        "environment",
        "init",
        "cap_drop",
        "security_opt",
        "ports",
        "volumes",
        "healthcheck",
        "restart",
        "command",
        "entrypoint",
        "depends_on",
        "profiles",
        "stop_grace_period",
    ]
)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined, comments left out."""
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    pairs = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, rest) for name, rest in pairs]


def compose() -> dict[str, Any]:
    """The compose file, as an engine reads it."""
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
    return loaded


def own_services() -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    services: dict[str, dict[str, Any]] = compose()["services"]
    return {name: service for name, service in services.items() if "build" in service}


def test_the_dockerfile_is_well_formed() -> None:
    """Known instructions only, two stages, and the last runs a worker as an unprivileged user."""
    parsed = instructions()
    assert {name for name, _ in parsed} <= INSTRUCTIONS
    stages = [rest for name, rest in parsed if name == "FROM"]
    assert len(stages) == 2
    last = dict(parsed[[name for name, _ in parsed].index("FROM", 1) :])
    assert int(last["USER"]) > 0
    assert last["ENTRYPOINT"] == '["nightlatch"]'
    assert last["CMD"] == '["worker"]'


def test_every_copied_source_exists_and_reaches_the_engine() -> None:
    """The build finds what it copies: in the repository, and past the ignore file."""
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    let_through = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    sources = [
        source
        for name, rest in instructions()
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    assert sources
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert source in let_through, source


def test_the_compose_file_has_the_shape_that_engines_take() -> None:
    """Known keys, services that exist, conditions that exist, volumes that are declared."""
    file = compose()
    assert set(file) <= {"name", "services", "volumes", "x-nightlatch"}
    services = file["services"]
    conditions = {"service_healthy", "service_completed_successfully", "service_started"}
    for name, service in services.items():
        assert set(service) <= SERVICE_KEYS, name
        for other, needs in service.get("depends_on", {}).items():
            assert needs["condition"] in conditions
            assert needs["condition"] != "service_healthy" or "healthcheck" in services[other]
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in file["volumes"]
    for name, service in own_services().items():
        context = (DOCKER / service["build"]["context"]).resolve()
        assert (context / service["build"]["dockerfile"]).is_file(), name


def test_the_simulator_is_optional_and_the_rest_is_not() -> None:
    """`up` alone starts Kafka, makes the topics, then runs a worker."""
    services = compose()["services"]
    assert {name for name, service in services.items() if "profiles" in service} == {"simulator"}
    assert services["worker"]["depends_on"].keys() == {"topics"}
    assert services["topics"]["depends_on"].keys() == {"kafka"}


def test_kafka_is_the_version_that_the_tests_run_against() -> None:
    """What is deployed is what was tested, and takes batches of the same size."""
    kafka = compose()["services"]["kafka"]
    assert kafka["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert kafka["environment"]["KAFKA_MESSAGE_MAX_BYTES"] == 16 * 1024 * 1024
    assert kafka["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_every_setting_named_is_one_that_exists() -> None:
    """A misspelt variable would stop the worker at start."""
    known = {setting.variable for setting in registry().values()}
    named = set(re.findall(r"NIGHTLATCH_[A-Z_]+", (DOCKER / "Dockerfile").read_text("utf-8")))
    named |= {name for service in own_services().values() for name in service["environment"]}
    assert named
    assert named <= known


def test_no_secret_is_in_them() -> None:
    """Nothing that looks like a credential, in any of the files."""
    for path in DOCKER.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"(?i)(password|secret|token|api_?key)\s*[:=]\s*\S", text), path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheel, as the image has it, and nothing else."""
    home = tmp_path_factory.mktemp("image")
    source = home / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "detectors", "streams"):
        # The wheel is built from what the build stage copies.
        (source / name).symlink_to(REPOSITORY / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(home), str(source)], check=True, cwd=home
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "venv")], check=True)
    wheel = next(home.glob("nightlatch-*.whl"))
    python = home / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", str(wheel)], check=True, cwd=home)
    return python.parent


@pytest.fixture
def environment(installed: Path, kafka: str, topic_prefix: str, tmp_path: Path) -> dict[str, str]:
    """A container's environment, but for this test's own broker, names and state."""
    return clean_environment(
        PATH=f"{installed}:/usr/bin:/bin",
        NIGHTLATCH_BROKER=kafka,
        NIGHTLATCH_TOPIC_PREFIX=topic_prefix,
        NIGHTLATCH_APP_ID=topic_prefix + "worker",
        NIGHTLATCH_DATA_DIR=str(tmp_path / "state"),
    )


def command_of(service: str) -> list[str]:
    """What a service's container executes."""
    described = own_services()[service]
    entrypoint: list[str] = described.get("entrypoint", ["nightlatch"])
    return [*entrypoint, *described["command"]]


@pytest.mark.parametrize(
    "command", [shlex.split(line) for line in ("--version", "--help", "worker --help", "settings")]
)
def test_the_wheel_stands_on_its_own(installed: Path, tmp_path: Path, command: list[str]) -> None:
    """Commands run without the packages that only development has."""
    ended = subprocess.run(
        [str(installed / "nightlatch"), *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=clean_environment(),
    )
    assert ended.returncode == 0, ended.stderr


def test_without_the_local_kafka_a_sentence_says_how_to_get_it(
    installed: Path, tmp_path: Path
) -> None:
    """The image has no local Kafka; who asks for one is told what to install."""
    ended = subprocess.run(
        [str(installed / "nightlatch"), "kafka", "start"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=clean_environment(),
    )
    assert ended.returncode == 2
    assert "pip install 'nightlatch[local-kafka]'" in ended.stderr


@pytest.mark.kafka
def test_the_compose_files_commands_run(
    environment: dict[str, str], kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Topics are made once and again, a worker starts and is stopped, traffic comes in."""
    for _ in range(2):
        subprocess.run(command_of("topics"), check=True, env=environment, cwd=tmp_path, timeout=60)
    with running("worker", environment, tmp_path), running("simulator", environment, tmp_path):
        assert wait_until(lambda: committed(kafka, topic_prefix + "worker") > 0, 60), text_of(
            tmp_path / "worker"
        ) + text_of(tmp_path / "simulator")
    # An orderly end, not a killed one: it has saved its state and left its group.
    assert (tmp_path / "worker.code").read_text() == "0", text_of(tmp_path / "worker")


@contextmanager
def running(service: str, environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A service's command in the background, stopped as an engine stops it."""
    with (folder / service).open("wb") as output:
        process = subprocess.Popen(
            command_of(service),
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        (folder / f"{service}.code").write_text(str(process.wait(30)))


def committed(bootstrap: str, group: str) -> int:
    """How many records a group has dealt with."""
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        offsets = client.list_group_offsets(group)[group]
    except RetriableError:
        return 0  # a broker makes room for its first group
    finally:
        client.close()
    return sum(max(0, offset.offset) for offset in offsets.values())

"""A secured broker: TLS, SCRAM and PLAIN, and ACLs that allow nobody anything."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)

from detectors.errors import ConfigurationError
from streams.configuration import load
from streams.kafka_clients import BrokerTrouble, admin
from streams.local_kafka import LocalKafka, Security
from streams.permissions import Permission, check_permissions, permissions, worker_permissions
from streams.settings import Settings, SourceTopic
from streams.topic_administration import check, create
from tests.conftest import JARS
from tests.integration import shop_traffic
from tests.integration.harness import wait_for
from tests.support.certificates import Certificates, make_certificates
from tests.support.commands import NIGHTLATCH, REPOSITORY, clean_environment, nightlatch

pytestmark = pytest.mark.kafka

PASSWORDS = {
    "admin": "admin-Zauberwort",
    "worker": "worker-Zauberwort",
    "pipeline": "pipeline-Zauberwort",
    "analyst": "analyst-Zauberwort",
    "operator": "operator-Zauberwort",
    "probed": "probed-Zauberwort",
}
REKEYED: tuple[SourceTopic, ...] = ("orders",)
# Enough of what a worker can be told to touch: a topic carried, and every score written.
CHOSEN = Settings(app_id="secured", partitions=1, rekey=REKEYED, publish_assessments=True)
LEAST = worker_permissions(CHOSEN)


class Secured:
    """A broker that lets nobody in whom it does not know."""

    def __init__(self, broker: str, certificates: Certificates) -> None:
        self.broker = broker
        self.certificates = certificates

    def variables(self, user: str, **others: Any) -> dict[str, str]:
        """Return a user's settings by name, as text."""
        chosen = {
            "broker": self.broker,
            "security_protocol": "sasl_ssl",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": user,
            "sasl_password": PASSWORDS[user],
            "tls_ca_file": self.certificates.authority,
            "app_id": CHOSEN.app_id,
            "partitions": CHOSEN.partitions,
            "rekey": ",".join(CHOSEN.rekey),
            "publish_assessments": "true",
            **others,
        }
        return {name: str(value) for name, value in chosen.items()}

    def settings(self, user: str) -> Settings:
        """Return a user's settings."""
        return load(environ={}, overrides=self.variables(user)).settings

    def environment(self, user: str, **others: Any) -> dict[str, str]:
        """Return the environment of a user's command."""
        variables = self.variables(user, **others)
        return clean_environment(**{f"NIGHTLATCH_{k.upper()}": v for k, v in variables.items()})

    def allow(self, user: str, *allowed: Permission) -> None:
        """Give a user ACLs."""
        with admin(self.settings("admin")) as client:
            client.create_acls([_acl(user, permission) for permission in allowed])

    def forbid(self, user: str, *forbidden: Permission) -> None:
        """Take ACLs from a user."""
        with admin(self.settings("admin")) as client:
            client.delete_acls([_acl(user, permission, ACLFilter) for permission in forbidden])

    def complaint(self, user: str) -> str:
        """Return what a worker of this user's would say of its permissions; nothing is all well."""
        try:
            check_permissions(self.settings(user), LEAST)
        except ConfigurationError as error:
            return str(error)
        return ""


def _acl(user: str, permission: Permission, kind: type[Any] = ACL) -> Any:
    return kind(
        f"User:{user}",
        "*",
        ACLOperation[permission.operation],
        ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType[permission.kind.upper()], permission.name),
    )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A secured broker with the product's topics, made by an operator with the least ACLs."""
    folder = tmp_path_factory.mktemp("secured")
    made = make_certificates(folder)
    security = Security(made.key_and_chain, made.authority, PASSWORDS, "admin")
    broker = LocalKafka(folder / "kafka", folder=JARS, security=security)
    try:
        found = Secured(broker.start(), made)
        found.allow("operator", *permissions(CHOSEN, "operator"))
        wait_for(lambda: not _refusal(found), "the operator to be allowed")
        assert create(found.settings("operator")).made
        yield found
    finally:
        broker.stop()


def _refusal(secured: Secured) -> bool:
    """Whether the operator may not do all yet: brokers learn of an ACL a moment later."""
    try:
        check(secured.settings("operator"))
    except BrokerTrouble as error:
        return "Authorization" in str(error)
    return False


def test_each_role_runs_with_its_least_acls_and_tells_no_password(
    secured: Secured, tmp_path: Path
) -> None:
    """Over SASL_SSL a pipeline sends, a worker scores, an analyst judges; each may do no more.

    The worker signs in by PLAIN, which sends the password itself, and logs all it can.
    """
    for role in ("worker", "pipeline", "analyst"):
        secured.allow(role, *permissions(CHOSEN, role))
    wait_for(lambda: not secured.complaint("worker"), "the worker to be allowed")
    happenings = [h for h in shop_traffic.everything() if h.source != "feedback"]
    kinds = {"logins": "login", "orders": "order", "account_changes": "account_change"}
    lines = [
        orjson.dumps({"type": kinds[h.source], **orjson.loads(h.value)}).decode()
        for h in happenings
    ]
    sent = nightlatch(
        "send", "-", environment=secured.environment("pipeline"), stdin="\n".join(lines)
    )
    assert sent.returncode == 0, sent.stderr
    log = tmp_path / "worker.log"
    environment = secured.environment(
        "worker", sasl_mechanism="PLAIN", log_level="debug", data_dir=tmp_path / "data"
    )
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [*NIGHTLATCH, "worker"], cwd=REPOSITORY, env=environment, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: b"Ready: partitions" in log.read_bytes(), "the worker to be ready")
        read = nightlatch(
            "alerts",
            "--from-beginning",
            "--json",
            "--max=1",
            "--timeout=60",
            environment=secured.environment("analyst"),
            timeout=100,
        )
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0, log.read_text()[-3000:]
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
    assert read.returncode == 0, read.stderr
    alert = orjson.loads(read.stdout)
    assert alert["account_id"] == shop_traffic.VICTIM
    for judging in (("verdict", "takeover", alert["alert_id"]), ("alerts", "--open", "--json")):
        judged = nightlatch(*judging, environment=secured.environment("analyst"))
        assert judged.returncode == 0, judged.stderr
    text = log.read_text()
    assert "SaslAuthenticateRequest" in text, "nothing was logged that could have told it"
    assert PASSWORDS["worker"] not in text
    assert "Zauberwort" not in sent.stdout + sent.stderr + read.stderr


@pytest.mark.parametrize("missing", LEAST, ids=str)
def test_with_one_acl_fewer_the_worker_says_which(secured: Secured, missing: Permission) -> None:
    """The set is the least: each of it is needed, and where it is missing, it is named."""
    secured.allow("probed", *LEAST)
    wait_for(lambda: not secured.complaint("probed"), "all to be allowed")
    secured.forbid("probed", missing)
    wait_for(lambda: secured.complaint("probed"), "one to be missed")
    complaint = secured.complaint("probed")
    assert f"do not allow 'probed' {missing}: `nightlatch topics acls`" in complaint


def refused(secured: Secured, *command: str, **others: Any) -> str:
    """Have a command be refused at once, as a mistake of its settings; return its sentence."""
    began = time.monotonic()
    ended = nightlatch(*command, environment=secured.environment("operator", **others))
    assert ended.returncode == 2, ended.stderr
    assert time.monotonic() - began < 15
    assert "Zauberwort" not in ended.stderr
    (sentence,) = ended.stderr.splitlines()
    return sentence


@pytest.mark.parametrize("command", [("worker",), ("topics", "check")], ids=" ".join)
def test_who_is_not_let_in_is_told_why(
    secured: Secured, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """A wrong password, an unknown authority, the wrong protocol: one sentence, exit code 2."""
    wrong_password = {"sasl_password": "wrong-Zauberwort", "data_dir": tmp_path}
    assert "does not let 'operator' in: see sasl_username" in refused(
        secured, *command, **wrong_password
    )
    stranger = {"tls_ca_file": secured.certificates.stranger, "data_dir": tmp_path}
    assert "shows a certificate that is not trusted" in refused(secured, *command, **stranger)
    unencrypted = {"security_protocol": "sasl_plaintext", "data_dir": tmp_path}
    assert "ends a connection by sasl_plaintext" in refused(secured, *command, **unencrypted)


def test_a_worker_without_its_acls_does_not_start(secured: Secured, tmp_path: Path) -> None:
    """What is missing is said before anything is read: exit code 2, one sentence."""
    sentence = refused(secured, "worker", data_dir=tmp_path)
    assert "do not allow 'operator' READ on group secured, READ on topic logins" in sentence


def test_the_acls_are_printed_as_kafkas_own_commands(secured: Secured) -> None:
    """`nightlatch topics acls` gives, line by line, what the test above has proven."""
    printed = nightlatch("topics", "acls", environment=secured.environment("worker"))
    lines = printed.stdout.splitlines()
    assert len(lines) == len(LEAST)
    assert lines[0].endswith("--add --allow-principal User:worker --operation Read --group secured")
    assert any(line.endswith("--operation DescribeConfigs --topic alerts") for line in lines)

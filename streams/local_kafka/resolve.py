"""Write `jars.txt` anew: `python -m streams.local_kafka.resolve`, after changing KAFKA_VERSION.

Resolves the broker's dependencies from Maven Central with `jgo`, downloads them and notes their
SHA-256. A developer's tool: the product only reads the list.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import Dependency, MavenContext

from streams.local_kafka.distribution import KAFKA_VERSION

_HEADER = """\
# Apache Kafka {version} and all it needs, with the SHA-256 of each jar.
# Written by  python -m streams.local_kafka.resolve
"""


def resolve(context: MavenContext) -> list[Dependency]:
    """All jars of the broker, and the binding that gives its log to log4j, of log4j's version."""

    def dependency(group: str, artifact: str, version: str, *, manages: bool) -> Dependency:
        component = context.project(group, artifact).at_version(version)
        return Dependency(component.artifact(), raw=not manages)

    broker = dependency("org.apache.kafka", "kafka_2.13", KAFKA_VERSION, manages=True)
    _, found = context.resolver.resolve([broker])
    log4j = next(jar.version for jar in found if jar.artifactId == "log4j-core")
    # log4j's own parent manages kafka-clients too, at an older version: it must not decide.
    binding = dependency("org.apache.logging.log4j", "log4j-slf4j-impl", log4j, manages=False)
    asked, found = context.resolver.resolve([broker, binding])
    return [*asked, *found]


def main() -> None:
    """Write the list."""
    with tempfile.TemporaryDirectory() as repository:
        lines = []
        for jar in resolve(MavenContext(repo_cache=Path(repository), local_repos=[])):
            digest = hashlib.sha256(jar.artifact.resolve().read_bytes()).hexdigest()
            lines.append(f"{jar.groupId}:{jar.artifactId}:{jar.version} {digest}\n")
    text = _HEADER.format(version=KAFKA_VERSION) + "".join(sorted(lines))
    Path(__file__).with_name("jars.txt").write_text(text, "utf-8")
    sys.stdout.write(f"{len(lines)} jars\n")


if __name__ == "__main__":
    main()

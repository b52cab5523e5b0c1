"""The command `nightlatch`.

**Adding a command.** A command is one module of this package, named as on the command line with
underscores for hyphens (`dead_letters` is `nightlatch dead-letters`). It has either a function
`command` (typed by Typer's annotations), or, where it has commands of its own, an
`app = typer.Typer()`. The docstring of the function (of the app: its `help=`) is its help. Then
its name goes into `COMMANDS` below, in the order of `--help`. No `no_args_is_help`: a missing
argument is an error in one line, like any other. Modules are imported when they are
asked for, and should import what is slow (Faust, river, Kafka) inside their functions, since
`--help` imports them all.

**Errors.** A command raises `NightlatchError` for whatever its user can mend: it becomes one line
on standard error and the exit code that `streams.exit_codes` gives it. It raises `typer.Exit(1)`
after saying on standard output what it found wrong. Any other exception is a bug and keeps its
traceback. Results go to standard output; progress, notes and errors to standard error.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from detectors import __version__
from detectors.errors import NightlatchError
from streams.exit_codes import DONE, INTERRUPTED, MISTAKE, exit_code
from streams.interrupts import exit_with
from streams.whole_files import is_full, not_written

COMMANDS: Final = (
    "demo",
    "worker",
    "topics",
    "simulate",
    "send",
    "alerts",
    "verdict",
    "campaigns",
    "evidence",
    "verify",
    "dead-letters",
    "backtest",
    "intel",
    "bulletin",
    "settings",
    "kafka",
)
_STANDARD_OUTPUT: Final = 1


class _Commands(TyperGroup):
    """Imports a command's module when the command is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # The names alone, for the listing and for "did you mean".
        names: dict[str, Any] = dict.fromkeys(COMMANDS)
        self.commands = names

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's
        if cmd_name not in self.commands:
            return None
        module = import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        holder = typer.Typer(rich_markup_mode=None)
        if hasattr(module, "app"):
            holder.add_typer(module.app, name=cmd_name)
        else:
            holder.command(cmd_name)(module.command)
        return get_group(holder).commands[cmd_name]


app = typer.Typer(cls=_Commands, invoke_without_command=True, rich_markup_mode=None)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - how Typer calls it
    if asked:
        typer.echo(f"nightlatch {__version__}")
        raise typer.Exit


@app.callback()
def nightlatch(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Account-takeover detection for online retailers, on Kafka.

    Exit codes: 0 done; 1 it could not be done (brokers that cannot be reached, or a disk that is
    full, in one line on standard error), or something wrong was found and told (topics that do not
    fit, events that could not be sent); 2 a mistake in how it was called or set up, in one line on
    standard error; 130 interrupted.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code."""
    try:
        code = get_command(app).main(arguments, prog_name="nightlatch", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):  # Typer's prompts turn Ctrl-C into the other
        return INTERRUPTED
    except typer.TyperException as mistake:
        _tell(mistake.format_message(), getattr(mistake, "ctx", None))
        return MISTAKE
    except NightlatchError as error:
        _tell(str(error))
        return exit_code(error)
    except OSError as error:
        return _told_full(error)
    return code if isinstance(code, int) else DONE


def _told_full(error: OSError) -> int:
    """Tell that there is no room for what is written to standard output; raise any other error.

    Files that we write say so themselves.
    """
    if not is_full(error):
        raise error
    full = not_written(error.filename or "standard output", error)
    _tell(str(full))
    # What is still to be written there would only fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), _STANDARD_OUTPUT)
    return exit_code(full)


def _tell(message: str, context: typer.Context | None = None) -> None:
    line = " ".join(message.split())
    hint = f" (see {context.command_path} --help)" if context else ""
    typer.echo(f"nightlatch: {line.rstrip('.')}{hint}", err=True)


def main() -> None:
    """Entry point of the command."""
    code = run(sys.argv[1:])
    try:
        exit_with(code)
    except OSError as error:  # the end of what was said
        exit_with(_told_full(error))

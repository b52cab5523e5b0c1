"""`nightlatch worker`: score every account's events as they arrive."""

import typer

from streams.cli.options import Broker, SettingsFile, settings_from
from streams.interrupts import ending_at_once


def command(*, settings: SettingsFile = None, broker: Broker = None) -> None:
    """Read sign-ins, orders and account changes; put hijack attempts on `alerts`.

    Runs until SIGTERM or Ctrl-C. Start more of them, up to the number of partitions, to share
    the accounts out; each needs a data directory of its own.
    """
    with ending_at_once():
        from streams.app import run_worker

        chosen = settings_from(settings, broker)
    raise typer.Exit(run_worker(chosen))

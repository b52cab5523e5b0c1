"""The product's worker, as a program: `python -m tests.integration.product_worker JSON`."""

import sys

import msgspec

from streams.app import run_worker
from streams.configuration import load
from tests.integration.counting_worker import die

# Shorter than a setting may be: the tests' broker allows it, and others must take over soon.
SESSION_SECONDS = 3.0


class Options(msgspec.Struct, kw_only=True):
    """Settings by name, and where the process is to kill itself (see `counting_worker`)."""

    settings: dict[str, str]
    die_at: str | None = None
    die_after: int = 1


def main() -> int:
    """Run the worker; return its exit code."""
    options = msgspec.json.decode(sys.argv[1], type=Options)
    if options.die_at is not None:
        die(options.die_at, options.die_after)
    settings = load(environ={}, overrides=options.settings).settings
    return run_worker(msgspec.structs.replace(settings, session_seconds=SESSION_SECONDS))


if __name__ == "__main__":
    sys.exit(main())

"""What a process of ours ends with, for scripts and supervisors: one table for every command."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from detectors.errors import NightlatchError

DONE: Final = 0
FAILED: Final = 1
"""It could not be done, or something wrong was found: trying again may help."""
MISTAKE: Final = 2
"""A mistake in how it was called or set up: trying again will not help."""
INTERRUPTED: Final = 130


def exit_code(error: "NightlatchError") -> int:
    """Return the exit code of a process that an error ends.

    Brokers that cannot be reached are no mistake: they may be there in a minute.
    """
    # Late, since what Ctrl-C ends the process with is needed before anything else is loaded.
    from detectors.errors import ConfigurationError, UnreadableFile

    return MISTAKE if isinstance(error, ConfigurationError | UnreadableFile) else FAILED

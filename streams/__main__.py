"""The command `nightlatch`, and `python -m streams` for where its script is not on the path."""

from streams.interrupts import ending_at_once, interrupt_between_imports


def main() -> None:
    """Load the command line, which takes some tenths of a second, and run it."""
    with ending_at_once():
        from streams.cli import main as command_line
    interrupt_between_imports()
    command_line()


if __name__ == "__main__":
    main()

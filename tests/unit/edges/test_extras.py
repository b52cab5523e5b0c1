"""What a command needs and is not installed is told before any work, with what brings it."""

import subprocess
import sys

import pytest

_WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("matplotlib", "jinja2", "fpdf", "cryptography", "stix2")))
from streams.__main__ import main
main()
"""
"""`nightlatch` where nothing but what `pip install .` brings can be imported."""


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        ("bulletin --month 2026-11", "report"),
        ("backtest - --report report", "report"),
        ("evidence 4e5020323acd44a1d5159810", "evidence"),
        ("evidence --new-key key.pem", "evidence"),
        ("verify pack.zip", "evidence"),
        ("intel export", "sharing"),
        ("intel import --format stix -", "sharing"),
    ],
)
def test_what_an_extra_brings(arguments: str, extra: str) -> None:
    """One sentence with the remedy and exit code 2, whichever package is missing."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *arguments.split()],
        input="{}",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = done.stderr.splitlines()
    assert done.returncode == 2, told
    assert len(told) == 1, told
    assert f"pip install 'nightlatch[{extra}]' brings it" in told[0]

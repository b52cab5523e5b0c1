"""How the chaos runs are called: `python -m tests.chaos`."""

import pytest

from tests.chaos.__main__ import main


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--faults", "kill,frieze", "no such fault: frieze (of: none, kill"),
        ("--faults", "", "no such fault"),
        ("--seeds", "1,x", "seeds"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_started(
    option: str,
    value: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong name among several ends all of it at once: a run of the others takes minutes."""
    monkeypatch.setattr("sys.argv", ["tests.chaos", option, value])
    with pytest.raises(SystemExit, match="2"):
        main()
    captured = capsys.readouterr()
    assert told in captured.err
    assert not captured.out

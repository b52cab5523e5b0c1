"""The group's keys are read from a file that nobody else may read, and are never shown."""

from pathlib import Path

import pytest

from detectors.errors import ConfigurationError
from detectors.intelligence import GroupKey
from streams.sharing.keys import add_key, read_keys


def test_keys_are_made_and_read_newest_first(tmp_path: Path) -> None:
    """A new key goes in front; those before it stay, so that their hashes are still known."""
    path = tmp_path / "keys"
    add_key(path, "2026-08")
    [first] = read_keys(path)
    add_key(path, "2026-11")
    assert [key.key_id for key in read_keys(path)] == ["2026-11", "2026-08"]
    assert read_keys(path)[1] == first
    assert len(first.secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="already"):
        add_key(path, "2026-11")
    with pytest.raises(ConfigurationError, match="no key id"):
        add_key(path, "a b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever reads it can try values against everybody's hashes."""
    path = tmp_path / "keys"
    add_key(path, "k")
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_keys(path)


_LINE = f"k {'A' * 43}=\n"


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "k short==\n", "k\n", "k AAAA BBBB\n", 2 * _LINE, f"a b {_LINE}"]
)
def test_what_is_no_file_of_keys_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    """The sentence names the line, never what stands there: it may be a secret."""
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as raised:
        read_keys(path)
    assert "AAAA" not in str(raised.value)
    assert "short" not in str(raised.value)
    with pytest.raises(ConfigurationError):
        read_keys(tmp_path / "absent")


def test_a_key_does_not_show_its_secret() -> None:
    """Its text may end up in a log."""
    assert "secret" not in repr(GroupKey("k", b"secret" * 6))

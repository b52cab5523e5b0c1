"""The local store is a copy: whatever happens to it, the worker goes on."""

import logging
import os
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from rocksdict import Rdict

from streams.runtime.changelog import Changelog, Restoring
from streams.runtime.lanes import Flow
from streams.runtime.opening import Opener
from streams.runtime.options import RuntimeOptions, StatefulFlow
from streams.runtime.store import BUFFER_BYTES, RocksStore, StoreFailed, StoreInUse
from tests.support.disks import a_full_disk


def damage_manifest(path: Path) -> None:
    """Overwrite what says which files there are."""
    for manifest in path.glob("MANIFEST*"):
        manifest.write_bytes(b"junk" * 10)


def damage_table(path: Path) -> None:
    """Cut the values short."""
    for table in path.glob("*.sst"):
        table.write_bytes(table.read_bytes()[:100])


@pytest.mark.parametrize("damage", [damage_manifest, damage_table], ids=["manifest", "table"])
def test_a_damaged_store_is_made_anew(
    tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that cannot be opened is emptied, says so, and is filled from the changelog."""
    path = tmp_path / "a-block-of-flats" / "store"
    store = RocksStore(path)
    store.write({b"%d" % number: b"value" * 20 for number in range(500)}, next_offset=10)
    store._db.flush()
    store.close()
    assert callable(damage)
    damage(path)
    with caplog.at_level(logging.WARNING):
        again = RocksStore(path)
    assert again.next_offset == 0
    assert list(again.items()) == []
    assert "made anew" in caplog.text
    again.write({b"key": b"value"}, next_offset=1)
    assert again.get(b"key") == b"value"
    again.close()


def test_a_store_in_use_is_no_damaged_one(tmp_path: Path) -> None:
    """Another worker's store is left alone."""
    store = RocksStore(tmp_path / "store")
    store.write({b"key": b"value"}, next_offset=1)
    with pytest.raises(StoreInUse, match="data_dir of its own"):
        RocksStore(tmp_path / "store")
    assert store.get(b"key") == b"value"
    store.close()


def test_a_store_that_cannot_be_closed_says_what_to_do(tmp_path: Path) -> None:
    """On a disk that is full: one sentence, all other stores closed, and a next worker goes on.

    What did not get onto it is read again from the changelog.
    """
    flow = StatefulFlow(Flow("events", ("logins",), 10), "changelog", 2, None)  # type: ignore[arg-type] # nothing is folded
    options = RuntimeOptions({}, (flow,), tmp_path, session_seconds=10)
    opener = Opener(options, flow, Changelog(None, "changelog"), Restoring())
    for number in range(2):
        store = opener._stores[number] = RocksStore(tmp_path / str(number))
        store.write({b"%d" % key: b"value" * 20 for key in range(500)}, next_offset=10)
    with a_full_disk(), pytest.raises(StoreFailed, match="free space there and start the worker"):
        opener.close()
    for number in range(2):
        again = RocksStore(tmp_path / str(number))
        assert (again.next_offset, list(again.items())) == (0, [])
        again.write({b"key": b"value"}, next_offset=1)
        again.close()


def _write_much(store: RocksStore) -> None:
    for step in range(BUFFER_BYTES >> 20):
        store.write({b"%d" % step: os.urandom(1 << 20)}, next_offset=10 + step)


def test_a_store_that_cannot_go_into_a_file_says_so_when_it_is_written(tmp_path: Path) -> None:
    """A disk that fills up ends the worker: memory neither grows on nor is waited for."""
    store = RocksStore(tmp_path / "store")
    store.write({b"early": b"1"}, next_offset=1)
    store._db.flush()
    with a_full_disk():
        with pytest.raises(StoreFailed, match="free space there and start the worker"):
            _write_much(store)
        with pytest.raises(StoreFailed):
            store.close()
    again = RocksStore(tmp_path / "store")
    assert (again.next_offset, list(again.items())) == (1, [(b"early", b"1")])
    again.close()


def _dies_with(path: Path) -> None:
    store = RocksStore(path)
    store.write({b"early": b"1", b"both": b"1"}, next_offset=10)
    store._db.flush()
    store.write({b"late": b"2", b"both": b"2"}, next_offset=20)
    os._exit(9)


def test_a_store_whose_process_was_killed_is_of_one_earlier_moment(tmp_path: Path) -> None:
    """What was in memory is gone with its offset: the changelog is read from there."""
    process = get_context("spawn").Process(target=_dies_with, args=(tmp_path / "store",))
    process.start()
    process.join()
    assert process.exitcode == 9
    store = RocksStore(tmp_path / "store")
    assert store.next_offset == 10
    assert list(store.items()) == [(b"both", b"1"), (b"early", b"1")]
    store.close()


class _DiesAtOnce:
    """A database whose process dies when it has been written to once, with all in a file."""

    def __init__(self, db: Rdict) -> None:
        self._db = db

    def write(self, *batch: Any) -> None:
        """Write, and die."""
        self._db.write(*batch)
        self._db.flush()
        os._exit(9)


def _dies_within_a_step(path: Path) -> None:
    store = RocksStore(path)
    store._db = _DiesAtOnce(store._db)  # type: ignore[assignment] # all that is asked of it here
    store.write({b"key": b"value"}, next_offset=10)


def test_a_step_and_its_offset_come_into_a_file_together(tmp_path: Path) -> None:
    """Whenever the process dies: an offset that is ahead of the data would lose some for good."""
    process = get_context("spawn").Process(target=_dies_within_a_step, args=(tmp_path / "store",))
    process.start()
    process.join()
    assert process.exitcode == 9
    store = RocksStore(tmp_path / "store")
    assert (store.next_offset, list(store.items())) == (10, [(b"key", b"value")])
    store.close()


def test_a_store_that_is_closed_loses_nothing(tmp_path: Path) -> None:
    """A worker that ends in good order begins where it was."""
    store = RocksStore(tmp_path / "store")
    store.write({b"key": b"value"}, next_offset=10)
    store.close()
    again = RocksStore(tmp_path / "store")
    assert (again.next_offset, list(again.items())) == (10, [(b"key", b"value")])
    again.close()

"""Which journal a store's file has: by what the file system is known for, and by trial."""

import fcntl
import sqlite3
from types import SimpleNamespace

import psutil
import pytest

from iface_wf.errors import InputError, NoticeWarning
from iface_wf.store import filesystem, sqlite_file
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.filesystem import shares_memory


@pytest.fixture
def lies_on(tmp_path, monkeypatch):
    """Return a function that lets the test's folder lie on a file system of some kind."""

    def mount(kind):
        mounts = [
            SimpleNamespace(mountpoint="/", fstype="ext4"),
            SimpleNamespace(mountpoint=str(tmp_path), fstype=kind),
        ]
        monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)

    return mount


def journal(path):
    connection = sqlite3.connect(path)
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    return mode


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *((kind, "delete") for kind in ("nfs4", "lustre", "glusterfs", "fuse.glusterfs", "fuse.ceph-fuse", "virtiofs")),
        *((kind, "delete") for kind in ("fuse.juicefs", "fuse.s3fs", "9p", "vboxsf", "moosefs", "something new", "")),
        *((kind, "wal") for kind in ("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay")),
    ],
)
def test_what_other_machines_may_use_gets_a_rollback_journal(tmp_path, lies_on, kind, mode):
    lies_on(kind)
    with SqliteStore(tmp_path / "s.sqlite") as one, SqliteStore(tmp_path / "s.sqlite") as other:
        one.update({"task_id": 1})
        other.update({"task_id": 2})
        assert one.count() == other.count() == 2
    assert journal(tmp_path / "s.sqlite") == mode


def test_a_trial_decides_where_the_kind_seems_local(tmp_path, monkeypatch):
    assert shares_memory(tmp_path)
    monkeypatch.setattr(sqlite_file, "shares_memory", lambda folder: False)
    SqliteStore(tmp_path / "s.sqlite").connect()
    assert journal(tmp_path / "s.sqlite") == "delete"


def test_without_locks_or_mapped_files_the_trial_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: b"")  # grants every lock
    assert not shares_memory(tmp_path)
    monkeypatch.undo()

    def refuse(*_):
        raise OSError(19, "No such device")

    monkeypatch.setattr(filesystem.mmap, "mmap", refuse)
    assert not shares_memory(tmp_path)
    monkeypatch.undo()
    assert not shares_memory(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_moved_is_told_of_and_switched(tmp_path, lies_on):
    path = tmp_path / "s.sqlite"
    with SqliteStore(path) as store:
        store.update({"task_id": 1})
    assert journal(path) == "wal"
    lies_on("fuse.glusterfs")
    store = SqliteStore(path)
    with pytest.warns(
        NoticeWarning, match=r"s\.sqlite lies on a file system \(fuse\.glusterfs\) .* a rollback journal"
    ):
        store.connect()
    store.update({"task_id": 2})
    assert store.count() == 2
    store.close()
    assert journal(path) == "delete"
    with SqliteStore(path) as again:  # is told once
        assert again.count() == 2


def test_a_moved_store_that_somebody_uses_is_not_switched(tmp_path, lies_on, monkeypatch):
    path = tmp_path / "s.sqlite"
    with SqliteStore(path) as user:
        user.update({"task_id": 1})
        lies_on("nfs4")
        monkeypatch.setattr(sqlite_file, "SWITCH_SECONDS", 0.1)
        with pytest.raises(InputError, match="end the processes that use it"):
            SqliteStore(path).connect()
        user.update({"task_id": 2})
        assert user.count() == 2

"""Stores that may only be read, and work folders with files of the user."""

import os
import sqlite3

import pytest
from jobflow import Flow, job

from iface_wf.api.options import work_folder
from iface_wf.errors import InputError
from iface_wf.flows.run import run_flow
from iface_wf.store.settings import open_store
from tests.cli.conftest import KEY
from tests.examples import document, put

READING = [
    ("results",),
    ("best",),
    ("show", KEY),
    ("provenance", KEY),
    ("report", KEY),
    ("export", KEY, "--out", "s.cif"),
    ("export", KEY, "--what", "density_difference", "--out", "d.cube"),
    ("store", "check"),
    ("store", "backup", "copy.sqlite"),
]


@pytest.fixture(params=["wal", "delete"])
def read_only(request, filled_store, tmp_path, monkeypatch):
    """Return a store in a folder, of either journal, that nobody may write."""
    monkeypatch.chdir(tmp_path)
    if request.param == "delete":
        connection = sqlite3.connect(filled_store)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()
    place = tmp_path / "archive"
    place.mkdir()
    archived = filled_store.rename(place / "store.sqlite")
    archived.chmod(0o444)
    place.chmod(0o555)
    yield archived
    place.chmod(0o755)


@pytest.fixture
def filled_store(tmp_path):
    with open_store(str(tmp_path / "store.sqlite")) as store:
        put(store, document(KEY))
    return tmp_path / "store.sqlite"


@pytest.mark.slow
def test_it_can_be_read_by_every_command(cli, read_only, request):
    before = read_only.read_bytes()
    # to draw takes long, and hangs on no journal
    commands = READING if "wal" in request.node.name else [c for c in READING if c[0] not in ("report", "export")]
    for command in commands:
        ran = cli(*command, "--store", read_only)
        assert (ran.code, ran.err.count("iface-wf:")) == (0, 0), ran
    assert read_only.read_bytes() == before
    assert [entry.name for entry in read_only.parent.iterdir()] == ["store.sqlite"]


@job
def calculate():
    raise AssertionError("this would have been calculated for nothing")


def test_writing_to_it_is_one_sentence_before_anything_is_calculated(read_only, tmp_path):
    said = r"store\.sqlite can only be read, .* give another --store for what is calculated\.$"
    one = calculate()
    with open_store(str(read_only)) as store:
        with pytest.raises(InputError, match=said):
            run_flow(Flow([one], output=one.output), store, tmp_path / "work")
        with pytest.raises(InputError, match=said):
            put(store, document("f" * 64))
    assert not (tmp_path / "work").exists()


def as_nobody(function):
    """Run a function in a child process without the rights of root; its exceptions are told."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writer, str(function()).encode())
        except BaseException as error:  # noqa: BLE001
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def open_the_way(path):
    for folder in (path.parent, *path.parent.parents):
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o055)


def test_others_read_what_a_killed_writer_left_in_the_log(tmp_path):
    """In write-ahead mode the newest results may stand beside the file only; a reader without rights needs them too."""
    path = tmp_path / "store.sqlite"
    store = open_store(str(path))
    put(store, document(KEY))
    child = os.fork()
    if child == 0:  # leaves the log behind, as one that is killed does
        os._exit(0)
    os.waitpid(child, 0)
    log, data = (tmp_path / "store.sqlite-wal").read_bytes(), path.read_bytes()
    store.close()
    path.write_bytes(data)
    (tmp_path / "store.sqlite-wal").write_bytes(log)
    (tmp_path / "store.sqlite-shm").unlink(missing_ok=True)
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    open_the_way(path)
    tmp_path.chmod(0o555)
    try:
        said = as_nobody(lambda: [entry["output"]["key"] for entry in open_store(str(path)).query({})])
    finally:
        tmp_path.chmod(0o755)
    assert said == str([KEY])


def test_the_trial_of_a_work_folder_touches_no_file_of_the_user(tmp_path):
    mine = tmp_path / ".writable"
    mine.write_text("mine")
    os.utime(mine, (1, 1))
    assert work_folder(tmp_path) == tmp_path.resolve()
    assert (mine.read_text(), mine.stat().st_mtime) == ("mine", 1)
    assert list(tmp_path.iterdir()) == [mine]

"""`iface-wf store backup`: a copy as of one moment, while others write."""

import threading
from itertools import count

from iface_wf.store.settings import open_store


def test_a_backup_is_whole_while_another_one_writes(cli, tmp_path):
    path, copy = tmp_path / "s.sqlite", tmp_path / "copy.sqlite"
    begun, ended = threading.Event(), threading.Event()

    def write():
        with open_store(str(path)) as store:
            for n in count():
                store.docs_store.update([{"uuid": f"{n}-{part}", "index": 1, "n": n} for part in range(3)], key="uuid")
                begun.set()
                if ended.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(60)
    ran = cli("store", "backup", copy, "--store", path)
    ended.set()
    writer.join()
    assert ran.code == 0, ran.err
    assert cli("store", "check", "--store", copy).code == 0
    with open_store(str(copy)) as store:
        numbers = [entry["n"] for entry in store.query({})]
    assert numbers
    assert all(numbers.count(n) == 3 for n in set(numbers))  # no half of a transaction


def test_a_backup_overwrites_nothing_unasked(cli, refused, filled_store, tmp_path):
    copy = tmp_path / "copy.sqlite"
    copy.write_text("mine")
    assert "exists already" in refused("store", "backup", copy, "--store", filled_store)
    assert copy.read_text() == "mine"
    assert cli("store", "backup", copy, "--force", "--store", filled_store).code == 0
    assert cli("show", "abc0", "--store", copy).code == 0
    assert "is the store itself" in refused("store", "backup", filled_store, "--force", "--store", filled_store)
    assert "cannot be written" in refused("store", "backup", tmp_path / "no" / "x", "--store", filled_store)
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.endswith(("-wal", "-shm"))) == [
        "copy.sqlite",
        "store.sqlite",
    ]

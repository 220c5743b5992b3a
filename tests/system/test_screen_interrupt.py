"""Ctrl-C at a terminal: a word, exit code 130, and the next start goes on."""

import os
import pty
import re
import select
import sys
import time

import pytest

from iface_wf.store.results import result_table
from iface_wf.store.settings import open_store
from tests.tiny_library import counted, read_log, spec_text, write_library


def type_ctrl_c(command, when, environment):
    """Run a command at a terminal of its own and type Ctrl-C when something is so; give exit code and screen."""
    child, terminal = pty.fork()
    if not child:
        os.execvpe(command[0], command, environment)
    shown, typed, deadline = b"", False, time.monotonic() + 300
    while time.monotonic() < deadline:
        if not typed and when():
            os.write(terminal, b"\x03")
            typed = True
        if not select.select([terminal], [], [], 0.02)[0]:
            continue
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the terminal closes with the process
            break
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


@pytest.mark.slow
def test_ctrl_c_and_again(tmp_path):
    log, store = tmp_path / "calculations.jsonl", tmp_path / "store.sqlite"
    spec = tmp_path / "spec.yaml"
    spec.write_text(spec_text(fillers=["water-layer"], polymers=["methane", "ammonia"]))
    environment = os.environ | {
        "IFACE_WF_LIBRARY": str(write_library(tmp_path / "library")),
        "IFACE_WF_CALC_LOG": str(log),
        "TERM": "xterm",
        "COLUMNS": "120",
    }
    command = [sys.executable, "-m", "iface_wf", "screen", str(spec), "--store", str(store)]
    command += ["--workdir", str(tmp_path / "runs")]
    code, screen = type_ctrl_c(command, lambda: len(read_log(log)) >= 5, environment)
    assert code == 130, screen
    assert "Interrupted." in screen
    assert "Traceback" not in screen
    before = len(read_log(log))

    code, screen = type_ctrl_c(command, lambda: False, environment)
    assert code == 0, screen
    assert re.search(r"2 interfaces are stored", screen)
    lines = read_log(log)
    assert before < len(lines)
    ended = set()
    for line in lines:  # each calculation ended once, and none was begun again after its end
        assert line["key"] not in ended
        if line["event"] == "end":
            ended.add(line["key"])
    number = counted(lines)
    assert [number["relax", role] for role in ("A", "B", "AB", "again")] == [1, 2, 2, 4]
    assert [number["static", role] for role in ("A", "B", "AB", "frozen")] == [1, 2, 2, 4]
    assert len(result_table(open_store(str(store)))) == 2

"""Tables on terminals of three widths and in a pipe: names first, numbers after, and nothing left out unsaid.

A table that is meant to look otherwise: look at it, then ``IFACE_WF_NEW_GOLDEN=1 pytest tests/cli/test_widths.py``.
"""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import document, put

GOLDEN = Path(__file__).parent / "golden"
WIDTHS = (80, 100, 160)
COMMANDS = ("results", "best")
END = "=" * 7
#: Run all of it in one process: each start takes seconds.
SCRIPT = f"""
import os, sys
from iface_wf.cli.main import main
for command in {COMMANDS}:
    for width in {WIDTHS}:
        os.environ["COLUMNS"] = str(width)
        assert main([command, "--store", sys.argv[1]]) == 0
        print("{END}", flush=True)
    assert main([command, "--wide", "--store", sys.argv[1]]) == 0
    print("{END}", flush=True)
"""


def fill(store):
    salts = {"polymer": "PEO", "units": 4, "salt": "LiTFSI"}
    rows = [
        {"filler": "LLZTO", "surface": "(1 1 0) 2:O3|Li2", **salts, "binding_energy": -1.234},
        {"filler": "SiO2-cristobalite", "surface": "(1 0 1) 1:O2|Si1", "polymer": "PAN", "units": 2, "binding_energy": -0.81},
        {"filler": "SiO2-cristobalite", "surface": "(1 0 1) 1:O2|Si1", "polymer": "PEO", "units": 2, "binding_energy": -0.8,
         "flags": ["ion_pair_separated", "uncorrected_basis"], "bsse_energy": None},
        {"filler": "GdOOH", "surface": "(0 0 1) 1", "polymer": "PVDF", "units": 3, "binding_energy": -0.3,
         "flags": ["desorbed (AB)", "scf_unconverged (A*)"], "converged": False},
    ]  # fmt: skip
    for number, row in enumerate(rows, 1):
        put(store, document(f"{number}abc" + "0" * 60, **row), uuid=f"{number}" * 36)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Return what a real terminal gets, by command and width."""
    from iface_wf.store.settings import open_store

    path = tmp_path_factory.mktemp("widths") / "store.sqlite"
    with open_store(str(path)) as store:
        fill(store)
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "NO_COLOR": "1"}
    started = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path)], stdout=slave, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(slave)
    text = b""
    while True:
        try:
            text += os.read(master, 65536)
        except OSError:  # the other end is closed
            break
    os.close(master)
    assert started.wait(60) == 0
    parts = re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).replace("\r\n", "\n").split(f"{END}\n")[:-1]
    names = [(command, width) for command in COMMANDS for width in (*WIDTHS, "wide")]
    return dict(zip(names, parts, strict=True)), path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [*WIDTHS, "wide", "piped"])
def test_tables_look_as_they_did(outputs, cli, command, width):
    found, path = outputs
    text = cli(command, "--store", path).out if width == "piped" else found[command, width]
    golden = GOLDEN / f"{command}-{width}.txt"
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    if os.environ.get("IFACE_WF_NEW_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_and_names_and_headline_are_whole(outputs, command, width):
    text = outputs[0][command, width]
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    row = next(line for line in lines if line.startswith(" 1abc0000"))
    assert "LLZTO" in row
    assert "PEO" in row
    assert "LiTFSI" in row
    assert "-1.234 +- 0.2" in row
    told = " ".join(text.split())
    assert "gpaw fast PBE-D3(BJ)" in told
    for column in ("surface", "units", "interaction_energy", "charge_transfer_slab"):
        assert column in told, "neither shown nor said to be left out"
    if command == "results":
        assert "! = NOT TRUSTWORTHY" in told
        assert "no-SCF = scf_unconverged" in told

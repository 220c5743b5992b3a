"""Tables on terminals of three widths and in a pipe: names first, numbers after, and nothing left out unsaid.

A table that is meant to look otherwise: look at it, then ``IFACE_WF_NEW_GOLDEN=1 pytest tests/cli/test_widths.py``.
"""

import os
import pty
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.printed import END, fill, fill_more, printers

ROOT = Path(__file__).resolve().parents[2]

GOLDEN = Path(__file__).parent / "golden"
WIDTHS = (80, 100, 160)
COMMANDS = ("results", "best")
NAMES = tuple(printers(Path()))


def written(folder, widths, terminal):
    """Run the program that prints all tables; return what it prints by name and width."""
    program = [sys.executable, "-m", "tests.cli.printed", str(folder), *map(str, widths)]
    environment = os.environ | {"TERM": "xterm", "NO_COLOR": "1"}
    environment.pop("COLUMNS", None)
    if terminal:
        master, slave = pty.openpty()
        with subprocess.Popen(program, stdout=slave, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT) as started:
            os.close(slave)
            text = b""
            while True:
                try:
                    text += os.read(master, 65536)
                except OSError:  # the other end is closed
                    break
            os.close(master)
        assert started.returncode == 0
    else:
        text = subprocess.run(
            program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=True, cwd=ROOT
        ).stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).replace("\r\n", "\n")
    parts = plain.split(f"{END}\n")[:-1]
    return dict(zip([(name, width) for width in widths or ("piped",) for name in NAMES], parts, strict=True))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Return what a real terminal and a pipe get, by name and width."""
    from iface_wf.store.settings import open_store

    folder = tmp_path_factory.mktemp("widths")
    for name, made in (("few", fill), ("more", fill_more)):
        with open_store(str(folder / f"{name}.sqlite")) as store:
            made(store)
    return written(folder, WIDTHS, terminal=True) | written(folder, (), terminal=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [*WIDTHS, "piped"])
def test_tables_look_as_they_did(outputs, name, width):
    golden = GOLDEN / f"{name}-{width}.txt"
    text = "\n".join(line.rstrip() for line in outputs[name, width].splitlines()) + "\n"
    if os.environ.get("IFACE_WF_NEW_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_table():
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{name}-{width}.txt" for name in NAMES for width in (*WIDTHS, "piped")
    }


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("results", "best"))])
@pytest.mark.parametrize("width", [80, 100])
def test_narrow_terminals_lose_not_a_letter(outputs, name, width):
    """Where no column is left out, which `results` and `best` say, folding may add line breaks, and nothing else."""
    text = outputs[name, width]
    assert max(map(len, text.splitlines())) <= width
    assert "\u2026" not in text
    assert letters(outputs[name, 160]) - letters(text) == Counter()


def letters(text):
    return Counter(c for c in text if not c.isspace() and c != "\u2500")


def test_what_a_narrow_table_of_another_kind_leaves_out_is_said(outputs):
    assert "left out for want of room: interaction_energy (--wide shows all)" in outputs["results-dissociation", 80]
    assert "interaction_energy" in outputs["results-dissociation", 160].splitlines()[1]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_and_names_and_headline_are_whole(outputs, command, width):
    text = outputs[command, width]
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

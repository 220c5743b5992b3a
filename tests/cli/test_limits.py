"""What is too large, too deep, endless or unreadable is refused in one sentence, soon, and with exit code 2."""

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iface_wf.cli.main import main
from iface_wf.store.settings import open_store
from tests.tiny_library import write_library

pytestmark = pytest.mark.timeout(300)  # what waits for a pipe takes no time of the process
RUN = ("run", "--filler", "HF-layer", "--polymer", "water", "--placements", 1, "--dry-run")
BUILD = ("build", "--filler", "HF-layer", "--out", "out")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Stand in a folder with odd things, with a library of tiny fillers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(write_library(tmp_path / "tiny")))
    for name in ("pipe", "pipe.cif", "pipe.yaml", "pipe.xyz"):
        os.mkfifo(name)
    (tmp_path / "folder.cif").mkdir()


@pytest.fixture
def soon(refused):
    """Insist on an answer within seconds, of this process: others may be using the machine."""

    def run(*arguments):
        started = time.process_time()
        text = refused(*arguments)
        assert time.process_time() - started < 20
        assert len(text) < 1100
        return text

    return run


@pytest.mark.parametrize("name", ["pipe.cif", "folder.cif", "x" * 300 + ".cif", "null\0.cif"])
def test_fillers_that_are_no_files(soon, name):
    soon("build", "--filler", name, "--out", "out")


def test_molecules_and_specs_that_are_no_files(soon):
    assert "no regular file" in soon(*BUILD, "--molecule", "pipe.xyz")
    assert "directory" in soon("screen", "folder.cif")
    for name in ("pipe", "pipe.yaml", "/dev/zero"):
        assert "no regular file" in soon("screen", name)


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "/dev/full", "folder.cif", "x" * 300, "missing/s", "null\0"])
def test_stores_that_are_no_files(soon, name):
    soon("results", "--store", name)


@pytest.mark.parametrize(
    "option",
    [
        *(("--seed", "9" * 400), ("--vacuum", "1e300"), ("--vacuum", "nan"), ("--thickness", "inf"), ("--processes", "9" * 30)),
        *(("--in-plane", "1e5", "1e5"), ("--in-plane", "nan", "5"), ("--in-plane", "-1", "5"), ("--max-atoms", "9" * 30)),
        *(("--overrides", "fmax=1e999"), ("--overrides", "fmax=[1"), ("--overrides", "fmax=&a [*a]"), ("--units", "9" * 30)),
        ("--sequence", "A" * 5000),
    ],
)  # fmt: skip
def test_absurd_numbers(soon, option):
    soon(*RUN, *option)


def test_arguments_without_bounds(soon):
    open_store("s").close()
    assert "characters" in soon(*BUILD, "--molecule", "C" * 20_000)
    assert "conditions" in soon("results", "--store", "s", "--where", " and ".join(["n_atoms > 1"] * 60))
    assert "characters" in soon("results", "--store", "s", "--where", "a" + " " * 5500 + "b")
    assert "no number" in soon("results", "--store", "s", "--where", "n_atoms < 1e999")


def spec(tmp_path, **changes):
    lines = {"fillers": "[HF-layer]", "polymers": "[water]", "engine": "xtb", "placements": "1"} | changes
    (tmp_path / "spec.yaml").write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    return ("screen", tmp_path / "spec.yaml", "--dry-run", "--store", tmp_path / "s")


def test_twenty_thousand_polymers(soon, tmp_path):
    names = ", ".join(f"N{i}" for i in range(20_000))
    assert "20,000 interfaces" in soon(*spec(tmp_path, polymers=f"[{names}]"))
    assert "Unknown polymer" in soon(*spec(tmp_path, polymers=f"[{names}]"), "--yes")
    assert "given twice" in soon(*spec(tmp_path, polymers=f"[{names}, N1]"))


def test_sixty_thousand_keys(soon, tmp_path):
    assert "unknown key" in soon(*spec(tmp_path, **{f"k{i}": i for i in range(60_000)}))


@pytest.mark.parametrize(
    ("key", "value"), [("polymers", "[no]"), ("salts", "[on]"), ("fillers", "[HF-layer, yes]"), ("engine", "off")]
)
def test_words_that_yaml_takes_for_booleans_are_to_be_quoted(soon, tmp_path, key, value):
    text = soon(*spec(tmp_path, **{key: value}))
    assert "quote" in text
    assert "line " in text


def test_miller_indices_that_yaml_takes_for_a_number_are_to_be_quoted(soon, tmp_path):
    assert "quotes" in soon(*spec(tmp_path, fillers="[{name: HF-layer, surface: 001}]"))


def test_a_smiles_longer_than_any_file_name_is_no_file(cli, tmp_path):
    started = time.process_time()
    ran = cli(*spec(tmp_path, molecules=f"['{'C' * 400}']"))
    assert time.process_time() - started < 20
    assert ran.code == 0  # the other interface can be had
    assert "would have 1202 atoms, at most 600" in ran.err


def test_overrides_are_refused_with_the_line_of_the_spec(soon, tmp_path):
    text = soon(*spec(tmp_path, overrides="{fmx: 1e-4}"))
    assert "line 5" in text
    assert "did you mean fmax" in text


def test_a_number_with_an_exponent_is_one(cli):
    assert cli(*RUN, "--engine", "xtb", "--overrides", "fmax=1e-3").code == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("COMMAND", "mpirun 'vasp"),
            ("COMMAND", " "),
            ("GAMMA_COMMAND", '"'),
            ("WALL_TIME", "abc"),
            ("WALL_TIME", "nan"),
        ),
        *(("WALL_TIME", "1e400"), ("STOP_BEFORE", "-1"), ("MAX_ERRORS", "1.5"), ("POLL_SECONDS", "0"), ("INCAR", "{")),
        *(("INCAR", "[]"), ("INCAR", '{"ENCUT": 1}'), ("INCAR", '{"NCORE": "x"}'), ("CHECK_SECONDS", "inf")),
    ],
)
def test_a_wrong_variable_is_named(soon, monkeypatch, name, value):
    monkeypatch.setenv(f"IFACE_WF_VASP_{name}", value)
    assert f"IFACE_WF_VASP_{name}" in soon(*RUN, "--engine", "vasp")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_every_terminal_can_show_everything(tmp_path, encoding):
    """Angstrom signs in headings, arrows in texts, and names of files in whatever bytes."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", "import sys; from iface_wf.cli.main import main; sys.exit(main())"]
    ran = subprocess.run([*command, *BUILD], capture_output=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    assert b"HF-layer" in ran.stdout or b"slab" in ran.stdout
    wrong = subprocess.run(
        [*command, "build", "--filler", b"\xff\xe9.cif", "--out", "o"],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert wrong.returncode == 2
    assert len(wrong.stderr.splitlines()) == 1


def test_control_characters_do_not_reach_the_terminal(soon):
    text = soon("build", "--filler", "\x1b[31mred\x07.cif", "--out", "out")
    assert "\x1b" not in text
    assert "\\x1b[31mred" in text


def test_a_user_without_home(soon, monkeypatch):
    """As in containers that run with the number of a user whom nobody has entered."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert "set HOME" in soon("results")
    assert "home directory" in soon("results", "--store", "~/s")
    assert not Path("~").exists()


def test_molecules_that_rdkit_refuses_late_are_one_sentence(soon):
    assert "'C~C'" in soon(*BUILD, "--molecule", "C~C", "--salt", "LiPF6")


def test_an_interruption_of_the_memory_is_said(monkeypatch, capsys):
    from iface_wf.api import calculate

    def greedy(**_options):
        raise MemoryError

    monkeypatch.setattr(calculate, "make_request", greedy)
    assert main([str(word) for word in RUN]) == 1
    assert "memory" in capsys.readouterr().err

"""The command line starts fast, and its help is complete."""

import resource
import subprocess
import sys

import pytest

from iface_wf.cli import options
from iface_wf.engines.profile import LEVEL_NAMES
from tests.examples import document, put

COMMANDS = (
    "run",
    "results",
    "show",
    "report",
    "serve",
    "export",
    "build",
    "doctor",
    "library",
    "screen",
    "best",
    "compare",
    "provenance",
    "submit",
    "status",
    "recover",
    "cancel",
    "queue",
)
HEAVY = (
    "numpy",
    "pandas",
    "pymatgen",
    "ase",
    "rdkit",
    "jobflow",
    "maggma",
    "gpaw",
    "tblite",
    "matplotlib",
    "pydantic",
    "torch",
    "chgnet",
)
START = "import sys; from iface_wf.cli.main import main; main(['--help'])"


def cpu_seconds(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow
def test_help_needs_no_more_than_what_draws_it():
    """Typer and rich, 0.1 s of CPU: a ratio, by turns, so that a slow or busy machine does not decide.

    As much again takes Typer to read the signatures of forty commands (with bytecode; without, importing takes three times as long).
    """
    pairs = [(cpu_seconds("-c", START), cpu_seconds("-c", "import typer.main, rich.console")) for _ in range(5)]
    ours, libraries = map(min, zip(*pairs, strict=True))
    assert ours < 2.5 * libraries, pairs


def test_start_imports_nothing_heavy():
    code = f"{START}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.strip().splitlines()[-1] == "[]"


def test_show_draws_nothing_and_makes_no_table(tmp_path, job_store):
    """What figures and tables need takes longer to import than all that `show` prints."""
    put(job_store, document("abc123" + "0" * 58))
    code = (
        "import sys; from iface_wf.cli.main import main; "
        f"main(['show', 'abc123', '--store', {str(tmp_path / 'store.sqlite')!r}]); "
        "print(sorted({'matplotlib', 'pandas', 'rdkit', 'ase.neighborlist'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "abc123" in found
    assert found.strip().splitlines()[-1] == "[]"


def test_help_names_every_command(cli):
    ran = cli("--help")
    assert ran.code == 0
    assert all(f"  {command} " in ran.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli, command):
    ran = cli(command, "--help")
    assert ran.code == 0
    assert "Usage: iface-wf" in ran.out


def test_help_gives_the_allowed_values(cli):
    text = " ".join(cli("run", "--help").out.split())
    assert "gpaw" in text
    assert "fast, moderate, precise" in text


def test_allowed_values_are_those_of_the_engines():
    from iface_wf.engines import registry

    assert registry.names() == ("gpaw", "vasp", "xtb", "mlip")
    assert registry.cheap_names() == ("xtb", "mlip")
    for name in registry.names():
        assert tuple(registry.profile(name).levels) == LEVEL_NAMES
        assert registry.get(name)().engine_name == name


def test_completion_offers_names_of_the_library_and_of_the_own_folder(tmp_path, monkeypatch):
    (tmp_path / "polymers").mkdir()
    (tmp_path / "polymers" / "PEEK.yaml").write_text("never read")
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(tmp_path))
    names = options.record_names("polymer")
    assert "PEO" in names
    assert "PEEK" in names


def test_completed_names_are_known_to_the_library():
    from iface_wf.library import Library

    for kind in ("filler", "polymer", "salt"):
        assert options.record_names(kind) == Library().names(kind)


@pytest.mark.slow
def test_ids_are_completed_from_a_file_and_nothing_heavy_is_imported(tmp_path, job_store):
    put(job_store, document("abc123" + "0" * 58))
    put(job_store, document("abd" + "0" * 61), uuid="2" * 36)

    def completed(words, store):
        found = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", "from iface_wf.cli.main import main; main()"],
            capture_output=True, text=True, check=True,
            env={
                "PATH": "/usr/bin", "HOME": str(tmp_path), "_IFACE_WF_COMPLETE": "complete_bash", "COMP_WORDS": words,
                "COMP_CWORD": "2", "IFACE_WF_STORE": store,
            },
        )  # fmt: skip
        assert not {"numpy", "pymatgen", "jobflow", "rdkit", "pandas"} & {
            line.rpartition("|")[2].strip() for line in found.stderr.splitlines()
        }
        return found.stdout.split()

    store = str(tmp_path / "store.sqlite")
    assert completed("iface-wf show abc", store) == ["abc1230000"]
    assert set(completed("iface-wf show ab", f"sqlite:///{store}")) == {"abc1230000", "abd0000000"}
    (tmp_path / "torn.sqlite").write_text("no store")
    for other in (str(tmp_path / "torn.sqlite"), str(tmp_path / "none.sqlite"), "mongodb://nowhere/x"):
        assert completed("iface-wf show ab", other) == []
    assert completed("iface-wf show %", store) == []
    assert not (tmp_path / "none.sqlite").exists()


def test_completion_works_through_the_shell_protocol(tmp_path):
    environment = {"_IFACE_WF_COMPLETE": "complete_bash", "COMP_WORDS": "iface-wf run --polymer PE", "COMP_CWORD": "3"}
    found = subprocess.run(
        [sys.executable, "-c", "from iface_wf.cli.main import main; main()"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin", "HOME": str(tmp_path), **environment},
    )
    assert "PEO" in found.stdout.split()
    assert "PAN" not in found.stdout


@pytest.mark.slow
def test_what_runs_no_ml_potential_imports_no_torch():
    code = "import sys, iface_wf; iface_wf.run; iface_wf.screen; print({'torch', 'chgnet'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.strip() == "set()"


def test_version(cli):
    from iface_wf import __version__

    assert cli("--version").out.strip() == f"iface-wf {__version__}"


@pytest.mark.slow
def test_python_interface_is_lazy():
    code = "import sys, iface_wf; print('jobflow' in sys.modules, callable(iface_wf.run), 'jobflow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.split() == ["False", "True", "True"]


@pytest.mark.slow
def test_looking_at_the_queue_needs_no_engine():
    code = (
        "import sys; from iface_wf.queues import monitor, daemon, recover; "
        "print([name for name in ('ase', 'tblite', 'torch', 'scipy.stats', 'pymatgen.io.vasp', 'pandas') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

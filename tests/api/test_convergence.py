"""How calculations went, what their codes said, and what there is of a result that failed on its way."""

from __future__ import annotations

import socket

import pytest

import iface_wf
from iface_wf.cli.main import main
from iface_wf.engines.history import logged_steps
from iface_wf.errors import CalculationError, InputError
from tests.examples import calculation, document, put

LOG = """      Step     Time          Energy          fmax
BFGS:    0 05:32:50      -14.805972        0.746500
BFGS:    1 05:32:50*     -14.8126E0        0.305641
      Step     Time          Energy          fmax
BFGS:    0 05:33:50      -14.815751        0.268744
BFGS:    1 05:3"""


def test_the_steps_of_a_log_that_was_killed_and_continued(tmp_path):
    (tmp_path / "relax.log").write_text(LOG)
    assert logged_steps(tmp_path) == ([-14.805972, -14.8126, -14.815751], [0.7465, 0.305641, 0.268744])
    assert logged_steps(tmp_path / "nowhere") == ([], [])


@pytest.fixture
def stored(job_store, tmp_path):
    """Return a function that stores a result whose calculation of AB ran in a folder of some machine."""

    def keep(directory):
        uuid = "11111111-1111-1111-1111-11111111111a"
        put(job_store, calculation("AB", [0.0] * 6, directory=directory), uuid=uuid)
        terms = [document().terms[0].model_copy(update={"uuid": uuid})]
        ranking = [
            {"placement": 2, "energy": -3.0},
            {"placement": 0, "energy": -1.0},
            {"placement": 1, "failed": "scf"},
        ]
        put(job_store, document("d" * 64, terms=terms, placement_ranking=ranking))
        return str(tmp_path / "store.sqlite")

    return keep


def test_the_end_of_a_log_without_what_steers_a_terminal(stored, tmp_path, capsys):
    (tmp_path / "calc").mkdir()
    (tmp_path / "calc" / "gpaw.txt").write_text("one\ntwo\nthree \x1b[2J\n\n")
    store = stored(f"{socket.gethostname()}:{tmp_path / 'calc'}")
    assert main(["show", "dddd", "--log", "ab", "--lines", "2", "--store", store]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["two", "three \\x1b[2J"]
    assert "gpaw.txt" in printed.err
    with pytest.raises(InputError, match="Unknown step of dddddddddd 'A\\*'"):
        iface_wf.log("dddd", "A*", store=store)


@pytest.mark.parametrize(
    ("directory", "told"),
    [
        ("elsewhere:/scratch/x", "is on elsewhere: look there"),
        (f"{socket.gethostname()}:/no/such/folder", "is gone: it was deleted or moved"),
        (f"{socket.gethostname()}:/", "There is no log in /"),
        ("", "Nobody knows where AB of dddddddddd was calculated"),
    ],
)
def test_where_the_log_is_when_it_is_not_here(stored, directory, told):
    store = stored(directory)
    with pytest.raises(InputError, match=told):
        iface_wf.log("dddd", "AB", store=store)


def test_the_best_so_far_of_a_search_in_the_order_in_which_candidates_were_tried(stored):
    table = iface_wf.convergence("dddd", store=stored(""))
    assert table[["step", "number", "energy"]].values.tolist() == [["search AB", 0, -1.0], ["search AB", 1, -3.0]]
    (told,) = table.attrs["calculations"]
    assert (told["step"], told["converged"]) == ("AB", True)


@pytest.mark.slow
def test_a_run_that_fails_names_its_folder_and_is_found_unfinished(tmp_path, monkeypatch, capsys):
    """Everything before what fails is stored, and told of; once it is overcome, the result is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IFACE_WF_STORE", str(tmp_path / "s.sqlite"))
    from iface_wf.engines.mlip.engine import MlipEngine

    real = MlipEngine.calculate

    def calculate(self, request, directory):
        if request.role == "AB" and request.kind == "static":
            raise CalculationError("The node exploded.")
        return real(self, request, directory)

    spec = {"fillers": [{"name": "LiI", "thickness": 3.0}], "molecules": ["O"], "engine": "mlip", "placements": 1}
    spec |= {"quantities": ["binding_energy"]}
    with monkeypatch.context() as patch:
        patch.setattr(MlipEngine, "calculate", calculate)
        (cause,) = iface_wf.screen(spec).failed.values()
    assert f"The node exploded. Its files: {tmp_path}/iface-wf-runs/calc-" in cause
    assert main(["provenance", "LiI + O"]) == 0
    printed = capsys.readouterr()
    assert "relax AB" in printed.out
    assert "is not finished. It failed: static AB: The node exploded." in printed.err
    key = printed.err.split()[0]
    assert main(["show", key[:8], "--convergence"]) == 0
    assert "max force" in capsys.readouterr().out
    assert main(["show", key[:8]]) == 2
    assert f"what there is of it: iface-wf provenance {key[:8]}" in capsys.readouterr().err
    assert main(["show", key[:8], "--log", "relax AB"]) == 0
    (again,) = iface_wf.screen(spec, retry=True).finished
    assert (again, iface_wf.show(key[:8]).key) == (key, key)

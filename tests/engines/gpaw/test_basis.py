"""Functions that reach farther than those of GPAW's files: made once, used by real calculations, and refused where they mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gpaw
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.engines.gpaw import basis
from iface_wf.engines.gpaw.checks import require_setups
from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.gpaw.profile import PROFILE
from iface_wf.errors import InputError
from iface_wf.quantities.complexes.request import PairRequest
from iface_wf.quantities.complexes.salts import LiBindingRequest


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder, and GPAW's own search path afterwards."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = list(gpaw.setup_paths)
    yield tmp_path / "iface-wf"
    gpaw.setup_paths[:] = kept


def test_functions_are_made_once_and_reach_farther(own_cache: Path) -> None:
    from gpaw.basis_data import Basis

    ends = []
    for shift in (0.1, 0.02):
        name = basis.farther_reaching("dzp", shift, ["H", "H"])
        assert name == f"shift{shift:g}.dzp"
        ends.append(max(function.rc for function in Basis.find("H", name).bf_j))
    assert ends[1] > ends[0] + 0.5  # Bohr
    made = {path: path.stat().st_mtime_ns for path in own_cache.rglob("H.*.basis")}
    assert len(made) == 2
    basis.farther_reaching("dzp", 0.02, ["H"])
    assert {path: path.stat().st_mtime_ns for path in own_cache.rglob("*") if path.is_file()} == made


def test_the_functions_of_files_are_those_of_their_energy_shift(own_cache: Path) -> None:
    from gpaw.basis_data import Basis

    ours, theirs = (Basis.find("H", name) for name in (basis.farther_reaching("dzp", 0.1, ["H"]), "dzp"))
    # the files were made by an older version, whose reach differs by a few percent
    assert [f.l for f in ours.bf_j] == [f.l for f in theirs.bf_j]
    assert [f.rc for f in ours.bf_j] == pytest.approx([f.rc for f in theirs.bf_j], rel=0.05)


def test_a_cache_that_cannot_be_written_to_is_done_without(own_cache: Path) -> None:
    own_cache.parent.joinpath("iface-wf").write_text("a file where the folder would be")
    assert basis.farther_reaching("szp", 0.05, ["H"]) == "shift0.05.szp"
    assert Path(gpaw.setup_paths[0], "H.shift0.05.szp.basis").exists()


@pytest.mark.slow
def test_a_calculation_uses_them(own_cache: Path, tmp_path: Path) -> None:
    """Hydride: an electron more than the functions of files have room for."""
    hydride = Structure(Lattice.cubic(9.6, pbc=(False,) * 3), ["H"], [[0.5] * 3])
    energies = []
    for overrides in ({}, {"energy_shift": 0.02}):
        maker = GpawEngine(overrides=overrides | {"dispersion": "none", "grid_spacing": 0.25}, charge=-1.0, processes=1)
        folder = tmp_path / f"run-{len(energies)}"
        folder.mkdir()
        document = maker.calculate(maker.request(hydride, []), folder)
        energies.append(document.energy)
        assert document.basis == ("LCAO dzp of 0.02 eV" if overrides else "LCAO dzp")
    assert energies[1] < energies[0] - 0.3


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"mode": "fd", "energy_shift": 0.02}, "'energy_shift' is for mode lcao"),
        ({"basis": {"H": "dzp"}, "energy_shift": 0.02}, "needs one 'basis' for all elements"),
        ({"basis": "szp(dzp)", "energy_shift": 0.02}, "of a type that can be made"),
        ({"energy_shift": 0.0}, "energy_shift"),
        ({"energy_shift": "far"}, "energy_shift"),
    ],
)
def test_what_means_nothing_is_refused(overrides: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        PROFILE.settings("fast", overrides)


def test_an_element_without_a_configuration_is_named() -> None:
    with pytest.raises(InputError, match="cannot make functions of Gd"):
        require_setups(["Gd"], PROFILE.settings("fast", {"energy_shift": 0.02}))


def test_a_basis_by_element_is_looked_for_by_element() -> None:
    require_setups(["H", "O"], PROFILE.settings("fast", {"basis": {"H": "dzp", "O": "dzp"}}))
    with pytest.raises(InputError, match="says nothing of O"):
        require_setups(["H", "O"], PROFILE.settings("fast", {"basis": {"H": "dzp"}}))
    with pytest.raises(InputError, match=r"no file H\.qzp\.basis"):
        require_setups(["H"], PROFILE.settings("fast", {"basis": {"H": "qzp"}}))


@pytest.mark.parametrize(
    ("overrides", "shift"),
    [
        ({}, 0.02),
        ({"energy_shift": 0.1}, 0.1),
        ({"energy_shift": None}, None),
        ({"mode": "fd"}, None),
        ({"basis": "szp"}, None),
    ],
)
def test_molecules_alone_have_them_and_the_user_has_the_last_word(
    overrides: dict[str, object], shift: float | None
) -> None:
    for request in (
        PairRequest(molecule="COC", partner="O", overrides=overrides),
        LiBindingRequest(molecule="COC", overrides=overrides),
    ):
        assert request.main_engine().defaults().get("energy_shift") == shift
    assert "energy_shift" not in PairRequest(molecule="C", partner="O", engine="xtb").main_engine().defaults()

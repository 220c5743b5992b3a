"""Outputs of VASP: of other groups, of versions 5 and 6, cut, damaged, and of something else."""

import gzip
import re
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure

from iface_wf.analysis.density import unpack
from iface_wf.engines.vasp.engine import VaspEngine, read_document
from iface_wf.engines.vasp.folders import read_foreign_folder
from iface_wf.engines.vasp.grids import read_density, read_volumetric
from iface_wf.engines.vasp.outcar import read_outcar
from iface_wf.engines.vasp.outputs import read_corrections, read_run
from iface_wf.errors import CalculationError, MismatchError
from tests.engines.vasp.vasp_fixtures import COARSE, copy_run, hydrogen_fluoride, lithium_fluoride_slab, third_party


@pytest.fixture(scope="module")
def finished(tmp_path_factory, module_vasp):
    """A finished run with densities, small: what was asked, and the folder."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    folder.mkdir()
    maker = VaspEngine(kind="static", overrides=COARSE | {"bader_spacing": 0.3}, densities=["valence", "all_electron"])
    request = maker.request(hydrogen_fluoride(4.0), [])
    document = maker.calculate(request, folder)
    return request, folder, document


# ---- other people's runs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "energy", "free"),
    [
        ("slab_static", -35.98701212, -35.98701212),
        ("mol_static", -1.57792469, -1.59720748),
        ("ads_static_1_3", -39.66260995, -39.66260995),
    ],
)
def test_the_energy_is_the_one_at_zero_smearing(name, energy, free):
    run = read_run(third_party(name))
    assert run.outcar.energy == pytest.approx(energy, abs=1e-8)  # as printed
    assert run.outcar.free_energy == pytest.approx(free, abs=1e-8)


def test_settings_are_those_after_custodian(tmp_path):
    run = read_run(third_party("mol_static"))
    assert run.settings["ISMEAR"] == 0  # the INCAR asked for -5 at first
    assert run.settings["xc"] == "RPBE"
    assert run.settings["dispersion"] is None
    assert (run.settings["ENCUT"], run.settings["PREC"], run.settings["LREAL"]) == (700.0, "Accurate", False)
    corrections = read_corrections(third_party("mol_static"))
    assert corrections[-1].actions == [{"ISMEAR": 0, "SIGMA": 0.05}]


def test_a_folder_of_others_becomes_our_document():
    slab = Structure.from_dict(read_foreign_folder(third_party("slab_static"), "A").structure)
    document = read_foreign_folder(third_party("ads_static_1_3"), "AB", slab=slab)
    assert document.converged
    assert document.kpoints == (4, 4, 1)
    assert document.grid == (144, 144, 448)
    assert document.n_electrons == 16 * 11 + 6
    assert document.charge == pytest.approx(0.0)
    assert document.densities == {}  # their CHGCARs were not kept
    assert document.energy_type.startswith("extrapolated to zero smearing")
    labels = Structure.from_dict(document.structure).site_properties["component"]
    assert labels == ["slab"] * 16 + ["polymer"]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["5.4.1", "5.4.4.18Apr17-6-g9f103f2a35", "6.3.2", "6.5.1"])
def test_versions_that_write_differently_give_the_same(version, vasp, monkeypatch, finished):
    """Version 5 writes no colon after Edisp, and something else into the last energies of vasprun.xml."""
    monkeypatch.setenv("STANDIN", f"version={version}")
    (vasp / "run").mkdir()
    maker = VaspEngine(kind="static", overrides=COARSE | {"bader_spacing": 0.3}, densities=["valence", "all_electron"])
    document = maker.calculate(finished[0], vasp / "run")
    assert document.engine_version == ".".join(version.split(".")[:3])
    for name in ("energy", "free_energy", "dispersion_energy", "electronic_energy", "max_force"):
        assert getattr(document, name) == pytest.approx(getattr(finished[2], name), abs=1e-8), name


def test_spin_gives_the_same_density(vasp, finished):
    folder = vasp / "run"
    folder.mkdir()
    overrides = COARSE | {"bader_spacing": 0.3, "ISPIN": 2}
    maker = VaspEngine(kind="static", overrides=overrides, densities=["valence", "all_electron"])
    document = maker.calculate(maker.request(hydrogen_fluoride(4.0), []), folder)
    assert read_volumetric(folder / "CHGCAR", occupancies=True).blocks == 2
    spin, none = (unpack(d.densities["valence"]) for d in (document, finished[2]))
    assert np.abs(spin - none).max() < 1e-9
    text = (folder / "CHGCAR").read_text()
    dimensions = text.split("\n")[text.split("\n").index("") + 1]
    (folder / "CHGCAR").write_text(text[: text.rindex(dimensions)])  # up to the second grid: whole lines, half a file
    with pytest.raises(CalculationError, match=r"CHGCAR cannot be used: it has 1 of 2 grids"):
        read_document(folder, maker.request(hydrogen_fluoride(4.0), []))


def test_compressed_outputs_are_read(finished, tmp_path):
    request, folder, document = finished
    copy_run(folder, tmp_path / "run")
    for name in ("OUTCAR", "vasprun.xml", "CHGCAR", "AECCAR0", "AECCAR2"):
        path = tmp_path / "run" / name
        with gzip.open(f"{path}.gz", "wb") as out:
            out.write(path.read_bytes())
        path.unlink()
    again = read_document(tmp_path / "run", request)
    assert again.energy == document.energy
    assert again.densities["valence"].sha256 == document.densities["valence"].sha256


def test_d4_takes_the_place_of_the_dispersion_that_vasp_calculated(finished):
    """A VASP that was built without DFTD4 calculates D3(BJ): the electronic energy is the same."""
    request, folder, plain = finished
    asked = request.model_copy(update={"settings": request.settings | {"dispersion": "D4"}})
    document = read_document(folder, asked)
    assert (document.dispersion, document.settings["dispersion"], document.settings["IVDW"]) == ("D4", "D4", 12)
    assert "in place of VASP's D3(BJ)" in document.energy_type
    assert document.electronic_energy == plain.electronic_energy
    assert document.dispersion_energies == plain.dispersion_energies
    change = document.dispersion_energy - plain.dispersion_energy
    assert change != 0
    for name in ("energy", "free_energy"):
        assert getattr(document, name) - getattr(plain, name) == pytest.approx(change, abs=1e-9)
    # eV: the images of the molecule in VASP's periodic cell, which the open one does not have
    assert document.dispersion_energy == pytest.approx(document.dispersion_energies["D4"], abs=0.05)


def test_our_own_runs_with_version_5_name_their_dispersion(finished, tmp_path):
    """VASP 5.4 leaves IVDW out of vasprun.xml; the energies hold it all the same."""
    request, folder, document = finished
    copy_run(folder, tmp_path / "run")
    for name, old, new in (
        ("vasprun.xml", '<i type="int" name="IVDW">', '<i type="int" name="ISYM">'),
        ("OUTCAR", "vasp.6.4.2", "vasp.5.4.4"),
    ):
        text = (tmp_path / "run" / name).read_text()
        assert old in text
        (tmp_path / "run" / name).write_text(text.replace(old, new))
    again = read_document(tmp_path / "run", request)
    assert (again.dispersion, again.settings["IVDW"]) == (document.dispersion, 12) == ("D3(BJ)", 12)
    assert again.dispersion_energy == document.dispersion_energy < 0


OUTCAR_541 = """ vasp.5.4.1 05Feb16 (build Mar 19 2019 01:13:45) complex

 executed on           IFC91_ompi date 2019.03.20  18:28:46
 running on    4 total cores
  Ionic Valenz
   ZVAL   =   6.00
  Atomic Wigner-Seitz radii
----------------------------------------- Iteration    1(   1)  ---------------------------------------
 number of electron       6.0000000 magnetization
  free energy    TOTEN  =        38.46837506 eV

  energy without entropy =       38.46837506  energy(sigma->0) =       38.46837506
E-fermi :  -8.9012     XC(G=0):  -0.8046     alpha+bet : -0.1463
------------------------ aborting loop because EDIFF is reached ----------------------------------------
  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  =        -0.02147094 eV

  energy  without entropy=       -0.00604471  energy(sigma->0) =       -0.01375782

General timing and accounting informations for this job:
                 Total CPU time used (sec):        2.570
                        Elapsed time (sec):        3.504
                Voluntary context switches:          270
"""


def test_the_layout_of_version_5_4_1_is_read(tmp_path):
    """Lines as VASP 5.4.1 prints them for an oxygen atom (public tutorial output)."""
    (tmp_path / "OUTCAR").write_text(OUTCAR_541)
    outcar = read_outcar(tmp_path / "OUTCAR")
    assert (outcar.version, outcar.processes, outcar.valences) == ("5.4.1", 4, (6.0,))
    assert (outcar.energy, outcar.free_energy, outcar.fermi_level) == (-0.01375782, -0.02147094, -8.9012)
    assert outcar.scf_converged
    assert outcar.dispersion is None
    assert outcar.moment == 0.0
    assert outcar.cpu == pytest.approx(4 * 2.570)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("  Edisp (eV)  -28.80731\n", -28.80731),
        ("  Edisp (eV):   -0.12345\n", -0.12345),
        ("  Edisp (eV) = -1.5\n", -1.5),
    ],
)
def test_the_dispersion_energy_is_found_in_every_layout(line, value, tmp_path):
    (tmp_path / "OUTCAR").write_text(OUTCAR_541.replace("E-fermi", f"{line}E-fermi"))
    assert read_outcar(tmp_path / "OUTCAR").dispersion == value
    (tmp_path / "OUTCAR").write_text(OUTCAR_541.replace("E-fermi", "  Edisp (eV)  -28.8*731\nE-fermi"))
    with pytest.raises(CalculationError, match="OUTCAR is damaged: its last dispersion energy reads"):
        read_outcar(tmp_path / "OUTCAR")


def test_an_scf_that_was_stopped_or_ran_out_of_steps_has_not_converged(tmp_path):
    for ending in ("because hard stop was set", "EDIFF was not reached (unconverged)"):
        (tmp_path / "OUTCAR").write_text(OUTCAR_541.replace("because EDIFF is reached", ending))
        assert not read_outcar(tmp_path / "OUTCAR").scf_converged


# ---- damage --------------------------------------------------------------------------------------------------------

FILES = ("OUTCAR", "vasprun.xml", "CHGCAR", "AECCAR0")


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_file_cut_at_any_byte_is_an_error_that_names_it(data, finished, spoilt):
    request, folder, _ = finished
    name = data.draw(st.sampled_from(FILES))
    content = (folder / name).read_bytes().rstrip()  # without its last line feed vasprun.xml is complete
    length = data.draw(st.integers(0, len(content) - 1))
    with spoilt(name, content[:length]) as broken, pytest.raises(CalculationError, match=name) as caught:
        read_document(broken, request)
    assert str(caught.value).endswith(".")


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_damaged_file_is_an_error_that_names_it_or_harmless(data, finished, spoilt):
    """Some bytes are overwritten: never another energy, and never another density."""
    request, folder, document = finished
    name = data.draw(st.sampled_from(FILES))
    content = bytearray((folder / name).read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.integers(1, 60))
    content[start : start + length] = data.draw(st.sampled_from([b"*", b"\0", b"\xff", b" "])) * length
    with spoilt(name, bytes(content)) as broken:
        try:
            again = read_document(broken, request)
        except CalculationError as error:
            assert str(broken) in str(error)  # noqa: PT017 - both outcomes are right
            return
    if again.flags:
        assert not again.converged  # the line that says so was hit: a mark, and no densities
        assert again.densities == {}
        return
    assert again.energy == document.energy
    assert again.dispersion_energy == document.dispersion_energy
    change = np.abs(unpack(again.densities["valence"]) - unpack(document.densities["valence"]))
    assert change.max() < 1e-3  # what electrons are counted to


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_compressed_file_of_others_cut_at_any_byte_is_an_error(data, spoilt):
    name = data.draw(st.sampled_from(["OUTCAR.gz", "vasprun.xml.gz"]))
    content = (third_party("mol_static") / name).read_bytes()
    length = data.draw(st.integers(0, len(content) - 1))
    with (
        spoilt(name, content[:length], third_party("mol_static")) as broken,
        pytest.raises(CalculationError, match=name.removesuffix(".gz")),
    ):
        read_foreign_folder(broken, "B")


@pytest.mark.slow
def test_other_people_s_outcar_cut_anywhere_before_its_account_is_an_error(spoilt):
    """Behind it version 6 prints a profile, of which nothing is read."""
    text = gzip.decompress((third_party("mol_static") / "OUTCAR.gz").read_bytes())
    end = text.index(b"\n", text.index(b"Voluntary context switches"))
    for length in np.linspace(0, end, 50, dtype=int):
        with (
            spoilt("OUTCAR.gz", gzip.compress(text[:length], 1), third_party("mol_static")) as broken,
            pytest.raises(CalculationError, match="OUTCAR"),
        ):
            read_foreign_folder(broken, "B")


def test_stars_in_an_aeccar(finished, spoilt):
    text = (finished[1] / "AECCAR2").read_text()
    with (
        spoilt("AECCAR2", text.replace("E+01", "****", 1).encode()) as broken,
        pytest.raises(CalculationError, match=r"AECCAR2 cannot be used: it has stars where numbers"),
    ):
        read_document(broken, finished[0])


def test_a_density_of_another_grid(vasp, finished, spoilt):
    maker = VaspEngine(kind="static", overrides=COARSE | {"bader_spacing": 0.1}, densities=["valence", "all_electron"])
    (vasp / "fine").mkdir()
    maker.calculate(maker.request(hydrogen_fluoride(4.0), []), vasp / "fine")
    for name in ("CHGCAR", "AECCAR0"):
        with (
            spoilt(name, (vasp / "fine" / name).read_bytes()) as broken,
            pytest.raises(
                MismatchError, match=rf"{name} has the grid \(40, 40, 40\), the calculation used \(28, 28, 28"
            ),
        ):
            read_document(broken, finished[0])


def test_a_density_with_other_electrons(finished, spoilt):
    lines = (finished[1] / "CHGCAR").read_text().split("\n")
    first = lines.index("") + 2
    lines[first] = lines[first].replace("E-", "E+")  # 1 of its values is now large
    lines[first + 1] = lines[first + 1].replace("E-", "E+")
    with (
        spoilt("CHGCAR", "\n".join(lines).encode()) as broken,
        pytest.raises(CalculationError, match=r"CHGCAR holds [\d.]+ electrons, the calculation has 8\.0000"),
    ):
        read_document(broken, finished[0])


def test_a_density_of_other_atoms_or_another_cell(finished, spoilt):
    text = (finished[1] / "CHGCAR").read_text()
    for old, new, words in (
        ("    4.000000", "    4.010000", "has another cell than the calculation"),
        ("    H    F", "    H   Cl", "is of H1 Cl1, the calculation of H1 F1"),
    ):
        with spoilt("CHGCAR", text.replace(old, new).encode()) as broken, pytest.raises(MismatchError, match=words):
            read_document(broken, finished[0])


def test_logs_of_two_runs_are_not_mixed(finished, spoilt):
    text = (finished[1] / "OUTCAR").read_text()
    energy = f"{finished[2].free_energy:.8f}"
    with (
        spoilt("OUTCAR", text.replace(energy, f"{finished[2].free_energy - 1e-4:.8f}").encode()) as broken,
        pytest.raises(CalculationError, match=r"vasprun\.xml and OUTCAR are not of one run"),
    ):
        read_document(broken, finished[0])


def test_a_cutoff_that_vasprun_tells_in_two_ways(finished, spoilt):
    text = (finished[1] / "vasprun.xml").read_text()
    used = re.search(r'name="ENMAX">( +[\d.]+)<', text)[1]
    with (
        spoilt("vasprun.xml", text.replace(f'"ENMAX">{used}', f'"ENMAX">{float(used) + 10:16.8f}').encode()) as broken,
        pytest.raises(CalculationError, match=r"ENCUT \(eV\), asked for and used"),
    ):
        read_document(broken, finished[0])


def test_a_single_point_of_another_structure_is_refused(finished):
    request, folder, _ = finished
    moved = request.atoms_structure.copy()
    moved.translate_sites([0], [0.0, 0.0, 0.02])
    other = request.model_copy(update={"structure": moved.as_dict()})
    with pytest.raises(MismatchError, match=r"another structure than asked for: positions differ by up to 0\.08 A"):
        read_document(folder, other)
    slab = VaspEngine(overrides=COARSE).request(lithium_fluoride_slab(), [])
    with pytest.raises(MismatchError, match="is of H1 F1, asked for was Li2 F2"):
        read_document(folder, slab)


def test_a_missing_file_is_named(finished, tmp_path):
    copy_run(finished[1], tmp_path / "run")
    (tmp_path / "run" / "AECCAR0").unlink()
    with pytest.raises(CalculationError, match="There is no AECCAR0 in"):
        read_document(tmp_path / "run", finished[0])


def test_a_density_with_exponents_of_three_digits(finished, tmp_path):
    """Fortran writes 0.1-101 for 1E-102, which no reader of numbers takes."""
    text = (finished[1] / "CHGCAR").read_text()
    lines = text.split("\n")
    first = lines.index("") + 2
    words = lines[first].split()
    lines[first] = " ".join([words[0].split("E")[0] + "-101", *words[1:]])
    (tmp_path / "CHGCAR").write_text("\n".join(lines))
    structure = finished[0].atoms_structure
    grid = finished[2].grid
    plain = read_density(finished[1] / "CHGCAR", structure, grid, occupancies=True)
    other = read_density(tmp_path / "CHGCAR", structure, grid, occupancies=True)
    assert other.values[0, 0, 0] < 1e-100
    assert np.array_equal(plain.values.ravel()[1:], other.values.ravel()[1:])


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory, finished):
    """Give a folder like the finished one, in which one file has other contents."""
    from contextlib import contextmanager

    root = tmp_path_factory.mktemp("spoilt")

    @contextmanager
    def make(name, content, source=None):
        source = source or finished[1]
        folder = root / "run"
        folder.mkdir()
        for path in source.iterdir():
            if path.name != name:
                (folder / path.name).symlink_to(path)
        (folder / name).write_bytes(content)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    return make


@pytest.mark.parametrize(
    "text",
    [
        '[{"corrections": [{"handler": "X", "errors": [], "actions": []}]}]',
        '[{"corrections": [{"handler": {}, "errors": [], "actions": ["x"]}]}]',
        '[{"corrections": {}}, 1]',
        '[{"corrections": ',
    ],
)
def test_a_log_of_custodian_that_is_none(tmp_path, text):
    (tmp_path / "custodian.json").write_text(text)
    with pytest.raises(CalculationError, match=r"custodian\.json cannot be used"):
        read_corrections(tmp_path)

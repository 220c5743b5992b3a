"""Inputs of VASP: every file of every kind of system at every level, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from atomate2.vasp.powerups import update_user_incar_settings
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar

from iface_wf.engines.vasp import choices as choices
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.engines.vasp.inputs import cubic_box, is_cubic
from iface_wf.engines.vasp.installation import VaspSettings, check_executable, installation
from iface_wf.engines.vasp.run import write_inputs
from iface_wf.errors import InputError
from tests.engines.vasp.vasp_fixtures import interface, lithium_fluoride_slab, write_potcars

GOLDEN = Path(__file__).parent / "golden"
FILES = ("INCAR", "KPOINTS", "POSCAR", "POTCAR.spec")
LEVELS = ("fast", "moderate", "precise")


def bulk():
    """Rock salt, 8 atoms."""
    corners = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    centres = [[0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    return Structure(Lattice(np.eye(3) * 4.03), ["Li"] * 4 + ["F"] * 4, corners + centres)


def slab():
    """A hexagonal oxide with La, its lower atoms frozen, not in the order of a POSCAR."""
    lattice = Lattice([[5.6, 0, 0], [-2.8, 4.85, 0], [0, 0, 20.8]], pbc=(True, True, False))
    species = ["O", "La", "Zr", "O", "H", "O"]
    heights = [6.0, 7.2, 8.9, 10.0, 10.97, 12.0]
    fractions = [[0.1 * i, 0.55 - 0.1 * i, z / 20.8] for i, z in enumerate(heights)]
    frozen = [[z > 8.0] * 3 for z in heights]
    return Structure(
        lattice, species, fractions, site_properties={"component": ["slab"] * 6, "selective_dynamics": frozen}
    )


def wire():
    """One formula unit of GdOOH along a."""
    lattice = Lattice(np.diag([3.71, 16.0, 17.6]), pbc=(True, False, False))
    places = [[0.9, 8.0, 8.8], [2.8, 8.0, 7.4], [2.8, 9.0, 10.4], [2.8, 9.9, 10.7]]
    return Structure(
        lattice, ["Gd", "O", "O", "H"], places, coords_are_cartesian=True, site_properties={"component": ["slab"] * 4}
    )


def molecule():
    """Water in a box that is no cube."""
    lattice = Lattice(np.diag([11.2, 12.0, 12.8]), pbc=(False, False, False))
    places = [[5.6, 6.0, 6.4], [6.36, 6.0, 6.99], [4.84, 6.0, 6.99]]
    return Structure(
        lattice, ["O", "H", "H"], places, coords_are_cartesian=True, site_properties={"component": ["polymer"] * 3}
    )


def ion():
    """Hydroxide."""
    water = molecule()
    water.remove_sites([2])
    return water


SYSTEMS = {
    "bulk": (bulk, 0.0),
    "slab": (slab, 0.0),
    "wire": (wire, 0.0),
    "molecule": (molecule, 0.0),
    "ion": (ion, -1.0),
}
VARIANTS = {
    "slab-moderate-static-r2scan": (slab, "moderate", {"xc": "r2SCAN"}),
    "slab-moderate-static-pbesol": (
        slab,
        "moderate",
        {"xc": "PBEsol", "dispersion": None, "SIGMA": 0.02, "IVDW": None},
    ),
    "wire-moderate-static-gd4f": (wire, "moderate", {"gadolinium": "valence"}),
}


def request(structure, kind, level, charge=0.0, overrides=None, like=None):
    densities = ["valence", "all_electron"] if kind == "static" else []
    maker = VaspEngine(kind=kind, level=level, charge=charge, overrides=overrides or {}, densities=densities)
    return maker.request(structure, [], like)


def written(a_request, folder):
    """Write the inputs without POTCARs and return them as one text."""
    folder.mkdir()
    write_inputs(a_request, folder, VaspSettings(), without_potcars=True)
    return "".join(f"==> {name} <==\n{(folder / name).read_text()}" for name in FILES)


def examples():
    """Yield the name of each golden file and its request."""
    for name, (build, charge) in SYSTEMS.items():
        for level in LEVELS:
            for kind in ("relax", "static"):
                yield f"{name}-{level}-{kind}", request(build(), kind, level, charge)
    for name, (build, level, overrides) in VARIANTS.items():
        yield name, request(build(), "static", level, overrides=overrides)
    whole = request(interface(), "static", "moderate").settings
    part = lithium_fluoride_slab()
    yield "slab-moderate-static-like", request(part, "static", "moderate", like=whole | whole["technical"])


EXAMPLES = dict(examples())


@pytest.mark.parametrize("name", EXAMPLES)
def test_inputs_are_those_of_the_golden_file(name, tmp_path, monkeypatch):
    """Whole texts: lattice, mesh, every tag, and with them every tag that is absent."""
    monkeypatch.delenv("PMG_VASP_PSP_DIR", raising=False)
    assert written(EXAMPLES[name], tmp_path / "inputs") == (GOLDEN / f"{name}.txt").read_text()


def test_there_is_no_golden_file_without_an_example():
    assert {path.stem for path in GOLDEN.iterdir()} == set(EXAMPLES)


def test_written_files_say_what_was_asked(tmp_path):
    """The golden files themselves, read by pymatgen: cell, places, mesh and frozen atoms of the request."""
    asked = slab()
    written(request(asked, "static", "moderate"), tmp_path / "inputs")
    poscar = Poscar.from_file(tmp_path / "inputs" / "POSCAR", check_for_potcar=False)
    incar = Incar.from_file(tmp_path / "inputs" / "INCAR")
    assert np.allclose(poscar.structure.lattice.matrix, asked.lattice.matrix, atol=1e-12)  # printed with 16 digits
    for site, flags in zip(poscar.structure, poscar.selective_dynamics, strict=True):
        same = [i for i, other in enumerate(asked) if other.distance_and_image(site)[0] < 1e-9]
        assert [asked[i].specie for i in same] == [site.specie]
        assert list(flags) == asked.site_properties["selective_dynamics"][same[0]]
    assert Kpoints.from_file(tmp_path / "inputs" / "KPOINTS").kpts[0] == (4, 4, 1)  # 4 x 5.6 A reach 20 A
    assert (tmp_path / "inputs" / "POTCAR.spec").read_text().split() == ["La", "Zr_sv", "H", "O"]
    assert incar["LDAUU"] == [11.0, 0.0, 0.0, 0.0]
    assert incar["DIPOL"] == [0.5, 0.5, pytest.approx((6.0 + 12.0) / 2 / 20.8, abs=1e-6)]
    assert "KSPACING" not in incar
    assert "ADDGRID" not in incar


def test_grid_of_a_single_point_is_fine_enough_for_bader_charges():
    for level, spacing in (("fast", 0.08), ("moderate", 0.067), ("precise", 0.05)):
        settings = request(slab(), "static", level).settings
        edges = slab().lattice.abc
        assert all(edge / n <= spacing + 1e-9 for edge, n in zip(edges, settings["grid"], strict=True))
        assert all(settings[f"NG{x}F"] >= 2 * settings[f"NG{x}"] for x in "XYZ")


@pytest.mark.parametrize(
    ("edges", "encut", "prec", "coarse", "fine"),
    [
        ((8.3973471, 8.3973471, 25.1920412), 700.0, "Accurate", (72, 72, 224), (144, 144, 448)),  # VASP 6.3.2, O on Au
        ((10.0, 10.0, 10.0), 700.0, "Accurate", (90, 90, 90), (180, 180, 180)),  # VASP 6.3.2, O
        ((8.0, 8.0, 8.0), 400.0, "Normal", (40, 40, 40), (80, 80, 80)),  # VASP 5.4.1, O, tutorial of the VASP wiki
    ],
)
def test_the_grid_is_the_one_that_vasp_chooses(edges, encut, prec, coarse, fine):
    atom = Structure(Lattice(np.diag(edges)), ["O"], [[0.5, 0.5, 0.5]])
    maker = VaspEngine(level="fast", overrides={"ENCUT": encut, "PREC": prec})
    settings = maker.request(atom, []).settings
    assert tuple(settings[f"NG{x}"] for x in "XYZ") == coarse
    assert tuple(settings["grid"]) == fine


def test_atomate2_s_powerups_work_on_the_maker():
    job = VaspEngine(here=False).static(molecule())
    changed = update_user_incar_settings(job, {"ENCUT": 650.0, "ALGO": "Normal"})
    settings = changed.maker.request(molecule(), []).settings
    assert (settings["ENCUT"], settings["technical"]["ALGO"]) == (650.0, "Normal")


def test_frozen_parts_share_everything_with_the_whole():
    whole = request(interface(), "static", "moderate", overrides={"SIGMA": 0.02}).settings
    whole |= {"ISMEAR": -5, "LREAL": False, "NGXF": whole["NGXF"] + 2}  # as custodian might have left it
    part = request(lithium_fluoride_slab(), "static", "moderate", like=whole | whole["technical"]).settings
    for name in (*choices.METHOD_TAGS, *choices.CELL_TAGS):
        assert (whole | whole["technical"]).get(name) == (part | part["technical"]).get(name), name
    assert part["kpoints"] == whole["kpoints"]


def test_a_wrapped_and_reordered_structure_is_the_same_calculation():
    plain, other = slab(), slab()
    other.translate_sites(range(6), [1.0, -1.0, 0.0], to_unit_cell=False)
    other = Structure.from_sites([other[i] for i in (3, 1, 0, 5, 2, 4)])
    assert request(plain, "static", "fast").key() == request(other, "static", "fast").key()


@pytest.mark.parametrize(
    "change", [{"ENCUT": 530.0}, {"xc": "PBEsol"}, {"hubbard": {}}, {"SIGMA": 0.1}, {"potcars": {"Zr": "Zr"}}]
)
def test_what_decides_the_result_is_in_the_key(change):
    assert request(slab(), "static", "fast").key() != request(slab(), "static", "fast", overrides=change).key()


def test_how_it_is_reached_is_not_in_the_key():
    other = request(slab(), "static", "fast", overrides={"ALGO": "Normal", "NELM": 300})
    assert request(slab(), "static", "fast").key() == other.key()


def test_electrons_of_an_ion_are_those_of_its_potcars_minus_the_charge():
    settings = request(ion(), "static", "fast", charge=-1.0).settings
    assert settings["technical"]["NELECT"] == 6 + 1 + 1
    assert settings["IDIPOL"] == 4
    assert is_cubic(cubic_box(ion()))


def test_odd_electrons_are_polarised():
    radical = request(ion(), "static", "fast").settings
    assert radical["ISPIN"] == 2
    assert request(molecule(), "static", "fast").settings["ISPIN"] == 1


def test_no_dipole_correction_where_c_is_inclined():
    inclined = slab()
    matrix = inclined.lattice.matrix.copy()
    matrix[2, 0] = 1.0
    inclined.lattice = Lattice(matrix, pbc=(True, True, False))
    settings = request(inclined, "static", "fast").settings
    assert not {"LDIPOL", "IDIPOL"} & set(settings)


@pytest.mark.parametrize(
    ("build", "options", "words"),
    [
        (slab, {"charge": 1.0}, "slab with the charge +1 e has no defined energy"),
        (bulk, {"charge": -1.0}, "bulk with the charge -1 e"),
        (slab, {"overrides": {"xc": "PBEs"}}, "did you mean PBE or PBEsol"),
        (slab, {"overrides": {"ENCUTT": 500}}, "did you mean ENCUT"),
        (slab, {"overrides": {"dispersion": "TS"}}, "no dispersion 'TS' for PBE: take D3(BJ), D4 or none"),
        (
            slab,
            {"overrides": {"xc": "r2SCAN", "dispersion": "D4"}},
            "no dispersion 'D4' for r2SCAN: take rVV10 or none",
        ),
        (slab, {"overrides": {"gadolinum": "core"}}, "did you mean gadolinium"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(build, options, words):
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        request(build(), "static", "fast", **options)
    assert str(caught.value).count("\n") == 0


def test_ghosts_are_refused():
    with pytest.raises(InputError, match="no ghost atoms"):
        VaspEngine().request(interface(), [0])


def test_a_missing_potcar_is_told_before_anything_is_written(tmp_path, potcars):
    (potcars / "POT_PAW_PBE_64" / "Zr_sv" / "POTCAR").unlink()
    with pytest.raises(InputError, match="POTCAR Zr_sv of release PBE_64 is missing in"):
        written(request(slab(), "static", "fast"), tmp_path / "inputs")


def test_a_cutoff_below_what_a_potcar_needs_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("IFACE_WF_VASP_POTCARS", str(write_potcars(tmp_path / "hard", enmax=510.0)))
    with pytest.raises(InputError, match="ENCUT of 500 eV is below the 510 eV"):
        written(request(slab(), "static", "fast"), tmp_path / "inputs")


def test_a_potcar_with_other_electrons_than_its_name_says_is_refused(tmp_path, potcars):
    path = potcars / "POT_PAW_PBE_64" / "O" / "POTCAR"
    path.write_text(path.read_text().replace("ZVAL   =    6.000", "ZVAL   =    5.000"))
    with pytest.raises(InputError, match="The POTCAR O has 5 valence electrons, not 6"):
        written(request(slab(), "static", "fast"), tmp_path / "inputs")


def test_a_missing_executable_is_told_when_the_flow_is_built(tmp_path, monkeypatch, potcars):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="program 'vasp_std' is not on PATH"):
        VaspEngine().relax(slab())
    with pytest.raises(InputError, match="'mpirun' is not on PATH"):
        check_executable("mpirun -n 4 vasp_std")
    VaspEngine(here=False).relax(slab())


def test_tags_that_change_results_are_not_taken_from_the_environment(monkeypatch):
    monkeypatch.setenv("IFACE_WF_VASP_INCAR", '{"NCORE": 4, "ENCUT": 300}')
    with pytest.raises(InputError, match="cannot set ENCUT"):
        installation()


def test_the_documentation_shows_the_table_of_choices():
    page = (Path(__file__).parents[3] / "docs" / "vasp.md").read_text()
    assert choices.choices_table() in page


def test_every_tag_that_is_written_is_explained():
    """No tag without a reason: the table names each."""
    explained = set(re.findall(r"[A-Z][A-Z0-9_]+", " ".join(choice.tags for choice in choices.CHOICES)))
    for name, a_request in EXAMPLES.items():
        settings = a_request.settings
        tags = {tag for tag in (*settings, *settings["technical"]) if tag.isupper()}
        unexplained = {tag for tag in tags if not any(tag.startswith(word) for word in explained)}
        assert not unexplained, (name, unexplained)


if __name__ == "__main__":  # writes the golden files anew, to be looked at before they are committed
    import tempfile

    GOLDEN.mkdir(exist_ok=True)
    for name, a_request in EXAMPLES.items():
        with tempfile.TemporaryDirectory() as folder:
            (GOLDEN / f"{name}.txt").write_text(written(a_request, Path(folder) / "inputs"))


@pytest.mark.parametrize(("overrides", "ivdw"), [({}, 12), ({"IVDW": 13}, 13)])
def test_d4_is_vasp_s_own_only_where_the_build_has_it(overrides, ivdw):
    settings = VaspEngine(overrides={"dispersion": "D4"} | overrides).request(slab(), []).settings
    assert (settings["dispersion"], settings["IVDW"]) == ("D4", ivdw)
    assert "IVDW" not in VaspEngine(overrides={"dispersion": "none"}).request(slab(), []).settings

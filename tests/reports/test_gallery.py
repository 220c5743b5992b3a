"""Figures for papers: they look as they did, their axes say what they show, and they are where the density is.

A figure that is meant to look otherwise: look at it, then ``IFACE_WF_NEW_BASELINE=1 pytest tests/reports/test_gallery.py``.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from pymatgen.core import Lattice, Structure

from iface_wf.documents.kinds import get_kind
from iface_wf.errors import InputError
from iface_wf.reports.convergence import STEPS_NOT_STORED, candidates, relaxed
from iface_wf.reports.convergence import cycles as cycles_of
from iface_wf.reports.gallery import DRAWINGS, draw
from iface_wf.reports.heatmap import heat_map_figure
from iface_wf.reports.names import quantity_label
from iface_wf.reports.published import Panel, Published, published_figure
from iface_wf.reports.scene import scene_of
from iface_wf.reports.slices import contact, slices_figure
from iface_wf.store.results import result_table
from tests.examples import CHARGES_AFTER, CHARGES_BEFORE, calculation, difference, document, put, structure

BASELINE = Path(__file__).parent / "baseline"
TOLERANCE = 6.0
"""Root mean square of 255 levels: another build of the font moves letters by a fraction of a pixel; another isovalue is 14,
lost surfaces are 22."""


def calculations():
    levels = {"fermi_level": -3.0, "vacuum_level": {"below": -5.0, "above": 0.0}, "work_function": {"above": 3.0}}
    parts = {"A*": slice(4), "B*": slice(4, None)}
    return {"AB": calculation("AB", CHARGES_AFTER, **levels)} | {
        role: calculation(role, CHARGES_BEFORE, chosen) for role, chosen in parts.items()
    }


@pytest.fixture
def table(job_store):
    for number, (filler, polymer, energy) in enumerate(
        (("LiF", "HF", -0.4), ("SiO2", "PEO", -1.2), ("SiO2", "HF", -0.8))
    ):
        put(
            job_store,
            document(f"{number}" * 64, filler=filler, polymer=polymer, binding_energy=energy),
            uuid=f"{number}" * 36,
        )
    put(job_store, document("9" * 64, binding_energy=-9.0, flags=["desorbed"]), uuid="9" * 36)
    return result_table(job_store)


def searched():
    """A result whose search looked at five candidates, the third of which could not be calculated."""
    energies = {3: -9.9, 0: -9.4, 4: -9.0, 1: -8.8}
    ranking = [{"placement": i, "energy": e + 0.1, "expected": e, "relaxed": i == 3} for i, e in energies.items()]
    return document(placement_ranking=[*ranking, {"placement": 2, "failed": "no charges"}])


def relaxations():
    told = {"A": (12, 0.03, True), "B": (0, 0.0, True), "AB": (200, 0.21, False)}
    return {
        role: calculation(role, CHARGES_AFTER, kind="relax", engine="xtb", ionic_steps=steps, max_force=force,
                          converged=converged, settings={"fmax": 0.05})
        for role, (steps, force, converged) in told.items()
    }  # fmt: skip


def single_points():
    told = {"AB": (31, True), "A*": (22, True), "B*": (150, False)}
    return {
        role: calculation(role, CHARGES_AFTER, scf_steps=steps, converged=converged, settings={"max_scf_steps": 150})
        for role, (steps, converged) in told.items()
    }


def papers():
    ours = [
        Published("LiTFSI, bare", 5.42, 6.06, 0.28),
        Published("LiTFSI at $x^{", 4.63, None, problem="not computed yet"),
        Published("LiTFSI at d-PVDF-HFP", 4.43, 4.9, 0.3, trustworthy=False),
    ]
    return [
        Panel("Poly-DOL, 10.1002/aenm.202402746", "dissociation energy / eV, positive = costs energy", ours),
        Panel("No numbers", "li binding energy / eV", [Published("chain", None, None)]),
        Panel("Silica", "li binding energy / eV, negative = bound", [Published("Li+ at O", None, -1.65, 0.25)]),
    ]


def figure_of(name, table):
    if name == "heat-map":
        return heat_map_figure(table, get_kind("binding"))
    if name == "published":
        return published_figure(papers())
    if name == "convergence":
        return draw(name, searched(), single_points(), relaxations=relaxations())
    return draw(name, document(), calculations(), iso=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DRAWINGS, "heat-map", "published"])
def test_figures_look_as_they_did(name, table, tmp_path):
    path, baseline = tmp_path / f"{name}.png", BASELINE / f"{name}.png"
    figure_of(name, table).savefig(path, dpi=50)
    if os.environ.get("IFACE_WF_NEW_BASELINE"):
        baseline.write_bytes(path.read_bytes())
    assert compare_images(str(baseline), str(path), tol=TOLERANCE) is None


@pytest.mark.slow
def test_another_isovalue_is_another_picture(tmp_path):
    path = tmp_path / "x.png"
    draw("difference", document(), {}, iso=0.015).savefig(path, dpi=50)
    assert compare_images(str(BASELINE / "difference.png"), str(path), tol=TOLERANCE) is not None


LABELS = {
    "difference": {"z / Å", "y / Å", "Δρ(z) / e Å$^{-1}$", "ΔQ(z) / e"},
    "slices": {"along a / Å", "along b / Å", "x / Å", "y / Å", "z / Å", "Δρ / e Å$^{-3}$"},
    "transfer": {"across / Å", "z / Å", "x / Å", "y / Å", "charge transfer / e, positive = electrons lost"},
    "potential": {"z / Å", "potential energy of an electron / eV"},
    "heat-map": {"polymer, salt", "filler", "binding energy / eV"},
    "published": {"dissociation energy / eV, positive = costs energy", "li binding energy / eV, negative = bound"},
    "convergence": {
        "largest force at the end / eV Å$^{-1}$",
        "cycles of self-consistency of single points",
        "candidate, in the order in which they were proposed",
        "energy above the lowest / eV",
    },
}


@pytest.mark.parametrize("name", LABELS)
def test_axes_carry_quantity_and_unit(name, table):
    axes = figure_of(name, table).axes
    assert {label for ax in axes for label in (ax.get_xlabel(), ax.get_ylabel())} - {""} == LABELS[name]


def test_the_search_is_drawn_in_its_order_with_the_lowest_so_far():
    found = candidates(searched())
    assert [each.number for each in found] == [1, 2, 3, 4, 5]
    assert [each.energy for each in found] == [
        pytest.approx(e) if e is not None else None for e in (0.5, 1.1, None, 0, 0.9)
    ]
    assert [each.best for each in found] == pytest.approx([0.5, 0.5, 0.5, 0.0, 0.0])
    axes = draw("convergence", searched(), {}).axes
    assert len(axes) == 1
    (chosen,) = (line for line in axes[0].lines if line.get_label() == "chosen, relaxed on as AB")
    assert list(chosen.get_xdata()) == [searched().placement + 1]
    steps = next(line for line in axes[0].lines if line.get_label() == "lowest so far")
    assert steps.get_ydata() == pytest.approx([0.5, 0.5, 0.5, 0.0, 0.0])
    assert candidates(document(placement_ranking=[{"placement": 0, "contact": 2.0}])) == []  # nothing was searched


def test_convergence_is_against_what_was_asked_for_and_says_what_is_not_stored():
    figure = draw("convergence", document(), single_points(), relaxations=relaxations())
    forces, cycles = figure.axes
    limits = [line.get_xdata()[0] for line in forces.lines if len(line.get_xdata()) == 2]
    assert limits == [0.05] * 3
    assert [text.get_text() for text in forces.texts] == ["12 steps", "0 steps", "200 steps"]
    assert [text.get_text().strip() for text in cycles.texts][2] == "150 of at most 150"
    assert [bar.get_hatch() for bar in cycles.patches] == ["", "", "//"]
    said = figure.get_supxlabel()
    assert STEPS_NOT_STORED in said
    assert "No search for a placement is stored." in said
    of_vasp = calculation("AB", CHARGES_AFTER, max_force=0.01, settings={"EDIFFG": -0.02, "NELM": 60}, scf_steps=9)
    assert (relaxed({"AB": of_vasp})[0].limit, cycles_of({"AB": of_vasp})[0].most) == (0.02, 60)
    by_energy = calculation("AB", CHARGES_AFTER, max_force=0.01, settings={"EDIFFG": 1e-4})
    assert relaxed({"AB": by_energy})[0].limit is None


def test_relaxations_are_drawn_step_by_step_where_steps_are_stored():
    walked = calculation(
        "AB",
        CHARGES_AFTER,
        max_force=0.04,
        settings={"fmax": 0.05},
        step_energies=[-10.0, -10.6, -10.8],
        step_forces=[1.2, 0.3, 0.04],
    )
    figure = draw("convergence", document(), {}, relaxations={"AB": walked})
    _, forces, energies = figure.axes
    assert forces.get_yscale() == "log"
    assert forces.lines[0].get_ydata() == pytest.approx([1.2, 0.3, 0.04])
    assert [line.get_ydata()[0] for line in forces.lines[1:]] == [0.05]  # the limit
    assert energies.lines[0].get_ydata() == pytest.approx([0.8, 0.2, 0.0])
    assert {energies.get_ylabel(), forces.get_ylabel()} == {"energy above the last / eV", "largest force / eV Å$^{-1}$"}
    assert STEPS_NOT_STORED not in figure.get_supxlabel()


def test_published_numbers_stand_beside_ours_with_uncertainties():
    salts, silica = published_figure(papers()).axes  # the panel without a number is left out
    assert [label.get_text() for label in salts.get_yticklabels()] == [n.name for n in papers()[0].numbers]
    spreads = [segment[:, 0].tolist() for bars in salts.collections for segment in bars.get_segments()]
    assert spreads == [pytest.approx([5.78, 6.34]), pytest.approx([4.6, 5.2])]
    assert [line.get_xdata()[0] for line in salts.lines if line.get_marker() == "D"] == [5.42, 4.63, 4.43]
    assert [text.get_text().strip() for text in salts.texts] == ["not computed yet"]
    assert silica.get_xlim()[0] < -1.9 < -1.4 < silica.get_xlim()[1]
    with pytest.raises(InputError, match="nothing to draw"):
        published_figure([Panel("p", "x", [Published("q", None, None)])])
    with pytest.raises(InputError, match="70 numbers cannot be read"):
        published_figure([Panel("p", "x", [Published("q", 1.0, None)] * 70)])


def test_side_view_and_profiles_have_one_axis():
    side, profile, charge, _ = draw("difference", document(), {}).axes
    assert side.get_ylim() == profile.get_ylim() == charge.get_ylim()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["difference", "transfer"])
@pytest.mark.parametrize("along", [0, 1])
def test_the_cell_is_in_sight_from_all_sides(name, along):
    figure = draw(name, document(), calculations(), along=along)
    side, above = figure.axes[0], figure.axes[-1 if name == "difference" else 1]
    edges = [
        line.get_xdata()[0] for line in side.lines if line.get_linestyle() == "--" and np.ptp(line.get_ydata()) > 1
    ]
    length = [4.0, 6.0][1 - along]  # what lies across, turned by 7 degrees, and a little of what lies along
    assert len(edges) == 4
    assert np.ptp(edges) == pytest.approx(length * np.cos(np.deg2rad(7)) + [4.0, 6.0][along] * np.sin(np.deg2rad(7)))
    assert side.get_xlim()[0] < min(edges) < max(edges) < side.get_xlim()[1]
    (outline,) = [line for line in above.lines if line.get_linestyle() == "--"]
    assert np.ptp(outline.get_xdata()) == pytest.approx(4.0)
    assert np.ptp(outline.get_ydata()) == pytest.approx(6.0)
    assert above.get_ylim()[0] < min(outline.get_ydata())
    assert above.get_ylim()[1] > max(outline.get_ydata())


def test_the_contact_is_between_the_nearest_atoms_across_the_cells_edge():
    # F of the molecule at (1.0, 5.8, 8.5); nearest is Li at (0, 0, 6), which is (0, 6, 6) of the next cell
    at = contact(structure())
    assert at[2] == pytest.approx(7.25)
    assert np.mod(at[:2], [4.0, 6.0]) == pytest.approx([0.5, 5.9])


def test_slices_show_the_density_of_their_plane():
    """The colours of the level plane are the density at its height, wherever the cell is cut."""
    rho = difference()
    for shift in (0, 7):
        moved = structure()
        moved.translate_sites(list(range(6)), [shift / 20, 0, 0])
        figure = slices_figure(moved, np.roll(rho, shift, axis=0), "", iso=0.005)
        image = figure.axes[2].images[0]
        # z = 7.25 A is a quarter of the way from plane 36 to plane 37
        assert image.get_array().max() == pytest.approx((0.75 * rho[:, :, 36] + 0.25 * rho[:, :, 37]).max(), rel=0.02)
        assert figure.axes[2].get_title() == "level, z = 7.25 Å"


def test_what_a_result_has_not_is_named():
    for name, wanted in (
        ("difference", "density"),
        ("slices", "density"),
        ("potential", "potential"),
        ("transfer", "charges"),
        ("convergence", "convergence"),
    ):
        with pytest.raises(InputError, match=wanted):
            draw(name, document(density_difference=None), {})
    with pytest.raises(InputError, match="no contact"):
        contact(Structure(Lattice.cubic(4.0), ["Li"], [[0, 0, 0]]))


def test_a_map_shows_the_lowest_trustworthy_number_of_each_pair(table):
    texts = [text.get_text() for text in heat_map_figure(table, get_kind("binding")).axes[0].texts]
    assert sorted(texts) == ["−0.40\n± 0.25", "−0.80\n± 0.25", "−1.20\n± 0.25"]
    with pytest.raises(InputError, match="nothing to draw"):
        heat_map_figure(table[~table["trustworthy"]], get_kind("binding"))


def test_a_map_of_one_number_has_a_scale_that_can_be_read(table):
    figure = heat_map_figure(table.head(1), get_kind("binding"))
    figure.canvas.draw()
    bar = figure.axes[1]
    low, high = bar.get_ylim()
    assert high - low == pytest.approx(0.1)
    assert low < -1.2 < high
    assert bar.yaxis.get_offset_text().get_text() == ""
    with pytest.raises(InputError, match="no result matches"):
        heat_map_figure(table.head(0), get_kind("binding"))


def test_molecules_without_a_surface_stand_beside_their_partners(table):
    pairs = table.assign(filler="", partner=["water", "EC", "EC", "EC"])
    axes = heat_map_figure(pairs, get_kind("pair")).axes[0]
    assert axes.get_ylabel() == "partner"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["EC", "water"]
    alone = heat_map_figure(table.assign(filler=""), get_kind("binding")).axes[0]
    assert [label.get_text() for label in alone.get_yticklabels()] == [""]


def test_labels_tell_the_unit_and_its_sign_where_that_is_wanted():
    headline = {name: get_kind(name).columns for name in ("binding", "dissociation")}
    (binding,) = [c for c in headline["binding"] if c.name == "binding_energy"]
    (dissociation,) = [c for c in headline["dissociation"] if c.name == "dissociation_energy"]
    assert quantity_label(binding) == "binding energy / eV"
    assert quantity_label(dissociation) == "dissociation energy / eV"
    assert quantity_label(dissociation, sign=True) == "dissociation energy / eV, positive = costs energy"


def test_metals_of_an_oxide_are_joined_to_oxygen_only():
    lattice = Lattice.orthorhombic(3.0, 10.0, 20.0)
    rows = Structure(lattice, ["Al", "Al", "O"], [[0.2, 0.5, 0.5], [0.2, 0.7, 0.5], [0.2, 0.6, 0.55]])  # Al-Al 2.0 A
    scene = scene_of(rows)
    pairs = {tuple(sorted(scene.numbers[[i, j]].tolist())) for i, j in scene.sticks}
    assert pairs == {(8, 13)}


@pytest.mark.parametrize("name", ["difference", "slices"])
@pytest.mark.parametrize("iso", [1e6, float("inf"), float("nan")])
def test_an_isovalue_that_nothing_reaches_is_a_sentence(name, iso):
    with pytest.raises(InputError, match="No point of the density difference reaches"):
        draw(name, document(), {}, iso=iso)

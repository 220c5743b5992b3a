"""The pictures are there, not blank, and survive odd input."""

import io

import numpy as np
import pytest
from matplotlib.image import imread
from pymatgen.core import Lattice, Structure

from iface_wf.documents.kinds import get_kind
from iface_wf.quantities.binding.page import figure as result_figure
from iface_wf.reports.figures import binding_figure, structure_figure
from iface_wf.reports.page import save_figure
from iface_wf.reports.ranking import ranking_figure
from iface_wf.store.results import result_table
from tests.examples import difference, document, put, structure


def pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=60)
    buffer.seek(0)
    return imread(buffer)[..., :3]


def share(image, condition):
    return condition(image[..., 0], image[..., 1], image[..., 2]).mean()


def yellow(r, g, b):
    return (r > 0.8) & (g > 0.65) & (b < 0.6)


def blue(r, g, b):
    return (b > 0.75) & (r < 0.7) & (b - r > 0.2)


@pytest.mark.slow
def test_accumulation_is_yellow_and_depletion_blue():
    rho = difference()
    image = pixels(binding_figure(structure(), rho, None, None, None, "title", iso=0.005))
    assert share(image, yellow) > 0.002
    assert share(image, blue) > 0.002
    # accumulation (7 A) lies below depletion (8.5 A) in the picture; rows are counted from the top
    rows = [np.nonzero(c(*np.moveaxis(image, -1, 0)))[0] for c in (yellow, blue)]
    legend = int(0.9 * len(image))
    assert np.median(rows[0][rows[0] < legend]) > np.median(rows[1][rows[1] < legend])


def test_no_density_gives_no_surfaces():
    image = pixels(binding_figure(structure(), None, None, None, None, "title"))
    assert share(image, blue) < 0.0005
    assert image.std() > 0.02


@pytest.mark.slow
def test_profiles_share_the_height_with_the_structure():
    figure = result_figure(document())
    structure_axis, profile, charge = figure.axes
    assert structure_axis.get_ylim() == profile.get_ylim() == charge.get_ylim()
    low, high = structure_axis.get_ylim()
    assert low < 6.0 < 8.5 < high
    figure.canvas.draw()
    boxes = [ax.get_window_extent() for ax in figure.axes]
    assert boxes[0].y0 == pytest.approx(boxes[1].y0, abs=2)
    assert boxes[0].y1 == pytest.approx(boxes[1].y1, abs=2)


def test_title_states_energy_method_and_isovalue():
    figure = result_figure(document(), iso=0.004)
    text = " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))
    for expected in ("HF (1 unit) on LiF (001)", "−0.40 ± 0.25 eV", "raw −0.50 eV", "PBE-D3(BJ)", "fast", "0.004"):
        assert expected in text


def test_untrustworthy_result_says_so():
    figure = result_figure(document(converged=False))
    assert "not trustworthy" in " ".join(ax.get_title(loc="left") for ax in figure.axes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["$x^{", "<script>", "a\nb", "Ω" * 80, ""])
def test_odd_names_do_not_break_the_picture(name):
    image = pixels(result_figure(document(filler=name or "x", polymer=name)))
    assert image.std() > 0.02


@pytest.mark.parametrize("pbc", [(True, True, False), (True, False, False), (False, False, False), (True, True, True)])
def test_structures_of_any_periodicity_are_drawn(pbc):
    lattice = Lattice([[4, 0, 0], [2, 3.5, 0], [0, 0, 12]], pbc=pbc)
    atoms = Structure(lattice, ["Si", "O", "H"], [[0, 0, 0.5], [0.4, 0.1, 0.6], [0.5, 0.2, 0.65]])
    assert pixels(structure_figure(atoms, "plain")).std() > 0.02


def test_single_atom_is_drawn():
    lattice = Lattice(np.eye(3) * 10, pbc=(False, False, False))
    assert pixels(structure_figure(Structure(lattice, ["Li"], [[0.5, 0.5, 0.5]]))).std() > 0.005


def test_figure_is_a_file_of_sensible_size(tmp_path):
    path = save_figure(document(), tmp_path / "picture.png")
    image = imread(path)
    assert image.shape[0] > 900
    assert image.shape[1] > 1200


def test_bars_have_their_uncertainties_and_names(job_store):
    energies = {"PEO": -0.9, "$x^{": -0.5, "PAN": -0.2}
    for number, (polymer, energy) in enumerate(energies.items()):
        geometry = "as given" if polymer == "PAN" else "xtb GFN1-xTB (fast)"
        basis = {"basis": "ML potential", "bsse_energy": None} if polymer == "PAN" else {}  # nothing is known of it
        result = document(str(number) * 64, polymer=polymer, binding_energy=energy, geometry_engine=geometry, **basis)
        put(job_store, result, uuid=str(number) * 32)
    table = result_table(job_store)
    figure = ranking_figure(table, get_kind("binding"))
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(list(energies.values()))
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"{name} x 1 on LiF" for name in energies]
    (lines,) = axes.collections
    segments = [segment for segment in lines.get_segments() if segment.ndim == 2 and np.isfinite(segment).all()]
    assert [(s[0, 0], s[1, 0]) for s in segments] == [
        pytest.approx((row["binding_energy"] - row["uncertainty"], row["binding_energy"] + row["uncertainty"]))
        for row in table.to_dict("records")[:2]
    ]
    assert pixels(figure).std() > 0.02

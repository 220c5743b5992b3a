"""Hydroxylation: every bond closed, neutral, silanol densities of the literature."""

from __future__ import annotations

import pytest

from iface_wf.builders.solids.slabs import build_slab, build_slabs, slab_terminations
from iface_wf.builders.solids.surfaces import CONTACT, closest_contact, hydroxylate
from iface_wf.builders.solids.terminations import BrokenBond
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.records import SurfaceSpec

PLAIN = {"passivation": "hydroxyl"}


@pytest.mark.parametrize(
    ("name", "miller", "density"),
    [  # per nm^2: broken Si-O bonds over the area of the cell, as in the literature on silica surfaces
        ("SiO2", (0, 0, 1), 9.57),
        ("SiO2", (1, 0, 1), 5.92),
        ("SiO2", (0, 1, 1), 5.92),
        ("SiO2", (1, 0, 0), 7.53),
        ("SiO2-cristobalite", (1, 0, 1), 4.72),
    ],
)
def test_silanol_density_of_full_hydroxylation(name, miller, density):
    slab = build_slab(Library().filler(name), SurfaceSpec(miller=miller, thickness=5, **PLAIN))
    for face in ("top", "bottom"):
        assert slab.properties["silanol_density"][face] == pytest.approx(density, abs=0.02)


@pytest.mark.parametrize("miller", [(0, 0, 1), (1, 0, 1), (1, 0, 0), (1, 1, 1), (2, 1, 0)])
@pytest.mark.parametrize("name", ["SiO2", "SiO2-cristobalite"])
def test_every_silica_face_is_closed(name, miller):
    for slab in build_slabs(Library().filler(name), SurfaceSpec(miller=miller, thickness=4, **PLAIN)):
        for site in slab:
            near = slab.get_neighbors(site, 1.9)
            oxygen = sum(n.specie.symbol == "O" for n in near)
            match site.specie.symbol:
                case "Si":
                    assert oxygen == 4
                case "O":
                    silicon = sum(n.specie.symbol == "Si" for n in near)
                    hydrogen = sum(n.specie.symbol == "H" and n.nn_distance < 1.2 for n in near)
                    assert silicon + hydrogen == 2
        charge = sum({"Si": 4, "O": -2, "H": 1}[s.specie.symbol] for s in slab)
        assert charge == 0
        assert closest_contact(slab)[0] > CONTACT
        hydrogens = [s for s in slab if s.specie.symbol == "H"]
        assert all(n.specie.symbol != "H" for h in hydrogens for n in slab.get_neighbors(h, 1.3))


def test_gadolinium_hydroxide_takes_up_water():
    record = Library().filler("GdOOH")
    for slab in build_slabs(record, SurfaceSpec(miller=(1, 0, 0), thickness=6, **PLAIN)):
        counts = slab.composition.get_el_amt_dict()
        water = counts["H"] - counts["Gd"]  # GdOOH has one H for each Gd; each H2O adds 2 H and 1 O
        assert water % 2 == 0
        assert counts["O"] - 2 * counts["Gd"] == water / 2
        assert sum({"Gd": 3, "O": -2, "H": 1}[s.specie.symbol] for s in slab) == 0


def test_an_oxygen_that_lost_everything_cannot_be_closed():
    slab = slab_terminations(Library().filler("SiO2"), "001")[0].stack(1)
    oxygen = next(i for i, s in enumerate(slab) if s.specie.symbol == "O")
    broken = [BrokenBond(oxygen, "Si", slab[oxygen].coords * 0 + (0, 0, k), 1.0) for k in (1.6, -1.6)]
    with pytest.raises(InputError, match="too few bonds"):
        hydroxylate(slab, broken)


@pytest.mark.slow
def test_a_crystal_with_empty_sites_is_not_hydroxylated():
    with pytest.raises(InputError, match="hydroxyl"):
        build_slab(Library().filler("LAGP"), SurfaceSpec(miller=(0, 1, 2), thickness=4, **PLAIN))

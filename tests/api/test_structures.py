"""Structures without calculations: those that a run would calculate, and what was asked for, or a sentence."""

import numpy as np
import pytest

import iface_wf
from iface_wf.errors import InputError


def test_a_slab_alone_is_as_it_was_asked_for():
    own = iface_wf.build("LiI")
    assert own.fragment is None
    assert own.placements == []
    assert own.report["formula"] == own.slab.composition.formula
    thin = iface_wf.build("LiI", thickness=3.0, in_plane=(12.0, 4.0), vacuum=20.0).slab
    assert np.ptp(thin.cart_coords[:, 2]) < np.ptp(own.slab.cart_coords[:, 2])
    assert max(thin.lattice.abc[:2]) >= 12.0 > max(own.slab.lattice.abc[:2])
    assert thin.lattice.c - thin.cart_coords[:, 2].max() >= 20.0
    assert iface_wf.build("GdOOH", surface="wire").slab.lattice.pbc == (True, False, False)


def test_the_slab_alone_is_that_of_an_interface_with_room():
    alone = iface_wf.build("LiI", thickness=3.0).slab
    below = iface_wf.build("LiI", molecule="O", thickness=3.0, room_atoms=0).slab
    assert alone.species == below.species
    assert alone.cart_coords == pytest.approx(below.cart_coords, abs=1e-9)


def test_placements_are_those_of_a_run_and_one_by_default(tmp_path):
    one, three = (iface_wf.build("LiI", molecule="O", thickness=3.0, placements=n) for n in (None, 3))
    assert (len(one.placements), len(three.placements)) == (1, 3)
    assert one.placements[0].cart_coords == pytest.approx(three.placements[0].cart_coords)
    steps = iface_wf.run(
        "LiI", molecule="O", thickness=3.0, engine="xtb", dry_run=True, store=tmp_path / "store.sqlite"
    )
    atoms = {step["step"]: step["atoms"] for step in steps}
    assert (atoms["relax A"], atoms["relax B"]) == (len(one.slab), len(one.fragment))


def test_a_file_of_the_user_and_a_library_of_its_own(tmp_path):
    iface_wf.build("LiI", thickness=3.0).slab.to(str(tmp_path / "mine.vasp"), fmt="poscar")
    assert iface_wf.build(tmp_path / "mine.vasp").slab.composition.reduced_formula == "LiI"
    (tmp_path / "polymers").mkdir()
    (tmp_path / "polymers" / "PME.yaml").write_text("name: PME\ntitle: mine\nsource: my thesis\npsmiles: '*CO*'\n")
    library = iface_wf.Library(tmp_path)
    assert iface_wf.build("LiI", "PME", 1, thickness=3.0, library=library).fragment.properties["polymer"] == "PME"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"units": 2}, "'units' means nothing"),
        ({"placements": 2}, "'placements' means nothing"),
        ({"polymer": "PEO", "molecule": "O"}, "not both"),
        ({"thicknes": 3.0}, "did you mean 'thickness'"),
        ({"molecule": "O", "engine": "xtb"}, "engine"),
        ({"molecule": "O", "vacuum": 1.0}, "vacuum"),
    ],
)
def test_what_means_nothing_or_is_wrong_is_refused(options, text):
    with pytest.raises(InputError, match=text):
        iface_wf.build("LiI", **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"filler": b"LiI"}, "The argument 'filler' must be text, not b'LiI'"),
        ({"filler": 5}, "The argument 'filler' must be text, not 5"),
        ({"molecule": ["O"]}, "The argument 'molecule' must be text"),
        ({"thickness": "3"}, "The argument 'thickness' must be a number, not '3'"),
        ({"thickness": True}, "'thickness': a number is needed, not true"),
        ({"thickness": 1e-300}, "'thickness': input should be greater than or equal to 0.5"),
        ({"vacuum": float("nan")}, "'vacuum': a number is needed, not nan"),
        ({"surface": 5}, "'surface': input should be a valid tuple"),
    ],
)
def test_arguments_of_the_wrong_type_are_refused_in_the_words_of_python(options, text):
    for function in (iface_wf.build, iface_wf.run):
        with pytest.raises(InputError, match=text) as caught:
            function(**{"filler": "LiI", "molecule": "O"} | options)
        assert "YAML" not in str(caught.value)

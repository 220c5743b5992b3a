"""Interfaces of files: the same physics as those that are built, results that are told apart, and files of screenings."""

from __future__ import annotations

import json

import pytest
from ase.constraints import FixAtoms
from ase.io import write
from monty.json import MontyDecoder, MontyEncoder

import iface_wf
from iface_wf.errors import InputError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.library import Library
from iface_wf.quantities.binding import BINDING
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.screening.spec import ScreeningSpec
from tests.builders.test_given import adsorbed

QUICK = {"engine": "mlip", "placements": 1, "quantities": ["binding_energy"]}


def test_an_interface_of_a_file_has_another_key_and_options_without_meaning_leave_it_alone():
    def key(digest="AB", conformers=True, **options):
        request = BindingRequest(interface="AB.xyz", **options)
        return request.key("slab", "fragment", interface_digest=digest, conformers=conformers)

    built = BindingRequest(filler="SiO2", polymer="PEO").key("slab", "fragment")
    assert len({built, key(), key("another"), key(conformers=False), key(seed=1), key(engine="xtb")}) == 6
    assert key(conformers=False, seed=1) == key(conformers=False, placements=3) == key(conformers=False)
    assert key(split="3-4", filler="MgO") == key()  # what was cut counts, not how it was said


def test_the_atoms_that_a_file_holds_and_its_geometry_tell_results_apart(tmp_path):
    keys = set()
    for name, held, moved in (("a", False, 0.0), ("b", True, 0.0), ("c", False, 0.1), ("d", False, 0.0)):
        atoms = adsorbed("H2O")
        if held:
            atoms.set_constraint(FixAtoms(range(32)))
        atoms.positions[32:, 0] += moved
        write(tmp_path / f"{name}.xyz", atoms, format="extxyz")
        request = BindingRequest(interface=str(tmp_path / f"{name}.xyz"), engine="xtb")
        keys |= set(BINDING.graph(request, Library()).items)
    assert len(keys) == 3  # a and d are the same under two names


@pytest.mark.slow
def test_what_we_built_and_relaxed_gives_the_same_energy_as_an_interface_of_our_own(tmp_path, monkeypatch):
    """Started from its relaxed geometry, an interface has the binding energy of the run that found it."""
    monkeypatch.chdir(tmp_path)
    first = iface_wf.run("LiI", molecule="water", thickness=3.0, **QUICK, store="s.sqlite")
    iface_wf.export(first.key, "AB.xyz", store="s.sqlite")
    again = iface_wf.run(interface="AB.xyz", **QUICK, store="s.sqlite")
    assert again.key != first.key
    assert again.binding_energy == pytest.approx(first.binding_energy, abs=0.02)  # eV; fmax leaves some meV
    assert (again.filler, again.polymer, again.provenance["ranked_by"]) == (
        "LiI",
        "H2O",
        "none: the interface of a file",
    )
    spec = {"interfaces": ["AB.xyz", {"name": "AB.xyz", "filler": "LiI", "split": "polymer"}], **QUICK}
    (stage,) = iface_wf.screen(spec, dry_run=True, store="s.sqlite")
    assert (stage.pairs, stage.stored) == (1, 1)  # said in two ways, and stored


def test_files_of_screenings_name_their_interfaces(tmp_path):
    from iface_wf.api.screening import checked_spec
    from iface_wf.screening.graph import build_screening

    write(tmp_path / "AB.xyz", adsorbed("H2O"), format="extxyz")
    text = "fillers: [{name: LiI, thickness: 3.0}]\nmolecules: [water]\nengine: xtb\ninterfaces: [{name: AB.xyz, split: '32:'}, AB2.xyz]\n"
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"line 4: the interface .*AB2.xyz is no file"):
        checked_spec(path, Library())
    path.write_text(text.replace(", AB2.xyz", ""))
    spec = checked_spec(path, Library())
    graph = build_screening(spec, Library())
    assert (spec.n_pairs, [item.name for item in graph.items.values()]) == (2, ["AB.xyz (32:)", "LiI + water"])
    funnel = spec.model_copy(update={"target": iface_wf.Target(group="[OX2]", surface="Li")})
    assert build_screening(funnel, Library()).items.keys() & graph.items.keys() == {next(iter(graph.items))}


def test_interfaces_alone_are_enough_and_mean_nothing_elsewhere():
    assert ScreeningSpec(interfaces=["AB.xyz"]).n_pairs == 1
    with pytest.raises(ValueError, match="no interface"):
        ScreeningSpec(interfaces=["AB.xyz"], molecules=["EC"], salts=["LiTFSI"], quantities=["dissociation_energy"])


def test_the_flow_of_an_interface_of_a_file_travels_to_a_queue(tmp_path):
    """Jobs go through JSON; the placement that the file brought goes with the last one."""
    write(tmp_path / "AB.xyz", adsorbed("H2O"), format="extxyz")
    graph = BINDING.graph(BindingRequest(interface=str(tmp_path / "AB.xyz"), engine="xtb"), Library(), here=False)
    flow = graph.flow("AB")
    again = json.loads(json.dumps(flow.as_dict(), cls=MontyEncoder), cls=MontyDecoder)
    names = [job.name for job, _ in again.iterflow()]
    assert names == [job.name for job, _ in flow.iterflow()]
    assert "search AB" not in names
    placements = again.jobs[-1].jobs[-1].function_kwargs["placements"]
    assert RankedPlacements.model_validate(placements).engine == "none: the interface of a file"


@pytest.mark.parametrize("lists", [{"polymers": ["PEO, PAN"]}, {"fillers": ["LiI, SiO2"]}, {"molecules": ["EC,  DMC"]}])
def test_names_that_share_one_text_are_refused(lists):
    with pytest.raises(ValueError, match="is one text with a comma in it: write each name by itself"):
        ScreeningSpec(**{"fillers": ["LiI"], "polymers": ["PEO"]} | lists)
    assert Library().find("polymer", "polydioxolane").name == "P-DOL"

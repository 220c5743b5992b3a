"""One answer to the question whether a number may be quoted, stored beside the document it belongs to."""

import pytest

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.trust import FATAL_FLAGS, is_trustworthy
from tests.examples import document, structure


def test_only_what_converged_has_an_energy_and_no_fatal_flag_is_trustworthy():
    assert is_trustworthy(True, -1.0, ["grid_coarse_for_hydrogen (AB)"])
    assert not is_trustworthy(False, -1.0, [])
    assert not is_trustworthy(True, None, [])
    for flag in FATAL_FLAGS:
        assert not is_trustworthy(True, -1.0, [f"{flag} (relax AB)"])


@pytest.mark.parametrize(
    ("changes", "trustworthy"),
    [({}, True), ({"converged": False}, False), ({"flags": ["desorbed"]}, False), ({"binding_energy": None}, False)],
)
def test_a_result_stores_the_answer_and_converged_says_only_whether_it_converged(changes, trustworthy):
    found = document(**changes)
    assert found.trustworthy is trustworthy
    assert found.converged is changes.get("converged", True)
    stored = found.model_dump(mode="json")
    assert stored["trustworthy"] is trustworthy
    assert type(found).model_validate(stored | {"trustworthy": not trustworthy}).trustworthy is trustworthy


def test_a_calculation_stores_the_answer_too():
    made = CalculationDocument(
        key="c" * 64, kind="relax", engine="xtb", engine_version="1", level="fast", functional="GFN1-xTB",
        structure=structure().as_dict(), formula="x", n_atoms=6, energy=-1.0, converged=True,
        flags=["geometry_unconverged"],
    )  # fmt: skip
    assert made.model_dump()["trustworthy"] is False
    assert made.model_copy(update={"flags": []}).trustworthy

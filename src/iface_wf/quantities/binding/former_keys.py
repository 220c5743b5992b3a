"""How the keys of interfaces were made before: to recognise the parts that a stored result was calculated for.

What is written here is history. It follows no change of levels, defaults and options.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from iface_wf.engines import registry

#: Version of the keys of results that say none.
FIRST_KEY_VERSION = 3
#: What the levels of the codes meant then.
LEVELS: dict[str, dict[str, dict[str, Any]]] = {
    "gpaw": {
        "fast": {
            "mode": "lcao",
            "basis": "dzp",
            "grid_spacing": 0.2,
            "kpoint_length": 9.0,
            "smearing": 0.05,
            "convergence": {"energy": 1e-05, "density": 0.0001},
            "fmax": 0.1,
            "max_steps": 100,
            "relaxed_by": "xtb",
        },
        "moderate": {
            "mode": "lcao",
            "basis": "dzp",
            "grid_spacing": 0.16,
            "kpoint_length": 20.0,
            "smearing": 0.05,
            "convergence": {"energy": 1e-06, "density": 1e-05},
            "fmax": 0.05,
            "max_steps": 200,
            "relaxed_by": "gpaw",
        },
        "precise": {
            "mode": "pw",
            "cutoff": 600.0,
            "grid_spacing": 0.16,
            "kpoint_length": 30.0,
            "smearing": 0.05,
            "convergence": {"energy": 1e-06, "density": 1e-05},
            "fmax": 0.02,
            "max_steps": 400,
            "relaxed_by": "gpaw",
        },
    },
    "vasp": {
        "fast": {
            "ENCUT": 500.0,
            "EDIFF": 1e-05,
            "real_space": True,
            "bader_spacing": 0.08,
            "kpoint_length": 9.0,
            "fmax": 0.1,
            "max_steps": 100,
            "relaxed_by": "xtb",
        },
        "moderate": {
            "ENCUT": 520.0,
            "EDIFF": 1e-06,
            "real_space": True,
            "bader_spacing": 0.067,
            "kpoint_length": 20.0,
            "fmax": 0.05,
            "max_steps": 200,
            "relaxed_by": "vasp",
        },
        "precise": {
            "ENCUT": 600.0,
            "EDIFF": 1e-07,
            "real_space": False,
            "bader_spacing": 0.05,
            "kpoint_length": 30.0,
            "fmax": 0.02,
            "max_steps": 400,
            "relaxed_by": "vasp",
        },
    },
    "xtb": {
        "fast": {"method": "GFN1-xTB", "accuracy": 1.0, "fmax": 0.05, "max_steps": 150},
        "moderate": {"method": "GFN1-xTB", "accuracy": 0.5, "fmax": 0.02, "max_steps": 300},
        "precise": {"method": "GFN1-xTB", "accuracy": 0.1, "fmax": 0.01, "max_steps": 500},
    },
    "mlip": {
        "fast": {"model": "CHGNet", "fmax": 0.05, "max_steps": 300},
        "moderate": {"model": "CHGNet", "fmax": 0.02, "max_steps": 500},
        "precise": {"model": "CHGNet", "fmax": 0.01, "max_steps": 1000},
    },
}
_NAMES = {"placements": "n_placements", "in_plane": "min_in_plane"}
_ALL_QUANTITIES = ["binding_energy", "interaction_energy", "charges"]


def key_of_before(request: Mapping[str, Any], slab_digest: str, fragment_digest: str) -> str:
    """Return the key that an interface had with version 3 of the keys.

    Parameters
    ----------
    request
        What was asked for, with all options, under the names of today.
    slab_digest, fragment_digest
        Digests of the two parts as built.

    Returns
    -------
    str
        SHA-256, hexadecimal.

    Raises
    ------
    InputError
        For an ML potential that is not installed.
    """
    unused = {"processes", "geometry"}
    if list(request.get("quantities", _ALL_QUANTITIES)) == _ALL_QUANTITIES:
        unused.add("quantities")
    content = {_NAMES.get(name, name): value for name, value in request.items() if name not in unused}
    engine, level, overrides = request["engine"], request["level"], request["overrides"]
    relaxing = LEVELS[engine][level].get("relaxed_by", engine)
    if level == "fast":
        relaxing = request.get("geometry") or relaxing
    ranking = ranking_of_before(request)
    content |= {
        "slab": slab_digest,
        "fragment": fragment_digest,
        "settings": _settings(engine, level, overrides),
        "geometry": [relaxing, _settings(relaxing, level, {})],
        "flow_version": 3,
    }
    if ranking == "mlip":
        content["ranking"] = [ranking, _settings(ranking, "fast", overrides if engine == ranking else {})]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def ranking_of_before(request: Mapping[str, Any]) -> str:
    """Return the engine that ranked the placements of a request."""
    return str(request.get("geometry") or ("mlip" if request["engine"] == "mlip" else "xtb"))


def _settings(engine: str, level: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a level meant; of an ML potential also the overrides and weights, which are all of its physics."""
    settings = copy.deepcopy(LEVELS[engine][level])
    if engine != "mlip":
        return settings
    settings |= {"calculator": {}, **overrides}
    if settings["model"] == "CHGNet":
        return {"weights": "0.3.0", "dispersion": "D3(BJ)"} | settings
    return registry.create(engine, level=level, overrides=dict(overrides)).defaults()

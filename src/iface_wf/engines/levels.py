"""One table of what `fast`, `moderate` and `precise` mean in each code.

Intent, the same in every code (after the protocols of aiida-common-workflows, 10.1038/s41524-021-00594-6):

fast
    A ranking on a laptop: geometries from the cheap engine, single points with a small basis.
moderate
    Geometries and energies from the DFT engine itself; trends among pairs.
precise
    Converged basis and tight forces; numbers to publish.
"""

from __future__ import annotations

from typing import Any

from iface_wf.errors import unknown_name

LEVEL_NAMES = ("fast", "moderate", "precise")

#: kpoint_length: cells are repeated until each periodic edge times its k-points reaches this length, A.
#: grid_spacing: A; c edges are multiples of 0.8 A, so 0.2 and 0.16 A grids of a slab and of its interfaces coincide.
#: fmax: largest force on a free atom at the end of a relaxation, eV/A.
LEVELS: dict[str, dict[str, dict[str, Any]]] = {
    "gpaw": {
        "fast": {
            "mode": "lcao",
            "basis": "dzp",
            "grid_spacing": 0.2,
            "kpoint_length": 9.0,
            "smearing": 0.05,
            "convergence": {"energy": 1e-5, "density": 1e-4},
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
            "convergence": {"energy": 1e-6, "density": 1e-5},
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
            "convergence": {"energy": 1e-6, "density": 1e-5},
            "fmax": 0.02,
            "max_steps": 400,
            "relaxed_by": "gpaw",
        },
    },
    # reasons and sources of these and of all other tags: iface_wf.engines.vasp.choices.CHOICES
    "vasp": {
        "fast": {
            "ENCUT": 500.0,
            "EDIFF": 1e-5,
            "real_space": True,
            "bader_spacing": 0.08,
            "kpoint_length": 9.0,
            "fmax": 0.1,
            "max_steps": 100,
            "relaxed_by": "xtb",
        },
        "moderate": {
            "ENCUT": 520.0,
            "EDIFF": 1e-6,
            "real_space": True,
            "bader_spacing": 0.067,
            "kpoint_length": 20.0,
            "fmax": 0.05,
            "max_steps": 200,
            "relaxed_by": "vasp",
        },
        "precise": {
            "ENCUT": 600.0,
            "EDIFF": 1e-7,
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
    # a model knows one accuracy: only its geometries become tighter; weights: iface_wf.engines.mlip.models
    "mlip": {
        "fast": {"model": "CHGNet", "fmax": 0.05, "max_steps": 300},
        "moderate": {"model": "CHGNet", "fmax": 0.02, "max_steps": 500},
        "precise": {"model": "CHGNet", "fmax": 0.01, "max_steps": 1000},
    },
}


def level_settings(engine: str, level: str) -> dict[str, Any]:
    """Return a copy of the settings of one level of one engine.

    Parameters
    ----------
    engine
        Name of the engine.
    level
        ``fast``, ``moderate`` or ``precise``.

    Returns
    -------
    dict
        The settings.

    Raises
    ------
    InputError
        For an unknown engine or level.
    """
    if engine not in LEVELS:
        raise unknown_name("engine", engine, LEVELS)
    if level not in LEVELS[engine]:
        raise unknown_name("level", level, LEVELS[engine])
    return dict(LEVELS[engine][level])

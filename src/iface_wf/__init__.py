"""iface-wf: interface DFT workflows, from names of fillers, polymers and salts to binding energies.

What this module shows is public; every other module may change with any release.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from iface_wf import _moved
from iface_wf.errors import CalculationError, IfaceError, InputError, MismatchError, OutageError

# OpenMP reads it when tblite or torch are loaded. Threads that spin while they wait for one whose core another program has
# make a step of xTB or of an ML potential ten times as long on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
__all__ = [
    "CalculationError",
    "IfaceError",
    "InputError",
    "Library",
    "MismatchError",
    "OutageError",
    "Target",
    "__version__",
    "best",
    "build",
    "compare",
    "convergence",
    "export",
    "figure",
    "heat_map",
    "log",
    "report",
    "report_all",
    "results",
    "run",
    "screen",
    "show",
    "store_copy",
    "store_export",
    "store_import",
]

if TYPE_CHECKING:
    from iface_wf.api.calculate import run
    from iface_wf.api.convergence import convergence, log
    from iface_wf.api.figures import figure, heat_map
    from iface_wf.api.files import export, report
    from iface_wf.api.pages import report_all
    from iface_wf.api.screening import screen
    from iface_wf.api.stored import best, compare, results, show
    from iface_wf.api.structures import build
    from iface_wf.api.transfer import store_copy, store_export, store_import
    from iface_wf.builders.placing.targets import Target
    from iface_wf.library.library import Library

#: Where each name is, to be imported when it is first used: that takes seconds, the command line must not.
_PLACES = {
    "Library": "iface_wf.library.library",
    "Target": "iface_wf.builders.placing.targets",
    "best": "iface_wf.api.stored",
    "build": "iface_wf.api.structures",
    "compare": "iface_wf.api.stored",
    "convergence": "iface_wf.api.convergence",
    "export": "iface_wf.api.files",
    "figure": "iface_wf.api.figures",
    "heat_map": "iface_wf.api.figures",
    "log": "iface_wf.api.convergence",
    "report": "iface_wf.api.files",
    "report_all": "iface_wf.api.pages",
    "results": "iface_wf.api.stored",
    "run": "iface_wf.api.calculate",
    "screen": "iface_wf.api.screening",
    "show": "iface_wf.api.stored",
    "store_copy": "iface_wf.api.transfer",
    "store_export": "iface_wf.api.transfer",
    "store_import": "iface_wf.api.transfer",
}

_moved.install()

if not TYPE_CHECKING:  # else every name would be known to a type checker, misspelt ones too

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module 'iface_wf' has no attribute {name!r}")
        return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

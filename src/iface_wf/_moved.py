"""Modules under the names that they had before: jobs that wait in somebody's queue name them.

A job that an older version submitted says which module holds its class or function, and is resolved where it runs. So a
former name imports the module of today, the very same object, so that classes stay equal.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

#: Former module: module of today. Only what a job or a result names, or a job that began before the update runs.
MOVED = {
    "iface_wf.build.targets": "iface_wf.builders.placing.targets",
    "iface_wf.documents.binding": "iface_wf.quantities.binding.document",
    "iface_wf.flows.collect": "iface_wf.quantities.binding.collect",
    "iface_wf.engines.gpaw_run": "iface_wf.engines.gpaw.run",
    "iface_wf.engines.vasp_inputs": "iface_wf.engines.vasp.inputs",
}
#: Packages of before, empty but for what has moved from them.
_PACKAGES = frozenset({"iface_wf.build"})


class _FormerNames(MetaPathFinder, Loader):
    """Finds modules by their former names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder.find_spec`."""
        if fullname in MOVED or fullname in _PACKAGES:
            return ModuleSpec(fullname, self, is_package=fullname in _PACKAGES)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let Python make an empty module, which `exec_module` replaces."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Put the module of today in the place of the empty one."""
        if module.__name__ in MOVED:
            sys.modules[module.__name__] = importlib.import_module(MOVED[module.__name__])

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of the module of today, for ``python -m`` with a former name."""
        spec = importlib.util.find_spec(MOVED[fullname])
        loader = spec.loader if spec else None
        code: CodeType | None = loader.get_code(MOVED[fullname]) if loader else None  # type: ignore[attr-defined]
        return code


def install() -> None:
    """Let former names be imported, once."""
    if not any(isinstance(finder, _FormerNames) for finder in sys.meta_path):
        sys.meta_path.append(_FormerNames())

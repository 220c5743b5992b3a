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
from typing import Any

from iface_wf.former import hint

#: Former module: module of today. Only what a job or a result names, or a job that began before the update runs.
MOVED = {
    "iface_wf.build.targets": "iface_wf.builders.placing.targets",
    "iface_wf.documents.binding": "iface_wf.quantities.binding.document",
    "iface_wf.flows.collect": "iface_wf.quantities.binding.collect",
    "iface_wf.engines.gpaw_run": "iface_wf.engines.gpaw.run",
    "iface_wf.engines.vasp_inputs": "iface_wf.engines.vasp.inputs",
}
#: The same for scripts of users, with a hint; goes with the next release.
FOR_SCRIPTS = {
    "iface_wf.build.bodies": "iface_wf.builders.placing.bodies",
    "iface_wf.build.bonds": "iface_wf.builders.solids.bonds",
    "iface_wf.build.cell": "iface_wf.builders.solids.cell",
    "iface_wf.build.checks": "iface_wf.builders.checks",
    "iface_wf.build.complexes": "iface_wf.builders.molecules.complexes",
    "iface_wf.build.components": "iface_wf.builders.components",
    "iface_wf.build.condense": "iface_wf.builders.solids.condense",
    "iface_wf.build.conformers": "iface_wf.builders.molecules.conformers",
    "iface_wf.build.contact": "iface_wf.builders.contact",
    "iface_wf.build.dipole": "iface_wf.builders.solids.dipole",
    "iface_wf.build.disorder": "iface_wf.builders.solids.disorder",
    "iface_wf.build.fragments": "iface_wf.builders.molecules.fragments",
    "iface_wf.build.graft": "iface_wf.builders.solids.graft",
    "iface_wf.build.interface": "iface_wf.builders.interface",
    "iface_wf.build.ions": "iface_wf.builders.molecules.ions",
    "iface_wf.build.oligomers": "iface_wf.builders.molecules.oligomers",
    "iface_wf.build.placements": "iface_wf.builders.placing.placements",
    "iface_wf.build.planes": "iface_wf.builders.solids.planes",
    "iface_wf.build.slabs": "iface_wf.builders.solids.slabs",
    "iface_wf.build.solids": "iface_wf.builders.solids.stacks",
    "iface_wf.build.springs": "iface_wf.builders.solids.springs",
    "iface_wf.build.surfaces": "iface_wf.builders.solids.surfaces",
    "iface_wf.build.terminations": "iface_wf.builders.solids.terminations",
    "iface_wf.build.wires": "iface_wf.builders.solids.wires",
    "iface_wf.cli.vasp": "iface_wf.cli.collect",
    "iface_wf.engines.gpaw_density": "iface_wf.engines.gpaw.density",
    "iface_wf.engines.gpaw_execute": "iface_wf.engines.gpaw.execute",
    "iface_wf.engines.gpaw_files": "iface_wf.engines.gpaw.files",
    "iface_wf.engines.gpaw_handlers": "iface_wf.engines.gpaw.handlers",
    "iface_wf.engines.mlip_models": "iface_wf.engines.mlip.models",
    "iface_wf.engines.vasp_choices": "iface_wf.engines.vasp.choices",
    "iface_wf.engines.vasp_folders": "iface_wf.engines.vasp.folders",
    "iface_wf.engines.vasp_grids": "iface_wf.engines.vasp.grids",
    "iface_wf.engines.vasp_outcar": "iface_wf.engines.vasp.outcar",
    "iface_wf.engines.vasp_outputs": "iface_wf.engines.vasp.outputs",
    "iface_wf.engines.vasp_run": "iface_wf.engines.vasp.run",
    "iface_wf.engines.vasp_settings": "iface_wf.engines.vasp.installation",
    "iface_wf.flows.binding": "iface_wf.quantities.binding.maker",
    "iface_wf.flows.folders": "iface_wf.quantities.binding.folders",
    "iface_wf.flows.requests": "iface_wf.quantities.binding.request",
    "iface_wf.flows.screening": "iface_wf.screening.graph",
    "iface_wf.flows.screening_cells": "iface_wf.quantities.binding.cells",
    "iface_wf.flows.screening_events": "iface_wf.screening.events",
    "iface_wf.flows.screening_spec": "iface_wf.screening.spec_file",
    "iface_wf.queues.local": "iface_wf.flows.run",
    "iface_wf.queues.remote": "iface_wf.queues.submit",
    "iface_wf.queues.screen": "iface_wf.screening.run",
    "iface_wf.queues.screen_plan": "iface_wf.screening.plan",
    "iface_wf.queues.screen_stage": "iface_wf.screening.workers",
    "iface_wf.queues.screen_state": "iface_wf.screening.state",
    "iface_wf.report.figures": "iface_wf.reports.figures",
    "iface_wf.report.files": "iface_wf.reports.files",
    "iface_wf.report.names": "iface_wf.reports.names",
    "iface_wf.report.page": "iface_wf.reports.page",
    "iface_wf.report.scene": "iface_wf.reports.scene",
    "iface_wf.store.references": "iface_wf.store.reuse",
}
#: Packages of before, empty but for what has moved from them.
_PACKAGES = frozenset({"iface_wf.build", "iface_wf.report"})


class _FormerPackage(ModuleType):
    """A package of before that is called like a function of the public face: it can be called as that function.

    Importing it puts it in the function's place, as an attribute of `iface_wf`.
    """

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function of the same name."""
        face, _, name = self.__name__.partition(".")
        return importlib.import_module(face).__getattr__(name)(*arguments, **options)


class _FormerNames(MetaPathFinder, Loader):
    """Finds modules by their former names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder.find_spec`."""
        if fullname in MOVED or fullname in FOR_SCRIPTS or fullname in _PACKAGES:
            return ModuleSpec(fullname, self, is_package=fullname in _PACKAGES)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let Python make an empty module, which `exec_module` replaces, or make a package."""
        return _FormerPackage(spec.name) if spec.name in _PACKAGES else None

    def exec_module(self, module: ModuleType) -> None:
        """Put the module of today in the place of the empty one."""
        before = module.__name__
        if before in FOR_SCRIPTS:
            hint(before, FOR_SCRIPTS[before])
        if before not in _PACKAGES:
            sys.modules[before] = importlib.import_module(_today(before))

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of the module of today, for ``python -m`` with a former name."""
        today = _today(fullname)
        spec = importlib.util.find_spec(today)
        loader = spec.loader if spec else None
        code: CodeType | None = loader.get_code(today) if loader else None  # type: ignore[attr-defined]
        return code


def _today(before: str) -> str:
    return MOVED.get(before) or FOR_SCRIPTS[before]


def install() -> None:
    """Let former names be imported, once."""
    if not any(isinstance(finder, _FormerNames) for finder in sys.meta_path):
        sys.meta_path.append(_FormerNames())

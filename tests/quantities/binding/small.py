"""Makers for the tiny interface of the fixtures."""

from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.quantities.binding.maker import BindingEnergyMaker

ABOUT = {"key": "test", "filler": "water", "surface": "layer", "polymer": "water", "units": 1, "provenance": {}}


def gpaw_maker(**options):
    """Return the binding maker with real GPAW on a coarse basis of its own cell."""
    overrides = {"convergence": {"energy": 1e-6, "density": 1e-5}, "kpoint_length": 1.0}
    return BindingEnergyMaker(
        engine=GpawEngine(processes=1, overrides=overrides | options.pop("overrides", {})),
        geometry_engine=XtbEngine(),
        placements=2,
        search=30,
        vacuum=6.0,
        **options,
    )


def xtb_maker():
    """Return the binding maker with xTB for everything."""
    return BindingEnergyMaker(engine=XtbEngine(), geometry_engine=XtbEngine(), placements=2, search=30, vacuum=6.0)

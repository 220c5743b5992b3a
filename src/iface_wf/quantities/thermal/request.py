"""What a user asks for: the binding free energy of one interface at a temperature and a pressure."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from iface_wf.quantities.binding.columns import QUANTITIES
from iface_wf.quantities.binding.request import BindingRequest

#: Temperature, K, and pressure, bar, that are sensible for a harmonic adsorbate and an ideal gas.
Temperature = Annotated[float, Field(ge=10.0, le=3000.0, allow_inf_nan=False)]
Pressure = Annotated[float, Field(ge=1e-12, le=1000.0, allow_inf_nan=False)]
ROOM_TEMPERATURE, ONE_BAR = 298.15, 1.0


class ThermalRequest(BindingRequest):
    """Binding free energy of one interface, with the zero-point energy and the entropies in it.

    Attributes
    ----------
    engine, level, geometry, overrides, processes, quantities, and what is on which filler
        See `iface_wf.quantities.binding.request.BindingRequest`. Frequencies are those of the engine that relaxes.
    temperature
        K.
    pressure
        Of the ideal gas that the molecule comes from, bar.

    Examples
    --------
    >>> request = ThermalRequest(filler="LiI", molecule="O", engine="xtb", temperature=350)
    >>> request.quantities, request.binding().quantities
    (('binding_free_energy',), ('binding_energy', 'interaction_energy', 'charges'))
    """

    quantities: tuple[str, ...] = ("binding_free_energy",)
    temperature: Temperature = ROOM_TEMPERATURE
    pressure: Pressure = ONE_BAR

    @field_validator("quantities")
    @classmethod
    def _corrected(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Leave the quantity alone: what its binding energy needs is said by `binding`."""
        return value

    @model_validator(mode="after")
    def _one_molecule(self) -> Self:
        """Refuse several molecules: the gas that they come from is of one."""
        if self.several:
            raise ValueError("'copies', 'faces' and 'beside' mean nothing for a free energy, which is of one molecule")
        return self

    def binding(self) -> BindingRequest:
        """Return the request of the binding energy, with all quantities: the one that everybody asks for, to share it."""
        told = {name: getattr(self, name) for name in BindingRequest.model_fields if name != "quantities"}
        return BindingRequest(**told, quantities=QUANTITIES)
